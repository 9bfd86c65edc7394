/** Reads the lines of an IRC log in the form of irclogs.ubuntu.com: what each line is. Pure and linear. */

export type IrcLine =
  | { kind: 'message' | 'action'; minute: number; nick: string; text: string }
  /** Somebody came, went or changed their name; modes, topics and kicks. */
  | { kind: 'join' | 'leave' | 'nick' | 'system' }
  | { kind: 'notice' }
  | { kind: 'other' };

const MESSAGE = /^\[(\d\d):(\d\d)\] <([^>]+)> ?(.*)$/s;
const ACTION = /^\[(\d\d):(\d\d)\] +\* (\S+) ?(.*)$/s;
const NOTICE = /^-[^-\s][^\s]*- /;
const JOINED = / has joined [#&][^ ]*$/i;
const LEFT = / has (?:left [#&]|quit)/i;
const RENAMED = / is now known as [^ ]+$/;

/** What a line is. Minutes count from midnight, UTC. */
export function readIrcLine(line: string): IrcLine {
  if (line.startsWith('===')) {
    if (JOINED.test(line)) return { kind: 'join' };
    if (LEFT.test(line)) return { kind: 'leave' };
    return { kind: RENAMED.test(line) ? 'nick' : 'system' };
  }
  const message = MESSAGE.exec(line);
  const match = message ?? ACTION.exec(line);
  if (match) {
    const minute = Number(match[1]) * 60 + Number(match[2]);
    if (Number(match[1]) < 24 && Number(match[2]) < 60) {
      return { kind: message ? 'message' : 'action', minute, nick: match[3] as string, text: match[4] as string };
    }
    return { kind: 'other' };
  }
  return { kind: NOTICE.test(line) ? 'notice' : 'other' };
}

/** The channel that a join line names, without its sign. */
export function joinedChannel(line: string): string | null {
  return line.startsWith('===') ? (/ has joined [#&]([^ ]+)$/i.exec(line)?.[1]?.toLowerCase() ?? null) : null;
}

/** Midnight of the day in a file's name (`2004-12-25…`), UTC; null when there is none. */
export function dayOf(fileName: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)/.exec(fileName);
  if (!match) return null;
  const at = Date.parse(`${match[0]}T00:00:00Z`);
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== match[0] ? null : at;
}

/** Reply links of one file. */
export interface Links {
  /** For each line that answers others: those, in the order of the file. */
  parents: Map<number, number[]>;
  /** How many links there are; lines that begin a conversation are not counted. */
  count: number;
  /** Lines that are no links. */
  unread: number;
}

/** `A B -` with line numbers from 0: line B answers line A; A = B begins a conversation. */
export function readLinks(text: string): Links {
  const links: Links = { parents: new Map(), count: 0, unread: 0 };
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match = /^(\d{1,9}) (\d{1,9}) -\s*$/.exec(line);
    if (!match) {
      links.unread += 1;
      continue;
    }
    const parent = Number(match[1]);
    const child = Number(match[2]);
    if (parent === child) continue;
    links.count += 1;
    const parents = links.parents.get(child);
    if (parents) parents.push(parent);
    else links.parents.set(child, [parent]);
  }
  return links;
}

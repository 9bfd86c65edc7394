/** Imports IRC logs into one public channel: every message once, in the order of the files, however often it is run. */
import { hash } from 'node:crypto';
import { type RoomId, type RoomRole, SYSTEM_ACTOR, type UserId } from '@natter/protocol';
import type { Clock } from '../clock.js';
import { type Answer, refuse } from '../core/actor.js';
import type { NameRules } from '../core/ports.js';
import type { Limits } from '../limits.js';
import type { Log } from '../log/log.js';
import { nameClaim } from '../rooms/rooms.js';
import type { Claim, Draft, Entry, Outcome, Store } from '../store/store.js';
import { codePoints, lineProblem } from '../text.js';
import { channelOf, findIrcFiles, ImportError, type IrcFile, linksOf } from './irc-files.js';
import { type IrcLine, type Links, readIrcLine } from './irc-lines.js';
import { type Line, readLines } from './lines.js';
import { Placeholders } from './placeholders.js';
import { type Keyed, Sender } from './sender.js';

export interface IrcOptions {
  store: Store;
  log: Log;
  names: NameRules;
  clock: Clock;
  limits: Limits;
  /** Resolves once everything committed so far can be found. */
  searchable: () => Promise<void>;
}

export interface IrcRequest {
  paths: readonly string[];
  /** The channel's name; else the one that join lines name. */
  room?: string;
  /** Takes actions (`* nick text`) as messages `/me text`. */
  actions?: boolean;
  /** Owns the channel when this run makes it. Without one, the first admin who joins it does. */
  owner?: UserId;
}

export interface IrcProgress {
  bytes: number;
  ofBytes: number;
  messages: number;
  file: string;
}

/** Every line that was read is counted once in `lines`, and everything that was made in `made`. */
export interface IrcReport {
  room: { id: RoomId; name: string; made: boolean };
  files: number;
  lines: {
    read: number;
    messages: number;
    joins: number;
    leaves: number;
    nicks: number;
    system: number;
    actions: number;
    notices: number;
    other: number;
  };
  made: {
    messages: number;
    /** Were there from a former run. */
    known: number;
    /** Stand under the same file and line with another text: left as they are. */
    changed: number;
    replies: number;
    authors: number;
  };
  authors: number;
  links: {
    read: number;
    /** Second and further parents of a line: a message answers one. */
    further: number;
    /** Neither end, or not both, is a message that was imported before it. */
    unusable: number;
    /** Lines of annotation files that are no links. */
    unread: number;
  };
  text: {
    /** Had bytes that are no UTF-8, or NUL: they stand as U+FFFD. */
    replaced: number;
    shortened: number;
    empty: number;
  };
  /** Until everything was in the log, and until everything could be found. */
  seconds: { committed: number; searchable: number };
}

const BATCH = 1_000;
/** How far the logs are read ahead: until their messages are due, the accounts of their authors have been made. */
const AHEAD_BYTES = 1 << 19;
/** Whose keys they are. One after the other, and not by author, they are written where the last ones were. */
const KEYS = SYSTEM_ACTOR;
const keyOf = (prefix: string, line: number): string => `${prefix}:${String(line).padStart(9, '0')}`;

export type ImportIrc = (
  request: IrcRequest,
  onProgress: (progress: IrcProgress) => void,
  signal: AbortSignal,
) => Promise<Answer<IrcReport>>;

/** One import at a time: two would make the same authors, and mix their lines. */
export function makeIrcImport(options: IrcOptions): ImportIrc {
  let running = false;
  return async (request, onProgress, signal) => {
    if (running) return refuse('conflict', 'another import is running');
    running = true;
    try {
      return { ok: true, value: await importIrc(options, request, onProgress, signal) };
    } catch (error) {
      if (error instanceof ImportError) return refuse('invalid', error.message);
      throw error;
    } finally {
      running = false;
    }
  };
}

async function importIrc(
  options: IrcOptions,
  request: IrcRequest,
  onProgress: (progress: IrcProgress) => void,
  signal: AbortSignal,
): Promise<IrcReport> {
  const { limits, clock, searchable } = options;
  const started = clock.ticks();
  const files = await findIrcFiles(request.paths);
  const name = (request.room ?? (await channelOf(files))).replace(/^#/, '').trim();
  const problem = lineProblem(name, limits.NAME_MAX, 1);
  if (problem) throw new ImportError(`the room's name ${problem}`);
  const room = await openRoom(options, name, request.owner, (files[0] as IrcFile).day);
  const placeholders = await Placeholders.open({ ...options, nameMax: limits.NAME_MAX }, `irc:${name}`);
  const run = new Run(options, request, room.id, placeholders);
  const ofBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  let bytes = 0;
  for await (const part of run.parts(files)) {
    signal.throwIfAborted();
    await run.take(part);
    bytes += part.bytes;
    signal.throwIfAborted();
    onProgress({ bytes, ofBytes, messages: run.report.lines.messages, file: part.log.file.name });
  }
  await run.finish();
  const committed = clock.ticks();
  await searchable();
  return {
    ...run.report,
    room: { ...room, name },
    files: files.length,
    seconds: { committed: (committed - started) / 1_000, searchable: (clock.ticks() - started) / 1_000 },
  };
}

/** The channel of this name that a former run has made, or a new one. */
async function openRoom(
  { store, log, clock }: IrcOptions,
  name: string,
  owner: UserId | undefined,
  at: number,
): Promise<{ id: RoomId; made: boolean }> {
  const value = `irc-room:${name}`;
  const known = await store.db
    .selectFrom('claims')
    .leftJoin('rooms', 'rooms.id', 'claims.owner')
    .select(['claims.owner', 'rooms.deleted_at'])
    .where('claims.space', '=', 'import')
    .where('claims.value', '=', value)
    .executeTakeFirst();
  if (known) return { id: known.owner, made: false };
  const id = await store.reserveStreams(1);
  const members = owner === undefined ? [] : [{ user: owner, role: 'owner' as RoomRole }];
  const drafts: Draft[] = [
    {
      stream: id,
      type: 'room.created',
      body: { kind: 'channel', name, topic: '', visibility: 'public', history: 'shared', members },
    },
  ];
  if (owner !== undefined) drafts.push({ stream: owner, type: 'membership.added', body: { room: id } });
  const claims: Claim[] = [{ space: 'import', value, owner: id }, nameClaim('', name, id)];
  const outcome = await log.append({ actor: owner ?? SYSTEM_ACTOR, at: Math.min(at, clock.now()), drafts, claims });
  if (outcome.kind === 'committed') return { id, made: true };
  if (outcome.kind === 'taken') {
    throw new ImportError(`there is a public channel "${name}" that no import has made; give another name with --room`);
  }
  throw new Error(`the room was answered with ${outcome.kind}`);
}

/** A file that is being read. */
interface IrcLog {
  file: IrcFile;
  links: Links | null;
  /** Of the keys of its messages. */
  prefix: string;
  /** Number of the next line. */
  next: number;
  /** Lines that became messages. */
  sent: Set<number>;
}

/** Some lines of a log, read and not yet imported. */
interface Part {
  log: IrcLog;
  lines: { raw: Line; line: IrcLine }[];
  bytes: number;
  /** Is nothing of the log behind it? */
  isLast: boolean;
  /** Resolves when its authors have accounts. */
  authors: Promise<unknown>;
}

/** One run: reads files one after the other and keeps count. */
class Run {
  readonly report: Omit<IrcReport, 'room' | 'files' | 'seconds'> = {
    lines: { read: 0, messages: 0, joins: 0, leaves: 0, nicks: 0, system: 0, actions: 0, notices: 0, other: 0 },
    made: { messages: 0, known: 0, changed: 0, replies: 0, authors: 0 },
    authors: 0,
    links: { read: 0, further: 0, unusable: 0, unread: 0 },
    text: { replaced: 0, shortened: 0, empty: 0 },
  };
  readonly #request: IrcRequest;
  readonly #room: RoomId;
  readonly #limits: Limits;
  readonly #placeholders: Placeholders;
  readonly #sender: Sender;
  readonly #authors = new Set<string>();

  constructor(options: IrcOptions, request: IrcRequest, room: RoomId, placeholders: Placeholders) {
    this.#request = request;
    this.#room = room;
    this.#limits = options.limits;
    this.#placeholders = placeholders;
    const size = Math.min(BATCH, options.limits.COMMIT_BATCH_MAX);
    this.#sender = new Sender(options.log, size, (outcome, entry) => this.#count(outcome, entry));
  }

  /** The logs in their order, in parts, read ahead. */
  async *parts(files: readonly IrcFile[]): AsyncGenerator<Part> {
    const ahead: Part[] = [];
    let bytes = 0;
    for (const file of files) {
      const log = await this.#open(file);
      let before = 0;
      for await (const { lines, bytes: soFar } of readLines(file.path)) {
        ahead.push(this.#part(log, lines, soFar - before, false));
        bytes += soFar - before;
        before = soFar;
        for (let first = ahead[0]; first && bytes > AHEAD_BYTES; first = ahead[0]) {
          ahead.shift();
          bytes -= first.bytes;
          yield first;
        }
      }
      ahead.push(this.#part(log, [], 0, true));
    }
    yield* ahead;
  }

  async #open(file: IrcFile): Promise<IrcLog> {
    const links = await linksOf(file);
    if (links) {
      this.report.links.read += links.count;
      this.report.links.unread += links.unread;
    }
    // Keys are short printable ASCII, whatever the name is.
    const prefix = `irc:${this.#room}:${/^[\x21-\x7e]{1,80}$/.test(file.name) ? file.name : digest(file.name)}`;
    return { file, links, prefix, next: 0, sent: new Set() };
  }

  /** Its new authors get accounts from here on, while what was read before is imported. */
  #part(log: IrcLog, raw: readonly Line[], bytes: number, isLast: boolean): Part {
    const lines = raw.map((one) => ({ raw: one, line: readIrcLine(one.text) }));
    const authors = new Set<string>();
    for (const { line } of lines) if (this.#isTaken(line)) authors.add(line.nick);
    const made = this.#placeholders.add([...authors]);
    // Heard of when its turn comes.
    made.catch(() => {});
    return { log, lines, bytes, isLast, authors: made };
  }

  async take({ log, lines, isLast, authors }: Part): Promise<void> {
    const { file, links, prefix, sent } = log;
    await authors;
    for (const { raw, line } of lines) {
      const at = log.next;
      log.next += 1;
      this.#countLine(line);
      if (!this.#isTaken(line)) continue;
      const author = this.#placeholders.get(line.nick);
      if (author === undefined) throw new Error(`no account was made for ${line.nick}`);
      const parent = links ? this.#answered(links, at, sent) : undefined;
      sent.add(at);
      const answers = parent === undefined ? undefined : { author: KEYS, key: keyOf(prefix, parent) };
      const full = this.#sender.add(this.#entry(file, line, raw, author, keyOf(prefix, at), answers));
      if (full) await full;
    }
    if (!isLast) return;
    // Links of lines that are no messages, or that the file does not have.
    for (const [child, parents] of links?.parents ?? [])
      if (!sent.has(child)) this.report.links.unusable += parents.length;
  }

  async finish(): Promise<void> {
    await this.#sender.flush();
    this.report.authors = this.#authors.size;
    this.report.made.authors = this.#placeholders.made;
  }

  /** The message that a line answers: the first of its parents that is one. */
  #answered(links: Links, at: number, sent: ReadonlySet<number>): number | undefined {
    const parents = links.parents.get(at);
    if (!parents) return undefined;
    const usable = parents.filter((parent) => sent.has(parent));
    this.report.links.unusable += parents.length - usable.length;
    this.report.links.further += Math.max(0, usable.length - 1);
    return usable[0];
  }

  #entry(
    file: IrcFile,
    line: Extract<IrcLine, { nick: string }>,
    raw: Line,
    author: UserId,
    key: string,
    answers: Draft['answers'],
  ): Keyed {
    const at = file.day + line.minute * 60_000;
    const text = this.#text(line.kind === 'action' ? `/me ${line.text}` : line.text, raw.broken);
    const draft: Draft = { stream: this.#room, type: 'message.sent', body: { text }, ...(answers ? { answers } : {}) };
    return { actor: author, at, drafts: [draft], key: { author: KEYS, key, hash: digest(`${at}\n${text}`) } };
  }

  #text(text: string, broken: boolean): string {
    let kept = text;
    if (broken || text.includes('\0')) {
      this.report.text.replaced += 1;
      kept = text.replaceAll('\0', '\ufffd');
    }
    const max = this.#limits.MESSAGE_TEXT_MAX;
    if (kept.length > max && codePoints(kept) > max) {
      this.report.text.shortened += 1;
      kept = `${[...kept].slice(0, max - 1).join('')}…`;
    }
    if (kept === '') this.report.text.empty += 1;
    return kept;
  }

  #isTaken(line: IrcLine): line is Extract<IrcLine, { nick: string }> {
    return line.kind === 'message' || (line.kind === 'action' && this.#request.actions === true);
  }

  #countLine(line: IrcLine): void {
    const { lines } = this.report;
    lines.read += 1;
    switch (line.kind) {
      case 'message':
        lines.messages += 1;
        this.#authors.add(line.nick);
        return;
      case 'action':
        lines.actions += 1;
        return;
      case 'join':
        lines.joins += 1;
        return;
      case 'leave':
        lines.leaves += 1;
        return;
      case 'nick':
        lines.nicks += 1;
        return;
      case 'system':
        lines.system += 1;
        return;
      case 'notice':
        lines.notices += 1;
        return;
      case 'other':
        lines.other += 1;
        return;
      default:
        throw new Error(`unknown line ${JSON.stringify(line satisfies never)}`);
    }
  }

  #count(outcome: Outcome, entry: Entry): void {
    const { made } = this.report;
    switch (outcome.kind) {
      case 'committed':
        made.messages += 1;
        if (entry.drafts[0]?.answers) made.replies += 1;
        return;
      case 'replayed':
        made.known += 1;
        return;
      case 'key_conflict':
        made.changed += 1;
        return;
      default:
        throw new Error(`a message was answered with ${outcome.kind}`);
    }
  }
}

function digest(text: string): string {
  return hash('sha1', text, 'base64url').slice(0, 22);
}

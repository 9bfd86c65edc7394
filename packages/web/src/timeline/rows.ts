/** What stands in a timeline: messages, and between them the days and the line before what is new. */
import type { Message, PendingMessage } from '@natter/client';

export type Row =
  | { readonly is: 'day'; readonly key: string; readonly at: string }
  | { readonly is: 'new'; readonly key: string }
  | { readonly is: 'message'; readonly key: string; readonly message: Message; readonly first: boolean }
  | { readonly is: 'pending'; readonly key: string; readonly pending: PendingMessage; readonly first: boolean };

/** Messages of one author within this many milliseconds stand under one name. */
const TOGETHER = 5 * 60_000;

const dayKeys = new Map<string, string>();

/** The reader's own day of a time; times of one minute have one day, so few are reckoned. */
function dayOf(at: string): string {
  const minute = at.slice(0, 16);
  const known = dayKeys.get(minute);
  if (known) return known;
  const date = new Date(at);
  const day = `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
  if (dayKeys.size > 10_000) dayKeys.clear();
  dayKeys.set(minute, day);
  return day;
}

interface Before {
  author: number;
  at: string;
}

function standsAlone(before: Before | null, author: number, at: string): boolean {
  return before === null || before.author !== author || Date.parse(at) - Date.parse(before.at) > TOGETHER;
}

export interface RowsInput {
  messages: readonly Message[];
  /** The message before the first of these, if there is one. */
  before: Message | undefined;
  pending: readonly PendingMessage[];
  me: number;
  /** The line stands before the first message from this seq on. */
  newFrom: number | null;
}

export function rowsOf({ messages, before, pending, me, newFrom }: RowsInput): Row[] {
  const rows: Row[] = [];
  let last: Before | null = before ?? null;
  let day = before ? dayOf(before.at) : '';
  let drawn = newFrom === null || (before !== undefined && before.seq >= newFrom);
  const divide = (at: string): void => {
    const today = dayOf(at);
    if (today === day) return;
    day = today;
    last = null;
    rows.push({ is: 'day', key: `day ${today}`, at });
  };
  for (const message of messages) {
    divide(message.at);
    if (!drawn && newFrom !== null && message.seq >= newFrom) {
      drawn = true;
      last = null;
      rows.push({ is: 'new', key: 'new' });
    }
    const first = standsAlone(last, message.author, message.at) || message.replyTo !== null;
    rows.push({ is: 'message', key: `m${message.id}`, message, first });
    last = message;
  }
  for (const one of pending) {
    divide(one.at);
    const first = standsAlone(last, me, one.at) || one.replyTo !== null;
    rows.push({ is: 'pending', key: one.key, pending: one, first });
    last = { author: me, at: one.at };
  }
  return rows;
}

/** Seq of somebody's newest message. */
export function newestOf(author: number, messages: readonly Message[]): number | undefined {
  return messages.findLast((message) => message.author === author && message.deletedAt === null)?.seq;
}

/** The first index whose message has at least this seq. */
export function indexFrom(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle] as Message).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

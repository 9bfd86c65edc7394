/** What was asked for and what became of it, with the moments of one clock: the test's own. */
import type { Event, HiddenEvent, UserId } from '@natter/protocol';

/** Milliseconds since the test began. */
export const now = (): number => performance.now();

/** A message that somebody sent: once, or as often as it takes until the answer is known. */
export interface Send {
  user: UserId;
  device: string;
  key: string;
  room: number;
  text: string;
  invoked: number;
  /** When the answer was known. */
  answered: number | null;
  seq: number | null;
  id: number | null;
  /** The code of a refusal for good. */
  refused: string | null;
}

/** Anything else that was asked for. */
export interface Act {
  user: UserId;
  type: string;
  input: Record<string, unknown>;
  invoked: number;
  answered: number | null;
  refused: string | null;
  seq: number | null;
}

/** An event as a device heard it. */
export interface Heard {
  stream: number;
  seq: number;
  id: number | null;
  type: string;
  /** JSON of the body, as it came. */
  body: string;
  at: number;
}

/** When somebody was certainly in a room, or certainly not: from the answer to one change to the asking for the next. */
export interface Standing {
  user: UserId;
  room: number;
  member: boolean;
  from: number;
  to: number;
}

/** A time in which something was broken. */
export interface Trouble {
  faults: string[];
  harms: Set<string>;
  began: number;
  healed: number;
}

export function heardOf(event: Event | HiddenEvent, at: number): Heard {
  const { stream, seq, type } = event;
  const known = event as Partial<Event>;
  return { stream, seq, type, id: known.id ?? null, body: JSON.stringify(known.body ?? null), at };
}

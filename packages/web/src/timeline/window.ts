/**
 * Which of the loaded messages stand in the page: as many as the reader can see and a few screens around them, whatever
 * the length of the room. Named by seq, so that pages that are loaded before or behind do not move it.
 */
import type { Message, TimelineSnapshot } from '@natter/client';
import { indexFrom } from './rows.js';

export interface Window {
  /** Seq of the first message that stands in the page. */
  readonly from: number;
  /** Seq of the last one; null: all from the first on, new ones too. */
  readonly to: number | null;
}

/** Messages by which a window grows. */
const STEP = 30;
/** Pixels of the lowest row, and of what stands above and below a timeline at least. */
const ROW = 26;
const ELSE = 120;

/** Messages that a window begins with: those that fill a page of that height, and no more, so that it is painted at once. */
export function screenful(height: number): number {
  return Math.max(10, Math.ceil((height - ELSE) / ROW));
}

/** Most messages in the page: several screens even of the shortest rows. */
export function most(height: number): number {
  return Math.max(120, Math.ceil(height / 20) * 5);
}

type Loaded = Pick<TimelineSnapshot, 'messages' | 'older'>;

/** Whether a message stands alone, and begins a day, is seen by the one before it: the first that is loaded waits for that. */
const least = ({ older }: Loaded): number => (older ? 1 : 0);

export function range(loaded: Loaded, { from, to }: Window): readonly [number, number] {
  const { messages } = loaded;
  const begin = Math.max(indexFrom(messages, from), least(loaded));
  return [begin, to === null ? messages.length : Math.max(begin, indexFrom(messages, to + 1))];
}

/** The newest. */
export function atEnd(messages: readonly Message[], first: number): Window {
  return { from: messages.at(-first)?.seq ?? messages[0]?.seq ?? 0, to: null };
}

/** Around a message, wherever on the page it comes to stand. */
export function around(messages: readonly Message[], seq: number, first: number): Window {
  const at = indexFrom(messages, seq);
  const end = at + first;
  return {
    from: messages[Math.max(0, at - Math.ceil(first / 2))]?.seq ?? seq,
    to: end >= messages.length ? null : (messages[end] as Message).seq,
  };
}

/** Grown on one side, and cut on the other when it is too large. Null: there is no more on that side. */
export function grow(loaded: Loaded, window: Window, side: 'up' | 'down', max: number): Window | null {
  const { messages } = loaded;
  const [begin, end] = range(loaded, window);
  if (side === 'up') {
    if (begin <= least(loaded)) return null;
    const from = Math.max(least(loaded), begin - STEP);
    return {
      from: (messages[from] as Message).seq,
      to: end - from > max ? (messages[from + max - 1] as Message).seq : window.to,
    };
  }
  if (end >= messages.length) return null;
  const to = Math.min(messages.length, end + STEP);
  return {
    from: to - begin > max ? (messages[to - max] as Message).seq : window.from,
    to: to === messages.length ? null : (messages[to - 1] as Message).seq,
  };
}

/**
 * A client's JSON as a message, and a message as that JSON again. One of its members is the text that all other APIs see;
 * the rest is kept beside it, so that the clients of this API get the same object back.
 */
import type { RoomId } from '@natter/protocol';
import type { RoomName } from '../../core/people.js';
import { zulu } from '../fastapi/times.js';

export const NAME = '000';

/** Members that may hold the text, the likeliest first. */
const TEXTS = ['message', 'content', 'text'] as const;
/** Longest stand-in for an object that has no text. */
const STAND_IN_MAX = 500;

/** What is kept beside the text, under this API's name. Nothing, where the object is a plain `message`. */
interface Kept {
  /** The client's own members, without the one that holds the text. */
  own: Record<string, unknown>;
  /** Which one that is; null: none, and the text stands for all of them. */
  text: (typeof TEXTS)[number] | null;
}

export interface Said {
  text: string;
  extra?: Record<string, unknown>;
}

/** The object without `room`. What it says of `user` and `timestamp` is not believed. */
export function toMessage({ user: _, timestamp: __, ...own }: Record<string, unknown>): Said {
  if (own.type === 'chat') delete own.type;
  const key = TEXTS.find((name) => typeof own[name] === 'string' && own[name] !== '') ?? null;
  if (key === null) return { text: standIn(own), extra: { [NAME]: { own, text: key } satisfies Kept } };
  const { [key]: text, ...rest } = own;
  if (key === 'message' && Object.keys(rest).length === 0) return { text: text as string };
  return { text: text as string, extra: { [NAME]: { own: rest, text: key } satisfies Kept } };
}

/** What those see who can't be shown the object: the beginning of it. */
function standIn(own: object): string {
  const letters = [...JSON.stringify(own)];
  return letters.length > STAND_IN_MAX ? `${letters.slice(0, STAND_IN_MAX - 1).join('')}…` : letters.join('');
}

/** As all clients in the room get it, the sender's too. */
export function toFrame(
  room: string | RoomId,
  user: string,
  { text, extra, at, edited = false }: { text: string; extra?: unknown; at: number; edited?: boolean },
): object {
  const { own, text: key } = (extra as { [NAME]?: Kept } | null | undefined)?.[NAME] ?? { own: {}, text: 'message' };
  // An edit has no other place, where there was no text.
  const shown = key ?? (edited ? 'message' : null);
  return { type: 'chat', ...own, ...(shown === null ? {} : { [shown]: text }), room, user, timestamp: zulu(at) };
}

/** What a room goes by: a public one that was made through this API by its name, any other by its id. So no two are alike. */
export function labelOf(id: RoomId, { name, dialect, visibility }: RoomName): string | RoomId {
  return dialect === NAME && visibility === 'public' ? name : id;
}

/** The subject that a room has in the original's NATS. */
export const subjectOf = (id: RoomId, name: RoomName): string => `room.${labelOf(id, name)}`;

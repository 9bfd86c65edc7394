/** What every query stands on: the store, the limits, who is online, and the answers that all give alike. */
import type { RoomId, Seq, Timestamp, UserId } from '@natter/protocol';
import type { Limits } from '../../limits.js';
import type { Store } from '../../store/store.js';
import { type Refusal, refuse } from '../actor.js';
import type { Clock, NameRules } from '../ports.js';

export interface QueryContext {
  store: Store;
  limits: Limits;
  names: NameRules;
  clock: Clock;
  /** Has the user an open socket, as far as this node knows? */
  isOnline: (user: UserId) => boolean;
}

export const iso = (milliseconds: number): Timestamp => new Date(milliseconds).toISOString();
export const isoOrNull = (milliseconds: number | null): Timestamp | null =>
  milliseconds === null ? null : iso(milliseconds);

/** Rows of a page: what was asked for, or 50, never beyond PAGE_MAX. */
export function pageSize(context: QueryContext, limit: number | undefined): number {
  return Math.min(limit ?? 50, context.limits.PAGE_MAX);
}

/** The page in `rows`, which were read with one row more than asked for, and the key with which the next page is asked for. */
export function cut<T, K>(rows: readonly T[], size: number, key: (row: T) => K): { rows: T[]; next: K | null } {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return { rows: page, next: rows.length > size && last !== undefined ? key(last) : null };
}

/**
 * A list for `in (…)` whose length is a power of two, the last one repeated: few different statements, each of which the
 * database keeps. Never of an empty list.
 */
export function padded<T>(list: readonly T[]): T[] {
  const full = [...list];
  const last = full.at(-1);
  if (last === undefined) throw new Error('an empty list can not be asked for');
  let size = 1;
  while (size < full.length) size *= 2;
  while (full.length < size) full.push(last);
  return full;
}

/** My membership as committed, with the room's head of the same moment; a refusal for who is not a member [A2]. */
export async function membership(
  { store }: QueryContext,
  user: UserId,
  room: RoomId,
): Promise<{ ok: true; fromSeq: Seq; head: Seq; role: 'owner' | 'admin' | 'member' } | Refusal> {
  const row = await store.db
    .selectFrom('members')
    .innerJoin('rooms', 'rooms.id', 'members.room')
    .innerJoin('streams', 'streams.id', 'members.room')
    .select(['members.from_seq', 'members.role', 'streams.head'])
    .where('members.room', '=', room)
    .where('members.user_id', '=', user)
    .where('rooms.deleted_at', 'is', null)
    .executeTakeFirst();
  return row ? { ok: true, fromSeq: row.from_seq, head: row.head, role: row.role } : refuse('not_found');
}

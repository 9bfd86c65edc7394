/** Coming into rooms that are open to all, for APIs that know no membership: whoever enters joins [A2]. */
import type { RoomId } from '@natter/protocol';
import { type Actor, type Answer, refuse } from '../core/actor.js';
import type { Place } from '../core/queries.js';
import type { DialectContext } from './dialect.js';

/** The room, with the actor in it. */
export async function enter(
  { core, queries }: Pick<DialectContext, 'core' | 'queries'>,
  actor: Actor,
  room: RoomId,
  dialect: string,
): Promise<Answer<Place>> {
  const place = await queries.records.place(actor, room);
  if (!place) return refuse('not_found');
  if (place.role) return { ok: true, value: place };
  const joined = await core.execute(actor, { type: 'member.join', room }, { dialect });
  if (!joined.ok) return joined;
  const entered = await queries.records.place(actor, room);
  return entered ? { ok: true, value: entered } : refuse('not_found');
}

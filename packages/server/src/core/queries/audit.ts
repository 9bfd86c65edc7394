/** Reads of the audit: what was done with power over others. Admins of the server read of people, owners of a room read of their room. */
import type { AuditPage, EventId, RoomId } from '@natter/protocol';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, membership, pageSize, type QueryContext } from './context.js';
import { namesOf } from './users.js';

/** Newest first. Without `room`: people and user groups, for admins; what happened inside rooms is their owners' alone [A4]. */
export async function audit(
  context: QueryContext,
  actor: Actor,
  input: { room?: RoomId | undefined; before?: EventId | undefined; limit?: number | undefined },
): Promise<Answer<AuditPage>> {
  if (input.room !== undefined) {
    const mine = await membership(context, actor.user, input.room);
    if (!mine.ok) return mine;
    if (mine.role !== 'owner') return refuse('forbidden');
  } else if (actor.role !== 'admin' && actor.role !== 'system') {
    return refuse('forbidden');
  }
  const limit = pageSize(context, input.limit);
  const { room } = input;
  const rows = await context.store.db
    .selectFrom('audit')
    .innerJoin('streams', 'streams.id', 'audit.stream')
    .selectAll('audit')
    .where('audit.event', '<', input.before ?? Number.MAX_SAFE_INTEGER)
    .$if(room !== undefined, (query) => query.where('audit.stream', '=', room ?? 0))
    .$if(room === undefined, (query) => query.where('streams.kind', '<>', 'room'))
    .orderBy('audit.event', 'desc')
    .limit(limit + 1)
    .execute();
  const page = cut(
    rows.map((row) => ({
      id: row.event,
      at: iso(row.at),
      actor: row.actor,
      action: row.action,
      stream: row.stream,
      seq: row.seq,
      body: JSON.parse(row.body) as Record<string, unknown>,
    })),
    limit,
    (row) => row.id,
  );
  const users = await namesOf(
    context,
    page.rows.map((row) => row.actor),
  );
  return { ok: true, value: { rows: page.rows, users, next: page.next } };
}

/** Reads for admins over HTTP: which rooms there are, and how the server does. Never what is said in a room that they are not in [A4]. */
import type { AdminRoomPage, Figure, FigurePage, RoomId, Timestamp } from '@natter/protocol';
import { sql } from 'kysely';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, isoOrNull, pageSize, type QueryContext } from './context.js';
import { like } from './names.js';

/** What is kept of how this node did. */
export interface FigureSource {
  /** Between one and the next. */
  readonly seconds: number;
  /** Figures: oldest first. Times: milliseconds since 1970. */
  noted(): Promise<{ node: string; startedAt: number; figures: readonly Figure[] }>;
}

const administers = (actor: Actor): boolean => actor.role === 'admin' || actor.role === 'system';

export interface AdminRoomSearch {
  /** Part of a name. */
  q?: string | undefined;
  after?: RoomId | undefined;
  limit?: number | undefined;
}

/** Groups and channels by id, whoever is in them; direct rooms are their two members' alone. */
export async function adminRooms(
  context: QueryContext,
  actor: Actor,
  search: AdminRoomSearch,
): Promise<Answer<AdminRoomPage>> {
  if (!administers(actor)) return refuse('forbidden');
  const limit = pageSize(context, search.limit);
  const wanted = search.q?.trim().normalize('NFKC').toLowerCase() ?? '';
  const rows = await context.store.db
    .selectFrom('rooms')
    .innerJoin('streams', 'streams.id', 'rooms.id')
    .leftJoin('events', (on) => on.onRef('events.stream', '=', 'rooms.id').onRef('events.seq', '=', 'streams.head'))
    .select(['rooms.id', 'rooms.kind', 'rooms.name', 'rooms.visibility', 'rooms.archived_at', 'rooms.member_count'])
    .select(['rooms.created_at', 'rooms.created_by', 'streams.messages', 'events.at as last_at'])
    .where('rooms.deleted_at', 'is', null)
    .where('rooms.kind', '!=', 'direct')
    .where('rooms.id', '>', search.after ?? 0)
    .$if(wanted !== '', (query) => query.where(sql<string>`lower(rooms.name)`, 'like', like(wanted)))
    .orderBy('rooms.id')
    .limit(limit + 1)
    .execute();
  const page = cut(rows, limit, (row) => row.id);
  return {
    ok: true,
    value: {
      rooms: page.rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        name: row.name,
        visibility: row.visibility,
        archived: row.archived_at !== null,
        memberCount: row.member_count,
        messages: row.messages,
        createdAt: iso(row.created_at),
        createdBy: row.created_by,
        lastEventAt: isoOrNull(row.last_at),
      })),
      next: page.next,
    },
  };
}

/** How the node that is asked did lately, with all workers beside it, and what all nodes hold together. */
export async function figures(
  { store, figures: source }: Pick<QueryContext, 'store'> & { figures: FigureSource },
  actor: Actor,
  { since }: { since?: Timestamp | undefined },
): Promise<Answer<FigurePage>> {
  if (!administers(actor)) return refuse('forbidden');
  const count = sql<number>`count(*)`;
  const [noted, users, rooms, messages] = await Promise.all([
    source.noted(),
    store.db.selectFrom('users').select(count.as('count')).where('status', '=', 'active').executeTakeFirstOrThrow(),
    store.db.selectFrom('rooms').select(count.as('count')).where('deleted_at', 'is', null).executeTakeFirstOrThrow(),
    store.db
      .selectFrom('streams')
      .select(sql<number | null>`sum(messages)`.as('count'))
      .where('kind', '=', 'room')
      .executeTakeFirstOrThrow(),
  ]);
  const from = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  return {
    ok: true,
    value: {
      node: noted.node,
      startedAt: iso(noted.startedAt),
      seconds: source.seconds,
      users: Number(users.count),
      rooms: Number(rooms.count),
      messages: Number(messages.count ?? 0),
      figures: noted.figures.filter(({ at }) => Date.parse(at) > from),
    },
  };
}

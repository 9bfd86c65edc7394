/** Reads of people: the directory, oneself, sessions. Addresses are shown to their owner and to admins alone. */
import type { Account, Names, RoomId, Session, User, UserId, UserPage } from '@natter/protocol';
import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import type { Tables } from '../../store/tables.js';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, isoOrNull, membership, padded, pageSize, type QueryContext } from './context.js';
import { distance, like, NEAR_MAX, nearest, pieces, spellings } from './names.js';

export function toUser({ isOnline }: QueryContext, row: Tables['users']): User {
  return {
    id: row.id,
    name: row.name,
    fullName: row.full_name,
    about: row.about,
    role: row.role,
    status: row.status,
    verified: row.verified === 1,
    placeholder: row.placeholder === 1,
    createdAt: iso(row.created_at),
    lastSeenAt: isoOrNull(row.last_seen_at),
    online: isOnline(row.id),
  };
}

const administers = (actor: Actor): boolean => actor.role === 'admin' || actor.role === 'system';

/** Somebody as this actor may see them. */
export async function user(context: QueryContext, actor: Actor, id: UserId): Promise<Answer<User | Account>> {
  const row = await context.store.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) return refuse('not_found');
  const value = toUser(context, row);
  return { ok: true, value: administers(actor) || id === actor.user ? { ...value, email: row.email } : value };
}

export async function account(context: QueryContext, actor: Actor): Promise<Answer<Account>> {
  const row = await context.store.db.selectFrom('users').selectAll().where('id', '=', actor.user).executeTakeFirst();
  return row ? { ok: true, value: { ...toUser(context, row), email: row.email } } : refuse('not_found');
}

export interface UserSearch {
  /** Part of a name or full name, or a name spelt nearly so; absent: all. */
  q?: string | undefined;
  /** Exactly these, in any state; nothing else is looked at. */
  ids?: readonly UserId[] | undefined;
  /** One that the actor is in: those in it come first, and are named in `members`. */
  room?: RoomId | undefined;
  after?: UserId | undefined;
  limit?: number | undefined;
}

/** Active people by id; with `q` those whose name holds it, best first, and after them those whose name is spelt nearly so. */
export async function searchUsers(context: QueryContext, actor: Actor, search: UserSearch): Promise<Answer<UserPage>> {
  const { room } = search;
  if (room === undefined) return { ok: true, value: await usersFor(context, actor, search) };
  const mine = await membership(context, actor.user, room);
  if (!mine.ok) return mine;
  const page = await usersFor(context, actor, search);
  const ids = page.users.map(({ id }) => id);
  const members =
    ids.length === 0
      ? []
      : await context.store.db
          .selectFrom('members')
          .select('user_id')
          .where('room', '=', room)
          .where('user_id', 'in', padded(ids))
          .orderBy('user_id')
          .execute();
  return { ok: true, value: { ...page, members: members.map((row) => row.user_id) } };
}

async function usersFor(context: QueryContext, actor: Actor, search: UserSearch): Promise<UserPage> {
  const limit = pageSize(context, search.limit);
  const show = (row: Tables['users']) =>
    administers(actor) ? { ...toUser(context, row), email: row.email } : toUser(context, row);
  const base = context.store.db.selectFrom('users').selectAll();
  if (search.ids) {
    const ids = search.ids.slice(0, limit);
    const rows = ids.length === 0 ? [] : await base.where('id', 'in', padded(ids)).orderBy('id').execute();
    return { users: rows.map(show), next: null };
  }
  const people = administers(actor) ? base : base.where('status', '=', 'active');
  const wanted = search.q?.trim().normalize('NFKC') ?? '';
  if (wanted !== '') {
    const rows = await findPeople(context, people, wanted, limit, search.room);
    return { users: rows.map(show), next: null };
  }
  if (search.room !== undefined) {
    const isIn = inRoom(search.room);
    const members = await people.where(isIn).orderBy('id').limit(limit).execute();
    const left = limit - members.length;
    const others =
      left === 0
        ? []
        : await people
            .where((is) => is.not(isIn))
            .orderBy('id')
            .limit(left)
            .execute();
    return { users: [...members, ...others].map(show), next: null };
  }
  const rows = await people
    .where('id', '>', search.after ?? 0)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const page = cut(rows, limit, (row) => row.id);
  return { users: page.rows.map(show), next: page.next };
}

const inRoom = (room: RoomId): RawBuilder<boolean> =>
  sql<boolean>`users.id in (select user_id from members where room = ${room})`;

/** Best first; those in `room` before those who are not, where the name holds what is wanted. */
async function findPeople(
  { names }: QueryContext,
  people: SelectQueryBuilder<Tables, 'users', Tables['users']>,
  wanted: string,
  limit: number,
  room: RoomId | undefined,
): Promise<Tables['users'][]> {
  const folded = names.key(wanted);
  const fullName = sql<string>`lower(full_name)`;
  const rows = await people
    .where((is) =>
      is.or([
        is('name_key', 'like', like(folded)),
        ...spellings(wanted).map((form) => is(fullName, 'like', like(form))),
      ]),
    )
    .$if(room !== undefined, (found) => found.orderBy(sql`case when ${inRoom(room as RoomId)} then 0 else 1 end`))
    .orderBy(sql`case when name_key = ${folded} then 0 when name_key like ${like(folded, 'end')} then 1 else 2 end`)
    .orderBy('name_key')
    .limit(limit)
    .execute();
  if (rows.length === limit) return rows;
  const hit = (column: 'name_key' | 'full_name', piece: string) =>
    column === 'name_key'
      ? sql<number>`case when name_key like ${like(piece)} then 1 else 0 end`
      : sql<number>`case when lower(full_name) like ${like(piece)} then 1 else 0 end`;
  const small = wanted.toLowerCase();
  const hits = sql<number>`${sql.join(
    [
      ...pieces(folded).map((piece) => hit('name_key', piece)),
      ...pieces(small).map((piece) => hit('full_name', piece)),
    ],
    sql` + `,
  )}`;
  const near = await people.where(hits, '>', 0).orderBy(hits, 'desc').orderBy('id').limit(NEAR_MAX).execute();
  const known = new Set(rows.map((row) => row.id));
  const measured = nearest(
    near.filter((row) => !known.has(row.id)),
    (row) => [distance(folded, row.name_key), distance(small, row.full_name.toLowerCase())],
    limit - rows.length,
  );
  return [...rows, ...measured];
}

/** One's own sessions, newest use first; an admin may ask for anybody's. */
export async function sessions(context: QueryContext, actor: Actor, of?: UserId): Promise<Answer<Session[]>> {
  const owner = of ?? actor.user;
  if (owner !== actor.user && !administers(actor)) return refuse('not_found');
  const rows = await context.store.db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', owner)
    .where('expires_at', '>', context.clock.now())
    .orderBy('last_used_at', 'desc')
    .execute();
  return {
    ok: true,
    value: rows.map((row) => ({
      id: row.id,
      agent: row.agent,
      address: row.address,
      createdAt: iso(row.created_at),
      lastUsedAt: iso(row.last_used_at),
      expiresAt: iso(row.expires_at),
      current: row.id === actor.session,
    })),
  };
}

/** Most people whose names stand beside one page. */
const NAMES_MAX = 1_024;

/** Names for what a page speaks of; users who never were are left out. */
export async function namesOf({ store }: QueryContext, ids: Iterable<UserId>): Promise<Names> {
  const wanted = [...new Set(ids)].filter((id) => id !== 0).slice(0, NAMES_MAX);
  if (wanted.length === 0) return {};
  const rows = await store.db
    .selectFrom('users')
    .select(['id', 'name', 'full_name'])
    .where('id', 'in', padded(wanted))
    .execute();
  return Object.fromEntries(rows.map((row) => [row.id, { name: row.name, fullName: row.full_name }]));
}

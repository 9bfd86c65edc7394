/** Reads of rooms: mine with what I have not read, those I may find, and who is in them. */
import type { MemberPage, Room, RoomId, RoomList, RoomPage, RoomRow, Seq, UserId } from '@natter/protocol';
import { sql } from 'kysely';
import type { Tables } from '../../store/tables.js';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, isoOrNull, membership, padded, pageSize, type QueryContext } from './context.js';
import { distance, like, NEAR_MAX, nearest, pieces, spellings } from './names.js';
import { namesOf, toUser } from './users.js';

interface RoomColumns extends Omit<Tables['rooms'], 'dialect' | 'deleted_at'> {}

function toRoom(row: RoomColumns, member: boolean): Room {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    topic: row.topic,
    visibility: row.visibility,
    history: row.history,
    archived: row.archived_at !== null,
    createdAt: iso(row.created_at),
    createdBy: row.created_by,
    memberCount: row.member_count,
    member,
  };
}

interface RoomRowColumns
  extends RoomColumns,
    Pick<Tables['members'], 'role' | 'from_seq' | 'read_seq' | 'unread_from'> {
  user_id: UserId;
  head: number;
  unread: number;
  mentions: number;
  peer: number | null;
  last_message_at: number | null;
}

/**
 * All rooms of some users, or one, in one query and of one moment: the cost is that of the rooms, whatever they hold [M1][M4].
 * The head is the one at which the membership is valid: delivery goes on from there. Who is in no room is not in the answer.
 */
export async function roomRowsOf(
  { store }: QueryContext,
  users: readonly UserId[],
  room?: RoomId,
): Promise<Map<UserId, RoomRow[]>> {
  const { rows } = await sql<RoomRowColumns>`
    select r.id, r.kind, r.name, r.topic, r.visibility, r.history, r.created_by, r.created_at, r.archived_at, r.member_count,
      m.user_id, m.role, m.from_seq, m.read_seq, m.unread_from, s.head,
      s.messages - coalesce(m.unread_num, m.read_num)
        - (select count(*) from messages d where d.room = m.room and d.deleted_at is not null and d.num > coalesce(m.unread_num, m.read_num))
        as unread,
      (select count(*) from mentions x where x.user_id = m.user_id and x.room = m.room and x.seq > coalesce(m.unread_from - 1, m.read_seq))
        + (select count(*) from mentions x where x.user_id = 0 and x.room = m.room and x.seq > coalesce(m.unread_from - 1, m.read_seq))
        as mentions,
      case r.kind when 'direct' then (select p.user_id from members p where p.room = m.room and p.user_id <> m.user_id limit 1) end as peer,
      (select l.at from messages l where l.room = m.room and l.seq >= m.from_seq order by l.seq desc limit 1) as last_message_at
    from members m join rooms r on r.id = m.room join streams s on s.id = m.room
    where m.user_id in (${sql.join(padded(users))}) and r.deleted_at is null ${room === undefined ? sql`` : sql`and m.room = ${room}`}
    order by m.user_id, m.room`.execute(store.db);
  const found = new Map<UserId, RoomRow[]>();
  for (const row of rows) {
    const mine = found.get(row.user_id);
    if (mine) mine.push(toRoomRow(row));
    else found.set(row.user_id, [toRoomRow(row)]);
  }
  return found;
}

// Each member by name: spread out, one row would take thirty times the memory, and many are made when many come back.
function toRoomRow(row: RoomRowColumns): RoomRow {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    topic: row.topic,
    visibility: row.visibility,
    history: row.history,
    archived: row.archived_at !== null,
    createdAt: iso(row.created_at),
    createdBy: row.created_by,
    memberCount: row.member_count,
    member: true,
    role: row.role,
    head: row.head,
    fromSeq: row.from_seq,
    readSeq: row.read_seq,
    unreadFrom: row.unread_from,
    unread: row.unread,
    mentions: row.mentions,
    peer: row.peer,
    lastMessageAt: isoOrNull(row.last_message_at),
  };
}

export async function roomRows(context: QueryContext, user: UserId, room?: RoomId): Promise<RoomRow[]> {
  return (await roomRowsOf(context, [user], room)).get(user) ?? [];
}

/** My rooms, with the names of those whom direct rooms are with. */
export async function myRooms(context: QueryContext, actor: Actor): Promise<RoomList> {
  const rooms = await roomRows(context, actor.user);
  const users = await namesOf(
    context,
    rooms.flatMap((row) => row.peer ?? []),
  );
  return { rooms, users };
}

async function myRoom(context: QueryContext, actor: Actor, room: RoomId): Promise<Answer<RoomRow>> {
  const [row] = await roomRows(context, actor.user, room);
  return row ? { ok: true, value: row } : refuse('not_found');
}

/** A room that I am in or may find: anything else does not exist [A2]. */
export async function room(context: QueryContext, actor: Actor, id: RoomId): Promise<Answer<Room | RoomRow>> {
  const mine = await myRoom(context, actor, id);
  if (mine.ok) return mine;
  const row = await context.store.db
    .selectFrom('rooms')
    .selectAll()
    .where('id', '=', id)
    .where('visibility', '=', 'public')
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row ? { ok: true, value: toRoom(row, false) } : refuse('not_found');
}

export interface RoomSearch {
  /** Part of a name or topic, or a name spelt nearly so; absent: all. */
  q?: string | undefined;
  /** Public channels only of this API; absent: of all. */
  dialect?: string | undefined;
  /** Id after which the page begins. */
  after?: RoomId | undefined;
  limit?: number | undefined;
}

/** Public channels and rooms that I am in, by id; with `q` those that hold it, best first, and after them names spelt nearly so. */
export async function searchRooms(context: QueryContext, actor: Actor, search: RoomSearch): Promise<Answer<RoomPage>> {
  const limit = pageSize(context, search.limit);
  const rooms = findable(context, actor, search.dialect);
  const show = (row: FoundRoom) => toRoom(row, row.member !== null);
  const wanted = search.q?.trim().normalize('NFKC') ?? '';
  if (wanted !== '') {
    const rows = await findRooms(rooms, wanted, limit);
    return { ok: true, value: { rooms: rows.map(show), next: null } };
  }
  const rows = await rooms
    .where('rooms.id', '>', search.after ?? 0)
    .orderBy('rooms.id')
    .limit(limit + 1)
    .execute();
  const page = cut(rows, limit, (row) => row.id);
  return { ok: true, value: { rooms: page.rows.map(show), next: page.next } };
}

type FoundRoom = Tables['rooms'] & { member: UserId | null };

/** Rooms that the actor may find [A2]; direct ones have no name to be found by. */
function findable({ store }: QueryContext, actor: Actor, dialect: string | undefined) {
  return store.db
    .selectFrom('rooms')
    .leftJoin('members', (join) => join.onRef('members.room', '=', 'rooms.id').on('members.user_id', '=', actor.user))
    .selectAll('rooms')
    .select('members.user_id as member')
    .where('rooms.deleted_at', 'is', null)
    .where('rooms.kind', '<>', 'direct')
    .where((is) => is.or([is('rooms.visibility', '=', 'public'), is('members.user_id', 'is not', null)]))
    .$if(dialect !== undefined, (query) => query.where('rooms.dialect', '=', dialect ?? ''));
}

async function findRooms(rooms: ReturnType<typeof findable>, wanted: string, limit: number): Promise<FoundRoom[]> {
  const name = sql<string>`lower(rooms.name)`;
  const topic = sql<string>`lower(rooms.topic)`;
  const forms = spellings(wanted);
  const rows = await rooms
    .where((is) => is.or(forms.flatMap((form) => [is(name, 'like', like(form)), is(topic, 'like', like(form))])))
    .orderBy(
      sql`case when ${name} = ${forms[0]} then 0 when ${name} like ${like(forms[0], 'end')} then 1
        when ${name} like ${like(forms[0])} then 2 else 3 end`,
    )
    .orderBy('rooms.name')
    .limit(limit)
    .execute();
  if (rows.length === limit) return rows;
  const hits = sql<number>`${sql.join(
    pieces(forms[0]).map((piece) => sql`case when ${name} like ${like(piece)} then 1 else 0 end`),
    sql` + `,
  )}`;
  const near = await rooms.where(hits, '>', 0).orderBy(hits, 'desc').orderBy('rooms.id').limit(NEAR_MAX).execute();
  const known = new Set(rows.map((row) => row.id));
  const measured = nearest(
    near.filter((row) => !known.has(row.id)),
    (row) => [distance(forms[0], row.name.normalize('NFKC').toLowerCase())],
    limit - rows.length,
  );
  return [...rows, ...measured];
}

/** Who is in a room that I am in, by user id. */
export async function roomMembers(
  context: QueryContext,
  actor: Actor,
  input: { room: RoomId; after?: UserId | undefined; limit?: number | undefined },
): Promise<Answer<MemberPage>> {
  const mine = await membership(context, actor.user, input.room);
  if (!mine.ok) return mine;
  const limit = pageSize(context, input.limit);
  const rows = await context.store.db
    .selectFrom('members')
    .innerJoin('users', 'users.id', 'members.user_id')
    .selectAll('users')
    .select(['members.role as member_role', 'members.joined_at'])
    .where('members.room', '=', input.room)
    .where('members.user_id', '>', input.after ?? 0)
    .orderBy('members.user_id')
    .limit(limit + 1)
    .execute();
  const page = cut(rows, limit, (row) => row.id);
  const members = page.rows.map((row) => ({
    user: toUser(context, row),
    role: row.member_role,
    joinedAt: iso(row.joined_at),
  }));
  return { ok: true, value: { members, next: page.next } };
}

/** A user's part of a room, with the head for which it is so, in one query. */
export async function standing(
  { store }: QueryContext,
  user: UserId,
  room: RoomId,
): Promise<{ head: Seq; fromSeq: Seq; joinedSeq: Seq } | null> {
  const row = await store.db
    .selectFrom('members')
    .innerJoin('streams', 'streams.id', 'members.room')
    .select(['streams.head', 'members.from_seq', 'members.joined_seq'])
    .where('members.room', '=', room)
    .where('members.user_id', '=', user)
    .executeTakeFirst();
  return row ? { head: row.head, fromSeq: row.from_seq, joinedSeq: row.joined_seq } : null;
}

/**
 * Reads for APIs other than the native one: their pages go by number or by id, and their rows say more of people. Each is
 * authorised here like all others: content of a room is for its members [A2][A3], listings for whoever is logged in.
 */
import type { MessageId, RoomId, RoomKind, RoomRole, Seq, UserId, UserRole, Visibility } from '@natter/protocol';
import { type SqlBool, sql } from 'kysely';
import { directClaim, nameClaim } from '../../rooms/rooms.js';
import type { Tables } from '../../store/tables.js';
import type { Actor } from '../actor.js';
import { padded, type QueryContext } from './context.js';
import { like, spellings } from './names.js';

/** Somebody, with the address that the documented APIs show to all who are logged in. Times in milliseconds since 1970. */
export interface Person {
  id: UserId;
  name: string;
  email: string | null;
  fullName: string;
  role: UserRole;
  status: 'active' | 'deactivated' | 'deleted';
  verified: boolean;
  createdAt: number;
  lastSeenAt: number | null;
}

/** A room with what lists of rooms show. */
export interface Place {
  id: RoomId;
  kind: RoomKind;
  name: string;
  topic: string;
  visibility: Visibility;
  dialect: string;
  createdBy: UserId;
  createdAt: number;
  /** When something happened in it last. */
  updatedAt: number;
  archived: boolean;
  memberCount: number;
  /** The asker's part; null: not a member. */
  role: RoomRole | null;
  /** The other one of a direct room. */
  peer: UserId | null;
}

export interface PlaceMember {
  person: Person;
  role: RoomRole;
  joinedAt: number;
  /** Up to here this member has read. */
  readSeq: Seq;
}

/** A message with its author's name as it is now. */
export interface Line {
  id: MessageId;
  room: RoomId;
  seq: Seq;
  author: UserId;
  authorName: string;
  authorFullName: string;
  text: string;
  at: number;
  editedAt: number | null;
  deleted: boolean;
  /** The account of its author is gone. */
  authorDeleted: boolean;
  /** What a dialect keeps beside the text. */
  extra: Record<string, unknown> | null;
}

export interface PlaceSearch {
  /** Rooms of which the asker is a member, or public channels. */
  of: 'mine' | 'public';
  /** Rooms made through this API; with `alsoDirect` all direct rooms too, whoever opened them. */
  dialect?: string | undefined;
  alsoDirect?: boolean;
  kind?: RoomKind | undefined;
  /** A part of the name, in any case. */
  text?: string | undefined;
  order: 'created' | 'updated';
  skip: number;
  limit: number;
}

export interface LineSearch {
  room: RoomId;
  /** Only messages with an id below this one. */
  before?: MessageId | undefined;
  /** A part of the text, in any case, every character literally. */
  text?: string | undefined;
  skip: number;
  limit: number;
}

/** No page begins or ends beyond this. */
const ROWS_MAX = 1_000_000_000;
const bounded = (count: number): number => Math.min(Math.max(0, count), ROWS_MAX);
/** A statement takes only so many values. */
const VALUES_MAX = 1_000;

function* slices<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += VALUES_MAX) yield list.slice(from, from + VALUES_MAX);
}

const toPerson = (row: Tables['users']): Person => ({
  id: row.id,
  name: row.name,
  email: row.email,
  fullName: row.full_name,
  role: row.role,
  status: row.status,
  verified: row.verified === 1,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
});

export async function persons({ store }: QueryContext, ids: Iterable<UserId>): Promise<Map<UserId, Person>> {
  const found = new Map<UserId, Person>();
  for (const wanted of slices([...new Set(ids)])) {
    const rows = await store.db.selectFrom('users').selectAll().where('id', 'in', padded(wanted)).execute();
    for (const row of rows) found.set(row.id, toPerson(row));
  }
  return found;
}

/** Whoever has this name, in any case, active or not; null: nobody has. */
export async function personNamed({ store, names }: QueryContext, name: string): Promise<Person | null> {
  const row = await store.db
    .selectFrom('claims')
    .innerJoin('users', 'users.id', 'claims.owner')
    .selectAll('users')
    .where('claims.space', '=', 'user.name')
    .where('claims.value', '=', names.key(name))
    .executeTakeFirst();
  return row ? toPerson(row) : null;
}

/** Active people whose name or full name holds the text, in any case; all of them where there is none. By id. */
export async function findPersons(
  { store }: QueryContext,
  { text, inactiveToo, skip, limit }: { text?: string; inactiveToo?: true; skip: number; limit: number },
): Promise<Person[]> {
  let people = store.db.selectFrom('users').selectAll().where('placeholder', '=', 0);
  people = inactiveToo ? people.where('status', '<>', 'deleted') : people.where('status', '=', 'active');
  if (text !== undefined) {
    const forms = spellings(text);
    people = people.where((is) =>
      is.or(
        forms.flatMap((form) => [
          is(sql<string>`lower(name)`, 'like', like(form)),
          is(sql<string>`lower(full_name)`, 'like', like(form)),
        ]),
      ),
    );
  }
  const rows = await people.orderBy('id').limit(bounded(limit)).offset(bounded(skip)).execute();
  return rows.map(toPerson);
}

type PlaceRow = Tables['rooms'] & { my_role: RoomRole | null; updated_at: number; peer: UserId | null };

/** Rooms that are there for the actor: their own, and public channels. */
function visible({ store }: QueryContext, actor: Actor) {
  return store.db
    .selectFrom('rooms')
    .innerJoin('streams', 'streams.id', 'rooms.id')
    .leftJoin('members', (join) => join.onRef('members.room', '=', 'rooms.id').on('members.user_id', '=', actor.user))
    .where('rooms.deleted_at', 'is', null)
    .where((is) => is.or([is('rooms.visibility', '=', 'public'), is('members.user_id', 'is not', null)]));
}

const updatedAt = sql<number>`(select e.at from events e where e.stream = rooms.id and e.seq = streams.head)`;

function rowsOf(rooms: ReturnType<typeof visible>, actor: Actor) {
  return rooms
    .selectAll('rooms')
    .select('members.role as my_role')
    .select(updatedAt.as('updated_at'))
    .select(
      sql<UserId | null>`case rooms.kind when 'direct' then
        (select p.user_id from members p where p.room = rooms.id and p.user_id <> ${actor.user} limit 1) end`.as(
        'peer',
      ),
    );
}

const toPlace = (row: PlaceRow): Place => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  topic: row.topic,
  visibility: row.visibility,
  dialect: row.dialect,
  createdBy: row.created_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  archived: row.archived_at !== null,
  memberCount: row.member_count,
  role: row.my_role,
  peer: row.peer,
});

/** Null: there is none, or it is not the actor's to see [A2]. */
export async function place(context: QueryContext, actor: Actor, id: RoomId): Promise<Place | null> {
  const row = await rowsOf(visible(context, actor), actor).where('rooms.id', '=', id).executeTakeFirst();
  return row ? toPlace(row) : null;
}

/** The public channel of this name among those that were made through one API; null: there is none. */
export async function placeNamed(
  context: QueryContext,
  actor: Actor,
  { dialect, name }: { dialect: string; name: string },
): Promise<Place | null> {
  const { space, value } = nameClaim(dialect, name, 0);
  const row = await rowsOf(visible(context, actor), actor)
    .innerJoin('claims', 'claims.owner', 'rooms.id')
    .where('claims.space', '=', space)
    .where('claims.value', '=', value)
    .executeTakeFirst();
  return row ? toPlace(row) : null;
}

/** The API that a room was made through; null: there is none. Tells nothing else of it. */
export async function roomDialect({ store }: QueryContext, id: RoomId): Promise<string | null> {
  const row = await store.db
    .selectFrom('rooms')
    .select('dialect')
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row?.dialect ?? null;
}

export async function places(
  context: QueryContext,
  actor: Actor,
  search: PlaceSearch,
): Promise<{ places: Place[]; total: number }> {
  const { of, dialect, alsoDirect, kind, text, order } = search;
  let rooms = visible(context, actor).where((is) =>
    of === 'mine' ? is('members.user_id', 'is not', null) : is('rooms.visibility', '=', 'public'),
  );
  if (dialect !== undefined) {
    rooms = rooms.where((is) =>
      is.or([is('rooms.dialect', '=', dialect), ...(alsoDirect ? [is('rooms.kind', '=', 'direct')] : [])]),
    );
  }
  if (kind !== undefined) rooms = rooms.where('rooms.kind', '=', kind);
  if (text !== undefined) {
    const forms = spellings(text);
    rooms = rooms.where((is) => is.or(forms.map((form) => is(sql<string>`lower(rooms.name)`, 'like', like(form)))));
  }
  const page = rowsOf(rooms, actor).limit(bounded(search.limit)).offset(bounded(search.skip));
  const [rows, counted] = await Promise.all([
    order === 'created'
      ? page.orderBy('rooms.id').execute()
      : page.orderBy(updatedAt, 'desc').orderBy('rooms.id', 'desc').execute(),
    rooms.select((is) => is.fn.countAll<number>().as('total')).executeTakeFirst(),
  ]);
  return { places: rows.map(toPlace), total: Number(counted?.total ?? 0) };
}

/** In the order of joining, of those who began it its creator first; null: not the actor's to see. */
export async function placeMembers({ store }: QueryContext, actor: Actor, room: RoomId): Promise<PlaceMember[] | null> {
  const rows = await store.db
    .selectFrom('members')
    .innerJoin('rooms', 'rooms.id', 'members.room')
    .innerJoin('users', 'users.id', 'members.user_id')
    .selectAll('users')
    .select(['members.role as member_role', 'members.joined_at', 'members.read_seq'])
    .where('members.room', '=', room)
    .where('rooms.deleted_at', 'is', null)
    .orderBy('members.joined_seq')
    .orderBy(sql`case when users.id = rooms.created_by then 0 else 1 end`)
    .orderBy('members.user_id')
    .execute();
  if (!rows.some((row) => row.id === actor.user)) return null;
  return rows.map((row) => ({
    person: toPerson(row),
    role: row.member_role,
    joinedAt: row.joined_at,
    readSeq: row.read_seq,
  }));
}

const LINE = [
  'messages.id',
  'messages.room',
  'messages.seq',
  'messages.author',
  'messages.text',
  'messages.at',
  'messages.edited_at',
  'messages.deleted_at',
  'messages.extra',
  'users.name as author_name',
  'users.full_name as author_full_name',
  'users.status as author_status',
] as const;

/** Messages that the actor may read: membership is asked for in the statement that reads them [A1][A3]. */
function lines({ store }: QueryContext, actor: Actor) {
  return store.db
    .selectFrom('messages')
    .innerJoin('members', (join) =>
      join.onRef('members.room', '=', 'messages.room').on('members.user_id', '=', actor.user),
    )
    .innerJoin('rooms', 'rooms.id', 'messages.room')
    .leftJoin('users', 'users.id', 'messages.author')
    .select(LINE)
    .where('rooms.deleted_at', 'is', null)
    .whereRef('messages.seq', '>=', 'members.from_seq');
}

type LineRow = Awaited<ReturnType<ReturnType<typeof lines>['executeTakeFirstOrThrow']>>;

const toLine = (row: LineRow): Line => ({
  id: row.id,
  room: row.room,
  seq: row.seq,
  author: row.author,
  authorName: row.author_name ?? '',
  authorFullName: row.author_full_name ?? '',
  text: row.text,
  at: row.at,
  editedAt: row.edited_at,
  deleted: row.deleted_at !== null,
  authorDeleted: row.author_status === 'deleted',
  extra: row.extra === null ? null : (JSON.parse(row.extra) as Record<string, unknown>),
});

export async function line(context: QueryContext, actor: Actor, id: MessageId): Promise<Line | null> {
  const row = await lines(context, actor).where('messages.id', '=', id).executeTakeFirst();
  return row ? toLine(row) : null;
}

/** Messages of a room newest first, those that were deleted left out; null: not a member. */
export async function history(
  context: QueryContext,
  actor: Actor,
  search: LineSearch,
): Promise<{ lines: Line[]; head: Seq; fromSeq: Seq } | null> {
  const { room, before, text, skip, limit } = search;
  const part = await context.store.db
    .selectFrom('members')
    .innerJoin('rooms', 'rooms.id', 'members.room')
    .innerJoin('streams', 'streams.id', 'members.room')
    .select(['members.from_seq', 'streams.head'])
    .where('members.room', '=', room)
    .where('members.user_id', '=', actor.user)
    .where('rooms.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!part) return null;
  // The head was read before: what came later is told live to whoever goes on from there.
  let upTo = part.head;
  let below: MessageId | undefined;
  if (before !== undefined) {
    // Ids rise with seq [L2], by which there is an index: a walk from page to page costs no more with each.
    const message = await context.store.db
      .selectFrom('messages')
      .select('seq')
      .where('id', '=', before)
      .where('room', '=', room)
      .executeTakeFirst();
    if (message) upTo = Math.min(upTo, message.seq - 1);
    else below = before;
  }
  let found = lines(context, actor)
    .where('messages.room', '=', room)
    .where('messages.deleted_at', 'is', null)
    .where('messages.seq', '<=', upTo);
  if (below !== undefined) found = found.where('messages.id', '<', below);
  if (text !== undefined) {
    const forms = spellings(text);
    found = found.where((is) => is.or(forms.map((form) => sql<SqlBool>`lower(messages.text) like ${like(form)}`)));
  }
  const rows = await found.orderBy('messages.seq', 'desc').limit(bounded(limit)).offset(bounded(skip)).execute();
  return { lines: rows.map(toLine), head: part.head, fromSeq: part.from_seq };
}

/**
 * How many messages of a room the actor may read, or could after joining, those that were deleted left out. Null: there is
 * no such room that they can see.
 */
export async function messageCount({ store }: QueryContext, actor: Actor, room: RoomId): Promise<number | null> {
  const { rows } = await sql<{ count: number }>`
    select p.messages
      - coalesce((select b.num from messages b where b.room = p.id and b.seq < p.from_seq order by b.seq desc limit 1), 0)
      - (select count(*) from messages d where d.room = p.id and d.deleted_at is not null and d.seq >= p.from_seq) as count
    from (
      select r.id, s.messages,
        coalesce(m.from_seq, case r.history when 'joined' then s.head + 1 else 1 end) as from_seq
      from rooms r join streams s on s.id = r.id
      left join members m on m.room = r.id and m.user_id = ${actor.user}
      where r.id = ${room} and r.deleted_at is null and (m.user_id is not null or r.visibility = 'public')
    ) p`.execute(store.db);
  const [row] = rows;
  return row ? Number(row.count) : null;
}

/** The newest message of each room that the actor may read. */
export async function lastLines(
  context: QueryContext,
  actor: Actor,
  rooms: readonly RoomId[],
): Promise<Map<RoomId, Line>> {
  const last = new Map<RoomId, Line>();
  for (const wanted of slices(rooms)) {
    const rows = await lines(context, actor)
      .where('messages.room', 'in', padded(wanted))
      .where(
        'messages.seq',
        '=',
        sql<Seq>`(select max(l.seq) from messages l where l.room = messages.room and l.deleted_at is null)`,
      )
      .execute();
    for (const row of rows) last.set(row.room, toLine(row));
  }
  return last;
}

/** How far a room has been read. */
export interface ReadMarks {
  /** Up to here the actor has read. */
  mine: Seq;
  /** Would the actor's marker change by being moved there? */
  unmarked: boolean;
  /** Has everybody else read a message of this author? Where nobody else is, nobody has. */
  readByOthers(line: Pick<Line, 'author' | 'seq'>): boolean;
}

/** Null: not a member. */
export async function readMarks({ store }: QueryContext, actor: Actor, room: RoomId): Promise<ReadMarks | null> {
  const members = store.db
    .selectFrom('members')
    .select(['user_id', 'read_seq', 'unread_from'])
    .where('room', '=', room);
  const [mine, lowest] = await Promise.all([
    members.where('user_id', '=', actor.user).executeTakeFirst(),
    // Whoever has read least of all, and, if that is the author, of all others.
    members.orderBy('read_seq').limit(2).execute(),
  ]);
  if (!mine) return null;
  return {
    mine: mine.read_seq,
    unmarked: mine.unread_from !== null,
    readByOthers: ({ author, seq }) => {
      const least = lowest.find((member) => member.user_id !== author);
      return least !== undefined && least.read_seq >= seq;
    },
  };
}

/** The direct room of the actor with this user, or the actor's notebook; null: there is none, or its other one is gone. */
export async function directRoom({ store }: QueryContext, actor: Actor, user: UserId): Promise<RoomId | null> {
  const { space, value } = directClaim(actor.user, user, 0);
  const row = await store.db
    .selectFrom('claims')
    .innerJoin('members', 'members.room', 'claims.owner')
    // Whoever deletes an account is out at once; the rooms follow in slices.
    .innerJoin('users', (join) => join.on('users.id', '=', user).on('users.status', '<>', 'deleted'))
    .select('members.room')
    .where('claims.space', '=', space)
    .where('claims.value', '=', value)
    .where('members.user_id', '=', actor.user)
    .executeTakeFirst();
  return row?.room ?? null;
}

export async function userNames(
  { store }: QueryContext,
  ids: readonly UserId[],
): Promise<Map<UserId, { name: string; fullName: string }>> {
  const rows = await store.db
    .selectFrom('users')
    .select(['id', 'name', 'full_name'])
    .where('id', 'in', padded(ids))
    .execute();
  return new Map(rows.map((row) => [row.id, { name: row.name, fullName: row.full_name }]));
}

export async function roomNames(
  { store }: QueryContext,
  ids: readonly RoomId[],
): Promise<Map<RoomId, { name: string; dialect: string; visibility: Visibility }>> {
  const rows = await store.db
    .selectFrom('rooms')
    .select(['id', 'name', 'dialect', 'visibility'])
    .where('id', 'in', padded(ids))
    .where('deleted_at', 'is', null)
    .execute();
  return new Map(rows.map(({ id, ...name }) => [id, name]));
}

/** Reads of messages: pages by key, one message, its thread, its former texts, its readers, pins, and who called me. */
import type {
  Mentions,
  Message,
  MessageId,
  MessageList,
  MessagePage,
  Names,
  PinList,
  ReaderPage,
  RoomId,
  SearchPage,
  Seq,
  UserId,
  VersionList,
} from '@natter/protocol';
import { type Selectable, sql } from 'kysely';
import type { Tables } from '../../store/tables.js';
import { type Actor, type Answer, refuse } from '../actor.js';
import { cut, iso, isoOrNull, membership, padded, pageSize, type QueryContext } from './context.js';
import { namesOf } from './users.js';

type Row = Selectable<Tables['messages']>;

/** At most one of the four; none asks for the newest page. */
export interface MessageRange {
  room: RoomId;
  before?: Seq | undefined;
  after?: Seq | undefined;
  around?: Seq | undefined;
  /** Milliseconds since 1970: around the first message of that time or later. */
  at?: number | undefined;
  limit?: number | undefined;
}

/** What a search found: rows that the actor may read, as they stood at the moment of reading. */
export interface Found {
  hits: { row: Row; match: 'word' | 'substring' | 'typo'; ranges: [number, number][] }[];
  next: string | null;
}

const COLUMNS = [
  'messages.id',
  'room',
  'seq',
  'num',
  'author',
  'text',
  'reply_to',
  'thread',
  'mentions',
  'extra',
  'at',
  'edited_at',
  'deleted_at',
  'deleted_by',
  'reply_count',
  'version',
] as const;

/** First seq that the actor may read [A3]: nobody's is null, and nothing is after null. */
const fromSeq = (room: RoomId, actor: Actor) =>
  sql<Seq>`(select from_seq from members where room = ${room} and user_id = ${actor.user})`;

/** Messages of a room that the actor may read: membership is asked for in the statement that reads them [A1]. */
function visible({ store }: QueryContext, actor: Actor, room: RoomId) {
  return store.db
    .selectFrom('messages')
    .select(COLUMNS)
    .select(sql<Seq>`(select head from streams where id = ${room})`.as('head'))
    .where('messages.room', '=', room)
    .where('messages.seq', '>=', fromSeq(room, actor));
}

type Visible = Row & { head: Seq };

function earlier(context: QueryContext, actor: Actor, room: RoomId, before: Seq, limit: number): Promise<Visible[]> {
  return visible(context, actor, room)
    .where('messages.seq', '<', before)
    .orderBy('messages.seq', 'desc')
    .limit(limit)
    .execute()
    .then((rows) => rows.reverse());
}

function later(context: QueryContext, actor: Actor, room: RoomId, after: Seq, limit: number): Promise<Visible[]> {
  return visible(context, actor, room).where('messages.seq', '>', after).orderBy('messages.seq').limit(limit).execute();
}

async function readRange(context: QueryContext, actor: Actor, range: MessageRange, limit: number): Promise<Visible[]> {
  const { room, before, after, around } = range;
  if (around !== undefined) {
    const half = Math.floor(limit / 2);
    const [left, right] = await Promise.all([
      earlier(context, actor, room, around, half),
      later(context, actor, room, around - 1, limit - half),
    ]);
    return [...left, ...right];
  }
  if (after !== undefined) return later(context, actor, room, after, limit);
  return earlier(context, actor, room, before ?? Number.MAX_SAFE_INTEGER, limit);
}

/**
 * Seq of the first message of a time or later; beyond the head where there is none. Times rise with seq, save where clocks
 * were wrong, so halving finds it without an index of its own.
 */
async function seqAt({ store }: QueryContext, room: RoomId, from: Seq, head: Seq, at: number): Promise<Seq> {
  let [low, high] = [from, head + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = await store.db
      .selectFrom('messages')
      .select(['seq', 'at'])
      .where('room', '=', room)
      .where('seq', '>=', middle)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst();
    if (next && next.seq < high && next.at < at) low = next.seq + 1;
    else high = middle;
  }
  return low;
}

/** The head of the moment at which the rows were read; the earliest of them where there were several. */
const headOf = (rows: readonly Visible[], otherwise: Seq): Seq =>
  rows.reduce((head, row) => Math.min(head, row.head), rows[0]?.head ?? otherwise);

/** The messages of these rows, which the actor may read, and the names that go with them. */
async function dress(context: QueryContext, rows: readonly Row[]): Promise<{ messages: Message[]; users: Names }> {
  if (rows.length === 0) return { messages: [], users: {} };
  const { db } = context.store;
  const ids = padded(rows.map((row) => row.id));
  const rooms = padded([...new Set(rows.map((row) => row.room))]);
  const [reactions, pins] = await Promise.all([
    db
      .selectFrom('reactions')
      .select(['message', 'emoji', 'user_id'])
      .where('message', 'in', ids)
      .orderBy('at')
      .orderBy('emoji')
      .orderBy('user_id')
      .execute(),
    db.selectFrom('pins').select('message').where('room', 'in', rooms).where('message', 'in', ids).execute(),
  ]);
  const pinned = new Set(pins.map((pin) => pin.message));
  const reactionsOf = new Map<MessageId, Map<string, UserId[]>>();
  for (const { message, emoji, user_id } of reactions) {
    const byEmoji = reactionsOf.get(message) ?? new Map<string, UserId[]>();
    reactionsOf.set(message, byEmoji);
    const users = byEmoji.get(emoji);
    if (users) users.push(user_id);
    else byEmoji.set(emoji, [user_id]);
  }
  const messages = rows.map((row) => toMessage(row, reactionsOf.get(row.id), pinned.has(row.id)));
  return { messages, users: await namesOf(context, peopleIn(messages)) };
}

/** One message, if it is there for the actor. */
function find({ store }: QueryContext, actor: Actor, id: MessageId): Promise<Row | undefined> {
  return store.db
    .selectFrom('messages')
    .innerJoin('members', (join) =>
      join.onRef('members.room', '=', 'messages.room').on('members.user_id', '=', actor.user),
    )
    .selectAll('messages')
    .where('messages.id', '=', id)
    .whereRef('messages.seq', '>=', 'members.from_seq')
    .executeTakeFirst();
}

/** A page of a room's messages in rising seq [A3]. */
export async function messagePage(
  context: QueryContext,
  actor: Actor,
  range: MessageRange,
): Promise<Answer<MessagePage>> {
  const { room } = range;
  const part = await membership(context, actor.user, room);
  if (!part.ok) return part;
  const { at } = range;
  const asked =
    at === undefined ? range : { ...range, around: await seqAt(context, room, part.fromSeq, part.head, at) };
  const rows = await readRange(context, actor, asked, pageSize(context, range.limit));
  const end = (direction: 'asc' | 'desc') =>
    sql<Seq | null>`(select seq from messages where room = ${room} and seq >= ${fromSeq(room, actor)} order by seq ${sql.raw(direction)} limit 1)`;
  const [ends, dressed] = await Promise.all([
    context.store.db.selectNoFrom([end('asc').as('oldest'), end('desc').as('newest')]).executeTakeFirst(),
    dress(context, rows),
  ]);
  const oldest = ends?.oldest ?? null;
  const newest = ends?.newest ?? null;
  // An empty page stands where it was asked for.
  const first = rows[0]?.seq ?? range.before ?? (range.after === undefined ? null : range.after + 1);
  const last = rows.at(-1)?.seq ?? range.after ?? (range.before === undefined ? null : Math.max(range.before - 1, 0));
  return {
    ok: true,
    value: {
      ...dressed,
      head: headOf(rows, part.head),
      epoch: context.store.epoch,
      before: first !== null && oldest !== null && oldest < first ? first : null,
      after: last !== null && newest !== null && newest > last ? last : null,
    },
  };
}

export async function message(context: QueryContext, actor: Actor, id: MessageId): Promise<Answer<Message>> {
  const row = await find(context, actor, id);
  const [found] = row ? (await dress(context, [row])).messages : [];
  return found ? { ok: true, value: found } : refuse('not_found');
}

/** The replies of the thread that a message began or belongs to, in rising seq. */
export async function thread(
  context: QueryContext,
  actor: Actor,
  input: { message: MessageId; after?: Seq | undefined; limit?: number | undefined },
): Promise<Answer<MessagePage>> {
  const size = pageSize(context, input.limit);
  const asked = await find(context, actor, input.message);
  if (!asked) return refuse('not_found');
  const part = await membership(context, actor.user, asked.room);
  if (!part.ok) return part;
  const after = input.after ?? 0;
  const page = cut(
    await visible(context, actor, asked.room)
      .where('messages.thread', '=', asked.thread ?? asked.id)
      .where('messages.seq', '>', after)
      .orderBy('messages.seq')
      .limit(size + 1)
      .execute(),
    size,
    (row) => row.seq,
  );
  return {
    ok: true,
    value: {
      ...(await dress(context, page.rows)),
      head: headOf(page.rows, part.head),
      epoch: context.store.epoch,
      before: null,
      after: page.next,
    },
  };
}

/** What the message said, and says. Of a deleted one nothing is left [L6]. */
export async function versions(context: QueryContext, actor: Actor, id: MessageId): Promise<Answer<VersionList>> {
  const row = await find(context, actor, id);
  if (!row) return refuse('not_found');
  const edits = await context.store.db
    .selectFrom('message_edits')
    .select(['text', 'at', 'by_id'])
    .where('message', '=', id)
    .orderBy('seq', 'desc')
    .limit(context.limits.PAGE_MAX)
    .execute();
  edits.reverse();
  // An edit's row holds the text that it replaced; when and by whom that was written, the row before it tells.
  const written = [{ at: row.at, by_id: row.author }, ...edits];
  const found = [...edits.map((edit) => edit.text), row.text].map((text, index) => ({
    text,
    at: iso(written[index]?.at ?? row.at),
    by: written[index]?.by_id ?? row.author,
  }));
  const users = await namesOf(
    context,
    found.map((version) => version.by),
  );
  return { ok: true, value: { versions: found, users } };
}

/** Members whose marker is at or beyond the message, its author aside. */
export async function readers(
  context: QueryContext,
  actor: Actor,
  input: { message: MessageId; after?: UserId | undefined; limit?: number | undefined },
): Promise<Answer<ReaderPage>> {
  const size = pageSize(context, input.limit);
  const asked = await find(context, actor, input.message);
  if (!asked) return refuse('not_found');
  const rows = await context.store.db
    .selectFrom('members')
    .select('user_id')
    .where('room', '=', asked.room)
    .where('user_id', '>', input.after ?? 0)
    .where('user_id', '!=', asked.author)
    .where('read_seq', '>=', asked.seq)
    // Who may not read the message has not read it.
    .where('from_seq', '<=', asked.seq)
    .orderBy('user_id')
    .limit(size + 1)
    .execute();
  const page = cut(
    rows.map((row) => row.user_id),
    size,
    (user) => user,
  );
  return { ok: true, value: { readers: page.rows, users: await namesOf(context, page.rows), next: page.next } };
}

/** The pinned messages of a room, newest pin first. */
export async function pinned(context: QueryContext, actor: Actor, room: RoomId): Promise<Answer<PinList>> {
  const part = await membership(context, actor.user, room);
  if (!part.ok) return part;
  const rows = await context.store.db
    .selectFrom('pins')
    .innerJoin('messages', 'messages.id', 'pins.message')
    .selectAll('messages')
    .select(['pins.by_id as pinned_by', 'pins.at as pinned_at'])
    .where('pins.room', '=', room)
    .where('messages.seq', '>=', fromSeq(room, actor))
    .orderBy('pins.at', 'desc')
    .orderBy('messages.id', 'desc')
    .limit(context.limits.PINS_PER_ROOM_MAX)
    .execute();
  const { messages, users } = await dress(context, rows);
  const pins = rows.flatMap((row, index) => {
    const shown = messages[index];
    return shown ? [{ message: shown, by: row.pinned_by, at: iso(row.pinned_at) }] : [];
  });
  const pinners = await namesOf(
    context,
    pins.map((pin) => pin.by),
  );
  return { ok: true, value: { pins, users: { ...users, ...pinners } } };
}

/** Messages that call me, by name or with everybody, newest first [M4]. */
export async function mentionsOfMe(
  context: QueryContext,
  actor: Actor,
  input: { before?: MessageId | undefined; limit?: number | undefined },
): Promise<Answer<MessageList>> {
  const size = pageSize(context, input.limit);
  // By room, as the rows lie: of the calls to everybody, only those in my rooms are looked at.
  const { rows: found } = await sql<{ message: MessageId }>`
    select x.message from members m cross join mentions x
    where m.user_id = ${actor.user} and x.room = m.room and x.user_id in (${actor.user}, 0) and x.seq >= m.from_seq
      and x.message < ${input.before ?? Number.MAX_SAFE_INTEGER}
    order by x.message desc limit ${size + 1}`.execute(context.store.db);
  const page = cut(
    found.map((row) => row.message),
    size,
    (id) => id,
  );
  if (page.rows.length === 0) return { ok: true, value: { messages: [], users: {}, next: null } };
  const rows = await context.store.db
    .selectFrom('messages')
    .selectAll()
    .where('id', 'in', padded(page.rows))
    // Asked for again: who was removed meanwhile reads nothing [A1].
    .where((is) =>
      is.exists(
        is
          .selectFrom('members')
          .select('members.room')
          .whereRef('members.room', '=', 'messages.room')
          .where('members.user_id', '=', actor.user)
          .whereRef('members.from_seq', '<=', 'messages.seq'),
      ),
    )
    .orderBy('id', 'desc')
    .execute();
  return { ok: true, value: { ...(await dress(context, rows)), next: page.next } };
}

/** What a search found, as the wire shows it. The search has asked whether the actor may read it. */
export async function searchPage(context: QueryContext, found: Found): Promise<SearchPage> {
  const { messages, users } = await dress(
    context,
    found.hits.map((hit) => hit.row),
  );
  const hits = found.hits.flatMap(({ match, ranges }, index) => {
    const shown = messages[index];
    return shown ? [{ message: shown, match, ranges }] : [];
  });
  return { hits, users, next: found.next };
}

function toMessage(row: Row, reactions: Map<string, UserId[]> | undefined, pinned: boolean): Message {
  return {
    id: row.id,
    room: row.room,
    seq: row.seq,
    author: row.author,
    text: row.text,
    at: iso(row.at),
    editedAt: isoOrNull(row.edited_at),
    deletedAt: isoOrNull(row.deleted_at),
    replyTo: row.reply_to,
    thread: row.thread,
    replyCount: row.reply_count,
    mentions: row.mentions === null ? {} : (JSON.parse(row.mentions) as Mentions),
    reactions: reactions ? Array.from(reactions, ([emoji, users]) => ({ emoji, users })) : [],
    pinned,
  };
}

function* peopleIn(messages: readonly Message[]): Generator<UserId> {
  for (const message of messages) {
    yield message.author;
    yield* message.mentions.users ?? [];
  }
  for (const message of messages) for (const { users } of message.reactions) yield* users;
}

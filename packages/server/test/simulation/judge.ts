/** What must be so after any life, by looking at everything: the log, the tables, what was answered, and what everybody heard and holds. */
import type { TimelineSnapshot } from '@natter/client';
import type { Message, RoomId, RoomRow, Seq, StreamId, UserId } from '@natter/protocol';
import type { StoredEvent } from '@natter/server/store/store';
import { toEvent } from '@natter/server/store/store';
import { Model, tablesOf } from '../store/model.js';
import type { Asked, Heard } from './device.js';
import type { Life } from './life.js';
import { LIMITS } from './world.js';

type Problem = (what: string) => void;
export type Log = ReadonlyMap<StreamId, readonly StoredEvent[]>;

/** What a device has in the end. */
export interface Holder {
  user: UserId;
  name: string;
  cursor(stream: StreamId): Seq | undefined;
  /** Streams that it hears; null where it can't say. */
  live: ReadonlySet<StreamId> | null;
  rooms: { getSnapshot(): readonly RoomRow[] };
  timelines: ReadonlyMap<RoomId, { getSnapshot(): TimelineSnapshot }>;
}

/** A stay of a user in a room. */
export interface Stay {
  from: Seq;
  to: Seq;
  fromSeq: Seq;
  /** Ids of the events by which it began and ended. */
  began: number;
  ended: number;
}

export async function judge(life: Life): Promise<void> {
  const { world } = life;
  const problem = (what: string): void => world.problem(what);
  const rows = world.connection.query('select * from events order by id', []);
  const events = rows.map(toEvent);
  const log = logOf(events, problem);
  const { model, stays } = replay(events, LIMITS.GROUP_MEMBERS_MAX, problem);
  const held = tablesOf((table) => world.connection.query(`select * from ${table}`, []), model);
  for (const [table, told] of Object.entries(model.tables())) {
    if (JSON.stringify(held[table]) !== JSON.stringify(told)) {
      problem(`${table} is not what the events tell [L1]: ${difference(held[table] ?? [], told)}`);
    }
  }
  judgeAnswers(life, events);
  judgeRefusals(life, stays);
  for (const device of life.devices) {
    judgeHeard(device.user, device.heard, log, stays, problem);
    judgeHeld(device, model, log, problem);
  }
}

/** By stream, each dense from 1 [L2]. */
export function logOf(events: readonly StoredEvent[], problem: Problem): Log {
  const log = new Map<StreamId, StoredEvent[]>();
  for (const event of events) {
    const own = log.get(event.stream);
    if (own) own.push(event);
    else log.set(event.stream, [event]);
  }
  for (const [stream, own] of log) {
    own.forEach(({ seq }, index) => {
      if (seq !== index + 1) problem(`stream ${stream} has ${seq} at place ${index + 1} [L2]`);
    });
  }
  return log;
}

/** Goes through the log in its order, and looks at each event with what stood before it. */
export function replay(
  events: readonly StoredEvent[],
  groupMembersMax: number,
  problem: Problem,
): { model: Model; stays: Map<string, Stay[]> } {
  const model = new Model();
  const stays = new Map<string, Stay[]>();
  const join = (user: UserId, { stream, seq, id }: StoredEvent, fromSeq: Seq): void => {
    const key = `${user}:${stream}`;
    const open = { to: Number.MAX_SAFE_INTEGER, ended: Number.MAX_SAFE_INTEGER };
    stays.set(key, [...(stays.get(key) ?? []), { from: seq, fromSeq, began: id, ...open }]);
  };
  const leave = (user: UserId, { stream, seq, id }: StoredEvent): void => {
    const last = stays.get(`${user}:${stream}`)?.at(-1);
    if (last) Object.assign(last, { to: seq, ended: id });
  };
  for (const event of events) {
    const { type, stream, seq } = event;
    const body = JSON.parse(event.body);
    const wrong = decidedWrongly(model, event, body, groupMembersMax);
    if (wrong) problem(`${type} at ${seq} of ${stream} by ${event.actor}: ${wrong} [L4]`);
    if (type === 'room.deleted') for (const { user_id } of model.membersOf(stream)) leave(user_id, event);
    try {
      model.apply(event);
    } catch (error) {
      problem(`${type} at ${seq} of ${stream}: ${(error as Error).message}`);
      break;
    }
    if (type === 'room.created') for (const { user } of body.members) join(user, event, 1);
    if (type === 'member.joined') join(body.user, event, model.room(stream).history === 'joined' ? seq : 1);
    if (type === 'member.left' || type === 'member.removed') leave(body.user, event);
  }
  return { model, stays };
}

/** The members of bodies that say what an event is about. */
interface Body {
  room?: RoomId;
  seq?: Seq;
  message?: number;
  user?: UserId;
}

/** Why an event could not have been decided on what was so when it was committed. */
function decidedWrongly(
  model: Model,
  { type, stream, actor }: StoredEvent,
  body: Body,
  groupMembersMax: number,
): string | null {
  if (type === 'read.moved' || type === 'read.unmarked') {
    const { room = 0, seq = 0 } = body;
    return seq > (model.streams.get(room)?.head ?? 0) ? 'beyond the head' : null;
  }
  const room = model.rooms.get(stream);
  if (!room) return null;
  if (room.deleted_at !== null) return 'the room is deleted';
  const members = model.membersOf(stream);
  const isMember = members.some(({ user_id }) => user_id === actor);
  const message = body.message === undefined ? undefined : model.messages.get(body.message);
  if (body.message !== undefined && !message) return 'there is no such message';
  const isDeletion = type === 'message.deleted';
  if (message && !isDeletion && !type.endsWith('.removed') && message.row.deleted_at !== null) return 'it is deleted';
  switch (type) {
    case 'member.joined':
      if (members.some(({ user_id }) => user_id === body.user)) return 'is in it already';
      return room.kind === 'group' && members.length >= groupMembersMax ? 'the room is full' : null;
    case 'member.left':
    case 'member.removed':
    case 'member.changed':
      return members.some(({ user_id }) => user_id === body.user) ? null : 'is not in it';
    case 'message.sent':
    case 'message.edited':
    case 'reaction.added':
      if (room.archived_at !== null) return 'the room is archived';
      if (!isMember) return 'is not in the room';
      return type === 'message.edited' && message?.row.author !== actor ? 'is not the author' : null;
    case 'message.deleted':
      return message?.row.deleted_at === null && isMember ? null : 'is deleted already, or not theirs';
    case 'room.deleted':
      // A private room goes with its last member.
      return isMember || members.length === 0 ? null : 'is not in the room';
    default:
      return isMember ? null : 'is not in the room';
  }
}

function judgeAnswers(life: Life, events: readonly StoredEvent[]): void {
  const problem = (what: string): void => life.world.problem(what);
  const byPlace = new Map(events.map((event) => [`${event.stream}:${event.seq}`, event]));
  const sent = new Map<string, StoredEvent[]>();
  for (const event of events) {
    if (event.type !== 'message.sent') continue;
    // A deleted message is known by its key alone.
    const [key] = life.world.connection.query('select key from keys where event = ?', [event.id]);
    const name = `${event.actor}:${String(key?.key).split('#')[0]}`;
    sent.set(name, [...(sent.get(name) ?? []), event]);
  }
  const byKey = new Map<string, Asked[]>();
  for (const asked of life.devices.flatMap((device) => device.asked)) {
    const name = `${asked.user}:${asked.key}`;
    byKey.set(name, [...(byKey.get(name) ?? []), asked]);
  }
  for (const [name, all] of byKey) {
    const places = new Set<string>();
    for (const { result, command } of all) {
      if (!result || result.unchanged) continue;
      places.add(`${result.stream}:${result.seq}`);
      const event = byPlace.get(`${result.stream}:${result.seq}`);
      if (event?.id !== result.id) problem(`${name} was acknowledged at a place that it does not have [L1]`);
      if (event && command.type === 'message.send' && !event.body.includes('"redacted":true')) {
        const edited = JSON.parse(event.body).text;
        if (edited !== command.text) problem(`${name} is in the log with another text [I1]`);
      }
    }
    if (places.size > 1) problem(`${name} was acknowledged at ${[...places].join(' and ')} [L3]`);
    const written = sent.get(name) ?? [];
    if (written.length > 1) problem(`${name} is ${written.length} times in the log [L3]`);
    const sends = all.filter(({ command, refused }) => command.type === 'message.send' && refused !== 'key_conflict');
    if (sends.length === 0) continue;
    const acknowledged = sends.some(({ result }) => result !== null);
    if (acknowledged && written.length === 0) problem(`${name} is acknowledged and not in the log [I1]`);
    // Of what was sent twice, one may be refused while the other, whose answer was lost with the connection, goes through.
    const tries = sends.reduce((sum, asked) => sum + asked.tries, 0);
    if (!acknowledged && written.length > 0 && tries === 1) problem(`${name} is refused and in the log [I1]`);
  }
  for (const name of sent.keys()) if (!byKey.has(name)) problem(`${name} is in the log and nobody sent it`);
  judgeOrder(life);
}

/** [L4] Nobody who was in a room all the while is told that it is not there. */
function judgeRefusals({ world, devices }: Life, stays: ReadonlyMap<string, readonly Stay[]>): void {
  for (const { user, command, refused, between } of devices.flatMap((device) => device.asked)) {
    if (refused !== 'not_found' || command.type !== 'message.send') continue;
    const [from, to] = between;
    const stay = stays.get(`${user}:${command.room}`)?.find(({ began, ended }) => began <= from && ended > to);
    if (stay) world.problem(`user ${user} was in room ${command.room}, and a message was refused as if not [L4]`);
  }
}

/** [I4] What was acknowledged before something else was asked for stands before it. */
function judgeOrder(life: Life): void {
  const sends = life.devices
    .flatMap((device) => device.asked)
    .filter(({ command, result }) => command.type === 'message.send' && result && !result.replayed);
  const latest = new Map<StreamId, Seq>();
  const moments = sends.flatMap((asked) => [
    { at: asked.invoked, asked, ends: false },
    { at: asked.answered as number, asked, ends: true },
  ]);
  const before = new Map<Asked, Seq>();
  for (const { asked, ends } of moments.sort((a, b) => a.at - b.at)) {
    const { stream, seq = 0 } = asked.result as NonNullable<Asked['result']>;
    if (!ends) before.set(asked, latest.get(stream) ?? 0);
    else {
      if (seq <= (before.get(asked) ?? 0))
        life.world.problem(`${asked.key} of ${asked.user} overtook an earlier one [I4]`);
      latest.set(stream, Math.max(latest.get(stream) ?? 0, seq));
    }
  }
}

/** [A1][A3] Nobody heard of a room what was not theirs to hear. */
export function judgeHeard(
  user: UserId,
  heard: readonly Heard[],
  log: Log,
  stays: ReadonlyMap<string, readonly Stay[]>,
  problem: Problem,
): void {
  for (const { stream, seq, hidden } of heard) {
    if (stream === user) continue;
    const where = `event ${seq} of ${stream} for user ${user}`;
    const mine = stays.get(`${user}:${stream}`) ?? [];
    const part = mine.findLast(({ from, fromSeq, to }) => seq >= Math.min(from, fromSeq) && seq <= to);
    if (!part) {
      problem(`${where} was not theirs to hear [A1]`);
      continue;
    }
    const about = JSON.parse(log.get(stream)?.[seq - 1]?.body ?? '{}').messageSeq ?? Number.MAX_SAFE_INTEGER;
    const isBefore = mine.every(({ fromSeq, to }) => seq > to || seq < fromSeq || about < fromSeq);
    if (isBefore && !hidden) problem(`${where} tells of what was before they joined [A3]`);
  }
}

/** [H2][H3] Everybody ends with the same: all of the log that is theirs, and what follows from it. */
export function judgeHeld(device: Holder, model: Model, log: Log, problem: Problem): void {
  const { user, name } = device;
  const who = `${name} of user ${user}`;
  const mine = [...model.rooms.values()]
    .filter(
      ({ id, deleted_at }) => deleted_at === null && model.membersOf(id).some((member) => member.user_id === user),
    )
    .map(({ id }) => id);
  for (const stream of [user, ...mine]) {
    const head = log.get(stream)?.length;
    const cursor = device.cursor(stream);
    if (cursor !== head) problem(`${who} stands at ${cursor} of stream ${stream}, whose head is ${head} [H3]`);
    if (device.live?.has(stream) === false) problem(`${who} does not hear stream ${stream} [H3]`);
  }
  for (const stream of device.live ?? []) {
    if (stream !== user && !mine.includes(stream)) problem(`${who} still hears stream ${stream} [A1]`);
  }
  const rows = device.rooms.getSnapshot();
  const listed = rows.map(({ id }) => id).sort((a, b) => a - b);
  if (listed.join() !== mine.sort((a, b) => a - b).join()) {
    problem(`${who} lists the rooms ${listed.join()} and is in ${mine.join()}`);
  }
  for (const row of rows) {
    if (!mine.includes(row.id)) continue;
    const member = model.membersOf(row.id).find(({ user_id }) => user_id === user);
    const { unread, mentions } = model.unread(row.id, user);
    const room = model.room(row.id);
    const told = {
      unread,
      mentions,
      readSeq: member?.read_seq,
      unreadFrom: member?.unread_from,
      role: member?.role,
      name: room.name,
      topic: room.topic,
      archived: room.archived_at !== null,
      memberCount: model.membersOf(row.id).length,
      head: log.get(row.id)?.length,
    };
    const shown = Object.fromEntries(Object.keys(told).map((key) => [key, row[key as 'unread']]));
    if (JSON.stringify(shown) !== JSON.stringify(told)) {
      problem(`${who} shows room ${row.id} as ${JSON.stringify(shown)}, and it is ${JSON.stringify(told)} [M1]`);
    }
  }
  for (const [room, timeline] of device.timelines) {
    const shown = timeline.getSnapshot();
    if (!mine.includes(room) && shown.messages.length > 0) problem(`${who} still shows room ${room} [A1]`);
    if (mine.includes(room) && shown.gone) problem(`${who} holds room ${room} as gone`);
    if (!mine.includes(room) || !shown.loaded || shown.gone) continue;
    const from = model.membersOf(room).find(({ user_id }) => user_id === user)?.from_seq ?? 1;
    const all = model.messagesOf(room).filter(({ row }) => row.seq >= from);
    const first = shown.older ? (shown.messages[0]?.seq ?? 0) : 0;
    const told = all.filter(({ row }) => row.seq >= first).map(({ row: { id } }) => asTold(model, id));
    const held = shown.messages.map(asShown);
    if (shown.newer || JSON.stringify(held) !== JSON.stringify(told)) {
      problem(`${who} holds other messages of room ${room} than there are: ${difference(held, told)} [I3]`);
    }
  }
}

function asShown(message: Message): string {
  const { id, seq, author, text, replyTo, thread, replyCount, mentions, reactions, pinned } = message;
  const said = reactions.map(({ emoji, users }) => `${emoji} ${[...users].sort((a, b) => a - b).join()}`).sort();
  const times = [message.editedAt, message.deletedAt].map((time) => time && Date.parse(time));
  return JSON.stringify([id, seq, author, text, replyTo, thread, replyCount, mentions, said, pinned, times]);
}

function asTold(model: Model, id: number): string {
  const { row, mentions } = model.message(id);
  const { replies, reactions, pinned } = model.around(id);
  const said = [...reactions].map(([emoji, users]) => `${emoji} ${users.sort((a, b) => a - b).join()}`).sort();
  const times = [row.edited_at, row.deleted_at];
  return JSON.stringify([
    id,
    row.seq,
    row.author,
    row.text,
    row.reply_to,
    row.thread,
    replies,
    mentions,
    said,
    pinned,
    times,
  ]);
}

/** The first lines of two lists that are not in both. */
function difference(one: readonly string[], other: readonly string[]): string {
  const only = (list: readonly string[], rest: readonly string[]) =>
    list.filter((line) => !rest.includes(line)).slice(0, 2);
  return `held ${only(one, other).join('; ')} – told ${only(other, one).join('; ')}`;
}

/**
 * What the tables must hold, told from events alone and as plainly as possible: counts are counted, nothing is kept that
 * could be counted. Shares no code with the projections that it judges.
 */
import type { Event, Mentions } from '@natter/protocol';
import type { Store, StoredEvent } from '@natter/server/store/store';
import type { Tables } from '@natter/server/store/tables';

type Rows = { [T in keyof Tables]: Tables[T][] };

/** The tables that events tell whole. */
const TOLD = [
  'streams',
  'rooms',
  'members',
  'messages',
  'message_edits',
  'reactions',
  'pins',
  'mentions',
  'users',
  'usergroups',
  'usergroup_members',
  'audit',
] as const satisfies (keyof Tables)[];
type Told = Pick<Rows, (typeof TOLD)[number]>;
/** Rows as text, in an order of their own: two tables with the same rows look alike. */
export type Sorted = Record<string, string[]>;

interface Message {
  row: Omit<Tables['messages'], 'num' | 'reply_count'>;
  mentions: Mentions;
}

type Member = Omit<Tables['members'], 'read_num' | 'unread_num'>;

const CHANGES_STATE =
  /^(room\.|member\.|usergroup\.|user\.(created|changed|deactivated|reactivated|deleted)|password\.)/;

export class Model {
  readonly streams = new Map<number, { kind: 'room' | 'user' | 'usergroup'; head: number; version: number }>();
  readonly rooms = new Map<number, Omit<Tables['rooms'], 'member_count'>>();
  readonly messages = new Map<number, Message>();
  readonly users = new Map<number, Tables['users']>();
  readonly groups = new Map<number, Tables['usergroups'] & { members: Set<number> }>();
  readonly #members = new Map<string, Member>();
  #edits: Tables['message_edits'][] = [];
  #reactions: Tables['reactions'][] = [];
  #pins: Tables['pins'][] = [];
  readonly #audit: Tables['audit'][] = [];

  apply(event: StoredEvent): void {
    const fact = { type: event.type, body: JSON.parse(event.body) } as Pick<Event, 'type' | 'body'> as Event;
    const { stream, seq, at, actor } = event;
    const known = this.streams.get(stream);
    if (seq !== (known?.head ?? 0) + 1) throw new Error(`stream ${stream}: ${seq} after ${known?.head ?? 0}`);
    const kind = { 'room.created': 'room', 'user.created': 'user', 'usergroup.created': 'usergroup' } as const;
    const version = (known?.version ?? 0) + (CHANGES_STATE.test(event.type) ? 1 : 0);
    this.streams.set(stream, { kind: known?.kind ?? kind[event.type as 'room.created'], head: seq, version });
    if (isAudited(event, fact)) {
      this.#audit.push({ event: event.id, stream, seq, at, actor, action: event.type, body: event.body });
    }
    switch (fact.type) {
      case 'room.created': {
        const { members, dialect = '', ...settings } = fact.body;
        const none = { archived_at: null, deleted_at: null };
        this.rooms.set(stream, { id: stream, ...settings, dialect, created_by: actor, created_at: at, ...none });
        for (const { user, role } of members) this.#join(stream, user, role, at, seq, 1);
        return;
      }
      case 'room.changed':
        Object.assign(this.room(stream), fact.body);
        return;
      case 'room.archived':
        this.room(stream).archived_at = at;
        return;
      case 'room.unarchived':
        this.room(stream).archived_at = null;
        return;
      case 'room.deleted':
        Object.assign(this.room(stream), { deleted_at: at, name: '', topic: '' });
        for (const member of this.membersOf(stream)) this.#members.delete(`${stream}:${member.user_id}`);
        return;
      case 'member.joined': {
        const from = this.room(stream).history === 'joined' ? seq : 1;
        this.#join(stream, fact.body.user, fact.body.role, at, seq, from);
        return;
      }
      case 'member.left':
      case 'member.removed':
        this.#members.delete(`${stream}:${fact.body.user}`);
        return;
      case 'member.changed':
        this.#member(stream, fact.body.user).role = fact.body.role;
        return;
      case 'message.sent': {
        const { text, replyTo, thread, mentions, extra } = fact.body;
        const row = {
          id: event.id,
          room: stream,
          seq,
          author: actor,
          text,
          reply_to: replyTo ?? null,
          thread: thread ?? null,
          mentions: mentions ? JSON.stringify(mentions) : null,
          extra: extra ? JSON.stringify(extra) : null,
          at,
          edited_at: null,
          deleted_at: null,
          deleted_by: null,
          version: 0,
        };
        this.messages.set(event.id, { row, mentions: mentions ?? {} });
        const own = this.#members.get(`${stream}:${actor}`);
        if (own) Object.assign(own, { read_seq: seq, unread_from: null });
        return;
      }
      case 'message.edited': {
        const message = this.message(fact.body.message);
        const { id, text } = message.row;
        this.#edits.push({ message: id, seq, text, at, by_id: actor });
        message.mentions = fact.body.mentions ?? {};
        const mentions = fact.body.mentions ? JSON.stringify(fact.body.mentions) : null;
        Object.assign(message.row, { text: fact.body.text, mentions, edited_at: at });
        message.row.version += 1;
        return;
      }
      case 'message.deleted': {
        const message = this.message(fact.body.message);
        message.mentions = {};
        Object.assign(message.row, { text: '', mentions: null, extra: null, deleted_at: at, deleted_by: actor });
        message.row.version += 1;
        this.#edits = this.#edits.filter((edit) => edit.message !== message.row.id);
        this.#reactions = this.#reactions.filter((reaction) => reaction.message !== message.row.id);
        this.#pins = this.#pins.filter((pin) => pin.message !== message.row.id);
        return;
      }
      case 'reaction.added':
      case 'reaction.removed': {
        const { message, emoji } = fact.body;
        const mine = (row: Tables['reactions']) =>
          row.message === message && row.emoji === emoji && row.user_id === actor;
        if (fact.type === 'reaction.removed') this.#reactions = this.#reactions.filter((row) => !mine(row));
        else if (!this.#reactions.some(mine)) this.#reactions.push({ message, emoji, user_id: actor, at });
        this.message(message).row.version += 1;
        return;
      }
      case 'pin.added':
      case 'pin.removed': {
        const { message } = fact.body;
        const there = this.#pins.some((pin) => pin.message === message);
        if (fact.type === 'pin.removed') this.#pins = this.#pins.filter((pin) => pin.message !== message);
        else if (!there) this.#pins.push({ room: stream, message, by_id: actor, at });
        this.message(message).row.version += 1;
        return;
      }
      case 'read.moved': {
        const member = this.#members.get(`${fact.body.room}:${stream}`);
        if (member && fact.body.seq >= member.read_seq) {
          Object.assign(member, { read_seq: fact.body.seq, unread_from: null });
        }
        return;
      }
      case 'read.unmarked': {
        const member = this.#members.get(`${fact.body.room}:${stream}`);
        if (member) member.unread_from = fact.body.seq;
        return;
      }
      default:
        this.#account(event, fact);
    }
  }

  #account({ stream, at, actor }: StoredEvent, fact: Event): void {
    const user = this.users.get(stream);
    switch (fact.type) {
      case 'user.created': {
        const { name, nameKey, email, fullName, role, placeholder } = fact.body;
        const account = {
          id: stream,
          name,
          name_key: nameKey,
          email,
          full_name: fullName,
          about: '',
          role,
          verified: 0,
        };
        const state = { status: 'active' as const, created_at: at, last_seen_at: null };
        this.users.set(stream, { ...account, ...state, placeholder: placeholder ? 1 : 0 });
        return;
      }
      case 'user.changed': {
        const { email, fullName, about, role, verified } = fact.body;
        if (!user) throw new Error(`no user ${stream}`);
        if (email !== undefined) user.email = email;
        if (fullName !== undefined) user.full_name = fullName;
        if (about !== undefined) user.about = about;
        if (role !== undefined) user.role = role;
        if (verified !== undefined) user.verified = verified ? 1 : 0;
        return;
      }
      case 'user.deactivated':
      case 'user.reactivated':
        if (user) user.status = fact.type === 'user.deactivated' ? 'deactivated' : 'active';
        return;
      case 'user.deleted': {
        const name = `deleted-${stream}`;
        const gone = { name, name_key: name, email: null, full_name: 'Deleted User', about: '', role: 'user' };
        if (user) Object.assign(user, gone, { status: 'deleted', verified: 0, last_seen_at: null });
        for (const group of this.groups.values()) group.members.delete(stream);
        return;
      }
      case 'usergroup.created': {
        const { name, description, members } = fact.body;
        const row = { id: stream, name, description, created_by: actor, created_at: at };
        this.groups.set(stream, { ...row, members: new Set(members) });
        return;
      }
      case 'usergroup.changed':
        Object.assign(this.groups.get(stream) ?? {}, fact.body);
        return;
      case 'usergroup.members_added':
        for (const member of fact.body.users) this.groups.get(stream)?.members.add(member);
        return;
      case 'usergroup.members_removed':
        for (const member of fact.body.users) this.groups.get(stream)?.members.delete(member);
        return;
      case 'usergroup.deleted':
        this.groups.delete(stream);
        return;
      default:
        // Sessions and passwords live in tables that hold what the log must not.
        return;
    }
  }

  #join(room: number, user: number, role: Member['role'], at: number, seq: number, from: number): void {
    const marker = { read_seq: seq, unread_from: null };
    const row = { room, user_id: user, role, joined_at: at, joined_seq: seq, from_seq: from, ...marker };
    this.#members.set(`${room}:${user}`, row);
  }

  #member(room: number, user: number): Member {
    const member = this.#members.get(`${room}:${user}`);
    if (!member) throw new Error(`user ${user} is not in room ${room}`);
    return member;
  }

  membersOf(room: number): Member[] {
    return [...this.#members.values()].filter((member) => member.room === room);
  }

  messagesOf(room: number): Message[] {
    return [...this.messages.values()].filter(({ row }) => row.room === room);
  }

  room(id: number): Omit<Tables['rooms'], 'member_count'> {
    const room = this.rooms.get(id);
    if (!room) throw new Error(`no room ${id}`);
    return room;
  }

  message(id: number): Message {
    const message = this.messages.get(id);
    if (!message) throw new Error(`no message ${id}`);
    return message;
  }

  /** What hangs on a message. */
  around(id: number): { replies: number; reactions: Map<string, number[]>; pinned: boolean } {
    const replies = [...this.messages.values()].filter(
      ({ row }) => row.thread === id && row.deleted_at === null,
    ).length;
    const reactions = new Map<string, number[]>();
    for (const { message, emoji, user_id } of this.#reactions) {
      if (message === id) reactions.set(emoji, [...(reactions.get(emoji) ?? []), user_id]);
    }
    return { replies, reactions, pinned: this.#pins.some(({ message }) => message === id) };
  }

  /** [M1][M3][M4] What a member has not read, by looking at every message. */
  unread(room: number, user: number): { unread: number; mentions: number } {
    const { read_seq, unread_from } = this.#member(room, user);
    const from = unread_from ?? read_seq + 1;
    const waiting = this.messagesOf(room).filter(({ row }) => row.seq >= from && row.deleted_at === null);
    const calls = waiting.filter(({ mentions }) => mentions.everyone || mentions.users?.includes(user));
    return { unread: waiting.length, mentions: calls.length };
  }

  tables(): Sorted {
    const counted = (room: number, below: number) => this.messagesOf(room).filter(({ row }) => row.seq < below).length;
    const messages = [...this.messages.values()];
    return sorted({
      streams: [...this.streams].map(([id, stream]) => ({ id, ...stream, messages: this.messagesOf(id).length })),
      rooms: [...this.rooms.values()].map((room) => ({ ...room, member_count: this.membersOf(room.id).length })),
      members: [...this.#members.values()].map((member) => ({
        ...member,
        read_num: counted(member.room, member.read_seq + 1),
        unread_num: member.unread_from === null ? null : counted(member.room, member.unread_from),
      })),
      messages: messages.map(({ row }) => ({
        ...row,
        num: counted(row.room, row.seq) + 1,
        reply_count: messages.filter((other) => other.row.thread === row.id && other.row.deleted_at === null).length,
      })),
      message_edits: this.#edits,
      reactions: this.#reactions,
      pins: this.#pins,
      mentions: messages.flatMap(({ row: { id, room, seq }, mentions }) =>
        (mentions.everyone ? [0] : (mentions.users ?? [])).map((user) => ({ user_id: user, room, seq, message: id })),
      ),
      users: [...this.users.values()],
      usergroups: [...this.groups.values()].map(({ members: _, ...group }) => group),
      usergroup_members: [...this.groups.values()].flatMap(({ id, members }) =>
        [...members].map((user) => ({ usergroup: id, user_id: user })),
      ),
      audit: this.#audit,
    });
  }
}

function sorted(tables: Told): Sorted {
  const inOrder = (row: object) => JSON.stringify(Object.fromEntries(Object.entries(row).sort()));
  return Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [table, (rows as object[]).map(inOrder).sort()]),
  );
}

/** By what a row is known to belong to a stream, or to a message of one. */
const OWNED_BY: Record<(typeof TOLD)[number], string> = {
  streams: 'id',
  rooms: 'id',
  members: 'room',
  messages: 'room',
  message_edits: 'message',
  reactions: 'message',
  pins: 'room',
  mentions: 'room',
  users: 'id',
  usergroups: 'id',
  usergroup_members: 'usergroup',
  audit: 'stream',
};

/** What tables hold of the streams that a model knows. */
export function tablesOf(read: (table: (typeof TOLD)[number]) => readonly object[], model: Model): Sorted {
  const tables: Partial<Record<string, object[]>> = {};
  for (const table of TOLD) {
    const column = OWNED_BY[table];
    const known: ReadonlyMap<number, unknown> = column === 'message' ? model.messages : model.streams;
    tables[table] = read(table).filter((row) => known.has(Number((row as Record<string, unknown>)[column])));
  }
  return sorted(tables as Told);
}

export async function stored(store: Store, model: Model): Promise<Sorted> {
  const tables = new Map<string, object[]>();
  for (const table of TOLD) tables.set(table, await store.db.selectFrom(table).selectAll().execute());
  return tablesOf((table) => tables.get(table) ?? [], model);
}

function isAudited(event: StoredEvent, fact: Event): boolean {
  switch (fact.type) {
    case 'member.joined':
      return fact.body.user !== event.actor;
    case 'message.deleted':
      return fact.body.moderated === true;
    case 'user.deleted':
    case 'user.changed':
    case 'session.ended':
      return event.actor !== event.stream;
    default:
      return /^(room\.(?!created)|member\.(removed|changed)|user\.(de|re)activated|usergroup\.)/.test(event.type);
  }
}

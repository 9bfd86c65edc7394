/**
 * The projections: which rows follow from an event. The commit runs this, and so does whoever recounts the tables from
 * the log; it depends on nothing but the events of a stream in order (and, for what the log must not hold, the secret).
 */
import type { Event, EventBody, EventType } from '@natter/protocol';
import type { Param, WriteStep } from './steps.js';
import type { Secret, StoredEvent } from './store.js';

/** `num` of the last message of a room at or below a seq. */
const NUM_AT =
  'coalesce((select m.num from messages m where m.room = ? and m.seq <= ? order by m.seq desc limit 1), 0)';

const COLUMNS = {
  events: ['id', 'stream', 'seq', 'type', 'actor', 'at', 'body'],
  messages: [
    'id',
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
  ],
  mentions: ['user_id', 'room', 'seq', 'message'],
  members: [
    'room',
    'user_id',
    'role',
    'joined_at',
    'joined_seq',
    'from_seq',
    'read_seq',
    'read_num',
    'unread_from',
    'unread_num',
  ],
  users: [
    'id',
    'name',
    'name_key',
    'email',
    'full_name',
    'about',
    'role',
    'status',
    'verified',
    'placeholder',
    'created_at',
    'last_seen_at',
  ],
  rooms: [
    'id',
    'kind',
    'name',
    'topic',
    'visibility',
    'history',
    'dialect',
    'created_by',
    'created_at',
    'archived_at',
    'deleted_at',
    'member_count',
  ],
} as const satisfies Record<string, readonly string[]>;

/** Events in which somebody used power over others. */
function isAudited(event: StoredEvent, body: EventBody<EventType>): boolean {
  switch (event.type) {
    case 'room.changed':
    case 'room.archived':
    case 'room.unarchived':
    case 'room.deleted':
    case 'member.removed':
    case 'member.changed':
    case 'user.deactivated':
    case 'user.reactivated':
    case 'usergroup.created':
    case 'usergroup.changed':
    case 'usergroup.members_added':
    case 'usergroup.members_removed':
    case 'usergroup.deleted':
      return true;
    case 'member.joined':
      return (body as EventBody<'member.joined'>).user !== event.actor;
    case 'message.deleted':
      return (body as EventBody<'message.deleted'>).moderated === true;
    case 'user.deleted':
    case 'user.changed':
    case 'session.ended':
      return event.actor !== event.stream;
    default:
      return false;
  }
}

/** How far somebody has read in a room; `num` where it is known, else it is counted. */
interface Marker {
  room: number;
  user: number;
  seq: number;
  num: number | null;
}

/** Gathers rows for a run of events and gives them as few steps as their order allows. */
export class Projector {
  readonly #steps: WriteStep[] = [];
  /** Inserts that wait, by table; they may be grouped because nothing between them reads or changes those tables. */
  readonly #inserts = new Map<string, { columns: readonly string[]; rows: Param[][] }>();
  /** Markers that move [M2], the furthest of each. They wait to the end, so that nodes move them in the same order and can't deadlock. */
  readonly #markers = new Map<string, Marker>();
  /** New replies, by thread. */
  readonly #replies = new Map<number, number>();

  insert(table: string, columns: readonly string[], row: Param[]): void {
    const group = this.#inserts.get(table);
    if (group) group.rows.push(row);
    else this.#inserts.set(table, { columns, rows: [row] });
  }

  /** A statement that must see everything before it, markers aside. */
  write(sql: string, params: Param[]): void {
    this.#flush();
    const last = this.#steps.at(-1);
    if (last?.kind === 'write' && last.sql === sql && !last.apart) (last.params as Param[][]).push(params);
    else this.#steps.push({ kind: 'write', sql, params: [params] });
  }

  steps(): readonly WriteStep[] {
    this.#flushMarkers();
    return this.#steps;
  }

  #flush(): void {
    for (const [table, { columns, rows }] of this.#inserts) this.#steps.push({ kind: 'insert', table, columns, rows });
    this.#inserts.clear();
    if (this.#replies.size > 0) {
      this.#steps.push({
        kind: 'write',
        sql: 'update messages set reply_count = reply_count + ? where id = ?',
        params: Array.from(this.#replies, ([thread, count]) => [count, thread]),
        apart: true,
      });
      this.#replies.clear();
    }
  }

  #flushMarkers(): void {
    this.#flush();
    if (this.#markers.size === 0) return;
    const markers = [...this.#markers.values()].sort((a, b) => a.room - b.room || a.user - b.user);
    this.#steps.push({
      kind: 'write',
      sql: `update members set read_seq = ?, read_num = coalesce(?, ${NUM_AT}), unread_from = null, unread_num = null where room = ? and user_id = ? and read_seq <= ?`,
      params: markers.map(({ room, user, seq, num }) => [seq, num, room, seq, room, user, seq]),
      apart: true,
    });
    this.#markers.clear();
  }

  #move(marker: Marker): void {
    const key = `${marker.room}:${marker.user}`;
    const known = this.#markers.get(key);
    if (!known || known.seq < marker.seq) this.#markers.set(key, marker);
  }

  /** `messages` is how many messages the stream has had, this event included. */
  event(event: StoredEvent, body: EventBody<EventType>, messages: number, secret?: Secret): void {
    this.insert('events', COLUMNS.events, [
      event.id,
      event.stream,
      event.seq,
      event.type,
      event.actor,
      event.at,
      event.body,
    ]);
    this.project(event, body, messages, secret);
    if (isAudited(event, body)) {
      this.insert(
        'audit',
        ['event', 'stream', 'seq', 'at', 'actor', 'action', 'body'],
        [event.id, event.stream, event.seq, event.at, event.actor, event.type, event.body],
      );
    }
  }

  /** The rows that follow from an event that stands in the log already. */
  project(event: StoredEvent, body: EventBody<EventType>, messages: number, secret?: Secret): void {
    // The two are one value: the union tells `type` and `body` together.
    const fact = { type: event.type, body } as Pick<Event, 'type' | 'body'> as Event;
    const { stream, seq, at, actor } = event;
    switch (fact.type) {
      case 'message.sent':
        this.#messageSent(event, fact.body, messages);
        return;
      case 'message.edited': {
        const { message, messageSeq, text, mentions } = fact.body;
        this.write(
          'insert into message_edits (message, seq, text, at, by_id) select id, ?, text, ?, ? from messages where id = ?',
          [seq, at, actor, message],
        );
        this.write('update messages set text = ?, mentions = ?, edited_at = ?, version = version + 1 where id = ?', [
          text,
          mentions ? JSON.stringify(mentions) : null,
          at,
          message,
        ]);
        this.write('delete from mentions where message = ?', [message]);
        this.#mentions(stream, messageSeq, message, mentions);
        return;
      }
      case 'message.deleted':
        this.#messageDeleted(event, fact.body);
        return;
      case 'reaction.added':
        this.#flush();
        this.#steps.push({
          kind: 'insert',
          table: 'reactions',
          columns: ['message', 'emoji', 'user_id', 'at'],
          rows: [[fact.body.message, fact.body.emoji, actor, at]],
          ignore: true,
        });
        this.#touchMessage(fact.body.message);
        return;
      case 'reaction.removed':
        this.write('delete from reactions where message = ? and emoji = ? and user_id = ?', [
          fact.body.message,
          fact.body.emoji,
          actor,
        ]);
        this.#touchMessage(fact.body.message);
        return;
      case 'pin.added':
        this.#flush();
        this.#steps.push({
          kind: 'insert',
          table: 'pins',
          columns: ['room', 'message', 'by_id', 'at'],
          rows: [[stream, fact.body.message, actor, at]],
          ignore: true,
        });
        this.#touchMessage(fact.body.message);
        return;
      case 'pin.removed':
        this.write('delete from pins where room = ? and message = ?', [stream, fact.body.message]);
        this.#touchMessage(fact.body.message);
        return;
      case 'member.joined':
        this.write(
          `insert into members (${COLUMNS.members.join(', ')}) select id, ?, ?, ?, ?, case history when 'joined' then ? else 1 end, ?, ?, null, null from rooms where id = ?`,
          [fact.body.user, fact.body.role, at, seq, seq, seq, messages, stream],
        );
        this.write('update rooms set member_count = member_count + 1 where id = ?', [stream]);
        return;
      case 'member.left':
      case 'member.removed':
        this.write('delete from members where room = ? and user_id = ?', [stream, fact.body.user]);
        this.write('update rooms set member_count = member_count - 1 where id = ?', [stream]);
        return;
      case 'member.changed':
        this.write('update members set role = ? where room = ? and user_id = ?', [
          fact.body.role,
          stream,
          fact.body.user,
        ]);
        return;
      case 'room.created': {
        const { kind, name, topic, visibility, history, dialect, members } = fact.body;
        this.insert('rooms', COLUMNS.rooms, [
          stream,
          kind,
          name,
          topic,
          visibility,
          history,
          dialect ?? '',
          actor,
          at,
          null,
          null,
          members.length,
        ]);
        for (const { user, role } of members) {
          this.insert('members', COLUMNS.members, [stream, user, role, at, seq, 1, seq, 0, null, null]);
        }
        return;
      }
      case 'room.changed':
        this.#update('rooms', stream, {
          name: fact.body.name,
          topic: fact.body.topic,
          visibility: fact.body.visibility,
          history: fact.body.history,
        });
        return;
      case 'room.archived':
        this.#update('rooms', stream, { archived_at: at });
        return;
      case 'room.unarchived':
        this.#update('rooms', stream, { archived_at: null });
        return;
      case 'room.deleted':
        // Nobody can read it from here on; its content is blanked by a job, in slices.
        this.#update('rooms', stream, { deleted_at: at, name: '', topic: '', member_count: 0 });
        this.write('delete from members where room = ?', [stream]);
        this.write('delete from claims where owner = ?', [stream]);
        this.#job('purge_room', stream, at);
        return;
      case 'read.moved':
        this.#move({ room: fact.body.room, user: stream, seq: fact.body.seq, num: null });
        return;
      case 'read.unmarked':
        this.#flushMarkers();
        this.write(`update members set unread_from = ?, unread_num = ${NUM_AT} where room = ? and user_id = ?`, [
          fact.body.seq,
          fact.body.room,
          fact.body.seq - 1,
          fact.body.room,
          stream,
        ]);
        return;
      case 'membership.added':
      case 'membership.removed':
        return;
      default:
        this.#account(event, fact, secret);
    }
  }

  #messageSent(event: StoredEvent, body: EventBody<'message.sent'>, num: number): void {
    const { id, stream, seq, actor, at } = event;
    const { text, replyTo, thread, mentions, extra } = body;
    this.insert('messages', COLUMNS.messages, [
      id,
      stream,
      seq,
      num,
      actor,
      text,
      replyTo ?? null,
      thread ?? null,
      mentions ? JSON.stringify(mentions) : null,
      extra ? JSON.stringify(extra) : null,
      at,
      null,
      null,
      null,
      0,
      0,
    ]);
    if (mentions) this.#mentions(stream, seq, id, mentions);
    if (thread !== undefined) this.#replies.set(thread, (this.#replies.get(thread) ?? 0) + 1);
    this.#move({ room: stream, user: actor, seq, num });
  }

  #mentions(room: number, seq: number, message: number, mentions: EventBody<'message.sent'>['mentions']): void {
    const users = mentions?.everyone ? [0] : (mentions?.users ?? []);
    for (const user of users) this.insert('mentions', COLUMNS.mentions, [user, room, seq, message]);
  }

  /** [L6] The text leaves the projection, the former versions and the events that carried it. */
  #messageDeleted(event: StoredEvent, body: EventBody<'message.deleted'>): void {
    const { message, messageSeq } = body;
    const redacted = JSON.stringify({ message, messageSeq, text: '', redacted: true });
    this.write(
      'update events set body = ? where stream = ? and seq in (select seq from message_edits where message = ?)',
      [redacted, event.stream, message],
    );
    this.write(
      `update events set body = (select '{"text":""' || coalesce(',"replyTo":' || cast(reply_to as text), '') || coalesce(',"thread":' || cast(thread as text), '') || ',"redacted":true}' from messages m where m.id = events.id) where id = ?`,
      [message],
    );
    this.write(
      'update messages set reply_count = reply_count - 1 where id = (select thread from messages where id = ?)',
      [message],
    );
    this.write(
      `update messages set text = '', mentions = null, extra = null, deleted_at = ?, deleted_by = ?, version = version + 1 where id = ?`,
      [event.at, event.actor, message],
    );
    for (const table of ['message_edits', 'reactions', 'mentions']) {
      this.write(`delete from ${table} where message = ?`, [message]);
    }
    this.write('delete from pins where room = ? and message = ?', [event.stream, message]);
  }

  #touchMessage(message: number): void {
    this.write('update messages set version = version + 1 where id = ?', [message]);
  }

  #account(event: StoredEvent, fact: Event, secret: Secret | undefined): void {
    const { stream, at } = event;
    switch (fact.type) {
      case 'user.created': {
        const { name, nameKey, email, fullName, role, placeholder } = fact.body;
        this.insert('users', COLUMNS.users, [
          stream,
          name,
          nameKey,
          email,
          fullName,
          '',
          role,
          'active',
          0,
          placeholder ? 1 : 0,
          at,
          null,
        ]);
        if (secret?.passwordHash) this.#credentials(stream, secret.passwordHash, at);
        return;
      }
      case 'user.changed': {
        const { email, fullName, about, role, verified } = fact.body;
        this.#update('users', stream, {
          email,
          full_name: fullName,
          about,
          role,
          verified: verified === undefined ? undefined : Number(verified),
        });
        return;
      }
      case 'user.deactivated':
        this.#update('users', stream, { status: 'deactivated' });
        this.write('delete from sessions where user_id = ?', [stream]);
        return;
      case 'user.reactivated':
        this.#update('users', stream, { status: 'active' });
        return;
      case 'user.deleted':
        this.#userDeleted(stream, at);
        return;
      case 'password.changed':
        if (secret?.passwordHash) this.#credentials(stream, secret.passwordHash, at);
        return;
      case 'session.started': {
        const session = secret?.session;
        if (!session) return;
        this.insert(
          'sessions',
          ['id', 'user_id', 'refresh_hash', 'agent', 'address', 'dialect', 'created_at', 'last_used_at', 'expires_at'],
          [
            fact.body.session,
            stream,
            session.refreshHash,
            fact.body.agent,
            session.address,
            session.dialect,
            at,
            at,
            session.expiresAt,
          ],
        );
        return;
      }
      case 'session.ended':
        for (const session of fact.body.sessions) {
          this.write('delete from sessions where id = ? and user_id = ?', [session, stream]);
        }
        return;
      case 'usergroup.created': {
        const { name, description, members } = fact.body;
        this.insert(
          'usergroups',
          ['id', 'name', 'description', 'created_by', 'created_at'],
          [stream, name, description, event.actor, at],
        );
        for (const user of members) this.insert('usergroup_members', ['usergroup', 'user_id'], [stream, user]);
        return;
      }
      case 'usergroup.changed':
        this.#update('usergroups', stream, { name: fact.body.name, description: fact.body.description });
        return;
      case 'usergroup.members_added':
        for (const user of fact.body.users) this.insert('usergroup_members', ['usergroup', 'user_id'], [stream, user]);
        return;
      case 'usergroup.members_removed':
        for (const user of fact.body.users) {
          this.write('delete from usergroup_members where usergroup = ? and user_id = ?', [stream, user]);
        }
        return;
      case 'usergroup.deleted':
        this.write('delete from usergroups where id = ?', [stream]);
        this.write('delete from usergroup_members where usergroup = ?', [stream]);
        this.write('delete from claims where owner = ?', [stream]);
        return;
      default:
        throw new Error(`no projection for ${event.type}`);
    }
  }

  /** [S5] Name, address, sessions and password go; what was said stays. */
  #userDeleted(user: number, at: number): void {
    const name = `deleted-${user}`;
    this.#update('users', user, {
      name,
      name_key: name,
      email: null,
      full_name: 'Deleted User',
      about: '',
      role: 'user',
      status: 'deleted',
      verified: 0,
      last_seen_at: null,
    });
    for (const table of ['sessions', 'usergroup_members']) this.write(`delete from ${table} where user_id = ?`, [user]);
    this.write('delete from credentials where user_id = ?', [user]);
    this.write('delete from claims where owner = ?', [user]);
    const created = JSON.stringify({ name, nameKey: name, email: null, fullName: 'Deleted User', role: 'user' });
    this.write(
      `update events set body = case type when 'user.created' then case when body like '%"placeholder":true%' then ? else ? end when 'user.changed' then '{}' else '{"session":"","agent":"","expiresAt":""}' end where stream = ? and type in ('user.created', 'user.changed', 'session.started')`,
      [created.replace('}', ',"placeholder":true}'), created, user],
    );
    this.#job('forget_user', user, at);
  }

  #credentials(user: number, hash: string, at: number): void {
    this.write(
      'insert into credentials (user_id, password_hash, changed_at) values (?, ?, ?) on conflict (user_id) do update set password_hash = excluded.password_hash, changed_at = excluded.changed_at',
      [user, hash, at],
    );
  }

  #job(kind: string, subject: number, at: number): void {
    this.insert('jobs', ['kind', 'subject', 'run_at', 'attempts'], [kind, subject, at, 0]);
  }

  /** Sets the columns that are given; undefined ones stay. */
  #update(table: string, id: number, values: Record<string, Param | undefined>): void {
    const given = Object.entries(values).filter((pair): pair is [string, Param] => pair[1] !== undefined);
    if (given.length === 0) return;
    this.write(`update ${table} set ${given.map(([column]) => `${column} = ?`).join(', ')} where id = ?`, [
      ...given.map(([, value]) => value),
      id,
    ]);
  }
}

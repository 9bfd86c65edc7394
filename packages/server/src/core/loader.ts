/** What one decision was made on: loads the states that a rule asks for and notes their versions for the commit [L4]. */
import type { MessageId, RoomId, Seq, StreamId, UserGroupId, UserId } from '@natter/protocol';
import type { Called } from '../rooms/mentions.js';
import { calledNames } from '../rooms/mentions.js';
import type { MessageState } from '../rooms/messages.js';
import type { Reactions } from '../rooms/reactions.js';
import type { Marker } from '../rooms/reads.js';
import type { UserState } from '../rooms/rooms.js';
import type { RoomState } from '../rooms/state.js';
import type { UserGroupState } from '../rooms/usergroups.js';
import type { AccountState, Asker } from '../rooms/users.js';
import type { Store } from '../store/store.js';
import type { Actor } from './actor.js';
import type { NameRules } from './ports.js';
import { padded } from './queries/context.js';
import type { RoomStates } from './room-state.js';

const NOBODY: Called = { names: [], users: [] };
/** A statement takes only so many values. */
const USERS_AT_ONCE = 1_000;

export class Loader {
  /** Versions of the stream states and messages that were handed out. */
  readonly expect = new Map<StreamId, number>();
  readonly expectMessages = new Map<MessageId, number>();
  readonly #store: Store;
  readonly #rooms: RoomStates;
  readonly #names: NameRules;

  constructor(store: Store, rooms: RoomStates, names: NameRules) {
    this.#store = store;
    this.#rooms = rooms;
    this.#names = names;
  }

  room(id: RoomId): RoomState | null | Promise<RoomState | null> {
    const state = this.#rooms.get(id);
    if (state instanceof Promise) return state.then((loaded) => this.#noteRoom(loaded));
    return this.#noteRoom(state);
  }

  async message(id: MessageId): Promise<MessageState | null> {
    const row = await this.#store.db
      .selectFrom('messages')
      .select(['id', 'room', 'seq', 'author', 'text', 'thread', 'deleted_at', 'version'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) return null;
    this.expectMessages.set(row.id, row.version);
    const { deleted_at, version, ...message } = row;
    return { ...message, deleted: deleted_at !== null };
  }

  /** A message and the room that it is in. */
  async messageInRoom(id: MessageId): Promise<{ message: MessageState | null; room: RoomState | null }> {
    const message = await this.message(id);
    return { message, room: message && (await this.room(message.room)) };
  }

  async reactions(message: MessageId): Promise<Reactions> {
    const rows = await this.#store.db
      .selectFrom('reactions')
      .select(['emoji', 'user_id'])
      .where('message', '=', message)
      .execute();
    const reactions = new Map<string, Set<UserId>>();
    for (const { emoji, user_id } of rows) {
      const users = reactions.get(emoji);
      if (users) users.add(user_id);
      else reactions.set(emoji, new Set([user_id]));
    }
    return reactions;
  }

  async pins(room: RoomId, message: MessageId): Promise<{ pinned: boolean; pins: number }> {
    const rows = await this.#store.db.selectFrom('pins').select('message').where('room', '=', room).execute();
    return { pinned: rows.some((row) => row.message === message), pins: rows.length };
  }

  /** The users as they are now; those that never were are left out. Their states are part of the decision. */
  async users(ids: readonly UserId[]): Promise<UserState[]> {
    const wanted = [...new Set(ids)];
    const users: UserState[] = [];
    for (let from = 0; from < wanted.length; from += USERS_AT_ONCE) {
      const rows = await this.#store.db
        .selectFrom('users')
        .innerJoin('streams', 'streams.id', 'users.id')
        .select(['users.id', 'users.status', 'streams.version'])
        .select((user) =>
          user
            .selectFrom('members')
            .select((member) => member.fn.countAll<number>().as('count'))
            .whereRef('members.user_id', '=', 'users.id')
            .as('rooms'),
        )
        .where('users.id', 'in', padded(wanted.slice(from, from + USERS_AT_ONCE)))
        .execute();
      for (const { id, status, rooms, version } of rows) {
        this.expect.set(id, version);
        users.push({ id, status, rooms: rooms ?? 0 });
      }
    }
    return users;
  }

  async account(id: UserId): Promise<AccountState | null> {
    const row = await this.#store.db
      .selectFrom('users')
      .innerJoin('streams', 'streams.id', 'users.id')
      .select(['users.id', 'email', 'full_name', 'about', 'role', 'status', 'verified', 'streams.version'])
      .where('users.id', '=', id)
      .executeTakeFirst();
    if (!row) return null;
    this.expect.set(row.id, row.version);
    const { full_name, verified, version, ...account } = row;
    return { ...account, fullName: full_name, verified: verified === 1 };
  }

  /** The actor with the role as it is now, not as it was when the token was looked at. It is part of the decision. */
  async asker(actor: Actor): Promise<Asker> {
    if (actor.role === 'system') return actor;
    const account = await this.account(actor.user);
    return { user: actor.user, role: account?.status === 'active' ? account.role : 'user' };
  }

  /** Is this the only active admin? That another one is there is part of the decision: two could go at once. */
  async isLastAdmin(id: UserId): Promise<boolean> {
    const rows = await this.#store.db
      .selectFrom('users')
      .innerJoin('streams', 'streams.id', 'users.id')
      .select(['users.id', 'streams.version'])
      .where('role', '=', 'admin')
      .where('status', '=', 'active')
      .limit(2)
      .execute();
    for (const row of rows) this.expect.set(row.id, row.version);
    return rows.length === 1 && rows[0]?.id === id;
  }

  async sessions(user: UserId): Promise<string[]> {
    const rows = await this.#store.db.selectFrom('sessions').select('id').where('user_id', '=', user).execute();
    return rows.map((row) => row.id);
  }

  async sessionOwner(session: string): Promise<UserId | null> {
    const row = await this.#store.db
      .selectFrom('sessions')
      .select('user_id')
      .where('id', '=', session)
      .executeTakeFirst();
    return row?.user_id ?? null;
  }

  async marker(room: RoomId, user: UserId): Promise<Marker | null> {
    const row = await this.#store.db
      .selectFrom('members')
      .select(['read_seq', 'unread_from'])
      .where('room', '=', room)
      .where('user_id', '=', user)
      .executeTakeFirst();
    return row ? { readSeq: row.read_seq, unreadFrom: row.unread_from } : null;
  }

  async head(room: RoomId): Promise<Seq> {
    return (await this.#store.heads([room])).get(room)?.seq ?? 0;
  }

  async directRoom(one: UserId, other: UserId): Promise<RoomId | null> {
    return this.#owner('room.direct', `${Math.min(one, other)}:${Math.max(one, other)}`);
  }

  async usergroup(id: UserGroupId): Promise<UserGroupState | null> {
    const row = await this.#store.db
      .selectFrom('usergroups')
      .innerJoin('streams', 'streams.id', 'usergroups.id')
      .select(['usergroups.id', 'name', 'description', 'created_by', 'streams.version'])
      .where('usergroups.id', '=', id)
      .executeTakeFirst();
    if (!row) return null;
    this.expect.set(row.id, row.version);
    const members = await this.members([id]);
    return {
      id: row.id,
      name: row.name,
      nameKeys: this.#names.keys(row.name),
      description: row.description,
      createdBy: row.created_by,
      members: new Set(members),
    };
  }

  /** Everybody in these user groups. */
  async members(groups: readonly UserGroupId[]): Promise<UserId[]> {
    if (groups.length === 0) return [];
    const rows = await this.#store.db
      .selectFrom('usergroup_members')
      .select('user_id')
      .distinct()
      .where('usergroup', 'in', padded(groups))
      .execute();
    return rows.map((row) => row.user_id);
  }

  /** Who a text calls. Nothing is read for a text that calls nobody. */
  called(text: string): Called | Promise<Called> {
    const names = calledNames(text);
    return names.length === 0 ? NOBODY : this.#resolve(names);
  }

  async rooms(user: UserId): Promise<RoomId[]> {
    const rows = await this.#store.db.selectFrom('members').select('room').where('user_id', '=', user).execute();
    return rows.map((row) => row.room);
  }

  /** The id of a stream that is to be made. */
  newStream(): Promise<StreamId> {
    return this.#store.reserveStreams(1);
  }

  async #resolve(names: readonly string[]): Promise<Called> {
    const keys = names.map((name) => this.#names.key(name));
    const claims = await this.#store.db
      .selectFrom('claims')
      .select(['space', 'owner'])
      .where('space', 'in', ['user.name', 'usergroup.name'])
      .where('value', 'in', padded(keys))
      .execute();
    const groups = claims.filter((claim) => claim.space === 'usergroup.name').map((claim) => claim.owner);
    const users = claims.filter((claim) => claim.space === 'user.name').map((claim) => claim.owner);
    return { names, users: [...users, ...(await this.members(groups))] };
  }

  async #owner(space: string, value: string): Promise<StreamId | null> {
    const row = await this.#store.db
      .selectFrom('claims')
      .select('owner')
      .where('space', '=', space)
      .where('value', '=', value)
      .executeTakeFirst();
    return row?.owner ?? null;
  }

  #noteRoom(state: RoomState | null): RoomState | null {
    if (state) this.expect.set(state.id, state.version);
    return state;
  }
}

/** All native HTTP routes, typed: `new Api(client.http)`. Whoever does not import it does not carry it. */
import type {
  Account,
  AdminRoomPage,
  AuditPage,
  CommandInput,
  CommandResult,
  CommandType,
  FigurePage,
  MemberPage,
  Message,
  MessageList,
  MessagePage,
  PinList,
  ReaderPage,
  Room,
  RoomList,
  RoomPage,
  RoomRow,
  SearchPage,
  SessionList,
  User,
  UserGroup,
  UserGroupPage,
  UserPage,
  VersionList,
} from '@natter/protocol';
import type { Http, Request } from './http.js';

/** What a command takes, without what the path says. */
type Input<T extends CommandType, InPath extends string = never> = Omit<CommandInput<T>, InPath>;
/** `next` of the page before, and how many rows at most. */
interface After {
  after?: number;
  limit?: number;
}
interface Before {
  before?: number;
  limit?: number;
}
/** An idempotency key: the same is done once, for ever [L3]. */
interface Keyed {
  key?: string;
}

export interface MessageSearch {
  /** Words and "phrases". */
  q: string;
  mode?: 'auto' | 'words' | 'substring' | 'fuzzy';
  room?: number;
  from?: number;
  /** Times, ISO 8601. */
  before?: string;
  after?: string;
  limit?: number;
  next?: string;
}

export interface ServerInfo {
  name: string;
  version: string;
  registration: 'open' | 'closed';
  limits: Record<string, number>;
}

export class Api {
  readonly #http: Pick<Http, 'request'>;

  constructor(http: Pick<Http, 'request'>) {
    this.#http = http;
  }

  // The server and oneself.

  server(): Promise<ServerInfo> {
    return this.#get('/server');
  }
  me(): Promise<Account> {
    return this.#get('/me');
  }
  changeMe(input: Input<'user.change'>): Promise<Account> {
    return this.#patch('/me', input);
  }
  deleteMe(): Promise<CommandResult> {
    return this.#delete('/me');
  }
  changePassword(password: string, newPassword: string): Promise<undefined> {
    return this.#put('/me/password', { password, newPassword });
  }
  mentions(query?: Before): Promise<MessageList> {
    return this.#get('/me/mentions', query);
  }
  sessions(): Promise<SessionList> {
    return this.#get('/sessions');
  }
  endSession(session: string): Promise<CommandResult> {
    return this.#delete(`/sessions/${encodeURIComponent(session)}`);
  }
  endSessions(query?: { keepCurrent?: boolean }): Promise<CommandResult> {
    return this.#delete('/sessions', query);
  }

  // Rooms.

  rooms(): Promise<RoomList> {
    return this.#get('/rooms');
  }
  searchRooms(query?: After & { q?: string }): Promise<RoomPage> {
    return this.#get('/search/rooms', query);
  }
  room(room: number): Promise<RoomRow | Room> {
    return this.#get(`/rooms/${room}`);
  }
  createRoom(input: Input<'room.create'>, keyed?: Keyed): Promise<RoomRow> {
    return this.#post('/rooms', input, keyed);
  }
  openDirect(user: number, keyed?: Keyed): Promise<RoomRow> {
    return this.#post('/directs', { user }, keyed);
  }
  changeRoom(room: number, input: Input<'room.change', 'room'>): Promise<RoomRow> {
    return this.#patch(`/rooms/${room}`, input);
  }
  archiveRoom(room: number, archived = true): Promise<CommandResult> {
    return this.#put(`/rooms/${room}/archived`, { archived });
  }
  deleteRoom(room: number): Promise<CommandResult> {
    return this.#delete(`/rooms/${room}`);
  }
  moveRead(room: number, seq: number): Promise<CommandResult> {
    return this.#put(`/rooms/${room}/read`, { seq });
  }
  markUnread(room: number, seq: number): Promise<CommandResult> {
    return this.#put(`/rooms/${room}/unread`, { seq });
  }

  // Members.

  members(room: number, query?: After): Promise<MemberPage> {
    return this.#get(`/rooms/${room}/members`, query);
  }
  addMembers(room: number, input: Input<'member.add', 'room'>, keyed?: Keyed): Promise<CommandResult> {
    return this.#post(`/rooms/${room}/members`, input, keyed);
  }
  join(room: number): Promise<CommandResult> {
    return this.#put(`/rooms/${room}/members/me`);
  }
  leave(room: number): Promise<CommandResult> {
    return this.#delete(`/rooms/${room}/members/me`);
  }
  changeMember(room: number, user: number, input: Input<'member.change', 'room' | 'user'>): Promise<CommandResult> {
    return this.#patch(`/rooms/${room}/members/${user}`, input);
  }
  removeMember(room: number, user: number): Promise<CommandResult> {
    return this.#delete(`/rooms/${room}/members/${user}`);
  }

  // Messages.

  /** `at`: around the first message of that time (ISO 8601) or later. */
  messages(room: number, query?: Before & After & { around?: number; at?: string }): Promise<MessagePage> {
    return this.#get(`/rooms/${room}/messages`, query);
  }
  sendMessage(room: number, input: Input<'message.send', 'room'>, keyed?: Keyed): Promise<Message> {
    return this.#post(`/rooms/${room}/messages`, input, keyed);
  }
  message(message: number): Promise<Message> {
    return this.#get(`/messages/${message}`);
  }
  editMessage(message: number, text: string): Promise<Message> {
    return this.#patch(`/messages/${message}`, { text });
  }
  deleteMessage(message: number): Promise<CommandResult> {
    return this.#delete(`/messages/${message}`);
  }
  thread(message: number, query?: After): Promise<MessagePage> {
    return this.#get(`/messages/${message}/thread`, query);
  }
  versions(message: number): Promise<VersionList> {
    return this.#get(`/messages/${message}/versions`);
  }
  readers(message: number, query?: After): Promise<ReaderPage> {
    return this.#get(`/messages/${message}/readers`, query);
  }
  react(message: number, emoji: string): Promise<CommandResult> {
    return this.#put(`/messages/${message}/reactions/${encodeURIComponent(emoji)}`);
  }
  unreact(message: number, emoji: string): Promise<CommandResult> {
    return this.#delete(`/messages/${message}/reactions/${encodeURIComponent(emoji)}`);
  }
  pin(message: number): Promise<CommandResult> {
    return this.#put(`/messages/${message}/pin`);
  }
  unpin(message: number): Promise<CommandResult> {
    return this.#delete(`/messages/${message}/pin`);
  }
  pins(room: number): Promise<PinList> {
    return this.#get(`/rooms/${room}/pins`);
  }
  searchMessages(query: MessageSearch): Promise<SearchPage> {
    return this.#get('/search/messages', query);
  }

  // People and user groups.

  users(query?: After & { q?: string; ids?: readonly number[]; room?: number }): Promise<UserPage> {
    return this.#get('/users', query && { ...query, ids: query.ids?.join(',') });
  }
  user(user: number): Promise<Account | User> {
    return this.#get(`/users/${user}`);
  }
  usergroups(query?: After & { q?: string }): Promise<UserGroupPage> {
    return this.#get('/usergroups', query);
  }
  usergroup(usergroup: number): Promise<UserGroup> {
    return this.#get(`/usergroups/${usergroup}`);
  }
  createUsergroup(input: Input<'usergroup.create'>, keyed?: Keyed): Promise<UserGroup> {
    return this.#post('/usergroups', input, keyed);
  }
  changeUsergroup(usergroup: number, input: Input<'usergroup.change', 'usergroup'>): Promise<UserGroup> {
    return this.#patch(`/usergroups/${usergroup}`, input);
  }
  deleteUsergroup(usergroup: number): Promise<CommandResult> {
    return this.#delete(`/usergroups/${usergroup}`);
  }
  addToUsergroup(usergroup: number, users: readonly number[], keyed?: Keyed): Promise<CommandResult> {
    return this.#post(`/usergroups/${usergroup}/members`, { users }, keyed);
  }
  removeFromUsergroup(usergroup: number, user: number): Promise<CommandResult> {
    return this.#delete(`/usergroups/${usergroup}/members/${user}`);
  }

  // Administration [A4].

  deleteUser(user: number): Promise<CommandResult> {
    return this.#delete(`/users/${user}`);
  }
  setUserActive(user: number, active: boolean): Promise<CommandResult> {
    return this.#put(`/users/${user}/active`, { active });
  }
  setUserRole(user: number, role: User['role']): Promise<CommandResult> {
    return this.#put(`/users/${user}/role`, { role });
  }
  setUserVerified(user: number, verified: boolean): Promise<CommandResult> {
    return this.#put(`/users/${user}/verified`, { verified });
  }
  userSessions(user: number): Promise<SessionList> {
    return this.#get(`/users/${user}/sessions`);
  }
  endUserSessions(user: number): Promise<CommandResult> {
    return this.#delete(`/users/${user}/sessions`);
  }
  adminRooms(query?: After & { q?: string }): Promise<AdminRoomPage> {
    return this.#get('/admin/rooms', query);
  }
  /** How the server does; `since` the last that is known. */
  figures(query?: { since?: string }): Promise<FigurePage> {
    return this.#get('/admin/figures', query);
  }
  audit(query?: Before & { room?: number }): Promise<AuditPage> {
    return this.#get('/audit', query);
  }

  #get<T>(path: string, query?: object): Promise<T> {
    return this.#http.request('GET', `/v1${path}`, { query: query as Request['query'] });
  }
  #post<T>(path: string, body: object, keyed?: Keyed): Promise<T> {
    return this.#http.request('POST', `/v1${path}`, { body, key: keyed?.key });
  }
  #put<T>(path: string, body?: object): Promise<T> {
    return this.#http.request('PUT', `/v1${path}`, { body });
  }
  #patch<T>(path: string, body: object): Promise<T> {
    return this.#http.request('PATCH', `/v1${path}`, { body });
  }
  #delete<T>(path: string, query?: object): Promise<T> {
    return this.#http.request('DELETE', `/v1${path}`, { query: query as Request['query'] });
  }
}

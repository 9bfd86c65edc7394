/** A Natter server of a few lines: logs in memory, told by a test what to lose, repeat, refuse and when to fall silent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { applyEvent, emptyRoom } from '@natter/client/reducer';
import type {
  CommandResult,
  Event,
  EventBody,
  EventType,
  MessagePage,
  Names,
  RoomRow,
  WireError,
} from '@natter/protocol';
import { type WebSocket, WebSocketServer } from 'ws';

type Json = Record<string, unknown>;

export interface Room {
  log: Event[];
  members: Set<number>;
  /** Markers by user. */
  read: Map<number, number>;
  unreadFrom: Map<number, number>;
}

/** One connection, as the server sees it. */
export class FakeConnection {
  user = 0;
  /** Everything that the client said. */
  readonly heard: Json[] = [];
  /** Events are kept back until the test lets them go. */
  held: Json[] | null = null;
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  send(frame: object): void {
    if (this.held) this.held.push(frame as Json);
    else this.socket.send(JSON.stringify(frame));
  }

  /** Like a server that stops: last words, then the close frame. */
  goodbye(code: number, facts: { reconnect: boolean; retryAfter?: number; reason?: string }): void {
    this.socket.send(JSON.stringify({ type: 'goodbye', code, reason: facts.reason ?? 'bye', ...facts }));
    this.socket.close(code);
  }

  /** The connection breaks without a word. */
  cut(): void {
    this.socket.terminate();
  }
}

/** What a test puts in the way; each answers true when it took the matter into its own hands. */
export interface Script {
  hello?(connection: FakeConnection, frame: Json): boolean;
  command?(connection: FakeConnection, frame: Json): boolean;
  /** After the commit, in place of the reply. */
  reply?(connection: FakeConnection, frame: Json, result: CommandResult): boolean;
  /** In place of the resumed events, `live` and what follows. */
  resume?(connection: FakeConnection, stream: number, events: Event[]): boolean;
  request?(request: { method: string; path: string; query: URLSearchParams; body: Json; token: string }): Answer | null;
  ping?(): boolean;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  after?: Promise<unknown>;
}

export const RESUME_MAX = 100;

export class FakeServer {
  epoch = 1_000;
  heartbeatSeconds = 30;
  maxFrameBytes = 65_536;
  script: Script = {};
  readonly rooms = new Map<number, Room>();
  readonly inboxes = new Map<number, Event[]>();
  /** Tokens that are good, and whose they are. */
  readonly tokens = new Map<string, number>();
  readonly connections: FakeConnection[] = [];
  readonly open = new Set<FakeConnection>();
  /** HTTP requests: "GET /v1/rooms/7". */
  readonly requests: string[] = [];
  readonly #keys = new Map<string, CommandResult>();
  readonly #http: Server;
  readonly #ws: WebSocketServer;
  #eventId = 0;
  readonly url: string;

  private constructor(http: Server) {
    this.#http = http;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    this.#ws = new WebSocketServer({ server: http, path: '/v1/socket' });
    this.#ws.on('connection', (socket) => this.#connected(socket));
    http.on('request', (request, response) => void this.#requested(request, response));
  }

  static async start(port = 0): Promise<FakeServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
    return new FakeServer(http);
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (!last) throw new Error('nobody has connected');
    return last;
  }

  async close(): Promise<void> {
    for (const connection of this.open) connection.cut();
    this.#ws.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  makeRoom(id: number, members: number[]): void {
    this.rooms.set(id, { log: [], members: new Set(members), read: new Map(), unreadFrom: new Map() });
    const roles = members.map((user) => ({ user, role: 'member' as const }));
    const room = { kind: 'channel', name: `room ${id}`, topic: '', visibility: 'private', history: 'shared' } as const;
    this.commit(id, 'room.created', members[0] ?? 0, { ...room, members: roles });
  }

  /** Writes an event into the log and tells those who hear it. */
  commit<T extends EventType>(stream: number, type: T, actor: number, body: EventBody<T>): Event {
    const log = this.log(stream);
    this.#eventId += 1;
    const at = new Date(1_700_000_000_000 + this.#eventId).toISOString();
    const event = { type, stream, seq: log.length + 1, id: this.#eventId, actor, at, body } as Event;
    log.push(event);
    const room = this.rooms.get(stream);
    if (room && type === 'message.sent') {
      room.read.set(actor, event.seq);
      room.unreadFrom.delete(actor);
    }
    for (const connection of this.open) {
      if (connection.user === stream || room?.members.has(connection.user)) connection.send(event);
    }
    return event;
  }

  say(room: number, actor: number, text: string): Event {
    return this.commit(room, 'message.sent', actor, { text });
  }

  add(room: number, user: number): void {
    this.rooms.get(room)?.members.add(user);
    this.commit(user, 'membership.added', 0, { room });
    this.commit(room, 'member.joined', user, { user, role: 'member' });
  }

  remove(room: number, user: number): void {
    this.commit(room, 'member.removed', 0, { user });
    this.commit(user, 'membership.removed', 0, { room });
    this.rooms.get(room)?.members.delete(user);
    for (const connection of this.open) if (connection.user === user) connection.send({ type: 'gone', stream: room });
  }

  log(stream: number): Event[] {
    const log = this.rooms.get(stream)?.log ?? this.inboxes.get(stream) ?? [];
    if (!this.rooms.has(stream)) this.inboxes.set(stream, log);
    return log;
  }

  row(id: number, user: number): RoomRow {
    const { log, read, unreadFrom, members } = this.rooms.get(id) as Room;
    const readSeq = read.get(user) ?? 0;
    const from = unreadFrom.get(user) ?? readSeq + 1;
    const { info, window } = log.reduce(applyEvent, emptyRoom(id));
    const messages = window?.messages ?? [];
    const unread = messages.filter(({ seq, deletedAt }) => seq >= from && !deletedAt);
    const calls = unread.filter(({ mentions }) => mentions.everyone || mentions.users?.includes(user));
    if (!info) throw new Error('no such room');
    const { deleted: _, ...known } = info;
    return {
      ...known,
      id,
      memberCount: members.size,
      member: members.has(user),
      role: 'member',
      head: log.length,
      fromSeq: 1,
      readSeq,
      unreadFrom: unreadFrom.get(user) ?? null,
      unread: unread.length,
      mentions: calls.length,
      peer: null,
      lastMessageAt: messages.at(-1)?.at ?? null,
    };
  }

  rowsOf(user: number): RoomRow[] {
    return [...this.rooms].filter(([, room]) => room.members.has(user)).map(([id]) => this.row(id, user));
  }

  page(room: number, query: { before?: number; after?: number; around?: number; limit?: number }): MessagePage {
    const log = this.log(room);
    const all = log.reduce(applyEvent, emptyRoom(room)).window?.messages ?? [];
    const limit = query.limit ?? 50;
    let from = Math.max(0, all.length - limit);
    let to = all.length;
    if (query.before !== undefined) {
      to = all.filter(({ seq }) => seq < (query.before as number)).length;
      from = Math.max(0, to - limit);
    } else if (query.after !== undefined) {
      from = all.filter(({ seq }) => seq <= (query.after as number)).length;
      to = from + limit;
    } else if (query.around !== undefined) {
      from = Math.max(0, all.filter(({ seq }) => seq < (query.around as number)).length - Math.floor(limit / 2));
      to = from + limit;
    }
    const messages = all.slice(from, to);
    return {
      messages,
      users: this.names(messages.map(({ author }) => author)),
      head: log.length,
      epoch: this.epoch,
      before: from > 0 ? (messages[0]?.seq ?? null) : null,
      after: to < all.length ? (messages.at(-1)?.seq ?? null) : null,
    };
  }

  names(users: number[]): Names {
    return Object.fromEntries(users.map((id) => [id, { name: `user${id}`, fullName: `User ${id}` }]));
  }

  #connected(socket: WebSocket): void {
    const connection = new FakeConnection(socket);
    this.connections.push(connection);
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Json;
      connection.heard.push(frame);
      this.#frame(connection, frame);
    });
    socket.on('close', () => this.open.delete(connection));
    socket.on('error', () => this.open.delete(connection));
  }

  #frame(connection: FakeConnection, frame: Json): void {
    if (frame.type === 'hello') {
      if (!this.script.hello?.(connection, frame)) this.greet(connection, frame);
    } else if (frame.type === 'ping') {
      if (!this.script.ping?.()) connection.send({ type: 'pong' });
    } else if (typeof frame.id === 'number') {
      if (!this.script.command?.(connection, frame)) this.obey(connection, frame);
    }
  }

  greet(connection: FakeConnection, frame: Json): void {
    const user = this.tokens.get(String(frame.token));
    if (user === undefined) {
      connection.goodbye(4002, { reconnect: false, reason: 'the token is not valid' });
      return;
    }
    connection.user = user;
    this.open.add(connection);
    const rooms = this.rowsOf(user);
    const inbox = this.log(user).length;
    connection.send({
      type: 'ready',
      epoch: this.epoch,
      user,
      session: 'session',
      inbox,
      rooms,
      heartbeatSeconds: this.heartbeatSeconds,
      maxFrameBytes: this.maxFrameBytes,
      messageTextMax: 10_000,
    });
    const cursors = (frame.cursors ?? {}) as Record<string, number>;
    const mine = new Map(rooms.map(({ id, head }) => [id, head])).set(user, inbox);
    for (const stream of Object.keys(cursors)) {
      if (!mine.has(Number(stream))) connection.send({ type: 'gone', stream: Number(stream) });
    }
    for (const [stream, head] of mine) {
      const cursor = cursors[stream] ?? head;
      const missed = this.log(stream).slice(cursor);
      if (this.script.resume?.(connection, stream, missed)) continue;
      const reset = stream in cursors && (frame.epoch !== this.epoch || cursor > head || missed.length > RESUME_MAX);
      if (reset) connection.send({ type: 'reset', stream, seq: head });
      else for (const event of missed) connection.send(event);
      connection.send({ type: 'live', cursors: { [stream]: head } });
    }
  }

  obey(connection: FakeConnection, frame: Json): void {
    const { id, key, type, ...input } = frame;
    const author = connection.user;
    if (!this.rooms.get(Number(input.room))?.members.has(author)) {
      this.refuse(connection, frame, { code: 'not_found' });
      return;
    }
    const known = key === undefined ? undefined : this.#keys.get(`${author} ${key}`);
    const result = known ? { ...known, replayed: true as const } : this.#execute(author, String(type), input);
    if (key !== undefined && !known) this.#keys.set(`${author} ${key}`, result);
    if (!this.script.reply?.(connection, frame, result)) connection.send({ type: 'reply', id, result });
  }

  refuse(connection: FakeConnection, frame: Json, error: Partial<WireError> & { code: string }): boolean {
    connection.send({ type: 'reply', id: frame.id, error: { message: error.code, retryable: false, ...error } });
    return true;
  }

  #execute(user: number, type: string, input: Json): CommandResult {
    const room = Number(input.room);
    let event: Event;
    if (type === 'message.send') {
      const { text, replyTo } = input as { text: string; replyTo?: number };
      event = this.commit(room, 'message.sent', user, replyTo === undefined ? { text } : { text, replyTo });
    } else if (type === 'read.move') {
      const { read, unreadFrom } = this.rooms.get(room) as Room;
      read.set(user, Math.max(read.get(user) ?? 0, Number(input.seq)));
      unreadFrom.delete(user);
      event = this.commit(user, 'read.moved', user, { room, seq: Number(input.seq) });
    } else if (type === 'read.unmark') {
      this.rooms.get(room)?.unreadFrom.set(user, Number(input.seq));
      event = this.commit(user, 'read.unmarked', user, { room, seq: Number(input.seq) });
    } else {
      throw new Error(`this server does not know ${type}`);
    }
    return { stream: event.stream, seq: event.seq, id: event.id, at: event.at };
  }

  async #requested(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', this.url);
    const method = request.method ?? '';
    this.requests.push(`${method} ${path}`);
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = (text ? JSON.parse(text) : {}) as Json;
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const answer = this.script.request?.({ method, path, query, body, token }) ?? this.#answer(path, query, token);
    await answer.after;
    const isProblem = answer.status >= 400 && typeof answer.body === 'object';
    response.writeHead(answer.status, {
      'content-type': isProblem ? 'application/problem+json' : 'application/json',
      'access-control-allow-origin': '*',
      ...answer.headers,
    });
    response.end(typeof answer.body === 'string' ? answer.body : answer.body && JSON.stringify(answer.body));
  }

  #answer(path: string, query: URLSearchParams, token: string): Answer {
    const user = this.tokens.get(token);
    if (user === undefined) return problem(401, 'unauthenticated');
    const [, room, messages] = /^\/v1\/rooms\/(\d+)(\/messages)?$/.exec(path) ?? [];
    if (room) {
      if (!this.rooms.get(Number(room))?.members.has(user)) return problem(404, 'not_found');
      if (!messages) return { status: 200, body: this.row(Number(room), user) };
      const numbers = Object.fromEntries([...query].map(([name, value]) => [name, Number(value)]));
      return { status: 200, body: this.page(Number(room), numbers) };
    }
    if (path === '/v1/users') {
      const ids = (query.get('ids') ?? '').split(',').map(Number);
      const users = Object.entries(this.names(ids)).map(([id, name]) => ({ id: Number(id), ...name }));
      return { status: 200, body: { users } };
    }
    return problem(404, 'not_found');
  }
}

export function problem(status: number, code: string, facts: object = {}): Answer {
  const retryable = status >= 500 || status === 429;
  return { status, body: { type: 'about:blank', title: code, status, code, retryable, ...facts } };
}

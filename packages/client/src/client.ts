/** The client: one connection, and over it rooms, timelines, events, commands and an outbox that all agree with the log. */
import type {
  CommandInput,
  CommandResult,
  CommandType,
  Event,
  EventOf,
  EventType,
  GoneFrame,
  HelloFrame,
  HiddenEvent,
  LiveFrame,
  MessagePage,
  PresenceSignal,
  ReadyFrame,
  ReplyFrame,
  ResetFrame,
  RoomRow,
  TypingSignal,
} from '@natter/protocol';
import { Commands } from './commands.js';
import { Emitter, View } from './emitter.js';
import { asNatterError, localError, NatterError } from './errors.js';
import { type Fetch, Http } from './http.js';
import { type Connection, Link } from './link.js';
import { type OpenedOutbox, Outbox, type OutboxEntry, type OutboxStorage } from './outbox.js';
import { People } from './people.js';
import { Rooms } from './rooms.js';
import { findWebSocket, type WebSocketConstructor } from './socket.js';
import { type Position, Streams } from './streams.js';
import { Timeline } from './timeline.js';
import { TIMING, type Timing } from './timing.js';

export interface ClientOptions {
  /** Where the server is: `https://chat.example.org`. */
  url: string;
  /** A good access token; another one than `refused`. `Credentials` has this function. */
  token(refused?: string): Promise<string>;
  /** Needed where there is no global one (Node before 22): `import { WebSocket } from 'ws'`. */
  WebSocket?: WebSocketConstructor | undefined;
  fetch?: Fetch | undefined;
  /** Keeps the outbox over reloads, and shares it among tabs: `savedOutbox(storage)`. When left out it lives as long as the client. */
  outbox?: OutboxStorage | undefined;
  /** Who the token is for, where that is known before the first connection: then the saved outbox is there at once. */
  user?: number | undefined;
  /** Where an app with a state of its own stands, to go on from there. */
  position?: Position | undefined;
  /** After a break: take in what was missed of all rooms (when left out), or only of those with an open timeline. */
  resume?: 'all' | 'open' | undefined;
  /** Most commands in the outbox (1,000), and most of them on their way at once (16). */
  outboxMax?: number | undefined;
  outboxInFlight?: number | undefined;
  /** Most messages that one timeline keeps (5,000). */
  timelineMax?: number | undefined;
  timing?: Partial<Timing> | undefined;
}

export type ClientEvents = { [T in EventType]: EventOf<T> } & {
  /** Every event of every stream of mine, in the order of its stream, once [H2]. */
  event: Event;
  /** An event about a message that I may not read: only its place is told [A3]. */
  hidden: HiddenEvent;
  connection: Connection;
  typing: TypingSignal;
  presence: PresenceSignal;
  /** What was known of a stream can't be continued: what an app keeps of it is to be read anew, as of `seq`. */
  reset: { stream: number; seq: number };
  /** A stream is not mine any more. */
  gone: { stream: number };
  /** A command of the outbox was carried out. */
  sent: { entry: OutboxEntry; result: CommandResult };
  /** A command of the outbox was refused for good; it stays there until it is cancelled or retried. */
  failed: { entry: OutboxEntry; error: NatterError };
  /** Something in the background went wrong that no caller waits for. */
  error: NatterError;
};

export interface SendOptions {
  /** Idempotency key: the same key is carried out once, for ever [L3]. */
  key?: string | undefined;
  /** Through the outbox: carried out even when that takes until after the next reload. `message.send` goes so when left out. */
  queue?: boolean | undefined;
}

type Frame =
  | ReadyFrame
  | LiveFrame
  | ResetFrame
  | GoneFrame
  | ReplyFrame
  | TypingSignal
  | PresenceSignal
  | { type: 'pong' }
  | Event
  | HiddenEvent;

/** Before the server has said it. */
const FRAME_BYTES = 65_536;
/** Bytes of a hello that are not cursors: the token is at most 4,096. */
const HELLO_BYTES = 5_000;
/** Typing is told again after this many milliseconds, before the server lets it end. */
const TYPING_AGAIN = 3_000;

export class NatterClient {
  readonly url: string;
  /** Requests with this client's token; `new Api(client.http)` has all routes, typed. */
  readonly http: Http;
  readonly rooms: Rooms;
  /** Names of people, by id. */
  readonly people: People;
  readonly connection: View<Connection>;
  readonly outbox: Pick<Outbox, 'cancel' | 'retry' | 'view'>;
  readonly #options: ClientOptions;
  readonly #timing: Timing;
  readonly #events = new Emitter<ClientEvents>();
  readonly #streams: Streams;
  readonly #link: Link;
  readonly #commands: Commands;
  readonly #outbox: Outbox;
  readonly #timelines = new Map<number, Timeline>();
  readonly #typed = new Map<number, number>();
  #watched: readonly number[] | null = null;
  #kept: OpenedOutbox | null = null;
  #user: number | undefined;
  #server: ReadyFrame | null = null;

  constructor(options: ClientOptions) {
    const WebSocket = findWebSocket(options.WebSocket);
    const timing = { ...TIMING, ...options.timing };
    this.#options = options;
    this.#timing = timing;
    this.http = new Http({ ...options, answerWithin: timing.answerWithin });
    this.url = this.http.url;
    this.people = new People((users) => this.#readNames(users), this.#failed);
    this.rooms = new Rooms({ read: (room) => this.#readRoom(room), failed: this.#failed });
    this.#streams = new Streams(options.position, {
      apply: (event) => this.#apply(event),
      applied: (event) => {
        this.#events.emit(event.type, event as never);
        if (event.type !== 'hidden') this.#events.emit('event', event);
      },
      jumped: (stream, seq, known, anew) => this.#jumped(stream, seq, known, anew),
      gone: (stream) => this.#gone(stream),
      broken: (why) => this.#link.renew(why),
      settled: () => this.#link.settled(),
    });
    this.#link = new Link({
      url: `${this.url.replace(/^http/, 'ws')}/v1/socket`,
      WebSocket,
      timing,
      token: (refused) => options.token(refused),
      hello: (token) => this.#hello(token),
      frame: (frame) => this.#receive(frame as Frame),
      changed: (connection) => this.#changed(connection),
    });
    this.connection = new View(() => this.#link.state);
    this.#commands = new Commands(this.url, (frame) => this.#link.write(frame));
    this.#outbox = new Outbox({
      timing,
      max: options.outboxMax ?? 1_000,
      inFlight: options.outboxInFlight ?? 16,
      deliver: ({ type, input, key }) => this.#command(type, input, key),
      changed: (mine, lasting) => {
        this.#kept?.changed(mine, lasting);
        this.#touchTimelines();
      },
      ask: (what, key) => this.#kept?.ask(what, key),
      answered: (entry, result) => {
        this.#answered(entry, result);
        this.#kept?.answered(entry, result);
        this.#events.emit('sent', { entry, result });
      },
      failed: (entry, error) => this.#events.emit('failed', { entry, error }),
    });
    this.outbox = this.#outbox;
    if (options.user !== undefined) this.#become(options.user);
  }

  /** Who I am; undefined until the server or the options said it. */
  get user(): number | undefined {
    return this.#user;
  }

  /** My session and the server's limits, as it said them last. */
  get server(): Pick<ReadyFrame, 'session' | 'maxFrameBytes' | 'messageTextMax'> | null {
    return this.#server;
  }

  /** What was handed out so far, for an app that keeps it; null before the first connection. */
  get position(): Position | null {
    return this.#streams.position;
  }

  /** Answers the function that ends it. */
  on<K extends keyof ClientEvents>(type: K, listener: (value: ClientEvents[K]) => void): () => void {
    return this.#events.on(type, listener);
  }

  /** The next one that passes. */
  next<K extends keyof ClientEvents>(
    type: K,
    passes: (value: ClientEvents[K]) => boolean = () => true,
  ): Promise<ClientEvents[K]> {
    return new Promise((resolve) => {
      const stop = this.on(type, (value) => {
        if (!passes(value)) return;
        stop();
        resolve(value);
      });
    });
  }

  /** Connects, and stays connected until `close()`. Resolves when live; rejects when the server does not want us. */
  async connect(): Promise<void> {
    this.#link.open();
    const now = await this.connection.until(({ state }) => state === 'live' || state === 'closed');
    if (now.state === 'closed') throw now.error ?? localError('closed', `the connection was closed: ${now.reason}`);
  }

  /** Ends the connection. What waits in the outbox stays in the storage, where there is one. */
  close(): void {
    this.#link.close();
    this.#outbox.close();
    this.#kept?.close();
    this.#kept = null;
  }

  /** Those that are open; what was asked for last comes last. */
  get timelines(): Iterable<Timeline> {
    return this.#timelines.values();
  }

  /** The timeline of a room: the same object until it is closed. */
  timeline(room: number): Timeline {
    const open = this.#timelines.get(room);
    if (open) {
      this.#timelines.delete(room);
      this.#timelines.set(room, open);
      return open;
    }
    const timeline = new Timeline(room, this.#streams.cursor(room), {
      page: (query) => this.#readPage(room, query),
      // Over a link the server itself says where a room begins.
      follow: ({ epoch, head }) => !this.#link.isReady && this.#streams.follow(room, epoch, head),
      outbox: () => this.#outbox.view.getSnapshot(),
      me: () => this.#user,
      send: (input) => this.#outbox.add('message.send', input).key,
      closed: () => this.#timelines.delete(room),
      max: this.#options.timelineMax ?? 5_000,
    });
    this.#timelines.set(room, timeline);
    return timeline;
  }

  /** Asks for something, and resolves when it is committed. A refusal rejects with its NatterError. */
  async send<T extends CommandType>(
    type: T,
    input: CommandInput<T>,
    options: SendOptions = {},
  ): Promise<CommandResult> {
    if (options.queue ?? type === 'message.send') return await this.#outbox.add(type, input, options.key).answer;
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = localError('timeout', `${type} was not answered in time`);
      timer = setTimeout(() => reject(error), this.#timing.answerWithin);
    });
    const answer = this.#whenReady().then(() => (over ? late : this.#command(type, input, options.key)));
    try {
      return await Promise.race([late, answer]);
    } finally {
      over = true;
      clearTimeout(timer);
    }
  }

  /** Call it on every key press: it is told every three seconds. With `false` when the text was sent or emptied. */
  typing(room: number, active = true): void {
    const now = performance.now();
    const told = this.#typed.get(room);
    if (active ? told !== undefined && now - told < TYPING_AGAIN : told === undefined) return;
    if (active) this.#typed.set(room, now);
    else this.#typed.delete(room);
    this.#link.write({ type: 'typing', room, active });
  }

  /** Whose presence to be told of from now on, in place of those before. */
  watchPresence(users: readonly number[]): void {
    this.#watched = users;
    this.#link.write({ type: 'presence.watch', users });
  }

  #hello(token: string): HelloFrame {
    const first = this.#user === undefined ? [] : [this.#user];
    const max = (this.#server?.maxFrameBytes ?? FRAME_BYTES) - HELLO_BYTES;
    const resume = this.#streams.hello([...first, ...this.#timelines.keys()], this.#options.resume === 'open', max);
    return { type: 'hello', token, ...resume };
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case 'ready':
        this.#begin(frame);
        break;
      case 'live':
        this.#streams.live(frame.cursors);
        break;
      case 'reset':
        this.#streams.reset(frame.stream, frame.seq);
        // Which rooms are mine and what I read in them is said anew by a `ready`.
        if (frame.stream === this.#user && frame.seq > (this.#server?.inbox ?? 0)) {
          this.#link.renew('the inbox was reset');
        }
        break;
      case 'gone':
        this.#streams.gone(frame.stream);
        break;
      case 'reply': {
        const refused = this.#commands.reply(frame);
        if (refused) this.#failed(refused);
        break;
      }
      case 'typing':
      case 'presence':
        this.#events.emit(frame.type, frame as never);
        break;
      case 'pong':
        break;
      default:
        // An event, maybe of a type that this client does not know yet: it has its place all the same.
        if ('seq' in frame && 'stream' in frame) this.#streams.event(frame);
    }
  }

  #begin(frame: ReadyFrame): void {
    const { user, inbox, rooms } = frame;
    if (this.#user !== undefined && this.#user !== user) {
      this.#link.close('other_user');
      return;
    }
    this.#server = frame;
    this.#become(user);
    this.rooms.replace(user, inbox, rooms);
    const heads = new Map(rooms.map(({ id, head }) => [id, head] as const)).set(user, inbox);
    this.#streams.begin(frame.epoch, heads);
    // What was read by query of a room that was never followed: nothing else would tell that it is not mine.
    for (const [room, timeline] of this.#timelines) if (!heads.has(room)) timeline.gone();
    this.#link.ready(frame.heartbeatSeconds);
    if (this.#watched) this.watchPresence(this.#watched);
    this.connection.touch();
    this.#outbox.start();
    if (!this.#streams.resuming) this.#link.settled();
  }

  #apply(event: Event | HiddenEvent): void {
    const { stream, type } = event;
    if (stream === this.#user) {
      this.rooms.inboxEvent(event as Event);
      if (type === 'membership.removed' && this.#streams.cursor(event.body.room) === undefined) {
        this.#timelines.get(event.body.room)?.gone();
      }
    } else if (!type.startsWith('usergroup.')) {
      this.#timelines.get(stream)?.apply(event);
      this.rooms.roomEvent(event);
    }
  }

  #jumped(stream: number, seq: number, known: boolean, anew: boolean): void {
    this.#timelines.get(stream)?.rebase(seq, anew);
    this.rooms.stale(stream, seq);
    if (known) this.#events.emit('reset', { stream, seq });
  }

  #gone(stream: number): void {
    this.rooms.gone(stream);
    this.#timelines.get(stream)?.gone();
    this.#events.emit('gone', { stream });
  }

  #command(type: CommandType, input: object, key: string | undefined): Promise<CommandResult> {
    return this.#commands.send(type, input, key, this.#server?.maxFrameBytes ?? FRAME_BYTES);
  }

  async #whenReady(): Promise<void> {
    const { state } = await this.connection.until((now) => this.#link.isReady || now.state === 'closed');
    if (state === 'closed') throw localError('closed', 'the client is not connected');
  }

  #changed(connection: Connection): void {
    if (connection.state !== 'live') {
      this.#typed.clear();
      this.#outbox.stop();
      this.#commands.lost();
      this.rooms.lost();
    } else {
      for (const timeline of this.#timelines.values()) timeline.live();
    }
    this.connection.touch();
    this.#events.emit('connection', connection);
  }

  /** The outbox of a user: what was saved of it is there from now on. */
  #become(user: number): void {
    this.#user = user;
    this.#kept ??=
      this.#options.outbox?.open(`${this.url}:${user}`, {
        restore: (saved) => {
          this.#outbox.restore(saved);
          for (const timeline of this.#timelines.values()) timeline.find();
        },
        others: (entries) => {
          this.#outbox.others(entries);
          this.#touchTimelines();
        },
        answered: (entry, result) => this.#answered(entry, result),
        cancel: (key) => this.#outbox.cancel(key),
        retry: (key) => this.#outbox.retry(key),
        failed: this.#failed,
      }) ?? null;
  }

  #answered(entry: OutboxEntry, result: CommandResult): void {
    if (entry.type === 'message.send') this.#timelines.get(entry.input.room)?.answered(entry, result);
  }

  #touchTimelines(): void {
    for (const timeline of this.#timelines.values()) timeline.touch();
  }

  async #readPage(room: number, query: Record<string, number>): Promise<MessagePage> {
    const page = await this.http.request<MessagePage>('GET', `/v1/rooms/${room}/messages`, { query });
    this.people.learn(page.users);
    return page;
  }

  async #readRoom(room: number): Promise<RoomRow | null> {
    try {
      const row = await this.http.request<RoomRow>('GET', `/v1/rooms/${room}`);
      return row.member ? row : null;
    } catch (error) {
      if (error instanceof NatterError && error.code === 'not_found') return null;
      throw error;
    }
  }

  async #readNames(users: readonly number[]) {
    const query = { ids: users.join(','), limit: users.length };
    const { users: rows } = await this.http.request<{ users: { id: number; name: string; fullName: string }[] }>(
      'GET',
      '/v1/users',
      { query },
    );
    return Object.fromEntries(rows.map(({ id, name, fullName }) => [id, { name, fullName }]));
  }

  readonly #failed = (error: unknown): void => this.#events.emit('error', asNatterError(error));
}

/** One socket of a dialect: let in at the upgrade or refused there, then what the dialect makes of each frame. */
import type { IncomingMessage } from 'node:http';
import type { RoomId, Seq, StreamId, UserRole } from '@natter/protocol';
import type { DialectName } from '../config.js';
import type { Actor } from '../core/actor.js';
import type { PersonName } from '../core/people.js';
import type { Encoding } from '../hub/encoding.js';
import type { Hub, Standing } from '../hub/hub.js';
import type { Subscriber } from '../hub/subscriber.js';
import { Connection, type ConnectionHost } from '../websocket/connection.js';
import type { Socket } from '../websocket/socket.js';

/** Sockets at one kind of path. */
export interface SocketRoute {
  readonly dialect: DialectName;
  /** Sockets that are nowhere below this path are refused as if they were there and not the visitor's. */
  readonly under: '/ws' | '/api/v1/ws';
  /** Fits the whole path. */
  readonly path: RegExp;
  /** One object for all sockets: frames are made once for each encoding. */
  readonly encoding: Encoding;
  /** The token; without this: the query's `token`, else the bearer header. */
  token?(knock: Knock): string | null;
  /** For the tokens of this dialect alone: with another one the path is not there. */
  readonly ownTokens?: true;
  /**
   * Where several dialects serve a path, the one that made the token does. With a token of none of them: does this one? The
   * first one does where no other says so.
   */
  foreign?(knock: Knock, roomDialect: string | null): boolean;
  /** Who may come in, and to what; null: refused. Asked once the end of the session would be heard [A1]. */
  admit(visitor: Visitor, knock: Knock): Promise<Admission | null>;
}

/** A request to come in. */
export interface Knock {
  readonly request: IncomingMessage;
  /** What the groups of the path's pattern caught. */
  readonly captured: readonly string[];
  readonly query: URLSearchParams;
  /** The header's bearer token. */
  readonly bearer: string | null;
}

/** Whoever stands at the door. */
export interface Visitor {
  readonly actor: Actor;
  readonly name: PersonName;
}

export interface Admission {
  /** Rooms that it hears from the start, each from its head on. */
  readonly rooms: readonly Standing[];
  /** Does it follow all that the user is added to, or these rooms and those that it asks for? */
  readonly follows: 'all' | 'chosen';
  /** Frames that come before everything else. */
  readonly first?: readonly Buffer[];
  /** Called once, when it is open. */
  speak(socket: DialectSocket): Speaker;
}

/** What a dialect does on one socket. */
export interface Speaker {
  frame(text: string): void;
  /** These streams are live from here; a room that it asked for among them. */
  live?(cursors: ReadonlyMap<StreamId, Seq>): void;
  /** It is over; it still hears its rooms, so that others can be told. */
  closed?(): void;
}

export class DialectSocket extends Connection {
  readonly dialect: DialectName;
  readonly name: PersonName;
  readonly #host: ConnectionHost;
  readonly #hub: Hub;
  readonly #subscriber: Subscriber;
  #actor: Actor;
  #speaker: Speaker | null = null;
  /** What was said and is not answered yet. */
  readonly #saying = new Set<Promise<void>>();

  constructor(
    host: ConnectionHost,
    socket: Socket,
    { dialect, subscriber, visitor }: { dialect: DialectName; subscriber: Subscriber; visitor: Visitor },
  ) {
    super(host, socket);
    this.#host = host;
    this.#hub = host.hub;
    this.dialect = dialect;
    this.#subscriber = subscriber;
    this.#actor = visitor.actor;
    this.name = visitor.name;
  }

  /** Takes its place: from here on it hears. */
  start({ rooms, follows, first = [], speak }: Admission, inbox: Seq): void {
    for (const frame of first) this.#hub.send(this.#subscriber, frame);
    this.#speaker = speak(this);
    this.#hub.start(this.#subscriber, {
      inbox,
      rooms,
      cursors: new Map(),
      epoch: undefined,
      ...(follows === 'chosen' ? { chosen: true } : {}),
    });
    this.letIn();
  }

  get actor(): Actor {
    return this.#actor;
  }

  /** One frame to this socket alone, behind what it is about to hear. */
  send(frame: Buffer): void {
    this.#hub.reply(this.#subscriber, frame);
  }

  /** Something that takes time: while there is too much of it, the socket is not read. */
  carryOut(doing: () => Promise<void>, failed: () => void): void {
    void this.#carryOut(doing, failed);
  }

  #carryOut(doing: () => Promise<void>, failed: () => void): Promise<void> {
    this.#hub.presence.touch(this.#actor.user);
    const done = doing().catch((error: unknown) => {
      this.#host.failed(error, `a frame of dialect ${this.dialect} failed`);
      failed();
    });
    void this.work(done);
    return done;
  }

  /** As carryOut, for what is said in a room: what is told of the speaker later comes behind it. */
  say(saying: () => Promise<void>, failed: () => void): void {
    const done = this.#carryOut(saying, failed);
    this.#saying.add(done);
    void done.finally(() => this.#saying.delete(done));
  }

  /** Calls when all that was said here is committed, or refused: at once, where it is. */
  onceSaid(call: () => void): Promise<void> | undefined {
    if (this.#saying.size === 0) {
      call();
      return undefined;
    }
    return Promise.all(this.#saying)
      .then(call)
      .catch((error: unknown) => this.#host.failed(error, `a frame of dialect ${this.dialect} failed`));
  }

  typing(room: RoomId, active: boolean): void {
    this.#hub.typing(this.#subscriber, room, active);
  }

  /** Tells those who speak this dialect in the room. */
  visit(room: RoomId, entered: boolean, { toSelf }: { toSelf: boolean }): void {
    const { user } = this.#actor;
    const { dialect, name } = this;
    this.#hub.visit(room, { dialect, user, name: name.name, entered, at: Date.now(), toSelf });
  }

  /** Hears one more room; `first` comes before all that it hears of it. True once it is live there; false: the user is not in it. */
  follow(room: RoomId, first?: Buffer): Promise<boolean> {
    return this.#hub.followRoom(this.#subscriber, room, first);
  }

  unfollow(room: RoomId): void {
    this.#hub.unfollowRoom(this.#subscriber, room);
  }

  hears(room: RoomId): boolean {
    return this.#hub.hears(this.#subscriber, room);
  }

  // What the hub asks of it.

  override roleChanged(role: UserRole): void {
    this.#actor = { ...this.#actor, role };
  }

  live(cursors: ReadonlyMap<StreamId, Seq>): void {
    this.#speaker?.live?.(cursors);
  }

  /** These APIs have no word for "some were left out": whoever comes back reads the history. */
  behind(): void {
    this.close('too_slow');
  }

  protected override get subscriber(): Subscriber {
    return this.#subscriber;
  }

  protected override get waits(): boolean {
    return this.#speaker === null;
  }

  protected override read(text: string): void {
    this.#host.metrics?.frame(`dialect ${this.dialect}`);
    this.#speaker?.frame(text);
  }

  protected override lastWords(): null {
    return null;
  }

  protected override ending(): void {
    this.#speaker?.closed?.();
  }
}

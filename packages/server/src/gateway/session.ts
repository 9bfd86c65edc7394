/** One connection's conversation: greeting, then ready, then closing. Frames in, commands to the core, answers out. */
import {
  CLOSE,
  type CloseReason,
  COMMAND_INPUTS,
  type Command,
  type GoodbyeFrame,
  HelloFrame,
  PingFrame,
  type ReadyFrame,
  type StreamId,
  TypingFrame,
  type UserRole,
  WatchFrame,
} from '@natter/protocol';
import { Compile } from 'typebox/schema';
import { type Actor, refuse } from '../core/actor.js';
import { Subscriber } from '../hub/subscriber.js';
import { Connection, type ConnectionHost } from '../websocket/connection.js';
import type { Socket } from '../websocket/socket.js';
import { jsonFrame } from '../websocket/wire.js';
import { nativeEncoding } from './native.js';
import type { Authenticator, Commands, RoomRows } from './ports.js';
import { badFrame, refusalFrame, replyFrame } from './replies.js';

/** What all sessions of a gateway share. */
export interface SessionHost extends ConnectionHost {
  readonly commands: Commands;
  readonly auth: Authenticator;
  readonly roomRows: RoomRows;
}

type State =
  | { kind: 'greeting'; since: number; token: string | null; saidHello: boolean; subscriber: Subscriber | null }
  | { kind: 'ready'; actor: Actor; subscriber: Subscriber }
  | { kind: 'closing' };

const hello = Compile(HelloFrame);
const typing = Compile(TypingFrame);
const watch = Compile(WatchFrame);
const ping = Compile(PingFrame);
const PONG = jsonFrame({ type: 'pong' });

type Frame = Record<string, unknown> & { type: string };

export class Session extends Connection {
  readonly #host: SessionHost;
  #state: State;
  #badFrames = 0;

  constructor(host: SessionHost, socket: Socket, token: string | null) {
    super(host, socket);
    this.#host = host;
    this.#state = { kind: 'greeting', since: host.clock.ticks(), token, saidHello: false, subscriber: null };
  }

  override beat(now: number): void {
    super.beat(now);
    const late = this.#host.limits.HELLO_TIMEOUT_SECONDS * 1_000;
    if (this.#state.kind === 'greeting' && now - this.#state.since >= late) this.close('hello_timeout');
  }

  override roleChanged(role: UserRole): void {
    if (this.#state.kind === 'ready') this.#state.actor = { ...this.#state.actor, role };
  }

  protected override get subscriber(): Subscriber | null {
    return this.#state.kind === 'closing' ? null : this.#state.subscriber;
  }

  /** Between hello and its answer nothing is read. */
  protected override get waits(): boolean {
    return this.#state.kind === 'greeting' && this.#state.saidHello;
  }

  protected override ending(): void {
    this.#state = { kind: 'closing' };
  }

  protected override lastWords(reason: CloseReason, retryAfter?: number): Buffer {
    const { code, reconnect, text } = CLOSE[reason];
    const goodbye: GoodbyeFrame = { type: 'goodbye', code, reason: text, reconnect };
    if (retryAfter !== undefined) goodbye.retryAfter = retryAfter;
    return jsonFrame(goodbye);
  }

  protected override read(text: string): void {
    const state = this.#state;
    const frame = parse(text);
    if (state.kind === 'greeting') this.#greet(state, frame);
    else if (state.kind === 'ready') this.#obey(state, frame);
  }

  #greet(state: State & { kind: 'greeting' }, frame: Frame | null): void {
    this.#host.metrics?.frame('hello');
    if (!frame || !hello.Check(frame) || !Object.keys(frame.cursors ?? {}).every((stream) => isId(Number(stream)))) {
      this.close('hello_expected');
      return;
    }
    state.saidHello = true;
    this.pause();
    this.#enter(state, frame).catch((error: unknown) => {
      this.#host.failed(error, 'a hello failed');
      this.close('internal_error');
    });
  }

  async #enter(state: State & { kind: 'greeting' }, frame: HelloFrame): Promise<void> {
    const { hub, auth, roomRows, limits } = this.#host;
    const token = frame.token ?? state.token;
    state.token = null;
    const identity = token === null ? null : auth.identify(token);
    // Tokens of another API are for its own paths.
    if (!identity || identity.dialect) return this.close('unauthenticated');
    if (hub.connectionsOf(identity.user) >= limits.SOCKETS_PER_USER_MAX) {
      return this.close('too_many_sockets', limits.HEARTBEAT_SECONDS);
    }
    const subscriber = new Subscriber(identity.user, identity.session, nativeEncoding, this);
    state.subscriber = subscriber;
    // The order is what makes it safe: first the ear for the session's end, then the question whether it lives [A1].
    const inbox = await hub.enter(subscriber);
    const actor = await auth.confirm(identity);
    if (this.#state !== state) return;
    if (!actor) return this.close('unauthenticated');
    const rooms = await roomRows(actor.user);
    if (this.#state !== state) return;
    this.#state = { kind: 'ready', actor, subscriber };
    const ready: ReadyFrame = {
      type: 'ready',
      epoch: hub.epoch,
      user: actor.user,
      session: identity.session,
      inbox,
      rooms: [...rooms],
      heartbeatSeconds: limits.HEARTBEAT_SECONDS,
      maxFrameBytes: limits.FRAME_BYTES_MAX,
      messageTextMax: limits.MESSAGE_TEXT_MAX,
    };
    hub.send(subscriber, jsonFrame(ready));
    hub.start(subscriber, {
      inbox,
      rooms: rooms.map(({ id, head, fromSeq }) => ({ stream: id, head, fromSeq })),
      cursors: cursorsOf(frame),
      epoch: frame.epoch,
    });
    this.letIn();
  }

  #obey(state: State & { kind: 'ready' }, frame: Frame | null): void {
    const { hub, limits, metrics } = this.#host;
    const { subscriber } = state;
    if (!frame) return this.#refuse(subscriber, 'this is not a JSON object with a type');
    metrics?.frame(nameOf(frame.type));
    switch (frame.type) {
      case 'ping':
        if (!ping.Check(frame)) return this.#refuse(subscriber, 'a ping has nothing but its type');
        return hub.reply(subscriber, PONG);
      case 'typing':
        if (!typing.Check(frame)) return this.#refuse(subscriber, 'typing needs a room and whether it is active');
        return hub.typing(subscriber, frame.room, frame.active);
      case 'presence.watch':
        if (!watch.Check(frame)) return this.#refuse(subscriber, 'presence.watch needs a list of users');
        if (frame.users.length > limits.PRESENCE_WATCH_MAX) {
          const detail = `at most ${limits.PRESENCE_WATCH_MAX} users can be watched`;
          return hub.reply(subscriber, refusalFrame(null, refuse('limit_reached', detail)));
        }
        return hub.presence.watch(subscriber, frame.users);
      case 'hello':
        return this.#refuse(subscriber, 'hello was said already');
      default:
        return this.#command(state, frame);
    }
  }

  #command({ actor, subscriber }: State & { kind: 'ready' }, frame: Frame): void {
    const { hub, commands } = this.#host;
    const { id, key, ...command } = frame;
    if (!isId(id)) return this.#refuse(subscriber, 'a command needs an id: an integer, not negative');
    if (key !== undefined && typeof key !== 'string') {
      const fields = [{ path: '/key', message: 'must be a string' }];
      return hub.reply(subscriber, refusalFrame(id, refuse('invalid', { fields })));
    }
    hub.presence.touch(actor.user);
    // The core validates the input; that is what makes it a command.
    const done = commands
      .execute(actor, command as unknown as Command, key === undefined ? {} : { key })
      .then((reply) => hub.reply(subscriber, replyFrame(id, reply)))
      .catch((error: unknown) => {
        this.#host.failed(error, `the command ${nameOf(frame.type)} failed`);
        hub.reply(subscriber, refusalFrame(id, refuse('internal')));
      });
    void this.work(done);
  }

  /** What can't be read is answered, up to a point. */
  #refuse(subscriber: Subscriber, detail: string): void {
    this.#badFrames += 1;
    this.#host.hub.reply(subscriber, badFrame(null, detail));
    if (this.#badFrames >= this.#host.limits.BAD_FRAMES_MAX) this.close('bad_frames');
  }
}

function parse(text: string): Frame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return typeof (value as { type?: unknown }).type === 'string' ? (value as Frame) : null;
}

const isId = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) >= 0;

/** For counting: names that others could make up are one. */
function nameOf(type: string): string {
  return Object.hasOwn(COMMAND_INPUTS, type) || ['ping', 'typing', 'presence.watch', 'hello'].includes(type)
    ? type
    : 'other';
}

function cursorsOf({ cursors = {} }: HelloFrame): Map<StreamId, number> {
  return new Map(Object.entries(cursors).map(([stream, seq]) => [Number(stream), seq]));
}

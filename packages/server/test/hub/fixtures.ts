/** What stands for the world around a hub: a log, a bus, a clock, sockets and an encoding that a test can hold still. */
import type { EventType, RoomId, Seq, StreamId, UserId, UserRole } from '@natter/protocol';
import type { Bus, BusListener, NodeMessage, Signal } from '@natter/server/bus/bus';
import type { Clock, Timer } from '@natter/server/clock';
import type { Encoding, StoredEvent } from '@natter/server/hub/encoding';
import { Hub, type HubLog, type HubMetrics } from '@natter/server/hub/hub';
import type { Membership } from '@natter/server/hub/resume';
import { type Outlet, Subscriber } from '@natter/server/hub/subscriber';
import { DEFAULT_LIMITS, type Limits } from '@natter/server/limits';

/** Lets everything go on that waits for nothing but a turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn();
}

export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<{ at: number; every: number | null; call: () => void }>();

  now(): number {
    return 1_700_000_000_000 + this.#now;
  }

  ticks(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): Timer {
    return this.#add(milliseconds, null, call);
  }

  every(milliseconds: number, call: () => void): Timer {
    return this.#add(milliseconds, milliseconds, call);
  }

  #add(milliseconds: number, every: number | null, call: () => void): Timer {
    const timer = { at: this.#now + milliseconds, every, call };
    this.#timers.add(timer);
    return { close: () => this.#timers.delete(timer) };
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      if (next.every === null) this.#timers.delete(next);
      else next.at += next.every;
      next.call();
    }
    this.#now = until;
  }
}

export interface Draft {
  stream: StreamId;
  type: EventType;
  body: object;
  actor?: UserId;
}

const ENDINGS: readonly EventType[] = ['session.ended', 'user.deactivated', 'user.deleted'];

/** The log of all nodes. Reads may be held, and are answered with what is so when they are let go, or was when they began. */
export class FakeStore {
  readonly streams = new Map<StreamId, StoredEvent[]>();
  readonly epoch = 7;
  held = false;
  /** Is this read, by its number, answered with what was so when it began? */
  early: (read: number) => boolean = () => false;
  readonly waiting: (() => void)[] = [];
  readonly reads: string[] = [];
  broken: Error | null = null;
  /** Streams that have more under way. */
  readonly underWay = new Set<StreamId>();
  #nextId = 1;

  append(drafts: readonly Draft[]): StoredEvent[] {
    return drafts.map(({ stream, type, body, actor = 0 }) => {
      const events = this.streams.get(stream) ?? [];
      this.streams.set(stream, events);
      const event = {
        id: this.#nextId,
        stream,
        seq: events.length + 1,
        type,
        actor,
        at: 0,
        body: JSON.stringify(body),
      };
      this.#nextId += 1;
      events.push(event);
      return event;
    });
  }

  head(stream: StreamId): Seq {
    return this.streams.get(stream)?.length ?? 0;
  }

  /** What deleting a message does to the log [L6]. */
  redact(stream: StreamId, seq: Seq): void {
    const events = this.streams.get(stream) ?? [];
    const event = events[seq - 1];
    if (event) events[seq - 1] = { ...event, body: JSON.stringify({ text: '', redacted: true }) };
  }

  async read<T>(what: string, answer: () => T): Promise<T> {
    this.reads.push(what);
    const early = this.early(this.reads.length) ? { answer: answer() } : null;
    if (this.held) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
    if (this.broken) throw this.broken;
    return early ? early.answer : answer();
  }

  release(index = 0): void {
    const [one] = this.waiting.splice(index % Math.max(1, this.waiting.length), 1);
    one?.();
  }

  /** The log as one node has it: told only of its own commits. */
  node(): HubLog & { commit(...drafts: Draft[]): StoredEvent[]; repeat(event: StoredEvent): void } {
    const listeners: ((events: readonly StoredEvent[]) => void)[] = [];
    const againListeners: ((event: StoredEvent) => void)[] = [];
    return {
      epoch: this.epoch,
      onCommit: (listener) => listeners.push(listener),
      onRepeat: (listener) => againListeners.push(listener),
      repeat: (event) => {
        for (const listener of againListeners) listener(event);
      },
      isUnderWay: (stream) => this.underWay.has(stream),
      events: (stream, after, limit) =>
        this.read(`events ${stream} ${after}`, () => (this.streams.get(stream) ?? []).slice(after, after + limit)),
      heads: (streams) =>
        this.read('heads', () => new Map(streams.map((stream) => [stream, { seq: this.head(stream), version: 0 }]))),
      endings: (after) =>
        this.read('endings', () => {
          const events = [...this.streams.values()].flat();
          const newest = Math.max(0, ...events.map(({ id }) => id));
          const ended = events.filter(({ id, type }) => after !== null && id > after && ENDINGS.includes(type));
          return { newest, endings: new Map(ended.map(({ stream, seq }) => [stream, seq])) };
        }),
      commit: (...drafts) => {
        const events = this.append(drafts);
        for (const listener of listeners) listener(events);
        return events;
      },
    };
  }

  /** Stays in a room, oldest first: from the event that brings the user in to the one that takes them out. */
  stays(user: UserId, room: RoomId): { from: Seq; to: Seq; fromSeq: Seq }[] {
    const stays: { from: Seq; to: Seq; fromSeq: Seq }[] = [];
    let history = 'shared';
    for (const { seq, type, body } of this.streams.get(room) ?? []) {
      const fact = JSON.parse(body) as { user?: UserId; members?: { user: UserId }[]; history?: string };
      const comes =
        type === 'room.created'
          ? fact.members?.some((one) => one.user === user)
          : type === 'member.joined' && fact.user === user;
      const goes =
        type === 'room.deleted' || ((type === 'member.left' || type === 'member.removed') && fact.user === user);
      if (type === 'room.created') history = fact.history ?? 'shared';
      const last = stays.at(-1);
      if (comes) stays.push({ from: seq, to: Number.POSITIVE_INFINITY, fromSeq: history === 'joined' ? seq : 1 });
      else if (goes && last?.to === Number.POSITIVE_INFINITY) last.to = seq;
    }
    return stays;
  }

  membership(user: UserId, room: RoomId): Membership | null {
    const last = this.stays(user, room).at(-1);
    if (last?.to !== Number.POSITIVE_INFINITY) return null;
    return { head: this.head(room), fromSeq: last.fromSeq, joinedSeq: last.from };
  }
}

/** What the buses of several nodes say to each other: it waits until somebody decides what becomes of it. */
export class FakeNetwork {
  readonly waiting: (() => void)[] = [];
  #trouble: string | null = null;
  readonly #nodes: { listener: BusListener | null; followed: Set<StreamId> }[] = [];

  bus(): Bus {
    const node: { listener: BusListener | null; followed: Set<StreamId> } = { listener: null, followed: new Set() };
    this.#nodes.push(node);
    const others = (send: (other: typeof node) => void): void => {
      for (const other of this.#nodes) if (other !== node) this.waiting.push(() => send(other));
    };
    const network = this;
    return {
      shared: true,
      get trouble() {
        return network.#trouble;
      },
      listen: (listener) => {
        node.listener = listener;
      },
      follow: (stream) => node.followed.add(stream),
      unfollow: (stream) => node.followed.delete(stream),
      publish: (events) => {
        for (const event of events) {
          others((other) => other.followed.has(event.stream) && other.listener?.event(event));
        }
      },
      signal: (stream, signal: Signal) =>
        others((other) => other.followed.has(stream) && other.listener?.signal(stream, signal)),
      broadcast: (message: NodeMessage) => others((other) => other.listener?.message(message)),
      close: async () => {},
    };
  }

  /** What all nodes know to be wrong with it; null: nothing. */
  set trouble(trouble: string | null) {
    this.#trouble = trouble;
    for (const { listener } of this.#nodes) listener?.troubled();
  }

  followed(streams: readonly StreamId[]): void {
    for (const { listener } of this.#nodes) listener?.followed(streams);
  }

  behind(stream: StreamId, seq: Seq): void {
    for (const { listener } of this.#nodes) listener?.behind(stream, seq);
  }

  /** Lets everything through, in order. */
  settle(): void {
    for (const send of this.waiting.splice(0)) send();
  }
}

/** One frame a line of JSON, and how often each event was encoded. */
export function makeEncoding(
  name = 'plain',
  hides: EventType | null = null,
): Encoding & { encoded: Map<number, number> } {
  const line = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  const encoded = new Map<number, number>();
  return {
    name,
    encoded,
    event: (event) => {
      encoded.set(event.id, (encoded.get(event.id) ?? 0) + 1);
      return event.type === hides ? null : line({ ...event, body: JSON.parse(event.body) });
    },
    hidden: (stream, seq) => line({ type: 'hidden', stream, seq }),
    live: (cursors) => line({ type: 'live', cursors: Object.fromEntries(cursors) }),
    reset: (stream, seq) => line({ type: 'reset', stream, seq }),
    gone: (stream) => line({ type: 'gone', stream }),
    typing: (room, user, active) => line({ type: 'typing', room, user, active }),
    presence: (rows) => line({ type: 'presence', rows }),
  };
}

const plain = makeEncoding();

export type Frame = { type: string; stream?: number; seq?: number; id?: number; [member: string]: unknown };

/** A socket that takes everything at once, until it is stalled. */
export class FakeSocket implements Outlet {
  readonly frames: Frame[] = [];
  /** What was written, write by write. */
  writes = 0;
  sessionEnded = false;
  role: UserRole | null = null;
  failure: unknown = null;
  highest = 0;
  stalled = false;
  onFrame: ((frame: Frame) => void) | null = null;
  #buffered: Buffer[] = [];
  #drains: (() => void)[] = [];

  get waiting(): number {
    return this.#buffered.reduce((sum, buffer) => sum + buffer.length, 0);
  }

  get blocked(): boolean {
    return this.waiting > 0;
  }

  write(frames: Buffer | readonly Buffer[]): void {
    this.writes += 1;
    this.#buffered.push(...(Buffer.isBuffer(frames) ? [frames] : frames));
    this.highest = Math.max(this.highest, this.waiting);
    if (!this.stalled) this.drain();
  }

  /** The network takes what waits. */
  drain(): void {
    const lines = Buffer.concat(this.#buffered.splice(0)).toString().split('\n');
    for (const text of lines) {
      if (text === '') continue;
      const frame = JSON.parse(text) as Frame;
      this.frames.push(frame);
      this.onFrame?.(frame);
    }
    for (const call of this.#drains.splice(0)) queueMicrotask(call);
  }

  onDrain(call: () => void): void {
    if (this.blocked) this.#drains.push(call);
    else queueMicrotask(call);
  }

  ended(): void {
    this.sessionEnded = true;
  }

  roleChanged(role: UserRole): void {
    this.role = role;
  }

  failed(error: unknown): void {
    this.failure = error;
  }

  /** Events that came, as `stream:seq`, with the other frames by type. */
  story(): string[] {
    return this.frames.map(({ type, stream, seq, cursors }) => {
      if (type === 'live') return `live ${JSON.stringify(cursors)}`;
      return seq === undefined ? `${type} ${stream ?? ''}`.trim() : `${type} ${stream}:${seq}`;
    });
  }

  seqs(stream: StreamId): Seq[] {
    return this.frames
      .filter((frame) => frame.stream === stream && frame.id !== undefined)
      .map(({ seq }) => seq as Seq);
  }
}

export interface Node {
  hub: Hub;
  log: ReturnType<FakeStore['node']>;
  errors: unknown[];
  seen: { user: UserId; at: number }[];
}

export function makeNode(
  store: FakeStore,
  clock: Clock,
  bus: Bus,
  options: { limits?: Partial<Limits>; name?: string; metrics?: HubMetrics } = {},
): Node {
  const log = store.node();
  const errors: unknown[] = [];
  const seen: { user: UserId; at: number }[] = [];
  const hub = new Hub({
    log,
    bus,
    clock,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    memberships: (user, room) => store.read(`membership ${user} ${room}`, () => store.membership(user, room)),
    touchUsers: async (rows) => {
      seen.push(...rows);
    },
    node: options.name ?? 'a',
    onError: (error) => errors.push(error),
    ...(options.metrics ? { metrics: options.metrics } : {}),
  });
  return { hub, log, errors, seen };
}

export interface Connected {
  subscriber: Subscriber;
  socket: FakeSocket;
}

/** Enters and starts as the gateway does. */
export async function connect(
  { hub }: Node,
  store: FakeStore,
  user: UserId,
  options: {
    rooms?: readonly RoomId[];
    cursors?: Record<StreamId, Seq>;
    epoch?: number;
    session?: string;
    encoding?: Encoding;
    socket?: FakeSocket;
    /** Follows only what it asks for. */
    chosen?: true;
    /** What a ready frame says: heads by stream. */
    ready?: (heads: ReadonlyMap<StreamId, Seq>) => void;
  } = {},
): Promise<Connected> {
  const socket = options.socket ?? new FakeSocket();
  const subscriber = new Subscriber(user, options.session ?? 's', options.encoding ?? plain, socket);
  const inbox = await hub.enter(subscriber);
  const rooms = await store.read(`rooms ${user}`, () =>
    (options.rooms ?? []).flatMap((stream) => {
      const part = store.membership(user, stream);
      return part ? [{ stream, head: part.head, fromSeq: part.fromSeq }] : [];
    }),
  );
  options.ready?.(new Map([[user, inbox], ...rooms.map(({ stream, head }) => [stream, head] as const)]));
  hub.start(subscriber, {
    inbox,
    rooms,
    cursors: new Map(Object.entries(options.cursors ?? {}).map(([stream, seq]) => [Number(stream), seq])),
    epoch: options.epoch ?? store.epoch,
    ...(options.chosen ? { chosen: options.chosen } : {}),
  });
  return { subscriber, socket };
}

/** A room of these members, as one commit makes it. */
export function roomOf(room: RoomId, members: readonly UserId[], history: 'shared' | 'joined' = 'shared'): Draft {
  return {
    stream: room,
    type: 'room.created',
    body: {
      kind: 'group',
      name: 'r',
      topic: '',
      visibility: 'private',
      history,
      members: members.map((user) => ({ user, role: 'member' })),
    },
  };
}

export const userOf = (user: UserId): Draft => ({ stream: user, type: 'user.created', body: { name: `u${user}` } });
export const sent = (room: RoomId, text = 'hello'): Draft => ({ stream: room, type: 'message.sent', body: { text } });
export const joins = (room: RoomId, user: UserId): Draft[] => [
  { stream: room, type: 'member.joined', body: { user, role: 'member' } },
  { stream: user, type: 'membership.added', body: { room } },
];
export const removes = (room: RoomId, user: UserId): Draft[] => [
  { stream: room, type: 'member.removed', body: { user } },
  { stream: user, type: 'membership.removed', body: { room } },
];

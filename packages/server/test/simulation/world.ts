/** What simulated nodes live in: one database, a bus that lies, time, and a schedule in which chance picks what happens next. */
import type { RoomId, StreamId, UserId } from '@natter/protocol';
import type { Bus, BusListener, NodeMessage, Signal } from '@natter/server/bus/bus';
import type { Clock, Timer } from '@natter/server/clock';
import type { Core } from '@natter/server/core/execute';
import type { Queries } from '@natter/server/core/queries';
import type { Hub } from '@natter/server/hub/hub';
import { DEFAULT_LIMITS, type Limits } from '@natter/server/limits';
import type { Log } from '@natter/server/log/log';
import type { SqliteThread } from '@natter/server/store/sqlite';
import type { SqliteConnection } from '@natter/server/store/sqlite-connection';
import type { SqliteRequest } from '@natter/server/store/sqlite-requests';
import type { Program, WriteStep } from '@natter/server/store/steps';
import type { Store, StoredEvent } from '@natter/server/store/store';
import type { Parts } from './parts.js';
import { Random } from './random.js';

/** Small, so that rings are left, clients fall far behind, and rooms are full. */
export const LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  RESUME_EVENTS_MAX: 25,
  ROOM_RING_EVENTS: 6,
  SOCKET_BUFFER_BYTES_MAX: 6_000,
  FEED_GRACE_SECONDS: 2,
  HEAD_AUDIT_SECONDS: 3,
  GROUP_MEMBERS_MAX: 4,
  COMMIT_BATCH_MAX: 5,
};

/** Bugs of the world around the parts, to see whether the judge finds them. */
export interface Bugs {
  /** Senders are answered, and everybody is told, before anything is committed. */
  answersFirst?: boolean;
  /** What a user is in is read before the connection listens. */
  readsFirst?: boolean;
  /** After a commit of which nothing is known, the command is sent again under another key. */
  newKeys?: boolean;
}

export interface WorldOptions {
  seed: number;
  parts: Parts;
  bugs: Bugs;
  nodes: number;
}

export class World {
  readonly seed: number;
  readonly random: Random;
  readonly parts: Parts;
  readonly bugs: Bugs;
  readonly connection: SqliteConnection;
  /** What is found to be wrong while it goes on. */
  readonly problems: string[] = [];
  nodes: Node[] = [];
  /** Nothing goes wrong: at the beginning, and when all heals at the end. */
  calm = true;
  now = 1_700_000_000_000;
  readonly #pending: (() => void)[] = [];
  readonly #nodeCount: number;
  #nextStream = 1;
  #nextNode = 1;

  constructor({ seed, parts, bugs, nodes }: WorldOptions) {
    this.seed = seed;
    this.random = new Random(seed);
    this.parts = parts;
    this.bugs = bugs;
    this.connection = parts.SqliteConnection.openWriter(':memory:');
    this.#nodeCount = nodes;
  }

  async open(): Promise<void> {
    while (this.nodes.length < this.#nodeCount) await this.startNode();
  }

  async startNode(): Promise<Node> {
    const node = new Node(this, `node${this.#nextNode++}`);
    await node.open();
    this.nodes.push(node);
    return node;
  }

  reserveStreams(count: number): StreamId {
    const first = this.#nextStream;
    this.#nextStream += count;
    return first;
  }

  get waiting(): number {
    return this.#pending.length;
  }

  /** Happens some time later, before or after anything else that waits. */
  later(call: () => void): void {
    this.#pending.push(call);
  }

  /** One thing of all that wait: mostly one of those that waited longest, and sometimes any. */
  step(): void {
    const { length } = this.#pending;
    const index = this.random.below(this.random.chance(0.85) ? Math.min(5, length) : length);
    const [call] = this.#pending.splice(index, 1);
    call?.();
  }

  /** Time passes: every node's clock goes on. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const node of this.nodes) node.clock.advance();
  }

  problem(what: string): void {
    this.problems.push(what);
  }

  close(): void {
    this.connection.close();
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

class RolledBack extends Error {}

interface Job {
  request: SqliteRequest;
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

/** A thread of one node with the database: takes requests in order, answers them in order, each when chance says so. */
class Thread implements SqliteThread {
  readonly #node: Node;
  readonly #asked: Job[] = [];
  readonly #answers: (() => void)[] = [];
  /** While a node starts. */
  immediate = true;

  constructor(node: Node) {
    this.#node = node;
  }

  ask<T>(request: SqliteRequest): Promise<T> {
    const { world } = this.#node;
    if (this.immediate) return Promise.resolve(world.parts.answer(world.connection, request) as T);
    return new Promise<T>((resolve, reject) => {
      this.#asked.push({ request, resolve: resolve as (value: never) => void, reject });
      world.later(() => this.#carryOut());
    });
  }

  #carryOut(): void {
    const job = this.#asked.shift();
    if (!job || this.#node.dead) return;
    const { world } = this.#node;
    this.#answers.push(this.#run(job));
    world.later(() => {
      const answer = this.#answers.shift();
      if (!this.#node.dead) answer?.();
    });
  }

  /** Carries it out, or not; answers how to answer. */
  #run({ request, resolve, reject }: Job): () => void {
    const { world } = this.#node;
    const { parts, random, connection } = world;
    const broken = (unknown: boolean) => () => reject(new parts.StoreError('the database is gone', unknown));
    const fate = request.op === 'commit' && !world.calm ? random.next() : 1;
    if (fate < 0.01) return broken(true);
    try {
      if (request.op === 'commit' && fate < 0.02) {
        // Refused at the very end: everything was done, and nothing of it stays.
        connection.transaction(undone(parts.commitBatch(request.batch)));
        throw new Error('a transaction that threw was committed');
      }
      if (world.bugs.answersFirst && request.op === 'commit') return this.#answerFirst(request, resolve);
      const value = parts.answer(connection, request) as never;
      if (fate < 0.04) return broken(true);
      return () => resolve(value);
    } catch (error) {
      if (error instanceof RolledBack) return broken(false);
      world.problem(`the database: ${(error as Error).stack}`);
      return broken(false);
    }
  }

  #answerFirst(request: SqliteRequest & { op: 'commit' }, resolve: (value: never) => void): () => void {
    const { world } = this.#node;
    const { parts, connection } = world;
    let outcomes: unknown;
    try {
      const note = (value: unknown): void => {
        outcomes = value;
      };
      connection.transaction(undone(parts.commitBatch(request.batch), note));
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
    }
    return () => {
      resolve(outcomes as never);
      world.later(() => {
        if (!this.#node.dead) parts.answer(connection, request);
      });
    };
  }

  async close(): Promise<void> {}
}

/** A program that is carried out whole, and undone. */
function undone<T>(program: Program<T>, tell: (value: T) => void = () => {}): Program<never> {
  return {
    reads: program.reads,
    decide(answers) {
      const { value, writes } = program.decide(answers);
      tell(value);
      return { value: undefined as never, writes: thenUndone(writes) };
    },
  };
}

function* thenUndone(writes: Iterable<WriteStep>): Generator<WriteStep> {
  yield* writes;
  throw new RolledBack();
}

class NodeClock implements Clock {
  readonly #world: World;
  readonly #timers = new Set<{ at: number; every: number | null; call: () => void }>();

  constructor(world: World) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now;
  }

  ticks(): number {
    return this.#world.now;
  }

  after(milliseconds: number, call: () => void): Timer {
    return this.#add(milliseconds, null, call);
  }

  every(milliseconds: number, call: () => void): Timer {
    return this.#add(milliseconds, milliseconds, call);
  }

  #add(milliseconds: number, every: number | null, call: () => void): Timer {
    const timer = { at: this.ticks() + milliseconds, every, call };
    this.#timers.add(timer);
    return { close: () => this.#timers.delete(timer) };
  }

  advance(): void {
    for (const timer of [...this.#timers]) {
      while (this.#timers.has(timer) && timer.at <= this.ticks()) {
        if (timer.every === null) this.#timers.delete(timer);
        else timer.at += timer.every;
        timer.call();
      }
    }
  }
}

/** Loses, repeats and reorders. */
class NodeBus implements Bus {
  readonly shared = true;
  readonly trouble = null;
  readonly #node: Node;
  readonly #follows = new Set<StreamId>();
  #listener: BusListener | null = null;

  constructor(node: Node) {
    this.#node = node;
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
  }

  follow(stream: StreamId): void {
    const { world } = this.#node;
    // A subscription takes effect when it has got through.
    world.later(() => this.#follows.add(stream));
  }

  unfollow(stream: StreamId): void {
    this.#follows.delete(stream);
  }

  publish(events: readonly StoredEvent[]): void {
    for (const event of events) this.#tell((bus) => bus.#follows.has(event.stream) && bus.#listener?.event(event));
  }

  signal(stream: StreamId, signal: Signal): void {
    this.#tell((bus) => bus.#follows.has(stream) && bus.#listener?.signal(stream, signal));
  }

  broadcast(message: NodeMessage): void {
    this.#tell((bus) => bus.#listener?.message(message));
  }

  #tell(deliver: (bus: NodeBus) => void): void {
    const { world } = this.#node;
    for (const other of world.nodes) {
      if (other === this.#node) continue;
      const call = (): void => {
        if (!other.dead) deliver(other.bus);
      };
      const fate = world.random.next();
      if (fate >= 0.3) world.later(call);
      if (fate >= 0.9) world.later(call);
    }
  }

  async close(): Promise<void> {}
}

export class Node {
  readonly world: World;
  readonly name: string;
  readonly clock: NodeClock;
  readonly bus: NodeBus;
  dead = false;
  /** Resolves, with nothing, when it is killed: nobody is answered by it any more. */
  readonly died: Promise<null>;
  #die: () => void = () => {};
  log!: Log;
  core!: Core;
  hub!: Hub;
  queries!: Queries;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.clock = new NodeClock(world);
    this.bus = new NodeBus(this);
    this.died = new Promise((resolve) => {
      this.#die = () => resolve(null);
    });
  }

  async open(): Promise<void> {
    const { parts } = this.world;
    const threads = [new Thread(this), new Thread(this), new Thread(this)] as const;
    const [writer, ...readers] = threads;
    const store: Store = await parts.openStoreOver(writer, readers);
    for (const thread of threads) thread.immediate = false;
    store.reserveStreams = async (count) => this.world.reserveStreams(count);
    const { clock } = this;
    const shared = { store, limits: LIMITS, names: parts.nameRules, clock };
    // Every other world has full batches, of which two are on their way at once.
    const batchMax = this.world.seed % 2 === 0 ? 2 : LIMITS.COMMIT_BATCH_MAX;
    this.log = new parts.Log(store, { batchMax, queueMax: 1_000 });
    const rates = { take: () => ({ ok: true as const }) };
    this.core = new parts.Core({ ...shared, log: this.log, rates, roomStatesMax: 2 });
    const figures = { seconds: 5, noted: async () => ({ node: 'test', startedAt: 0, figures: [] }) };
    this.queries = parts.makeQueries({ ...shared, isOnline: () => false, figures });
    this.hub = new parts.Hub({
      log: this.log,
      bus: this.bus,
      limits: LIMITS,
      clock,
      memberships: (user: UserId, room: RoomId) => parts.standing({ ...shared, isOnline: () => false }, user, room),
      touchUsers: async () => {},
      node: this.name,
      onError: (error) => {
        if (!this.dead) this.world.problem(`${this.name}: ${(error as Error).stack}`);
      },
      flushWindow: (flush) => {
        this.world.later(() => {
          if (!this.dead) flush();
        });
      },
    });
  }

  /** As `kill -9`: what it had in memory is gone, what it asked of the database may or may not be carried out. */
  kill(): void {
    this.dead = true;
    this.#die();
    this.world.nodes = this.world.nodes.filter((node) => node !== this);
  }
}

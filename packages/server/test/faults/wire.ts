/** A TCP proxy on one link: what passes can be slowed, held, swallowed or cut, and changed by one who knows the protocol. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { freePort } from '../bus/nats-server.js';

export type Direction = 'there' | 'back';

/** Sees all that passes, in order, and says what goes on: as it is, something else, nothing. */
export type Tamper = (chunk: Buffer, direction: Direction, link: Link) => Buffer | readonly Buffer[] | null;

/** One connection through the wire. */
export interface Link {
  readonly id: number;
  /** Sends bytes on, past everything that slows them. */
  give(direction: Direction, bytes: Buffer): void;
  /** Both ends see a reset, after what was given to them. */
  cut(): void;
}

export class Wire {
  readonly port: number;
  readonly #server: Server;
  readonly #target: () => number;
  readonly #links = new Set<Passage>();
  #nextId = 1;
  /** Milliseconds that every chunk takes: from, and up to so many more. */
  latency = { ms: 0, jitter: 0 };
  /** Bytes a second in each direction of each link; 0: as many as go. */
  rate = 0;
  /** Nothing passes in these directions, not even that an end is gone: a cable that was pulled. What was sent comes when it is put in again. */
  readonly holes = new Set<Direction>();
  /** Nothing is read of these directions: who sends there waits, as before somebody who does not read. */
  readonly stalls = new Set<Direction>();
  /** Who comes is reset at once. */
  refuses = false;
  /** For new links. */
  tamper: (() => Tamper) | null = null;

  private constructor(port: number, target: () => number) {
    this.port = port;
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
  }

  static async to(target: number | (() => number)): Promise<Wire> {
    const wire = new Wire(await freePort(), typeof target === 'number' ? () => target : target);
    await new Promise<void>((resolve, reject) => {
      wire.#server.once('error', reject);
      wire.#server.listen(wire.port, '127.0.0.1', resolve);
    });
    return wire;
  }

  get links(): number {
    return this.#links.size;
  }

  /** All links are reset; new ones are made as before. */
  cut(): void {
    for (const link of [...this.#links]) link.cut();
  }

  /** Everything passes again, what was held included. */
  heal(): void {
    this.latency = { ms: 0, jitter: 0 };
    this.rate = 0;
    this.refuses = false;
    this.holes.clear();
    this.stalls.clear();
    for (const link of this.#links) link.pump();
  }

  stall(direction: Direction): void {
    this.stalls.add(direction);
    for (const link of this.#links) link.pump();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    if (this.refuses) {
      socket.resetAndDestroy();
      return;
    }
    const link = new Passage(this.#nextId++, this, socket, this.#target(), () => this.#links.delete(link));
    this.#links.add(link);
  }
}

/** Chunks on their way in one direction, each with the moment before which it does not arrive. */
interface Lane {
  readonly queue: { bytes: Buffer; at: number }[];
  readonly to: Socket;
  readonly from: Socket;
  timer: NodeJS.Timeout | null;
  /** The sender is not read while so much waits. */
  waiting: number;
  freeAt: number;
  ended: boolean;
}

const HELD_BYTES = 4 * 1_048_576;

class Passage implements Link {
  readonly id: number;
  readonly #wire: Wire;
  readonly #lanes: Record<Direction, Lane>;
  readonly #tamper: Tamper | null;
  readonly #closed: () => void;
  #isClosed = false;

  constructor(id: number, wire: Wire, near: Socket, port: number, closed: () => void) {
    this.id = id;
    this.#wire = wire;
    this.#closed = closed;
    this.#tamper = wire.tamper?.() ?? null;
    const far = dial({ port, host: '127.0.0.1' });
    const lane = (from: Socket, to: Socket): Lane => ({
      queue: [],
      from,
      to,
      timer: null,
      waiting: 0,
      freeAt: 0,
      ended: false,
    });
    this.#lanes = { there: lane(near, far), back: lane(far, near) };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
    }
    for (const direction of ['there', 'back'] as const) {
      const { from } = this.#lanes[direction];
      from.on('data', (chunk: Buffer) => this.#take(direction, chunk));
      if (wire.stalls.has(direction)) from.pause();
      from.on('end', () => {
        this.#lanes[direction].ended = true;
        this.#pump(direction);
      });
      from.on('close', () => {
        // In a hole nobody learns that the other end is gone.
        if (!wire.holes.has(direction)) this.#end();
      });
    }
  }

  give(direction: Direction, bytes: Buffer): void {
    const { to } = this.#lanes[direction];
    if (!to.destroyed) to.write(bytes);
  }

  cut(): void {
    for (const { to } of Object.values(this.#lanes)) to.resetAndDestroy();
    this.#end();
  }

  pump(): void {
    for (const direction of ['there', 'back'] as const) {
      this.#pump(direction);
      if (this.#lanes[direction].from.destroyed) this.#end();
    }
  }

  #take(direction: Direction, chunk: Buffer): void {
    const wire = this.#wire;
    const passed = this.#tamper ? this.#tamper(chunk, direction, this) : chunk;
    if (passed === null || this.#isClosed) return;
    const lane = this.#lanes[direction];
    const now = performance.now();
    const { ms, jitter } = wire.latency;
    for (const bytes of Buffer.isBuffer(passed) ? [passed] : passed) {
      let at = now + (ms || jitter ? ms + Math.random() * jitter : 0);
      if (wire.rate > 0) {
        lane.freeAt = Math.max(lane.freeAt, now) + (bytes.length / wire.rate) * 1_000;
        at = Math.max(at, lane.freeAt);
      }
      // TCP keeps the order.
      at = Math.max(at, lane.queue.at(-1)?.at ?? 0);
      lane.queue.push({ bytes, at });
      lane.waiting += bytes.length;
    }
    if (lane.waiting > HELD_BYTES) lane.from.pause();
    this.#pump(direction);
  }

  #pump(direction: Direction): void {
    const lane = this.#lanes[direction];
    if (lane.timer) clearTimeout(lane.timer);
    lane.timer = null;
    if (this.#wire.holes.has(direction)) return;
    const now = performance.now();
    const calm = this.#wire.latency.ms === 0 && this.#wire.latency.jitter === 0 && this.#wire.rate === 0;
    for (let next = lane.queue[0]; next; next = lane.queue[0]) {
      if (next.at > now && !calm) {
        lane.timer = setTimeout(() => this.#pump(direction), next.at - now);
        return;
      }
      lane.queue.shift();
      lane.waiting -= next.bytes.length;
      if (!lane.to.destroyed) lane.to.write(next.bytes);
    }
    if (this.#wire.stalls.has(direction)) lane.from.pause();
    else if (lane.waiting <= HELD_BYTES && lane.from.isPaused()) lane.from.resume();
    if (lane.ended) lane.to.end();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const lane of Object.values(this.#lanes)) {
      if (lane.timer) clearTimeout(lane.timer);
      for (const { bytes } of lane.queue.splice(0)) if (!lane.to.destroyed) lane.to.write(bytes);
      lane.to.end();
      lane.to.destroySoon();
    }
    this.#closed();
  }
}

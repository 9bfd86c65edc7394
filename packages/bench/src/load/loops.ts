/** The two ways to send: a closed loop waits for what it has sent, an open loop keeps to its times. */
import type { ClosedWork, OpenWork } from '../works.js';
import type { Crowd, Loop } from './crowd.js';
import type { Percentiles } from './job.js';

export interface Sending extends Loop {
  /** Sends completed so far. */
  readonly completed: number;
  start(): void;
  stop(): void;
  /** Latencies are kept from here on, and what was kept is given by `latency`. */
  keep(kept: boolean): void;
  latency(): Percentiles;
  late(): Percentiles | null;
}

export function percentiles(samples: readonly number[]): Percentiles {
  const sorted = Float64Array.from(samples).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

export class ClosedLoop implements Sending {
  completed = 0;
  readonly #crowd: Crowd;
  readonly #work: ClosedWork;
  /** By sender: deliveries that count towards completion, confirmations, completed sends. */
  readonly #had: number[];
  readonly #confirmed: number[];
  readonly #done: number[];
  /** By sender: when what is in flight was sent, oldest first. */
  readonly #sentAt: number[][];
  readonly #samples: number[] = [];
  #kept = false;
  #stopped = false;

  constructor(crowd: Crowd, work: ClosedWork) {
    this.#crowd = crowd;
    this.#work = work;
    this.#had = crowd.senders.map(() => 0);
    this.#confirmed = crowd.senders.map(() => 0);
    this.#done = crowd.senders.map(() => 0);
    this.#sentAt = crowd.senders.map(() => []);
  }

  start(): void {
    this.#crowd.senders.forEach((_, sender) => {
      for (let i = 0; i < this.#work.inFlight; i += 1) this.#send(sender);
    });
    this.#crowd.flush();
  }

  stop(): void {
    this.#stopped = true;
  }

  turn(): void {
    // What a completion let go was queued with it.
  }

  delivered(receiver: number, sender: number): void {
    if (this.#work.complete === 'own' && this.#crowd.senders[sender]?.member !== receiver) return;
    this.#had[sender] = (this.#had[sender] as number) + 1;
    this.#settle(sender);
  }

  confirmed(sender: number): void {
    this.#confirmed[sender] = (this.#confirmed[sender] as number) + 1;
    this.#settle(sender);
  }

  keep(kept: boolean): void {
    this.#kept = kept;
  }
  latency(): Percentiles {
    return percentiles(this.#samples);
  }
  late(): null {
    return null;
  }

  #send(sender: number): void {
    this.#crowd.send(sender);
    this.#sentAt[sender]?.push(performance.now());
  }

  #settle(sender: number): void {
    const needed =
      this.#work.complete === 'own' ? 1 : (this.#crowd.roomSizes[this.#crowd.senders[sender]?.room ?? 0] as number);
    const had = Math.floor((this.#had[sender] as number) / needed);
    const ready = this.#crowd.wire.confirms ? Math.min(had, this.#confirmed[sender] as number) : had;
    while ((this.#done[sender] as number) < ready) {
      this.#done[sender] = (this.#done[sender] as number) + 1;
      this.completed += 1;
      const sentAt = this.#sentAt[sender]?.shift();
      if (this.#kept && sentAt !== undefined) this.#samples.push(performance.now() - sentAt);
      if (!this.#stopped) this.#send(sender);
    }
  }
}

/** A small generator of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Timers are late by a millisecond or more: the last stretch before a due time is spent polling, in milliseconds. */
const POLLED = 2.5;

export class OpenLoop implements Sending {
  readonly #crowd: Crowd;
  readonly #random: () => number;
  readonly #gap: number;
  /** By sender and number: when the message was due. */
  readonly #due: number[][];
  readonly #samples: number[] = [];
  readonly #late: number[] = [];
  #next = 0;
  #turn = 0;
  #keptFrom = Infinity;
  #keptTo = Infinity;
  #stopped = false;

  constructor(crowd: Crowd, work: OpenWork, seed: number) {
    this.#crowd = crowd;
    this.#random = seeded(seed);
    this.#gap = 1_000 / work.rate;
    this.#due = crowd.senders.map(() => []);
  }

  get completed(): number {
    return this.#turn;
  }

  start(): void {
    this.#next = performance.now();
    this.#advance();
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
  }

  delivered(_receiver: number, sender: number, number: number): void {
    const due = this.#due[sender]?.[number] as number;
    if (due >= this.#keptFrom && due < this.#keptTo) this.#samples.push(performance.now() - due);
  }

  confirmed(): void {
    // The latency that counts is the delivery's.
  }

  keep(kept: boolean): void {
    if (kept) this.#keptFrom = performance.now();
    else this.#keptTo = performance.now();
  }
  latency(): Percentiles {
    return percentiles(this.#samples);
  }
  late(): Percentiles {
    return percentiles(this.#late);
  }

  #advance(): void {
    this.#next += -Math.log(1 - this.#random()) * this.#gap;
  }

  /** Sends what is due. */
  turn(): void {
    const now = performance.now();
    while (this.#next <= now && !this.#stopped) {
      const sender = this.#turn % this.#crowd.senders.length;
      this.#turn += 1;
      this.#due[sender]?.push(this.#next);
      if (now >= this.#keptFrom && now < this.#keptTo) this.#late.push(now - this.#next);
      this.#crowd.send(sender);
      this.#advance();
    }
  }

  #tick(): void {
    if (this.#stopped) return;
    this.turn();
    this.#crowd.flush();
    const wait = this.#next - performance.now() - POLLED;
    if (wait >= 1) setTimeout(() => this.#tick(), wait);
    else setImmediate(() => this.#tick());
  }
}

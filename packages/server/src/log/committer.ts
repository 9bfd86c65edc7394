/**
 * Group commit: everything that waits becomes one transaction; while it runs the next batch gathers. No timer, so no
 * added latency when idle and large batches when busy. A batch that is full gains nothing by waiting: where the store keeps
 * the order it is on its way at once, so that the store need not wait for this thread between two of them.
 */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { StreamId } from '@natter/protocol';
import type { Entry, Outcome, Store, StoredEvent } from '../store/store.js';

export interface CommitterMetrics {
  /** One batch was committed: how many entries and events, and the seconds it took. */
  committed(entries: number, events: number, seconds: number): void;
  failed(entries: number): void;
}

/** The queue is full, or the log is draining: nothing was done, and it may be tried again. */
export class OverloadedError extends Error {
  constructor(readonly reason: 'queue_full' | 'draining') {
    super(reason === 'queue_full' ? 'too many commands wait for the log' : 'the log is draining');
    this.name = 'OverloadedError';
  }
}

/** Most batches that a store which keeps their order is given at once. */
const AT_ONCE = 2;

interface Waiting {
  entry: Entry;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/** A batch on its way. */
interface Flying {
  batch: readonly Waiting[];
  started: number;
  outcomes: Promise<Outcome[]>;
}

export class Committer {
  readonly #store: Pick<Store, 'commit'>;
  readonly #atOnce: number;
  readonly #batchMax: number;
  readonly #queueMax: number;
  readonly #metrics: CommitterMetrics | undefined;
  readonly #tell: (events: readonly StoredEvent[]) => void;
  readonly #tellAgain: (event: StoredEvent) => void;
  #queue: Waiting[] = [];
  /** In their order. */
  readonly #flying: Flying[] = [];
  #running: Promise<void> | null = null;
  /** By stream: drafts that are queued or being committed. */
  readonly #underWay = new Map<StreamId, number>();
  #draining = false;

  constructor(
    store: Pick<Store, 'commit' | 'commitsInOrder'>,
    options: { batchMax: number; queueMax: number; metrics?: CommitterMetrics },
    tell: (events: readonly StoredEvent[]) => void,
    /** Who was not answered asks again: those who should have heard may not have heard either. */
    tellAgain: (event: StoredEvent) => void = () => {},
  ) {
    this.#store = store;
    this.#atOnce = store.commitsInOrder ? AT_ONCE : 1;
    this.#batchMax = options.batchMax;
    this.#queueMax = options.queueMax;
    this.#metrics = options.metrics;
    this.#tell = tell;
    this.#tellAgain = tellAgain;
  }

  append(entry: Entry): Promise<Outcome> {
    if (this.#draining) return Promise.reject(new OverloadedError('draining'));
    if (this.#queue.length >= this.#queueMax) return Promise.reject(new OverloadedError('queue_full'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject });
      for (const { stream } of entry.drafts) this.#underWay.set(stream, (this.#underWay.get(stream) ?? 0) + 1);
      // At the end of the turn, so that all commands read from the sockets in it share a transaction. A microtask runs
      // after each socket's callback: the first command would be committed, and told to all, by itself.
      this.#running ??= endOfTurn().then(() => this.#run());
      if (this.#flying.length > 0) this.#launchFull();
    });
  }

  isUnderWay(stream: StreamId): boolean {
    return this.#underWay.has(stream);
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await this.#running;
  }

  /** Gives the store what waits, as far as it fits into one batch. */
  #launch(): void {
    const batch = this.#queue.length <= this.#batchMax ? this.#queue : this.#queue.slice(0, this.#batchMax);
    this.#queue = batch === this.#queue ? [] : this.#queue.slice(this.#batchMax);
    const outcomes = Promise.resolve(batch.map((waiting) => waiting.entry)).then((entries) =>
      this.#store.commit(entries),
    );
    // Looked at in its turn.
    outcomes.catch(() => {});
    this.#flying.push({ batch, started: performance.now(), outcomes });
  }

  #launchFull(): void {
    while (this.#flying.length < this.#atOnce && this.#queue.length >= this.#batchMax) this.#launch();
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#flying.length === 0 && this.#queue.length > 0) this.#launch();
      this.#launchFull();
      const next = this.#flying[0];
      if (!next) break;
      const { batch, started } = next;
      let outcomes: Outcome[];
      try {
        outcomes = await next.outcomes;
        this.#flying.shift();
        this.#settled(batch);
      } catch (error) {
        this.#flying.shift();
        this.#settled(batch);
        this.#metrics?.failed(batch.length);
        for (const waiting of batch) waiting.reject(error);
        continue;
      }
      const events: StoredEvent[] = [];
      for (const outcome of outcomes) {
        if (outcome.kind === 'committed') for (const event of outcome.events) events.push(event);
      }
      this.#metrics?.committed(batch.length, events.length, (performance.now() - started) / 1_000);
      // Subscribers first, then the sender: one who was answered may rely on the event being on its way [H1].
      try {
        if (events.length > 0) this.#tell(events);
        for (const outcome of outcomes) if (outcome.kind === 'replayed') this.#tellAgain(outcome.event);
      } catch (bug) {
        // It is committed all the same: senders are answered, and the bug comes up where nobody can overlook it.
        queueMicrotask(() => {
          throw bug;
        });
      }
      for (let i = 0; i < batch.length; i += 1) batch[i]?.resolve(outcomes[i] as Outcome);
    }
    this.#running = null;
  }

  #settled(batch: readonly Waiting[]): void {
    for (const { entry } of batch) {
      for (const { stream } of entry.drafts) {
        const others = (this.#underWay.get(stream) ?? 0) - 1;
        if (others > 0) this.#underWay.set(stream, others);
        else this.#underWay.delete(stream);
      }
    }
  }
}

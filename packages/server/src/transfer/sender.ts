/** Puts entries into the log in the order in which they come, many at a time, and never one before another that failed. */
import { setTimeout as pause } from 'node:timers/promises';
import { OverloadedError } from '../log/committer.js';
import type { Log } from '../log/log.js';
import type { Entry, Outcome } from '../store/store.js';

/** Others have filled the log's queue: how long to wait before the rest is offered again. */
const PAUSE_MS = 50;

export class Sender {
  readonly #log: Log;
  readonly #size: number;
  readonly #onOutcome: (outcome: Outcome, entry: Entry) => void;
  #next: Entry[] = [];
  #flying: Promise<void> = Promise.resolve();
  #failed = false;

  /** `size`: entries on their way at once, in one batch of the log. While they are, the next ones gather. */
  constructor(log: Log, size: number, onOutcome: (outcome: Outcome, entry: Entry) => void) {
    this.#log = log;
    this.#size = size;
    this.#onOutcome = onOutcome;
  }

  /** Waits only when a batch is full and the one before it is still on its way. */
  async add(entry: Entry): Promise<void> {
    this.#next.push(entry);
    if (this.#next.length >= this.#size) await this.#launch();
  }

  /** Resolves when all that was added is committed. */
  async flush(): Promise<void> {
    await this.#launch();
    await this.#flying;
  }

  async #launch(): Promise<void> {
    await this.#flying;
    const batch = this.#next;
    this.#next = [];
    this.#flying = this.#send(batch);
    // Whoever adds or flushes next hears of it.
    this.#flying.catch(() => {
      this.#failed = true;
    });
  }

  async #send(batch: readonly Entry[]): Promise<void> {
    if (this.#failed) throw new Error('a batch before this one failed');
    let rest = batch;
    while (rest.length > 0) {
      // Offered in one turn: if the queue is full, it is so for all from some entry on, and none comes before its time.
      const settled = await Promise.allSettled(rest.map((entry) => this.#log.append(entry)));
      const refused = settled.findIndex(
        (one) =>
          one.status === 'rejected' && one.reason instanceof OverloadedError && one.reason.reason === 'queue_full',
      );
      const done = refused === -1 ? settled.length : refused;
      for (let index = 0; index < done; index += 1) {
        const one = settled[index] as PromiseSettledResult<Outcome>;
        if (one.status === 'rejected') throw one.reason;
        this.#onOutcome(one.value, rest[index] as Entry);
      }
      rest = rest.slice(done);
      if (rest.length > 0) await pause(PAUSE_MS);
    }
  }
}

/**
 * Puts entries into the log in the order in which they come, many at a time, and never one before another that failed:
 * each says which one it follows, so that two batches can be on their way at once.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OverloadedError } from '../log/committer.js';
import type { Log } from '../log/log.js';
import type { Entry, IdempotencyKey, Outcome } from '../store/store.js';

/** Others have filled the log's queue: how long to wait before the rest is offered again. */
const PAUSE_MS = 50;

/** One that can be followed: it has a key. */
export type Keyed = Entry & { key: IdempotencyKey };

/** Is the queue full, or does what it follows not stand in the log yet? */
function isEarly(settled: PromiseSettledResult<Outcome>): boolean {
  if (settled.status === 'fulfilled') return settled.value.kind === 'stale';
  return settled.reason instanceof OverloadedError && settled.reason.reason === 'queue_full';
}

export class Sender {
  readonly #log: Log;
  readonly #size: number;
  readonly #onOutcome: (outcome: Outcome, entry: Entry) => void;
  #next: Entry[] = [];
  #last: Entry['follows'];
  /** The last two batches. */
  #before: Promise<void> = Promise.resolve();
  #flying: Promise<void> = Promise.resolve();

  /** `size`: entries of one batch of the log. While two of them are on their way, the next ones gather. */
  constructor(log: Log, size: number, onOutcome: (outcome: Outcome, entry: Entry) => void) {
    this.#log = log;
    this.#size = size;
    this.#onOutcome = onOutcome;
  }

  /** Nothing, or what to wait for before the next one: a batch is full, and two before it may still be on their way. */
  add(entry: Keyed): Promise<void> | undefined {
    const { author = entry.actor, key } = entry.key;
    // It is the sender's from here on: a copy of each would cost as much as reading it did.
    if (this.#last) entry.follows = this.#last;
    this.#next.push(entry);
    this.#last = { author, key };
    return this.#next.length >= this.#size ? this.#launch() : undefined;
  }

  /** Resolves when all that was added is committed. */
  async flush(): Promise<void> {
    await this.#launch();
    await this.#before;
    await this.#flying;
  }

  async #launch(): Promise<void> {
    const batch = this.#next;
    this.#next = [];
    await this.#before;
    this.#before = this.#flying;
    this.#flying = this.#send(batch, this.#flying);
    // Whoever adds or flushes next hears of it.
    this.#flying.catch(() => {});
  }

  async #send(batch: readonly Entry[], before: Promise<void>): Promise<void> {
    let rest = batch;
    let isBehind = false;
    while (rest.length > 0) {
      // Offered in one turn: if one is too early, it is so for all that follow it, and none comes before its time.
      const settled = await Promise.allSettled(rest.map((entry) => this.#log.append(entry)));
      const early = settled.findIndex(isEarly);
      const done = early === -1 ? settled.length : early;
      for (let index = 0; index < done; index += 1) {
        const one = settled[index] as PromiseSettledResult<Outcome>;
        if (one.status === 'rejected') throw one.reason;
        this.#onOutcome(one.value, rest[index] as Entry);
      }
      if (early === -1) return;
      if (isBehind && settled[early]?.status === 'fulfilled')
        throw new Error('what an entry follows is not in the log');
      rest = rest.slice(done);
      await before;
      isBehind = true;
      await pause(PAUSE_MS);
    }
  }
}

/** When what was gathered leaves: the one place that decides how long frames may gather. */
import type { Clock, Timer } from '../clock.js';

/** Is given a flush once something waits, and calls it once. */
export type FlushWindow = (flush: () => void) => void;

/**
 * At the end of this turn of the event loop. Commits gather in windows of their own already; by then the answers to the
 * senders of a batch are there too, and everything for one socket leaves in one write.
 */
const endOfTurn: FlushWindow = (flush) => {
  setImmediate(flush);
};

/** What a write takes until some were timed, in milliseconds; smaller flushes than this tell little of it. */
const WRITE_MS = 0.005;
const TIMED_WRITES = 32;
/** How much the latest flush counts. */
const LATEST = 0.2;
/** Timers are not more exact, in milliseconds. */
const WAIT_MS_MIN = 1;

export interface FlushOptions {
  clock: Clock;
  /** Most milliseconds that frames may wait for others. */
  gatherMsMax: number;
  window?: FlushWindow;
  /** Writes what waits, and answers to how many connections. */
  flush(): number;
  /** Connections for which more is being committed: written to now, they are written to once more right after. */
  twice(): number;
}

/**
 * A write costs the same for one frame as for ten. So where the next events of a room are in the log's hands already, its
 * frames wait for them: no longer than the writes take that are saved by it, and not at all where nothing is under way.
 * Senders who wait for their own messages come into step by it, and stay so.
 */
export class Flushes {
  readonly #options: FlushOptions;
  #coming = false;
  #writeMs = WRITE_MS;
  /** Until when frames wait, in the clock's ticks; null while they do not. */
  #heldUntil: number | null = null;
  #timer: Timer | null = null;

  constructor(options: FlushOptions) {
    this.#options = options;
  }

  /** Something waits. */
  expect(): void {
    if (this.#coming) return;
    this.#coming = true;
    (this.#options.window ?? endOfTurn)(() => {
      this.#coming = false;
      if (!this.#waits()) this.flush();
    });
  }

  /** Everything leaves now. */
  flush(): void {
    this.close();
    const { clock, flush } = this.#options;
    const started = clock.ticks();
    const writes = flush();
    if (writes < TIMED_WRITES) return;
    this.#writeMs += LATEST * ((clock.ticks() - started) / writes - this.#writeMs);
  }

  /** Nothing waits any more. */
  close(): void {
    this.#heldUntil = null;
    this.#timer?.close();
    this.#timer = null;
  }

  #waits(): boolean {
    const { clock, gatherMsMax, twice } = this.#options;
    const now = clock.ticks();
    if (this.#heldUntil !== null) return now < this.#heldUntil && twice() > 0;
    if (gatherMsMax < WAIT_MS_MIN) return false;
    const worth = Math.min(gatherMsMax, twice() * this.#writeMs);
    if (worth < WAIT_MS_MIN) return false;
    this.#heldUntil = now + worth;
    this.#timer = clock.after(worth, () => this.flush());
    return true;
  }
}

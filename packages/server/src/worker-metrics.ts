/** One page of /metrics for all workers of a machine: whichever of them is asked, the first process asks all of them. */
import type { Worker } from 'node:cluster';
import type { Registry } from 'prom-client';

/** One metric with what it counted, as plain data. */
type Counted = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

/** One that says nothing by then is not on the page, as with Prometheus anything is that does not answer. */
const PATIENCE_MS = 2_000;
/** Longer than the first process waits for the others. */
const ANSWER_MS = 2 * PATIENCE_MS;

/** What workers say about it, and what is said to them; `ask` is a number that tells one asking from another. */
export type FromWorker = { wants: number } | { ask: number; counted: Counted[] };
type ToWorker = { ask: number } | { wants: number; all: Gathered[] };

/** What one worker has counted, by its place among them. */
export interface Gathered {
  worker: number;
  counted: Counted[];
}

interface Asking {
  all: Gathered[];
  missing: Set<number>;
  done(): void;
}

/** In the first process. */
export class Gatherer {
  readonly #askings = new Map<number, Asking>();
  #asked = 0;

  /** What one of them said; `workers` are those that listen, by their places. */
  hear(from: number, message: FromWorker, workers: ReadonlyMap<number, Worker>): void {
    if ('wants' in message) this.#gather(workers, (all) => say(workers.get(from), { wants: message.wants, all }));
    else this.#heard(from, message.ask, message.counted);
  }

  #gather(workers: ReadonlyMap<number, Worker>, answer: (all: Gathered[]) => void): void {
    this.#asked += 1;
    const ask = this.#asked;
    const all: Gathered[] = [];
    const done = (): void => {
      if (!this.#askings.delete(ask)) return;
      clearTimeout(timer);
      answer(all.sort((one, other) => one.worker - other.worker));
    };
    const timer = setTimeout(done, PATIENCE_MS);
    this.#askings.set(ask, { all, missing: new Set(workers.keys()), done });
    for (const worker of workers.values()) say(worker, { ask });
  }

  #heard(worker: number, ask: number, counted: Counted[]): void {
    const asking = this.#askings.get(ask);
    if (!asking?.missing.delete(worker)) return;
    asking.all.push({ worker, counted });
    if (asking.missing.size === 0) asking.done();
  }
}

/** In a worker: answers the first process, and asks it. */
export class Colleagues {
  readonly #waiting = new Map<number, (all: Gathered[]) => void>();
  #wanted = 0;
  #count: (() => Promise<Counted[]>) | null = null;

  constructor() {
    process.on('message', (message: ToWorker) => {
      if ('all' in message) this.#waiting.get(message.wants)?.(message.all);
      else if ('ask' in message) void this.#answer(message.ask);
    });
  }

  /** What is answered from now on. */
  counts(count: () => Promise<Counted[]>): void {
    this.#count = count;
  }

  /** What all of them have counted; null where the first process does not answer. */
  gather(): Promise<Gathered[] | null> {
    this.#wanted += 1;
    const wants = this.#wanted;
    return new Promise((resolve) => {
      const done = (all: Gathered[] | null): void => {
        this.#waiting.delete(wants);
        clearTimeout(timer);
        resolve(all);
      };
      const timer = setTimeout(done, ANSWER_MS, null);
      this.#waiting.set(wants, done);
      tell({ wants });
    });
  }

  async #answer(ask: number): Promise<void> {
    if (this.#count) tell({ ask, counted: await this.#count() });
  }
}

/** Whoever is gone meanwhile is not missed here: it is not on the page, or the page is not asked for any more. */
function say(worker: Worker | undefined, message: ToWorker): void {
  if (worker?.isConnected()) worker.send(message, () => {});
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

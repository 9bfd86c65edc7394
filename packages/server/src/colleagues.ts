/** What all workers of a machine have to say: whichever of them is asked, the first process asks all of them. */
import type { Worker } from 'node:cluster';
import type { Figure } from '@natter/protocol';
import type { Registry } from 'prom-client';

/** One metric with what it counted, as plain data. */
type Counted = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

/** One that says nothing by then is not on the page, as with Prometheus anything is that does not answer. */
const PATIENCE_MS = 2_000;
/** Longer than the first process waits for the others. */
const ANSWER_MS = 2 * PATIENCE_MS;

/** What one process has noted, oldest first. */
export interface Noted {
  /** Another one after a start, and on another node: what it says does not follow on. */
  node: string;
  startedAt: number;
  figures: readonly Figure[];
}

/** What a worker can be asked for. */
export interface Sayings {
  counted: Counted[];
  noted: Noted;
}
type Topic = keyof Sayings;

/** What workers say about it, and what is said to them; `ask` is a number that tells one asking from another. */
export type FromWorker = { wants: number; topic: Topic } | { ask: number; said: Sayings[Topic] };
type ToWorker = { ask: number; topic: Topic } | { wants: number; all: Gathered[] };

/** What one worker has said, by its place among them. */
export interface Gathered<T = Sayings[Topic]> {
  worker: number;
  said: T;
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
    if ('ask' in message) this.#heard(from, message.ask, message.said);
    else this.#gather(message.topic, workers, (all) => say(workers.get(from), { wants: message.wants, all }));
  }

  #gather(topic: Topic, workers: ReadonlyMap<number, Worker>, answer: (all: Gathered[]) => void): void {
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
    for (const worker of workers.values()) say(worker, { ask, topic });
  }

  #heard(worker: number, ask: number, said: Sayings[Topic]): void {
    const asking = this.#askings.get(ask);
    if (!asking?.missing.delete(worker)) return;
    asking.all.push({ worker, said });
    if (asking.missing.size === 0) asking.done();
  }
}

/** In a worker: answers the first process, and asks it. */
export class Colleagues {
  readonly #waiting = new Map<number, (all: Gathered[]) => void>();
  #wanted = 0;
  readonly #sayings: { [T in Topic]?: () => Promise<Sayings[T]> } = {};

  constructor() {
    process.on('message', (message: ToWorker) => {
      if ('all' in message) this.#waiting.get(message.wants)?.(message.all);
      else if ('ask' in message) void this.#answer(message.ask, message.topic);
    });
  }

  /** What is answered from now on. */
  says<T extends Topic>(topic: T, say: () => Promise<Sayings[T]>): void {
    (this.#sayings as Record<Topic, unknown>)[topic] = say;
  }

  /** What all of them say; null where the first process does not answer. */
  gather<T extends Topic>(topic: T): Promise<Gathered<Sayings[T]>[] | null> {
    this.#wanted += 1;
    const wants = this.#wanted;
    return new Promise((resolve) => {
      const done = (all: Gathered[] | null): void => {
        this.#waiting.delete(wants);
        clearTimeout(timer);
        resolve(all as Gathered<Sayings[T]>[] | null);
      };
      const timer = setTimeout(done, ANSWER_MS, null);
      this.#waiting.set(wants, done);
      tell({ wants, topic });
    });
  }

  async #answer(ask: number, topic: Topic): Promise<void> {
    const say = this.#sayings[topic];
    if (say) tell({ ask, said: await say() });
  }
}

/** Whoever is gone meanwhile is not missed here: it is not on the page, or the page is not asked for any more. */
function say(worker: Worker | undefined, message: ToWorker): void {
  if (worker?.isConnected()) worker.send(message, () => {});
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

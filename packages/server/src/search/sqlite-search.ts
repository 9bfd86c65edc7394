/** The search of the embedded store: starts its threads, brings them back when one fails, and speaks the port. */
import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Answer, refuse } from '../core/actor.js';
import type { Limits } from '../limits.js';
import { codePoints, textProblem } from '../text.js';
import { decodeCursor, encodeCursor, termsOf } from './query.js';
import type { FoundPage, Search, SearchRequest, SearchState } from './search.js';
import type { FoundRows } from './sqlite-finder.js';
import type { FinderRequest, IndexerRequest, SearchResponse, SearchWorkerData } from './sqlite-search-worker.js';

export interface SqliteSearchOptions {
  /** The index: a file of its own, which may be deleted at any time while nobody has it open. */
  file: string;
  storeFile: string;
  limits: Limits;
  /** Hears of an index that is made anew and of a thread that failed. */
  onTrouble: (message: string) => void;
  /** Pause between two looks at a busy log. */
  followMs?: number;
}

const FOLLOW_MS = 50;
const RESTART_MS = 1_000;

type Asked<T> = T extends { id: number } ? Omit<T, 'id'> : never;

class ThreadError extends Error {
  constructor(
    message: string,
    readonly corrupt: boolean,
  ) {
    super(message);
    this.name = 'ThreadError';
  }
}

/** A worker thread of the search. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #dead: ThreadError | null = null;
  readonly ready: Promise<void>;

  constructor(data: SearchWorkerData, onRebuilt: (why: string) => void, onFailed: (error: ThreadError) => void) {
    this.#worker = new Worker(new URL('./sqlite-search-worker.js', import.meta.url), {
      workerData: data,
      name: `search-${data.role}`,
    });
    this.ready = new Promise((resolve, reject) => this.#waiting.set(0, { resolve: resolve as () => void, reject }));
    const fail = (error: ThreadError): void => {
      if (this.#dead) return;
      this.#dead = error;
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
      onFailed(error);
    };
    this.#worker.on('message', (response: SearchResponse) => {
      if (response.id === null) {
        if ('rebuilt' in response) onRebuilt(response.rebuilt);
        else fail(new ThreadError(response.failed, response.corrupt));
        return;
      }
      const waiting = this.#waiting.get(response.id);
      this.#waiting.delete(response.id);
      if (response.ok) waiting?.resolve(response.value as never);
      else waiting?.reject(new ThreadError(response.message, response.corrupt));
    });
    this.#worker.on('error', (error) => fail(new ThreadError((error as Error).message, false)));
    this.#worker.on('exit', (code) => fail(new ThreadError(`the search thread ended with code ${code}`, false)));
  }

  ask<T>(request: Asked<IndexerRequest> | Asked<FinderRequest>): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise<T>((resolve, reject) => {
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve: resolve as (value: never) => void, reject });
      this.#worker.postMessage({ ...request, id: this.#lastId });
    });
  }

  wake(): void {
    this.#worker.postMessage({ op: 'wake' } satisfies IndexerRequest);
  }

  async close(): Promise<void> {
    if (!this.#dead) {
      await this.ready.catch(() => {});
      await this.ask({ op: 'close' }).catch(() => {});
      this.#dead = new ThreadError('the search is closed', false);
    }
    await this.#worker.terminate();
  }
}

export class SqliteSearch implements Search {
  readonly #options: SqliteSearchOptions;
  #indexer: Promise<Thread>;
  /** Started by the first search. */
  #finder: Promise<Thread> | null = null;
  #closed = false;
  #woken = false;
  #restart: NodeJS.Timeout | null = null;

  constructor(options: SqliteSearchOptions) {
    this.#options = options;
    this.#indexer = this.#startIndexer();
  }

  async find(request: SearchRequest): Promise<Answer<FoundPage>> {
    const { limits } = this.#options;
    const problem = requestProblem(request, limits);
    if (problem) return refuse('invalid', { fields: [problem] });
    const cursor = request.cursor === undefined ? null : decodeCursor(request.cursor, request);
    if (request.cursor !== undefined && !cursor) {
      return refuse('invalid', {
        fields: [{ path: '/next', message: 'is not the cursor of a page of this search' }],
      });
    }
    const asked = { op: 'find' as const, request, cursor };
    let found: FoundRows | null;
    try {
      found = await (await this.#findingThread()).ask<FoundRows | null>(asked);
    } catch (error) {
      if (!(error instanceof ThreadError) || !error.corrupt || this.#closed) throw error;
      await this.#renew(error);
      found = await (await this.#findingThread()).ask<FoundRows | null>(asked);
    }
    if (!found) return refuse('not_found');
    return { ok: true, value: { hits: found.hits, next: found.next && encodeCursor(found.next, request) } };
  }

  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    // Once a turn at most, however many batches are committed in it.
    setImmediate(() => {
      this.#woken = false;
      this.#indexer.then(
        (thread) => thread.wake(),
        () => {},
      );
    });
  }

  async settled(): Promise<void> {
    await (await this.#indexer).ask({ op: 'settle' });
  }

  async state(): Promise<SearchState> {
    return (await this.#indexer).ask<SearchState>({ op: 'state' });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#restart) clearTimeout(this.#restart);
    const threads = await Promise.allSettled([this.#finder, this.#indexer]);
    for (const thread of threads) if (thread.status === 'fulfilled') await thread.value?.close();
  }

  async #startIndexer(): Promise<Thread> {
    const { file, storeFile, followMs = FOLLOW_MS, limits, onTrouble } = this.#options;
    const thread = new Thread(
      { role: 'indexer', file, storeFile, followMs, scrubMs: limits.SEARCH_FORGET_SECONDS * 1_000 },
      (why) => onTrouble(`the search index is made anew: ${why}`),
      (error) => {
        if (this.#closed) return;
        onTrouble(`the search index stopped following the log: ${error.message}`);
        this.#restart = setTimeout(() => void this.#renew(error), RESTART_MS);
      },
    );
    await thread.ready;
    return thread;
  }

  #findingThread(): Promise<Thread> {
    if (this.#closed) return Promise.reject(new ThreadError('the search is closed', false));
    this.#finder ??= this.#indexer.then(async () => {
      const { file, storeFile, limits } = this.#options;
      const thread = new Thread(
        {
          role: 'finder',
          file,
          storeFile,
          limits: { expansions: limits.SEARCH_EXPANSIONS_MAX, rows: limits.SEARCH_ROWS_MAX },
        },
        () => {},
        () => {
          this.#finder = null;
        },
      );
      await thread.ready;
      return thread;
    });
    this.#finder.catch(() => {
      this.#finder = null;
    });
    return this.#finder;
  }

  /** Starts the threads again, and with a corrupt file an index from nothing. */
  async #renew(cause: ThreadError): Promise<void> {
    const threads = await Promise.allSettled([this.#finder, this.#indexer]);
    if (this.#closed) return;
    this.#finder = null;
    this.#indexer = (async () => {
      for (const thread of threads) if (thread.status === 'fulfilled') await thread.value?.close();
      if (cause.corrupt) {
        this.#options.onTrouble(`the search index is made anew: ${cause.message}`);
        for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.#options.file}${suffix}`, { force: true });
      }
      return this.#startIndexer();
    })();
    this.#indexer.catch(() => {});
    await this.#indexer.then(
      () => this.wake(),
      () => {},
    );
  }
}

/** Members are named as they are on the wire. */
function requestProblem(request: SearchRequest, limits: Limits): { path: string; message: string } | null {
  const { text, limit } = request;
  const problem = textProblem(text, limits.SEARCH_TEXT_MAX);
  if (problem) return { path: '/q', message: problem };
  if (codePoints(text) > limits.SEARCH_TEXT_MAX) {
    return { path: '/q', message: `must be at most ${limits.SEARCH_TEXT_MAX} characters` };
  }
  if (termsOf(text, request.mode === 'substring').length === 0)
    return { path: '/q', message: 'has nothing to search for' };
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > limits.PAGE_MAX) {
    return { path: '/limit', message: `must be a whole number from 1 to ${limits.PAGE_MAX}` };
  }
  return null;
}

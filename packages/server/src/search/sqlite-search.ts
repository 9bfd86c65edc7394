/** The search of the embedded store: starts its threads, brings them back when one fails, and speaks the port. */
import { rmSync } from 'node:fs';
import { type Answer, refuse } from '../core/actor.js';
import type { Limits } from '../limits.js';
import { BUILT } from '../places.js';
import type { FoundRows } from './plan.js';
import { decodeCursor, encodeCursor, requestProblem } from './query.js';
import type { FoundPage, Search, SearchRequest, SearchState } from './search.js';
import type { SearchWorkerData } from './sqlite-search-worker.js';
import { Thread, ThreadError } from './thread.js';

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
const WORKER = new URL('search/sqlite-search-worker.js', BUILT);

export class SqliteSearch implements Search {
  readonly #options: SqliteSearchOptions;
  #indexer: Promise<Thread>;
  /** Started by the first search. */
  #finder: Promise<Thread> | null = null;
  #closed = false;
  #woken = false;
  /** The index is not woken again before this. */
  #wakeAt = 0;
  #waking: NodeJS.Timeout | null = null;
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
    // The index looks no sooner again anyway: to be woken for each batch would only cost both threads their time.
    const wait = this.#wakeAt - performance.now();
    if (wait > 0) this.#waking = setTimeout(() => this.#wakeNow(), wait);
    else setImmediate(() => this.#wakeNow());
  }

  #wakeNow(): void {
    this.#woken = false;
    if (this.#closed) return;
    this.#wakeAt = performance.now() + (this.#options.followMs ?? FOLLOW_MS);
    this.#indexer.then(
      (thread) => thread.wake(),
      () => {},
    );
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
    if (this.#waking) clearTimeout(this.#waking);
    const threads = await Promise.allSettled([this.#finder, this.#indexer]);
    for (const thread of threads) if (thread.status === 'fulfilled') await thread.value?.close();
  }

  async #startIndexer(): Promise<Thread> {
    const { file, storeFile, followMs = FOLLOW_MS, limits, onTrouble } = this.#options;
    const scrubMs = limits.SEARCH_FORGET_SECONDS * 1_000;
    const thread = new Thread({
      file: WORKER,
      name: 'search-indexer',
      data: { role: 'indexer', file, storeFile, followMs, scrubMs } satisfies SearchWorkerData,
      onTrouble,
      onFailed: (error) => {
        if (this.#closed) return;
        onTrouble(`the search index stopped following the log: ${error.message}`);
        this.#restart = setTimeout(() => void this.#renew(error), RESTART_MS);
      },
    });
    await thread.ready;
    return thread;
  }

  #findingThread(): Promise<Thread> {
    if (this.#closed) return Promise.reject(new ThreadError('the search is closed', false));
    this.#finder ??= this.#indexer.then(async () => {
      const { file, storeFile, limits, onTrouble } = this.#options;
      const finderLimits = { expansions: limits.SEARCH_EXPANSIONS_MAX, rows: limits.SEARCH_ROWS_MAX };
      const thread = new Thread({
        file: WORKER,
        name: 'search-finder',
        data: { role: 'finder', file, storeFile, limits: finderLimits } satisfies SearchWorkerData,
        onTrouble,
        onFailed: () => {
          this.#finder = null;
        },
      });
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

/** The search on PostgreSQL: its thread, and the port. */
import { type Answer, refuse } from '../core/actor.js';
import type { Limits } from '../limits.js';
import { BUILT } from '../places.js';
import type { PostgresOptions } from '../postgres/connection.js';
import type { FoundRows } from './plan.js';
import type { PostgresSearchData } from './postgres-search-worker.js';
import { decodeCursor, encodeCursor, requestProblem } from './query.js';
import type { FoundPage, Search, SearchRequest, SearchState } from './search.js';
import { Thread } from './thread.js';

/** Connections that it opens: one follows the log, one answers, one is asked how far it is. */
export const SEARCH_CONNECTIONS = 3;

export interface PostgresSearchOptions {
  database: PostgresOptions;
  limits: Limits;
  /** Hears of an index that is made anew, and of one that can't follow. */
  onTrouble: (message: string) => void;
  /** Pause between two looks at a busy log. */
  followMs?: number;
}

const FOLLOW_MS = 50;
const RESTART_MS = 1_000;

export class PostgresSearch implements Search {
  readonly #options: PostgresSearchOptions;
  #thread: Thread;
  #closed = false;
  #woken = false;
  #restart: NodeJS.Timeout | null = null;

  constructor(options: PostgresSearchOptions) {
    this.#options = options;
    this.#thread = this.#start();
  }

  async find(request: SearchRequest): Promise<Answer<FoundPage>> {
    const problem = requestProblem(request, this.#options.limits);
    if (problem) return refuse('invalid', { fields: [problem] });
    const cursor = request.cursor === undefined ? null : decodeCursor(request.cursor, request);
    if (request.cursor !== undefined && !cursor) {
      return refuse('invalid', { fields: [{ path: '/next', message: 'is not the cursor of a page of this search' }] });
    }
    const found = await this.#thread.ask<FoundRows | null>({ op: 'find', request, cursor });
    if (!found) return refuse('not_found');
    return { ok: true, value: { hits: found.hits, next: found.next && encodeCursor(found.next, request) } };
  }

  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    // Once a turn at most, however many batches are committed in it.
    setImmediate(() => {
      this.#woken = false;
      this.#thread.wake();
    });
  }

  settled(): Promise<void> {
    return this.#thread.ask({ op: 'settle' });
  }

  state(): Promise<SearchState> {
    return this.#thread.ask({ op: 'state' });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#restart) clearTimeout(this.#restart);
    await this.#thread.close();
  }

  #start(): Thread {
    const { database, limits, followMs = FOLLOW_MS, onTrouble } = this.#options;
    return new Thread({
      file: new URL('search/postgres-search-worker.js', BUILT),
      name: 'search',
      data: {
        database,
        limits: { expansions: limits.SEARCH_EXPANSIONS_MAX, rows: limits.SEARCH_ROWS_MAX },
        followMs,
        scrubMs: limits.SEARCH_FORGET_SECONDS * 1_000,
      } satisfies PostgresSearchData,
      onTrouble,
      onFailed: (error) => {
        if (this.#closed) return;
        onTrouble(`the search stopped: ${error.message}`);
        this.#restart = setTimeout(() => {
          this.#thread = this.#start();
        }, RESTART_MS);
      },
    });
  }
}

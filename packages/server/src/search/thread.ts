/** A worker thread of a search, and how it is spoken to: requests with an id are answered, and it may speak by itself. */
import { Worker } from 'node:worker_threads';
import type { Cursor } from './query.js';
import type { SearchRequest } from './search.js';

export type IndexerRequest = { op: 'wake' } | { id: number; op: 'settle' | 'state' | 'close' };
export type FinderRequest =
  | { id: number; op: 'find'; request: SearchRequest; cursor: Cursor | null }
  | { id: number; op: 'close' };

export type SearchResponse =
  | { id: number; ok: true; value: unknown }
  | { id: number; ok: false; message: string; corrupt: boolean }
  /** Something that whoever runs the server should know: the index is made anew, the database is away. */
  | { id: null; trouble: string }
  /** The thread can't go on. */
  | { id: null; failed: string; corrupt: boolean };

type Asked<T> = T extends { id: number } ? Omit<T, 'id'> : never;

export class ThreadError extends Error {
  constructor(
    message: string,
    readonly corrupt: boolean,
  ) {
    super(message);
    this.name = 'ThreadError';
  }
}

export interface ThreadOptions {
  file: URL;
  name: string;
  data: unknown;
  onTrouble(message: string): void;
  /** It will answer nothing any more. */
  onFailed(error: ThreadError): void;
}

export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #dead: ThreadError | null = null;
  readonly ready: Promise<void>;

  constructor({ file, name, data, onTrouble, onFailed }: ThreadOptions) {
    this.#worker = new Worker(file, { workerData: data, name });
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
        if ('trouble' in response) onTrouble(response.trouble);
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

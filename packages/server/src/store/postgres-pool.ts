/** The connections of a node to PostgreSQL: some that are shared by reads, pipelined; some that are had alone, by transactions. */
import type { Epoch } from '@natter/protocol';
import { isLost, PostgresConnection, type PostgresOptions } from '../postgres/connection.js';
import type { Param, Row } from './steps.js';
import { StoreError } from './store.js';

/** Connections that are had alone. The log commits one batch after the other; beside it there are jobs and sessions. */
const WRITERS_MAX = 3;
/** A read that found its connection gone is asked once more: reads do no harm. */
const READ_ATTEMPTS = 2;

const OUTLIVED =
  'the database was restored, and another life of the log has begun: this node has to begin anew with it';

interface Reader {
  opening: Promise<PostgresConnection>;
  waiting: number;
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError((error as Error).message, false, { cause: error });
}

export class PostgresPool {
  readonly #options: PostgresOptions;
  readonly #epoch: Epoch;
  readonly #readers = new Set<Reader>();
  readonly #idle: PostgresConnection[] = [];
  readonly #queue: (() => void)[] = [];
  readonly #onOutlived: () => void;
  #writers = 0;
  #closed = false;
  /** What this node remembers is of a former life of the log. */
  #outlived = false;

  /** `onOutlived`: once another life of the log was found in the database; nothing is read or written here from then on. */
  constructor(options: PostgresOptions, epoch: Epoch, onOutlived: () => void) {
    this.#options = options;
    this.#epoch = epoch;
    this.#onOutlived = onOutlived;
  }

  /** Rows of a select. `once`: planned for these parameters alone. */
  async read(sql: string, params: readonly Param[], once = false): Promise<Row[]> {
    for (let attempt = 1; ; attempt += 1) {
      const reader = this.#reader();
      reader.waiting += 1;
      try {
        return (await (await reader.opening).query(sql, params, once)).rows;
      } catch (error) {
        if (attempt === READ_ATTEMPTS || this.#ended || !isLost(error)) throw asStoreError(error);
      } finally {
        reader.waiting -= 1;
      }
    }
  }

  /** A connection to have alone: it is given back, or dropped. */
  async take(): Promise<PostgresConnection> {
    for (;;) {
      this.#assertGoing();
      const idle = this.#idle.pop();
      if (idle && !idle.lost) return idle;
      if (idle) this.#writers -= 1;
      else if (this.#writers < WRITERS_MAX) return this.#openWriter();
      else await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
  }

  give(connection: PostgresConnection): void {
    if (connection.lost || this.#ended) {
      this.drop(connection);
      return;
    }
    this.#idle.push(connection);
    this.#queue.shift()?.();
  }

  drop(connection: PostgresConnection): void {
    connection.destroy();
    this.#writers -= 1;
    this.#queue.shift()?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#queue.splice(0)) wake();
    const readers = [...this.#readers].map(async ({ opening }) => (await opening).close());
    await Promise.allSettled([...readers, ...this.#idle.splice(0).map((connection) => connection.close())]);
  }

  async #openWriter(): Promise<PostgresConnection> {
    this.#writers += 1;
    try {
      return await this.#open('writer');
    } catch (error) {
      this.#writers -= 1;
      this.#queue.shift()?.();
      throw asStoreError(error);
    }
  }

  get #ended(): boolean {
    return this.#closed || this.#outlived;
  }

  #assertGoing(): void {
    if (this.#closed) throw new StoreError('the store is closed', false);
    if (this.#outlived) throw new StoreError(OUTLIVED, false);
  }

  /**
   * While the database was away it may have been restored, and a node that remembers the former life must not write to this
   * one, nor read of it. Asked with each new connection: a restore is refused while a node has any.
   */
  async #open(role: 'writer' | 'reader'): Promise<PostgresConnection> {
    const connection = await PostgresConnection.open(this.#options, role);
    try {
      const { rows } = await connection.query(`select value from meta where key = 'epoch'`);
      if (Number(rows[0]?.value) === this.#epoch) return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
    connection.destroy();
    if (!this.#outlived) {
      this.#outlived = true;
      for (const wake of this.#queue.splice(0)) wake();
      this.#onOutlived();
    }
    throw new StoreError(OUTLIVED, false);
  }

  /** The one with the least to do; another one, as long as all have something to do. */
  #reader(): Reader {
    this.#assertGoing();
    let best: Reader | null = null;
    for (const reader of this.#readers) if (!best || reader.waiting < best.waiting) best = reader;
    const most = Math.max(1, this.#options.connections - WRITERS_MAX);
    if (best && (best.waiting === 0 || this.#readers.size >= most)) return best;
    const opening = this.#open('reader');
    const reader: Reader = { opening, waiting: 0 };
    this.#readers.add(reader);
    opening.then(
      (connection) => connection.onLost(() => this.#readers.delete(reader)),
      () => this.#readers.delete(reader),
    );
    return reader;
  }
}

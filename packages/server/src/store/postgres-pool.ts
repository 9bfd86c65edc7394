/** The connections of a node to PostgreSQL: some that are shared by reads, pipelined; some that are had alone, by transactions. */
import type { Epoch } from '@natter/protocol';
import { isLost, PostgresConnection, type PostgresOptions } from '../postgres/connection.js';
import type { Param, Row } from './steps.js';
import { StoreError } from './store.js';

/** Connections that are had alone. The log commits one batch after the other; beside it there are jobs and sessions. */
const WRITERS_MAX = 3;
/** A read that found its connection gone is asked once more: reads do no harm. */
const READ_ATTEMPTS = 2;

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
  #writers = 0;
  #closed = false;

  constructor(options: PostgresOptions, epoch: Epoch) {
    this.#options = options;
    this.#epoch = epoch;
  }

  /** Rows of a select. `once`: planned for these parameters alone. */
  async read(sql: string, params: readonly Param[], once = false): Promise<Row[]> {
    for (let attempt = 1; ; attempt += 1) {
      const reader = this.#reader();
      reader.waiting += 1;
      try {
        return (await (await reader.opening).query(sql, params, once)).rows;
      } catch (error) {
        if (attempt === READ_ATTEMPTS || this.#closed || !isLost(error)) throw asStoreError(error);
      } finally {
        reader.waiting -= 1;
      }
    }
  }

  /** A connection to have alone: it is given back, or dropped. */
  async take(): Promise<PostgresConnection> {
    for (;;) {
      if (this.#closed) throw new StoreError('the store is closed', false);
      const idle = this.#idle.pop();
      if (idle && !idle.lost) return idle;
      if (idle) this.#writers -= 1;
      else if (this.#writers < WRITERS_MAX) return this.#openWriter();
      else await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
  }

  give(connection: PostgresConnection): void {
    if (connection.lost || this.#closed) {
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
      const connection = await PostgresConnection.open(this.#options, 'writer');
      await this.#assertEpoch(connection);
      return connection;
    } catch (error) {
      this.#writers -= 1;
      this.#queue.shift()?.();
      throw asStoreError(error);
    }
  }

  /** While the database was away it may have been restored: a node that remembers the former life must not write to this one. */
  async #assertEpoch(connection: PostgresConnection): Promise<void> {
    try {
      const { rows } = await connection.query(`select value from meta where key = 'epoch'`);
      if (Number(rows[0]?.value) === this.#epoch) return;
      throw new StoreError(
        'the database was restored, and another life of the log has begun: start this node anew',
        false,
      );
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** The one with the least to do; another one, as long as all have something to do. */
  #reader(): Reader {
    if (this.#closed) throw new StoreError('the store is closed', false);
    let best: Reader | null = null;
    for (const reader of this.#readers) if (!best || reader.waiting < best.waiting) best = reader;
    const most = Math.max(1, this.#options.connections - WRITERS_MAX);
    if (best && (best.waiting === 0 || this.#readers.size >= most)) return best;
    const opening = PostgresConnection.open(this.#options, 'reader');
    const reader: Reader = { opening, waiting: 0 };
    this.#readers.add(reader);
    opening.then(
      (connection) => connection.onLost(() => this.#readers.delete(reader)),
      () => this.#readers.delete(reader),
    );
    return reader;
  }
}

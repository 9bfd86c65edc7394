/** The embedded store: SQLite in worker threads, one that writes and others that read, off the event loop. */
import { Worker } from 'node:worker_threads';
import type { Epoch, Seq, StreamId } from '@natter/protocol';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { BUILT } from '../places.js';
import { ReadDriver } from './read-driver.js';
import { lengthen, type ShortOutcomes } from './sqlite-outcomes.js';
import type { SqliteRequest } from './sqlite-requests.js';
import type { SqliteResponse, SqliteWorkerData } from './sqlite-worker.js';
import type { Param, Row } from './steps.js';
import {
  type Entry,
  type Head,
  type Job,
  type Outcome,
  type Store,
  type StoredEvent,
  StoreError,
  toEvent,
} from './store.js';
import type { Tables } from './tables.js';

/** Where a connection is asked: a worker thread, or a stand-in whose every step a test decides. Answers come in order. */
export interface SqliteThread {
  ask<T>(request: SqliteRequest): Promise<T>;
  close(): Promise<void>;
}

/** A worker thread with a connection. Both sides speak JSON: cloning the same objects costs them half as much again. */
class Thread implements SqliteThread {
  readonly #worker: Worker;
  /**
   * Answers come in the order of the questions. A map by id would keep garbage: when one grows or shrinks, what it was
   * before stays linked to what it becomes, and old answers are kept alive by it until the next full collection.
   */
  readonly #waiting: { resolve: (value: never) => void; reject: (error: Error) => void }[] = [];
  #dead: Error | null = null;
  readonly ready: Promise<void>;

  constructor(data: SqliteWorkerData) {
    this.#worker = new Worker(new URL('store/sqlite-worker.js', BUILT), {
      workerData: data,
      name: `sqlite-${data.role}`,
    });
    this.ready = new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as () => void, reject });
    });
    this.#worker.on('message', (text: string) => {
      const response = JSON.parse(text) as SqliteResponse;
      const waiting = this.#waiting.shift();
      if (response.ok) waiting?.resolve(response.value as never);
      else waiting?.reject(new StoreError(response.message, response.unknown));
    });
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the database thread ended with code ${code}`)));
  }

  ask<T>(request: SqliteRequest): Promise<T> {
    if (this.#dead) return Promise.reject(new StoreError(this.#dead.message, false, { cause: this.#dead }));
    return new Promise<T>((resolve, reject) => {
      const settle = resolve as (value: unknown) => void;
      this.#waiting.push({
        resolve: request.op === 'commit' ? (short: ShortOutcomes) => settle(lengthen(request.batch, short)) : settle,
        reject,
      });
      this.#worker.postMessage(JSON.stringify(request));
    });
  }

  async close(): Promise<void> {
    if (!this.#dead) await this.ask({ op: 'close' });
    await this.#worker.terminate();
  }

  /** A thread that died may have committed what it did not answer: that can't be told from here. */
  #fail(error: Error): void {
    this.#dead ??= error;
    for (const waiting of this.#waiting.splice(0))
      waiting.reject(new StoreError(error.message, true, { cause: error }));
  }
}

export interface SqliteOptions {
  file: string;
  readers: number;
}

export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const writer = new Thread({ file: options.file, role: 'writer' });
  await writer.ready;
  const readers = Array.from({ length: options.readers }, () => new Thread({ file: options.file, role: 'reader' }));
  await Promise.all(readers.map((reader) => reader.ready));
  return openStoreOver(writer, readers);
}

export async function openStoreOver(writer: SqliteThread, readers: readonly SqliteThread[]): Promise<Store> {
  const [epoch] = await writer.ask<Row[]>({
    op: 'query',
    sql: `select value from meta where key = 'epoch'`,
    params: [],
  });
  const [last] = await writer.ask<Row[]>({
    op: 'query',
    sql: 'select coalesce(max(id), 0) as id from streams',
    params: [],
  });
  return new SqliteStore(writer, readers, Number(epoch?.value), Number(last?.id));
}

const SELECT_EVENTS =
  'select id, stream, seq, type, actor, at, body from events where stream = ? and seq > ? order by seq limit ?';

class SqliteStore implements Store {
  readonly driver = 'sqlite';
  readonly commitsInOrder = true;
  readonly db: Kysely<Tables>;
  readonly epoch: Epoch;
  /** Never: nobody else writes to the file while it is open. */
  readonly outlived = new Promise<void>(() => {});
  readonly #writer: SqliteThread;
  readonly #readers: readonly SqliteThread[];
  #turn = 0;
  #lastStream: StreamId;

  constructor(writer: SqliteThread, readers: readonly SqliteThread[], epoch: Epoch, lastStream: StreamId) {
    this.#writer = writer;
    this.#readers = readers;
    this.epoch = epoch;
    this.#lastStream = lastStream;
    this.db = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new ReadDriver((sql, params) => this.#read(sql, params)),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    });
  }

  commit(batch: readonly Entry[]): Promise<Outcome[]> {
    return this.#writer.ask({ op: 'commit', batch });
  }

  async events(stream: StreamId, after: Seq, limit: number): Promise<StoredEvent[]> {
    return (await this.#read(SELECT_EVENTS, [stream, after, limit])).map(toEvent);
  }

  async heads(streams: readonly StreamId[]): Promise<Map<StreamId, Head>> {
    const rows = await this.#read(
      'select s.id, s.head, s.version from json_each(?) wanted join streams s on s.id = wanted.value',
      [JSON.stringify(streams)],
    );
    return new Map(rows.map((row) => [Number(row.id), { seq: Number(row.head), version: Number(row.version) }]));
  }

  // A data folder has one owner, so ids can be counted here; what was given and not used is a gap.
  async reserveStreams(count: number): Promise<StreamId> {
    const first = this.#lastStream + 1;
    this.#lastStream += count;
    return first;
  }

  async rotateSession(session: string, from: string, to: string, at: number, expiresAt: number): Promise<boolean> {
    const changed = await this.#write(
      'update sessions set refresh_hash = ?, last_used_at = ?, expires_at = ? where id = ? and refresh_hash = ?',
      [[to, at, expiresAt, session, from]],
    );
    return changed === 1;
  }

  async touchUsers(rows: readonly { user: number; at: number }[]): Promise<void> {
    await this.#write(
      `update users set last_seen_at = ? where id = ? and status != 'deleted' and (last_seen_at is null or last_seen_at < ?)`,
      rows.map(({ user, at }) => [at, user, at]),
    );
  }

  async dueJobs(now: number, limit: number): Promise<Job[]> {
    const rows = await this.#read(
      'select id, kind, subject, attempts from jobs where run_at <= ? order by id limit ?',
      [now, limit],
    );
    return rows.map((row) => ({
      id: Number(row.id),
      kind: row.kind as Job['kind'],
      subject: Number(row.subject),
      attempts: Number(row.attempts),
    }));
  }

  purgeRoom(room: StreamId, limit: number): Promise<boolean> {
    return this.#writer.ask({ op: 'purge', room, limit });
  }

  async holdJob(id: number, due: number, until: number): Promise<boolean> {
    return (await this.#write('update jobs set run_at = ? where id = ? and run_at <= ?', [[until, id, due]])) === 1;
  }

  async finishJob(id: number): Promise<void> {
    await this.#write('delete from jobs where id = ?', [[id]]);
  }

  async retryJob(id: number, runAt: number): Promise<void> {
    await this.#write('update jobs set attempts = attempts + 1, run_at = ? where id = ?', [[runAt, id]]);
  }

  async check(): Promise<void> {
    await Promise.all(
      [this.#writer, ...this.#readers].map((thread) => thread.ask({ op: 'query', sql: 'select 1', params: [] })),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await this.#writer.close();
  }

  /** Readers take turns; they see what was committed before they were asked. */
  #read(sql: string, params: readonly Param[]): Promise<Row[]> {
    this.#turn = (this.#turn + 1) % this.#readers.length;
    const thread = this.#readers[this.#turn] ?? this.#writer;
    return thread.ask({ op: 'query', sql, params });
  }

  async #write(sql: string, params: readonly (readonly Param[])[]): Promise<number> {
    if (params.length === 0) return 0;
    const [changed] = await this.#writer.ask<number[]>({ op: 'write', steps: [{ kind: 'write', sql, params }] });
    return changed ?? 0;
  }
}

/** The store on a PostgreSQL server, which several nodes share. */
import type { Epoch, Seq, StreamId } from '@natter/protocol';
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import { arrayOf } from '../postgres/arrays.js';
import { codeOf, PostgresConnection, type PostgresOptions } from '../postgres/connection.js';
import { commitBatch } from './commit.js';
import { PostgresPool } from './postgres-pool.js';
import { migratePostgres } from './postgres-schema.js';
import type { ColumnTypes } from './postgres-steps.js';
import { transact } from './postgres-transaction.js';
import { purgeMessages, purgeNames } from './purge.js';
import { ReadDriver } from './read-driver.js';
import type { Param } from './steps.js';
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

/** Others may be in the way of a transaction, or its connection gone before its end was asked for: nothing is left of it, and it is tried again. */
const ATTEMPTS = 5;

export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const migrator = await PostgresConnection.open(options, 'migrator');
  let columns: ColumnTypes;
  let epoch: Epoch;
  try {
    columns = await migratePostgres(migrator);
    const { rows } = await migrator.query(`select value from meta where key = 'epoch'`);
    epoch = Number(rows[0]?.value);
  } finally {
    migrator.destroy();
  }
  return new PostgresStore(options, columns, epoch);
}

const SELECT_EVENTS =
  'select id, stream, seq, type, actor, at, body from events where stream = $1 and seq > $2 order by seq limit $3';

class PostgresStore implements Store {
  readonly driver = 'postgres';
  readonly commitsInOrder = false;
  readonly db: Kysely<Tables>;
  readonly epoch: Epoch;
  readonly outlived: Promise<void>;
  readonly #pool: PostgresPool;
  readonly #columns: ColumnTypes;
  readonly #patienceMs: number;

  constructor(options: PostgresOptions, columns: ColumnTypes, epoch: Epoch) {
    let onOutlived = (): void => {};
    this.outlived = new Promise((resolve) => {
      onOutlived = resolve;
    });
    const pool = new PostgresPool(options, epoch, () => onOutlived());
    this.#pool = pool;
    this.#patienceMs = options.statementSeconds * 1_000;
    this.#columns = columns;
    this.epoch = epoch;
    this.db = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new ReadDriver((sql, params) => pool.read(sql, params)),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    });
  }

  commit(batch: readonly Entry[]): Promise<Outcome[]> {
    return this.#alone((connection) => transact(connection, commitBatch(batch), this.#columns));
  }

  async events(stream: StreamId, after: Seq, limit: number): Promise<StoredEvent[]> {
    return (await this.#pool.read(SELECT_EVENTS, [stream, after, limit])).map(toEvent);
  }

  async heads(streams: readonly StreamId[]): Promise<Map<StreamId, Head>> {
    const rows = await this.#pool.read('select id, head, version from streams where id = any($1::bigint[])', [
      arrayOf(streams),
    ]);
    return new Map(rows.map((row) => [Number(row.id), { seq: Number(row.head), version: Number(row.version) }]));
  }

  /** Others take ids too: until it is one run, what was taken is a gap. */
  async reserveStreams(count: number): Promise<StreamId> {
    for (;;) {
      const { rows } = await this.#run(`select nextval('stream_ids') as id from generate_series(1, $1)`, [count]);
      const first = Number(rows[0]?.id);
      if (Number(rows.at(-1)?.id) === first + count - 1) return first;
    }
  }

  async rotateSession(session: string, from: string, to: string, at: number, expiresAt: number): Promise<boolean> {
    const { changed } = await this.#run(
      'update sessions set refresh_hash = $1, last_used_at = $2, expires_at = $3 where id = $4 and refresh_hash = $5',
      [to, at, expiresAt, session, from],
    );
    return changed === 1;
  }

  async touchUsers(rows: readonly { user: number; at: number }[]): Promise<void> {
    if (rows.length === 0) return;
    const latest = new Map<number, number>();
    for (const { user, at } of rows) latest.set(user, Math.max(at, latest.get(user) ?? 0));
    const sorted = [...latest].sort(([one], [other]) => one - other);
    await this.#run(
      `update users set last_seen_at = p.at from unnest($1::bigint[], $2::bigint[]) as p(id, at)
       where users.id = p.id and status != 'deleted' and (last_seen_at is null or last_seen_at < p.at)`,
      [arrayOf(sorted.map(([user]) => user)), arrayOf(sorted.map(([, at]) => at))],
    );
  }

  async dueJobs(now: number, limit: number): Promise<Job[]> {
    const rows = await this.#pool.read(
      'select id, kind, subject, attempts from jobs where run_at <= $1 order by id limit $2',
      [now, limit],
    );
    return rows.map((row) => ({
      id: Number(row.id),
      kind: row.kind as Job['kind'],
      subject: Number(row.subject),
      attempts: Number(row.attempts),
    }));
  }

  async purgeRoom(room: StreamId, limit: number): Promise<boolean> {
    const done = await this.#alone((connection) => transact(connection, purgeMessages(room, limit), this.#columns));
    if (done) await this.#alone((connection) => transact(connection, purgeNames(room), this.#columns));
    return done;
  }

  async holdJob(id: number, due: number, until: number): Promise<boolean> {
    const { changed } = await this.#run('update jobs set run_at = $1 where id = $2 and run_at <= $3', [until, id, due]);
    return changed === 1;
  }

  async finishJob(id: number): Promise<void> {
    await this.#run('delete from jobs where id = $1', [id]);
  }

  async retryJob(id: number, runAt: number): Promise<void> {
    await this.#run('update jobs set attempts = attempts + 1, run_at = $1 where id = $2', [runAt, id]);
  }

  async check(): Promise<void> {
    await Promise.all([this.#run('select 1', []), this.#pool.read('select 1', [])]);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #run(sql: string, params: readonly Param[]) {
    return this.#alone((connection) => connection.query(sql, params));
  }

  /** Does something on a connection that nobody else uses meanwhile, again where that is safe and may help. */
  async #alone<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const started = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#pool.take();
      try {
        const value = await work(connection);
        this.#pool.give(connection);
        return value;
      } catch (error) {
        const { lost } = connection;
        this.#pool.drop(connection);
        // A connection that can't be had, or an end of which nothing is known: whoever asked has to know.
        if (error instanceof StoreError) throw error;
        const late = performance.now() - started > this.#patienceMs;
        if (attempt === ATTEMPTS || late || !(lost || isPassing(error))) {
          throw new StoreError((error as Error).message, false, { cause: error });
        }
      }
    }
  }
}

/** Somebody else was in the way, by row or by key. */
function isPassing(error: unknown): boolean {
  switch (codeOf(error)) {
    case '40001':
    case '40P01':
      return true;
    case '23505':
      // Another node took the key or the claim meanwhile: now it is seen. Anything else that is there twice is a bug.
      return ['keys', 'claims'].includes((error as { table?: string }).table ?? '');
    default:
      return false;
  }
}

/** A database on PostgreSQL that is copied whole, or filled. */
import { PostgresConnection, type PostgresOptions } from '../postgres/connection.js';
import {
  COPY_TABLE,
  CopyError,
  HOW_TO_EMPTY,
  keyOf,
  type Origin,
  orderBy,
  type Place,
  type Source,
  TABLE_KEYS,
  type TableName,
  type Target,
  whereKey,
} from './copying.js';
import { applyMigrations, dropMade, openAlone } from './postgres-schema.js';
import { type ColumnTypes, writeStatements } from './postgres-steps.js';
import type { Param, Row } from './steps.js';

const dollar = (at: number): string => `$${at + 1}`;

export class PostgresSource implements Source {
  readonly migrations: readonly string[];
  readonly #connection: PostgresConnection;

  private constructor(connection: PostgresConnection, migrations: readonly string[]) {
    this.#connection = connection;
    this.migrations = migrations;
  }

  /** `alone`: only while no node runs, and none starts before it is closed. Else beside them. */
  static async open(options: PostgresOptions, alone: boolean): Promise<PostgresSource> {
    const connection = await (alone ? openAlone(options) : PostgresConnection.open(options, 'copier'));
    try {
      await connection.query('begin isolation level repeatable read read only', [], true);
      const { rows: there } = await connection.query(`select 1 where to_regclass('schema_migrations') is not null`);
      if (there.length === 0) throw new CopyError('the database is no store of Natter');
      const { rows } = await connection.query('select name from schema_migrations order by name');
      return new PostgresSource(
        connection,
        rows.map((row) => String(row.name)),
      );
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async count(table: TableName, to: Place = null): Promise<number> {
    const sql = `select count(*) as count from ${table}${whereKey(table, '<=', to, dollar)}`;
    return Number((await this.#connection.query(sql, to ?? [])).rows[0]?.count);
  }

  async bytes(): Promise<number> {
    const sizes = TABLE_KEYS.map(([table]) => `pg_total_relation_size('${table}')`);
    return Number((await this.#connection.query(`select ${sizes.join(' + ')} as bytes`)).rows[0]?.bytes);
  }

  async lastEvent(): Promise<number> {
    return Number((await this.#connection.query('select coalesce(max(id), 0) as id from events')).rows[0]?.id);
  }

  async read(table: TableName, after: Place, limit: number): Promise<Row[]> {
    const params: Param[] = [...(after ?? []), limit];
    const sql = `select * from ${table}${whereKey(table, '>', after, dollar)}${orderBy(table)} limit $${params.length}`;
    return (await this.#connection.query(sql, params)).rows;
  }

  close(): Promise<void> {
    return end(this.#connection);
  }
}

export class PostgresTarget implements Target {
  readonly begun: { table: TableName; place: Place } | null;
  readonly #options: PostgresOptions;
  readonly #connection: PostgresConnection;
  readonly #columns: ColumnTypes;

  private constructor(
    options: PostgresOptions,
    connection: PostgresConnection,
    columns: ColumnTypes,
    begun: PostgresTarget['begun'],
  ) {
    this.#options = options;
    this.#connection = connection;
    this.#columns = columns;
    this.begun = begun;
  }

  /** Takes a database that is empty, or that a copy of the same origin was begun into; `replace` empties it. Nobody comes in between. */
  static async open(options: PostgresOptions, origin: Origin, replace: boolean): Promise<PostgresTarget> {
    const connection = await openAlone(options);
    try {
      if (replace) await dropMade(connection);
      const columns = await applyMigrations(connection);
      // Should the machine fail, the last rows are missing together with the note that they are there. The end is durable.
      await connection.script('set synchronous_commit = off');
      const begun = await begin(connection, JSON.stringify(origin));
      return new PostgresTarget(options, connection, columns, begun);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async write(table: TableName, rows: readonly Row[]): Promise<void> {
    const last = rows.at(-1);
    if (!last) return;
    const columns = Object.keys(last);
    const values = rows.map((row) => columns.map((column) => row[column] as Param));
    const statements = writeStatements({ kind: 'insert', table, columns, rows: values }, this.#columns);
    await this.#connection.transaction('begin', async () => {
      for (const { sql, params } of statements) await this.#connection.query(sql, params);
      await this.#connection.query(`update ${COPY_TABLE} set name = $1, place = $2`, [
        table,
        JSON.stringify(keyOf(table, last)),
      ]);
    });
  }

  source(): Promise<Source> {
    return PostgresSource.open(this.#options, false);
  }

  async finish(): Promise<void> {
    await this.#connection.script('set synchronous_commit = on');
    await this.#connection.transaction('begin', async () => {
      // Those that count for all nodes go on behind what is there.
      for (const [sequence, table] of [
        ['event_ids', 'events'],
        ['stream_ids', 'streams'],
        [`pg_get_serial_sequence('jobs', 'id')`, 'jobs'],
      ] as const) {
        const name = sequence.includes('(') ? sequence : `'${sequence}'`;
        await this.#connection.script(`select setval(${name}, max(id)) from ${table} having max(id) is not null`);
      }
      await this.#connection.script(`drop table ${COPY_TABLE}`);
    });
    await this.#connection.script('analyze');
  }

  discard(): Promise<void> {
    return dropMade(this.#connection);
  }

  close(): Promise<void> {
    return end(this.#connection);
  }
}

/** Waits for the end: whoever comes next is not told that somebody else still has the database. */
async function end(connection: PostgresConnection): Promise<void> {
  if (!connection.lost) await connection.close();
}

/** Where an earlier attempt has come to; else notes that this one has begun. */
async function begin(connection: PostgresConnection, origin: string): Promise<PostgresTarget['begun']> {
  const there = await connection.query(`select 1 where to_regclass('${COPY_TABLE}') is not null`);
  if (there.rows.length > 0) {
    const [row] = (await connection.query(`select origin, name, place from ${COPY_TABLE}`)).rows;
    if (row?.origin !== origin) {
      throw new CopyError('a copy of something else into this database was broken off: natter reset empties it');
    }
    return row.name === null ? null : { table: row.name as TableName, place: JSON.parse(String(row.place)) as Place };
  }
  const { rows } = await connection.query('select 1 from events limit 1');
  if (rows.length > 0) throw new CopyError(`the database is not empty: ${HOW_TO_EMPTY}`);
  await connection.transaction('begin', async () => {
    await connection.script(`create table ${COPY_TABLE} (origin text not null, name text, place text)`);
    await connection.query(`insert into ${COPY_TABLE} (origin) values ($1)`, [origin]);
    await connection.script('delete from meta');
    await connection.script(
      'truncate search_meta, search_messages, search_words, search_months, search_gaps, search_forgotten, search_forgotten_rooms',
    );
  });
  return null;
}

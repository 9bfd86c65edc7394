/** Makes or migrates the schema, one node at a time. */

import { codeOf, NODE, PostgresConnection, PostgresError, type PostgresOptions } from '../postgres/connection.js';
import { LOCKS } from '../postgres/locks.js';
import { COPY_TABLE } from './copying.js';
import { MIGRATIONS, spell } from './migrations/index.js';
import type { ColumnTypes } from './postgres-steps.js';

/** Answers the types of all columns. */
export async function migratePostgres(connection: PostgresConnection): Promise<ColumnTypes> {
  // Held until the connection ends.
  await connection.query('select pg_advisory_lock($1, $2)', LOCKS.migration);
  const { rows } = await connection.query(`select 1 where to_regclass('${COPY_TABLE}') is not null`);
  if (rows.length > 0) {
    throw new PostgresError(
      'a move or a restore into this database was broken off: run it again, or natter reset, which empties the database',
    );
  }
  return applyMigrations(connection);
}

/** The caller holds the lock. */
export async function applyMigrations(connection: PostgresConnection): Promise<ColumnTypes> {
  await connection.script('begin');
  try {
    await connection.script(
      'create table if not exists schema_migrations (name text primary key, applied_at bigint not null)',
    );
    const { rows } = await connection.query('select name from schema_migrations');
    const applied = new Set(rows.map((row) => row.name));
    const unknown = [...applied].find((name) => !MIGRATIONS.some((migration) => migration.name === name));
    if (unknown !== undefined) {
      throw new PostgresError(
        `the database was written by a newer Natter (it has the migration ${unknown}); upgrade this one`,
      );
    }
    const now = Date.now();
    for (const { name, sql, postgres = '' } of MIGRATIONS) {
      if (applied.has(name)) continue;
      await connection.script(`${spell(sql, 'postgres')};${spell(postgres, 'postgres')}`);
      await connection.query('insert into schema_migrations (name, applied_at) values ($1, $2)', [name, now]);
    }
    // The life of the log begins with the schema; a restore begins another one.
    await connection.query(`insert into meta (key, value) values ('epoch', $1) on conflict do nothing`, [
      String(Math.floor(now / 1_000)),
    ]);
    await connection.script('commit');
  } catch (error) {
    if (codeOf(error) !== '42501') throw error;
    throw new PostgresError(
      `the user of DATABASE_URL may not make tables: make it the owner of the database (alter database … owner to …) (${(error as Error).message})`,
      { cause: error },
    );
  }
  return columnTypes(connection);
}

async function columnTypes(connection: PostgresConnection): Promise<ColumnTypes> {
  const { rows } = await connection.query(
    'select table_name, column_name, data_type from information_schema.columns where table_schema = current_schema()',
  );
  const tables = new Map<string, Map<string, string>>();
  for (const { table_name: table, column_name: column, data_type: type } of rows) {
    const columns = tables.get(String(table)) ?? new Map<string, string>();
    tables.set(String(table), columns.set(String(column), String(type)));
  }
  return tables;
}

/** Has a node been here before? */
export async function hasSchema(options: PostgresOptions): Promise<boolean> {
  const connection = await PostgresConnection.open(options, 'reader');
  try {
    const { rows } = await connection.query(`select 1 where to_regclass('schema_migrations') is not null`);
    return rows.length > 0;
  } finally {
    connection.destroy();
  }
}

/** Removes everything that migrations have made. Refused while a node runs. */
export async function dropSchema(options: PostgresOptions): Promise<void> {
  const connection = await openAlone(options);
  try {
    await dropMade(connection);
  } finally {
    connection.destroy();
  }
}

/** The caller is alone with the database. */
export async function dropMade(connection: PostgresConnection): Promise<void> {
  await connection.transaction('begin', async () => {
    for (const [kind, name] of made()) await connection.script(`drop ${kind} if exists ${name} cascade`);
  });
}

/** Tables and sequences, by what the migrations say. */
function made(): [string, string][] {
  const all = MIGRATIONS.map(({ sql, postgres = '' }) => `${sql}${postgres}`).join('\n');
  const found = [...all.matchAll(/^create (table|sequence) (\w+)/gm)];
  const beside = ['schema_migrations', COPY_TABLE].map((name) => ['table', name] as [string, string]);
  return [...found.map(([, kind = '', name = '']) => [kind, name] as [string, string]), ...beside];
}

/** A connection to a database that no node has open. Nodes that start meanwhile wait until it ends. */
export async function openAlone(options: PostgresOptions): Promise<PostgresConnection> {
  const connection = await PostgresConnection.open(options, 'copier');
  try {
    const [lock] = (
      await connection.query('select case when pg_try_advisory_lock($1, $2) then 1 else 0 end as got', LOCKS.migration)
    ).rows;
    const { rows } = await connection.query(
      `select distinct host(client_addr) as address from pg_stat_activity
       where datname = current_database() and application_name like '${NODE} %'`,
    );
    if (rows.length > 0) {
      const where = rows.map(({ address }) => address ?? 'this machine').join(', ');
      throw new PostgresError(`nodes run on this database (from ${where}): stop them first`);
    }
    if (lock?.got !== 1)
      throw new PostgresError('somebody else migrates or copies this database: wait for the end of it');
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

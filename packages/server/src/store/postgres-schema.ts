/** Makes or migrates the schema, one node at a time. */

import { codeOf, PostgresConnection, PostgresError, type PostgresOptions } from '../postgres/connection.js';
import { LOCKS } from '../postgres/locks.js';
import { MIGRATIONS, spell } from './migrations/index.js';
import type { ColumnTypes } from './postgres-steps.js';

/** Answers the types of all columns. */
export async function migratePostgres(connection: PostgresConnection): Promise<ColumnTypes> {
  // Held until the connection ends.
  await connection.query('select pg_advisory_lock($1, $2)', LOCKS.migration);
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

/** Where a database is, without who asks for it. */
export function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${host || searchParams.get('host') || 'localhost'}${pathname}`;
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
  await aloneWith(options, async (connection) => {
    for (const [kind, name] of made()) await connection.script(`drop ${kind} if exists ${name} cascade`);
  });
}

/** Tables and sequences, by what the migrations say. */
function made(): [string, string][] {
  const all = MIGRATIONS.map(({ sql, postgres = '' }) => `${sql}${postgres}`).join('\n');
  const found = [...all.matchAll(/^create (table|sequence) (\w+)/gm)];
  return [...found.map(([, kind = '', name = '']) => [kind, name] as [string, string]), ['table', 'schema_migrations']];
}

/** Does something with a database that no node has open, in one transaction; nodes that start meanwhile wait. */
async function aloneWith<T>(
  options: PostgresOptions,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const connection = await PostgresConnection.open(options, 'migrator');
  try {
    await connection.query('select pg_advisory_lock($1, $2)', LOCKS.migration);
    const { rows } = await connection.query(
      `select distinct host(client_addr) as address from pg_stat_activity
       where datname = current_database() and application_name like 'natter %' and pid <> pg_backend_pid()`,
    );
    if (rows.length > 0) {
      const where = rows.map(({ address }) => address ?? 'this machine').join(', ');
      throw new PostgresError(`nodes run on this database (from ${where}): stop them first`);
    }
    return await connection.transaction('begin', () => work(connection));
  } finally {
    connection.destroy();
  }
}

/** Makes or migrates the schema, one node at a time. */
import { MIGRATIONS, spell } from './migrations/index.js';
import { codeOf, type PostgresConnection, PostgresError } from './postgres-connection.js';
import type { ColumnTypes } from './postgres-steps.js';

/** Advisory locks of ours, so that no other application in the same server takes them by chance. */
const LOCK_SPACE = 0x6e_61_74_74;
const MIGRATION_LOCK = 1;

/** Answers the types of all columns. */
export async function migratePostgres(connection: PostgresConnection): Promise<ColumnTypes> {
  // Held until the connection ends.
  await connection.query('select pg_advisory_lock($1, $2)', [LOCK_SPACE, MIGRATION_LOCK]);
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

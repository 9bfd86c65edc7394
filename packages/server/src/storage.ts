/** Where everything is stored, as the settings say: opens it, says whether it is there, empties it. Knows the drivers. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from './config.js';
import type { PostgresOptions } from './postgres/connection.js';
import { PostgresSearch, SEARCH_CONNECTIONS } from './search/postgres-search.js';
import type { Search } from './search/search.js';
import { SqliteSearch } from './search/sqlite-search.js';
import { openPostgresStore } from './store/postgres.js';
import { dropSchema, hasSchema, placeOf } from './store/postgres-schema.js';
import { openSqliteStore } from './store/sqlite.js';
import type { Store } from './store/store.js';

export interface Storage {
  store: Store;
  search: Search;
}

/** Opens what is stored, and makes or migrates it. `onTrouble` hears of a search that can't follow. */
export async function openStorage(config: Config, onTrouble: (message: string) => void): Promise<Storage> {
  const { database, limits } = config;
  switch (database.driver) {
    case 'sqlite': {
      mkdirSync(dirname(database.path), { recursive: true, mode: 0o700 });
      const store = await openSqliteStore({ file: database.path, readers: 1 });
      const file = searchFile(database.path);
      return { store, search: new SqliteSearch({ file, storeFile: database.path, limits, onTrouble }) };
    }
    case 'postgres': {
      const options = postgresOptions(config, database.url);
      const connections = options.connections - SEARCH_CONNECTIONS;
      const store = await openPostgresStore({ ...options, connections });
      return { store, search: new PostgresSearch({ database: options, limits, onTrouble }) };
    }
    default:
      throw new Error(`unknown database ${JSON.stringify(database satisfies never)}`);
  }
}

/** Folders of which one process at a time is the owner. */
export function ownFolders({ dataDir, database }: Config): string[] {
  return [...new Set([dataDir, ...(database.driver === 'sqlite' ? [dirname(database.path)] : [])])];
}

/** The index beside a database of SQLite: made from it, and made anew when it is missing. */
export const searchFile = (storeFile: string): string => join(dirname(storeFile), 'search.db');

/** Where it is, as it can be shown: without a password. */
export function storagePlace({ database }: Config): string {
  return database.driver === 'sqlite' ? database.path : placeOf(database.url);
}

export async function isStored(config: Config): Promise<boolean> {
  const { database } = config;
  if (database.driver === 'sqlite') return existsSync(database.path);
  return hasSchema(postgresOptions(config, database.url));
}

/** What is lost with it, for who is asked whether this is meant. */
export function storageSize({ database }: Config): string {
  if (database.driver === 'postgres') return '';
  return ` (${(statSync(database.path).size / 1_000_000).toFixed(1)} MB)`;
}

/** Everything goes. The caller sees to it that nobody has it open. */
export async function removeStored(config: Config): Promise<void> {
  const { database } = config;
  if (database.driver === 'postgres') {
    await dropSchema(postgresOptions(config, database.url));
    return;
  }
  // What was made from the database goes before it: broken off, nothing is left of what is not there any more.
  for (const file of [searchFile(database.path), database.path]) {
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  }
}

function postgresOptions({ limits }: Pick<Config, 'limits'>, url: string): PostgresOptions {
  return {
    url,
    connections: limits.DATABASE_CONNECTIONS_MAX,
    connectSeconds: limits.DATABASE_CONNECT_SECONDS,
    statementSeconds: limits.DATABASE_STATEMENT_SECONDS,
  };
}

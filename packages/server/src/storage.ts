/**
 * Where everything is stored, as the settings say: opens it, says whether it is there, empties it. Knows the drivers. Those of
 * PostgreSQL are loaded when they are needed: a start with SQLite does not wait for them.
 */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config, Database } from './config.js';
import { makeFolder } from './folders.js';
import type { PostgresOptions } from './postgres/connection.js';
import type { IndexComparison } from './search/comparison.js';
import type { Search } from './search/search.js';
import { compareIndex } from './search/sqlite-check.js';
import { SqliteSearch } from './search/sqlite-search.js';
import { CopyError, HOW_TO_EMPTY, type Origin, type Source, type Target } from './store/copying.js';
import { MIGRATIONS } from './store/migrations/index.js';
import { openSqliteStore } from './store/sqlite.js';
import { openOldSqliteFile, SqliteSource, SqliteTarget } from './store/sqlite-copying.js';
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
      makeFolder(dirname(database.path));
      const store = await openSqliteStore({ file: database.path, readers: 1 });
      const file = searchFile(database.path);
      return { store, search: new SqliteSearch({ file, storeFile: database.path, limits, onTrouble }) };
    }
    case 'postgres': {
      const { PostgresSearch, SEARCH_CONNECTIONS } = await import('./search/postgres-search.js');
      const { openPostgresStore } = await import('./store/postgres.js');
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
const searchFile = (storeFile: string): string => join(dirname(storeFile), 'search.db');

/** Where it is, as it can be shown: without a password. */
export function storagePlace({ database }: Config): string {
  return database.driver === 'sqlite' ? database.path : placeOf(database.url);
}

export async function isStored(config: Config): Promise<boolean> {
  const { database } = config;
  if (database.driver === 'sqlite') return existsSync(database.path);
  const { hasSchema } = await import('./store/postgres-schema.js');
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
    const { dropSchema } = await import('./store/postgres-schema.js');
    await dropSchema(postgresOptions(config, database.url));
    return;
  }
  removeFiles(database.path);
}

/** What was made from the database goes before it: broken off, nothing is left of what is not there any more. */
function removeFiles(path: string): void {
  for (const file of [searchFile(path), path]) {
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  }
}

/** A store as it is now, to be copied. `alone`: while nobody else has it open; else beside a server that goes on. */
export async function openSource(database: Database, config: Config, alone: boolean): Promise<Source> {
  const source = await sourceOf(database, config, alone);
  if (source.migrations.length === MIGRATIONS.length) return source;
  await source.close();
  throw new CopyError('the database is of another version than this Natter: run natter migrate, or upgrade');
}

async function sourceOf(database: Database, config: Config, alone: boolean): Promise<Source> {
  if (database.driver === 'sqlite') return new SqliteSource(database.path);
  const { PostgresSource } = await import('./store/postgres-copying.js');
  return PostgresSource.open(postgresOptions(config, database.url), alone);
}

/** A file with a whole store in it, to be made. */
export const openBackup = (path: string): Target => new SqliteTarget(path);

/** Such a file, also of an older version: then `scratch` is where it is migrated, and the caller removes that. */
export const readBackup = (path: string, scratch: string): Source => openOldSqliteFile(path, scratch);

/** Compares the search index with what it is made from; null where there is none. */
export async function compareSearch(
  { database, ...config }: Config,
  onProgress: (done: number, of: number) => void,
): Promise<IndexComparison> {
  if (database.driver === 'postgres') {
    const { comparePostgresIndex } = await import('./search/postgres-check.js');
    return comparePostgresIndex(postgresOptions(config, database.url), onProgress);
  }
  const file = searchFile(database.path);
  if (!existsSync(file))
    return { differences: [], note: 'there is no search index yet: it is made when the server starts' };
  const folder = mkdtempSync(join(dirname(file), 'doctor-'));
  try {
    return await compareIndex(file, database.path, join(folder, 'search.db'), onProgress);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A store that a copy is written to: an empty one, unless what is there is to be replaced. */
export async function openTarget(
  database: Database,
  config: Config,
  origin: Origin,
  replace: boolean,
): Promise<Target> {
  if (database.driver === 'postgres') {
    const { PostgresTarget } = await import('./store/postgres-copying.js');
    return PostgresTarget.open(postgresOptions(config, database.url), origin, replace);
  }
  if (!replace) await requireEmpty(database, config);
  makeFolder(dirname(database.path));
  return new SqliteTarget(database.path, { origin, makeRoom: () => removeFiles(database.path) });
}

/** Throws CopyError where anything was ever said or made in a file; PostgreSQL is looked at when it is opened. */
export async function requireEmpty(database: Database, config: Config): Promise<void> {
  if (database.driver === 'sqlite' && (await holdsEvents(database, config))) {
    throw new CopyError(`${database.path} is not empty: ${HOW_TO_EMPTY}`);
  }
}

async function holdsEvents(database: Database, config: Config): Promise<boolean> {
  if (!(await isStored({ ...config, database }))) return false;
  const source = await openSource(database, config, false);
  try {
    return (await source.lastEvent()) > 0;
  } finally {
    await source.close();
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

/** Where a database is, without who asks for it. */
function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${host || searchParams.get('host') || 'localhost'}${pathname}`;
}

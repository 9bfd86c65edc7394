/** One process at a time on a data folder. The lock is the operating system's, so that it ends with the process, however that ends. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';

const LOCK_FILE = 'natter.lock';
const BUSY = 5;

export interface DataLock {
  close(): void;
}

export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';

  constructor(readonly dir: string) {
    super(`another Natter process uses ${dir}; only one may at a time`);
  }
}

/** Takes the folder for this process, or throws DataDirInUseError. */
export function lockDataDir(dir: string): DataLock {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // A database, for nothing but the lock that SQLite takes on it: Node has no other way to ask for one.
  const db = new DatabaseSync(join(dir, LOCK_FILE));
  try {
    db.exec('pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    db.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY) throw new DataDirInUseError(dir);
    throw error;
  }
  return { close: () => db.close() };
}

/** One process at a time on a data folder. The lock is the operating system's, so that it ends with the process, however that ends. */
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { makeFolder } from '../folders.js';

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
  makeFolder(dir);
  // A database, for nothing but the lock that SQLite takes on it: Node has no other way to ask for one.
  const file = join(dir, LOCK_FILE);
  let db: InstanceType<typeof DatabaseSync>;
  try {
    db = new DatabaseSync(file);
  } catch (error) {
    throw new Error(
      `${file} can not be written: is ${dir} a folder that may be written to? (${(error as Error).message})`,
      {
        cause: error,
      },
    );
  }
  try {
    db.exec('pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    db.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY) throw new DataDirInUseError(dir);
    throw error;
  }
  return { close: () => db.close() };
}

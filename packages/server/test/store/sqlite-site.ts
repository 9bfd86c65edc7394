/** A folder for a SQLite store, and a file in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '@natter/server/store/sqlite';
import type { Site } from './site.js';

export interface SqliteSite extends Site {
  readonly folder: string;
  readonly file: string;
}

export async function makeSqliteSite(): Promise<SqliteSite> {
  const folder = mkdtempSync(join(tmpdir(), 'natter-store-'));
  const file = join(folder, 'natter.db');
  return {
    folder,
    file,
    open: () => openSqliteStore({ file, readers: 2 }),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

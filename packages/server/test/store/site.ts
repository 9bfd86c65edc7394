/** Where a store under test lives: opened, closed and opened again, and removed at the end. */
import type { Store } from '@natter/server/store/store';
import type { Tables } from '@natter/server/store/tables';

export interface Site {
  open(): Promise<Store>;
  /** Removes all that was stored. The store is closed by then. */
  remove(): Promise<void>;
}

export type MakeSite = () => Promise<Site>;

/** Every table, so that nothing can hide in one that a test forgot. */
const TABLES: Record<keyof Tables, true> = {
  meta: true,
  streams: true,
  events: true,
  keys: true,
  claims: true,
  users: true,
  credentials: true,
  sessions: true,
  rooms: true,
  members: true,
  messages: true,
  message_edits: true,
  reactions: true,
  pins: true,
  mentions: true,
  usergroups: true,
  usergroup_members: true,
  audit: true,
  jobs: true,
};

const TABLE_NAMES = Object.keys(TABLES) as (keyof Tables)[];

/** Everything that is stored, as text: what it does not contain is in no table. */
export async function everything(store: Store): Promise<string> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLE_NAMES) {
    const rows = await store.db.selectFrom(table).selectAll().execute();
    // In whichever order they lie.
    tables[table] = rows.map((row) => JSON.stringify(row)).sort();
  }
  return JSON.stringify(tables);
}

/** Where a pattern is found, table by table. */
export async function traces(store: Store, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const table of TABLE_NAMES) {
    const rows = await store.db.selectFrom(table).selectAll().execute();
    for (const row of rows) if (pattern.test(JSON.stringify(row))) found.push(`${table}: ${JSON.stringify(row)}`);
  }
  return found;
}

/** A database on PostgreSQL for a store under test. */
import type { PostgresOptions } from '@natter/server/postgres/connection';
import { openPostgresStore } from '@natter/server/store/postgres';
import { makePostgresDatabase } from '../databases.js';
import type { Site } from './site.js';

export interface PostgresSite extends Site {
  readonly options: PostgresOptions;
  readonly database: string;
}

export async function makePostgresSite(): Promise<PostgresSite> {
  const { options, name, remove } = await makePostgresDatabase();
  return { options, database: name, open: () => openPostgresStore(options), remove };
}

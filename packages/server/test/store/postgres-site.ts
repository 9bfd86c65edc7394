/** A database of its own for a store under test, on the server that the tests are given. */
import { randomBytes } from 'node:crypto';
import { openPostgresStore } from '@natter/server/store/postgres';
import type { PostgresOptions } from '@natter/server/store/postgres-connection';
import pg from 'pg';
import type { Site } from './site.js';

const SERVER = process.env.TEST_DATABASE_URL;

/** Asks the server as whoever may make databases. */
export async function asOwner<T>(work: (client: pg.Client) => Promise<T>, url = SERVER): Promise<T> {
  if (url === undefined) throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test');
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes an empty database, and answers where it is. */
async function makeDatabase(): Promise<{ url: string; name: string; remove(): Promise<void> }> {
  const name = `natter_test_${randomBytes(6).toString('hex')}`;
  await asOwner((client) => client.query(`create database ${name} encoding 'UTF8' template template0`));
  const url = new URL(SERVER ?? '');
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    remove: () => asOwner(async (client) => void (await client.query(`drop database ${name} with (force)`))),
  };
}

export interface PostgresSite extends Site {
  readonly options: PostgresOptions;
  readonly database: string;
}

export async function makePostgresSite(): Promise<PostgresSite> {
  const { url, name, remove } = await makeDatabase();
  const options = { url, connections: 6, connectSeconds: 5, statementSeconds: 10 };
  return { options, database: name, open: () => openPostgresStore(options), remove };
}

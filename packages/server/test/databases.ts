/** Databases for tests: on which store a suite runs is given to it, and each site has a database of its own there. */
import { randomBytes } from 'node:crypto';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import type { PostgresOptions } from '@natter/server/postgres/connection';
import pg from 'pg';

/** Which store a suite runs on that can run on any: see "variants" in package.json. */
export const ON_POSTGRES = process.env.TEST_STORE === 'postgres';

const server = (): string => {
  const url = process.env.TEST_DATABASE_URL;
  if (url === undefined) throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test');
  return url;
};

/** Asks the server as whoever may make databases. */
export async function asOwner<T>(work: (client: pg.Client) => Promise<T>, url = server()): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

interface PostgresDatabase {
  url: string;
  name: string;
  options: PostgresOptions;
  remove(): Promise<void>;
}

/** An empty database on the server that the tests are given. */
export async function makePostgresDatabase(): Promise<PostgresDatabase> {
  const name = `natter_test_${randomBytes(6).toString('hex')}`;
  await asOwner((client) => client.query(`create database ${name} encoding 'UTF8' template template0`));
  const url = new URL(server());
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    options: {
      url: url.href,
      connections: 6,
      connectSeconds: DEFAULT_LIMITS.DATABASE_CONNECT_SECONDS,
      statementSeconds: DEFAULT_LIMITS.DATABASE_STATEMENT_SECONDS,
    },
    remove: () => asOwner(async (client) => void (await client.query(`drop database ${name} with (force)`))),
  };
}

/** What the settings of a server under test have to say of its database. */
export async function makeDatabaseSettings(): Promise<{ env: Record<string, string>; remove(): Promise<void> }> {
  if (!ON_POSTGRES) return { env: {}, remove: async () => {} };
  const { url, remove } = await makePostgresDatabase();
  const env = { DATABASE_URL: url, SECRET_KEY: 'a key for tests, the same on all nodes' };
  return { env, remove };
}

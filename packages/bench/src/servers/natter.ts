/** Natter itself, as it is built: the same program that users start, with rate limits off; spoken to natively, and as each other API that it serves. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIALECTS } from '@natter/server/config';
import { start } from '../children.js';
import { makeFolder } from '../folders.js';
import type { Work } from '../works.js';
import { nats } from './brokers.js';
import type { Seeded, SeedJob } from './natter-seed.js';
import { ownAsPostgres, postgresMissing, postgresVersion, startPostgres } from './postgres.js';
import type { Contestant, Place, Started } from './server.js';

const SERVER = join(import.meta.dirname, '../../../server');
export const PROGRAM = join(SERVER, 'bundle/main.js');
const CLI = join(SERVER, 'bundle/cli.js');
const SERVICES = fileURLToPath(new URL('../peers/with-services.js', import.meta.url));
const SEED = fileURLToPath(new URL('./natter-seed.js', import.meta.url));
/** Longer than any run of the bench. */
const TOKEN_MINUTES = 1_440;

const secretKey = randomBytes(32).toString('hex');
/** In the messages that are there before anybody comes. */
const nonce = randomBytes(4).toString('hex');
/** By work point: a data folder with its accounts and rooms, made once and copied for each run. */
const seeds = new Map<string, Promise<Seeded & { dir: string }>>();

function seeded(work: Work, core: number, dialect: string, onPostgres = false): Promise<Seeded & { dir: string }> {
  // Work points that are the same to the store share a seed.
  const key = JSON.stringify([
    onPostgres,
    dialect,
    work.members,
    work.rooms,
    'roomsEach' in work ? work.roomsEach : 1,
    'behind' in work ? work.behind : 0,
  ]);
  const found = seeds.get(key) ?? makeSeed(work, core, dialect, onPostgres);
  seeds.set(key, found);
  return found;
}

async function makeSeed(
  work: Work,
  core: number,
  dialect: string,
  onPostgres: boolean,
): Promise<Seeded & { dir: string }> {
  const dir = makeFolder();
  const postgres = onPostgres ? await startPostgres(dir, core) : null;
  const made = await seedOnce(dir, work, core, dialect, postgres?.url);
  await postgres?.stop();
  return { ...made, dir };
}

/** Fills a store that is empty: of the folder, or the PostgreSQL given. */
export async function seedOnce(
  dir: string,
  work: Work,
  core: number,
  dialect: string,
  database?: string,
): Promise<Seeded> {
  const child = start(process.execPath, [SEED], { core, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const job: SeedJob = {
    dir,
    work,
    secretKey,
    tokenSeconds: TOKEN_MINUTES * 60,
    dialect,
    nonce,
    ...(database === undefined ? {} : { database }),
  };
  child.send(job);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`accounts and rooms could not be made (exit code ${code})`);
  });
  const [made] = (await Promise.race([once(child, 'message'), ended])) as [Seeded];
  // Not an error any more.
  await ended.catch(() => undefined);
  return made;
}

/** Starts the program on a copy of what was made for the work point. */
async function startNatter(place: Place, dialect: string, change: Record<string, string> = {}): Promise<Started> {
  const { dir, ...made } = await seeded(place.work, place.core, dialect);
  const data = join(place.dir, 'data');
  await cp(dir, data, { recursive: true });
  const child = start(process.execPath, [...place.nodeOptions, PROGRAM], {
    core: place.core,
    cwd: place.dir,
    env: { ...settings(place, data), ...change },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return { child, ...begun(place, made) };
}

/** What the load generator has to know of what was made. */
function begun({ work }: Place, { rooms, tokens, standing }: Seeded): Omit<Started, 'child'> {
  return work.kind === 'resume' ? { rooms, tokens, nonce, standing } : { rooms, tokens };
}

/** What a node is started with, whose limits are off. */
export function settings({ work, port }: Pick<Place, 'work' | 'port'>, data: string): Record<string, string> {
  return {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: data,
    SECRET_KEY: secretKey,
    ACCESS_TOKEN_EXPIRE_MINUTES: String(TOKEN_MINUTES),
    LIMITS: 'off',
    // Those who come back say hello when all are connected.
    ...(work.kind === 'resume' ? { HELLO_TIMEOUT_SECONDS: '60' } : {}),
    LOG_LEVEL: 'warn',
    NODE_ENV: 'production',
  };
}

/** The same over PostgreSQL: alone, or as several workers who hear of each other through NATS. All of them have one core. */
async function startOnPostgres(place: Place, workers: number): Promise<Started> {
  const { dir, ...made } = await seeded(place.work, place.core, '', true);
  await cp(join(dir, 'pg'), join(place.dir, 'pg'), { recursive: true });
  ownAsPostgres(join(place.dir, 'pg'));
  const serve = workers === 1 ? [PROGRAM] : [CLI, 'serve', '--workers', String(workers)];
  const nats = workers === 1 ? [] : ['--nats'];
  const args = [
    SERVICES,
    place.dir,
    String(place.core),
    ...nats,
    '--',
    process.execPath,
    ...place.nodeOptions,
    ...serve,
  ];
  const child = start(process.execPath, args, {
    core: place.core,
    cwd: place.dir,
    env: settings(place, join(place.dir, 'data')),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return { child, ...begun(place, made) };
}

const ALL_KINDS = ['closed', 'open', 'idle', 'resume'] as const;

const shared = {
  stores: true,
  order: 'room',
  onNode: true,
  missing: () => (existsSync(PROGRAM) ? null : 'packages/server is not built'),
  version: () => (JSON.parse(readFileSync(join(SERVER, 'package.json'), 'utf8')) as { version: string }).version,
} as const;

export const natter: Contestant = {
  ...shared,
  name: 'natter',
  title: 'Natter (SQLite)',
  wire: 'natter',
  kinds: ALL_KINDS,
  start: (place) => startNatter(place, ''),
};

/** One that is off costs nothing: beside it, the one that has them all shows what they cost when nobody speaks them. */
export const withoutDialects: Contestant = {
  ...shared,
  name: 'natter-alone',
  title: 'Natter (SQLite), dialects off',
  wire: 'natter',
  kinds: ALL_KINDS,
  beside: true,
  start: (place) => startNatter(place, '', { DIALECTS: 'none' }),
};

export const onPostgres: readonly Contestant[] = [
  {
    ...shared,
    name: 'natter-pg',
    title: 'Natter (PostgreSQL)',
    wire: 'natter',
    kinds: ALL_KINDS,
    beside: true,
    onNode: false,
    withinNode: true,
    missing: () => shared.missing() ?? postgresMissing(),
    version: () => postgresVersion(),
    start: (place) => startOnPostgres(place, 1),
  },
  {
    ...shared,
    name: 'natter-pg-2nodes',
    title: 'Natter (PostgreSQL, NATS, two nodes)',
    wire: 'natter',
    beside: true,
    onNode: false,
    withinNode: true,
    missing: () => shared.missing() ?? postgresMissing() ?? nats.missing(),
    version: () => `${postgresVersion()}, ${nats.version()}`,
    start: (place) => startOnPostgres(place, 2),
  },
];

/** APIs that have one socket for all rooms of a user. */
const MANY_ROOMS = new Set<string>(['000', '003']);
/** APIs whose clients say the name of a room, not its id. */
const NAMED_ROOMS = new Set<string>(['000']);

/** The same program with the same work, its clients speaking another API. */
export const dialects: readonly Contestant[] = DIALECTS.map((name) => ({
  ...shared,
  name: `natter-${name}` as const,
  title: `Natter (SQLite), dialect ${name}`,
  wire: `natter-${name}` as const,
  beside: true,
  ...(MANY_ROOMS.has(name) ? {} : { oneRoom: true }),
  async start(place) {
    const started = await startNatter(place, name);
    return NAMED_ROOMS.has(name) ? { ...started, rooms: started.rooms.map((_, room) => `room ${room}`) } : started;
  },
}));

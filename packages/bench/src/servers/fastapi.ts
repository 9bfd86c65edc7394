/** FastAPI with PostgreSQL, as most chat servers in Python are written; from Debian's packages. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { start } from '../children.js';
import { postgresMissing, postgresVersion } from './postgres.js';
import { type Contestant, type Place, roomNames, type Started } from './server.js';

/** Debian's own: another one on the path would not see Debian's packages. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('../../src/peers/fastapi_server.py', import.meta.url));
const SERVICES = fileURLToPath(new URL('../peers/with-services.js', import.meta.url));

function versionOfFastapi(): string | null {
  const line = 'import fastapi, uvicorn, asyncpg, websockets; print(fastapi.__version__)';
  const run = spawnSync(PYTHON, ['-c', line], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : null;
}

export const fastapi: Contestant = {
  name: 'fastapi',
  title: 'FastAPI + PostgreSQL',
  wire: 'plain',
  stores: true,
  // Handlers take turns in the middle of sending to a room.
  order: 'sender',
  onNode: false,
  missing: () =>
    postgresMissing() ??
    (versionOfFastapi() === null
      ? 'not installed (Debian packages python3-fastapi, python3-uvicorn, python3-asyncpg, python3-websockets)'
      : null),
  version: () => `FastAPI ${versionOfFastapi()}, ${postgresVersion()}`,
  async start(place: Place): Promise<Started> {
    const child = start(process.execPath, [SERVICES, place.dir, String(place.core), '--', PYTHON, PROGRAM], {
      core: place.core,
      env: { PORT: String(place.port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return { child, rooms: roomNames(place), tokens: [] };
  },
};

/** PostgreSQL for a server that is measured: a cluster of its own in the folder of the run, as durable as it comes. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../ports.js';

const HOME = '/usr/lib/postgresql';
const START_MS = 30_000;
const LOOK_MS = 50;

/** The folder of the programs: the newest of Debian's; null where there is none. */
function programs(): string | null {
  const versions = existsSync(HOME) ? readdirSync(HOME).sort((a, b) => Number(b) - Number(a)) : [];
  for (const version of versions) {
    const dir = join(HOME, version, 'bin');
    if (existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres'))) return dir;
  }
  return null;
}

/** Why it can't run here, or null. */
export function postgresMissing(): string | null {
  return programs() === null ? 'PostgreSQL is not installed (Debian package postgresql)' : null;
}

export function postgresVersion(): string {
  const run = spawnSync(join(programs() ?? '', 'postgres'), ['--version'], { encoding: 'utf8' });
  return `PostgreSQL ${/(\d+\.\d+)/.exec(run.stdout)?.[1]}`;
}

/** It refuses to run as root: then it runs as the user that Debian has for it. */
function asUser(): { prefix: string[]; uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  const [uid, gid] = [id('-u'), id('-g')];
  return { prefix: ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups'], uid, gid };
}

/** A cluster that was copied belongs to whom it runs as. */
export function ownAsPostgres(data: string): void {
  const user = asUser();
  if (!user) return;
  const run = spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, data], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
}

export interface Postgres {
  url: string;
  stop(): Promise<void>;
}

/** Starts it on the folder, whose cluster is made when there is none. It ends when the caller dies. */
export async function startPostgres(dir: string, core: number): Promise<Postgres> {
  const bin = programs();
  if (bin === null) throw new Error('PostgreSQL is not installed');
  const data = join(dir, 'pg');
  const user = asUser();
  // Folders of the bench are its own; the way in is all that the other user gets.
  chmodSync(dir, 0o711);
  const [command = '', ...prefix] = [...(user?.prefix ?? ['setpriv'])];
  if (!existsSync(data)) {
    mkdirSync(data, { mode: 0o700 });
    if (user) chownSync(data, user.uid, user.gid);
    const args = ['-D', data, '-U', 'natter', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'];
    const made = spawnSync(command, [...prefix, join(bin, 'initdb'), ...args], { cwd: '/', encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  }
  const port = await freePort();
  const options = ['-h', '127.0.0.1', '-p', String(port), '-c', 'unix_socket_directories=', '-c', 'max_connections=60'];
  // INT: an end at once, without waiting for those who are connected. Set last, since a change of the user takes it away.
  const line = ['setpriv', '--pdeathsig', 'INT', 'taskset', '-c', String(core), join(bin, 'postgres')];
  const child = spawn(command, [...prefix, ...line, '-D', data, ...options], { cwd: '/', stdio: 'ignore' });
  const ended = once(child, 'exit');
  const until = performance.now() + START_MS;
  while (!ready(bin, port)) {
    if (child.exitCode !== null || performance.now() > until) throw new Error('PostgreSQL did not start');
    await delay(LOOK_MS);
  }
  return {
    url: `postgres://natter@127.0.0.1:${port}/postgres`,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await ended;
    },
  };
}

function ready(bin: string, port: number): boolean {
  const args = ['-q', '-h', '127.0.0.1', '-p', String(port), '-U', 'natter'];
  return spawnSync(join(bin, 'pg_isready'), args, { stdio: 'ignore' }).status === 0;
}

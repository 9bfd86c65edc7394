// The programs that test suites ask for, in the order: named by the environment, on the machine already, in a container,
// installed with apt. Servers get a free port and a temporary folder, and are ended by their pid, whatever happens.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { freemem, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Trouble } from './ensure.mjs';
import { run, saying, which } from './processes.mjs';

const say = (line) => console.error(line);
const isRoot = process.getuid?.() === 0;

// ---------------------------------------------------------------------------------------------------- what is running

/** What was started and must be ended: each a function. */
const running = [];
/** The folder in memory that holds what is written meanwhile; undefined: there is none. */
let inMemory;
let guard;

/** Tells the guard what is to be ended and removed should this process die before it can. */
function tellGuard(fact) {
  if (!guard) {
    const file = fileURLToPath(new URL('service-guard.mjs', import.meta.url));
    guard = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    guard.unref();
    guard.stdin.unref?.();
    guard.stdin.on('error', () => {});
  }
  guard.stdin.write(`${JSON.stringify(fact)}\n`);
}

/** Has a process group ended too, should this process die before it can. */
export function guardGroup(pid) {
  if (pid !== undefined) tellGuard({ pid: -pid });
}

/** Ends everything that was started here. May be called twice. */
export async function stopServices() {
  await Promise.all(running.splice(0).map((stop) => stop()));
  if (inMemory) rmSync(inMemory, { recursive: true, force: true });
  if (guard) {
    guard.stdin.end(`${JSON.stringify({ done: true })}\n`);
    guard = undefined;
  }
}

/** A port that is free now. Below the range that outgoing sockets take theirs from. */
async function freePort() {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Trouble('No free port between 20000 and 29999.');
}

/** Kept free of what is in memory: what tests write at once is a part of it. */
const MEMORY_BYTES_MIN = 4 * 2 ** 30;

/**
 * What tests write goes to memory, where there is plenty: hardly any of it waits for a disk then. Nothing is less tested by
 * it: processes that are killed lose no files, and where power is cut, syncs are replayed.
 */
export function useMemory() {
  const memory = '/dev/shm';
  if (process.env.TMPDIR || !existsSync(memory)) return;
  const { bavail, bsize } = statfsSync(memory);
  if (Math.min(bavail * bsize, freemem()) < MEMORY_BYTES_MIN) return;
  inMemory = mkdtempSync(join(memory, 'natter-'));
  tellGuard({ folder: inMemory });
  // PostgreSQL runs as another account, and has a folder of its own in there.
  chmodSync(inMemory, 0o711);
  process.env.TMPDIR = inMemory;
}

/** A folder that is removed at the latest when this process is gone. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `natter-${name}-`));
  tellGuard({ folder });
  return folder;
}

/** Starts a server and waits until it says that it is ready. */
async function startServer(name, command, args, { folder, ready, user }) {
  const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], ...user });
  const ended = new Promise((resolve) => child.once('close', resolve));
  running.push(async () => {
    const giveUp = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.kill('SIGINT');
    await ended;
    clearTimeout(giveUp);
    rmSync(folder, { recursive: true, force: true });
  });
  if (child.pid) tellGuard({ pid: child.pid });
  let said = '';
  await new Promise((resolve, reject) => {
    const refuse = (why) => reject(new Trouble(`${name} ${why}.\n${said.slice(-2_000)}`));
    const timer = setTimeout(() => refuse('was not ready after 30 s'), 30_000);
    const listen = (chunk) => {
      said = (said + chunk).slice(-10_000);
      if (!said.includes(ready)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', (error) => refuse(`could not be started: ${error.message}`));
    child.once('close', (code) => refuse(`ended at once with code ${code}`));
  });
}

// ------------------------------------------------------------------------------------------------------ ways to get it

let updated;

/** Installs Debian packages, when this is root on Debian or its like. Says whether they are there now. */
async function aptInstall(...packages) {
  if (!isRoot || !which('apt-get') || !existsSync('/etc/debian_version')) return false;
  // RUNLEVEL keeps a package from starting its own service.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', UCF_FORCE_CONFFOLD: '1' };
  const apt = (...args) => run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  updated ??= saying(say, 'apt-get update', apt('update'));
  await updated;
  const install = apt('install', '-y', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...packages);
  const { code, output } = await saying(say, `apt-get install ${packages.join(' ')}`, install);
  if (code !== 0) say(output.trim().split('\n').slice(-15).join('\n'));
  return code === 0;
}

let engine;

/** Does a Docker engine answer? The client alone is not enough. */
async function dockerAnswers() {
  engine ??= which('docker')
    ? run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 })
    : undefined;
  return (await engine)?.code === 0;
}

/** Starts a container that listens on a free port of ours; the port, or undefined when that fails. */
async function startContainer(image, innerPort, options, command, ready) {
  const port = await freePort();
  const publish = ['-p', `127.0.0.1:${port}:${innerPort}`];
  const start = run('docker', ['run', '-d', '--rm', ...publish, ...options, image, ...command]);
  const { code, output } = await saying(say, `docker run ${image}`, start);
  if (code !== 0) {
    say(output.trim());
    return undefined;
  }
  const id = output.trim().split('\n').at(-1);
  running.push(() => run('docker', ['rm', '-f', id]));
  for (let tries = 0; tries < 120; tries += 1) {
    if ((await run('docker', ['logs', id])).output.split(ready.text).length > ready.times) return port;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  say(`${image} was not ready after 30 s`);
  return undefined;
}

/** A program that is there and runs, by name or by path. */
async function working(...names) {
  for (const name of names) {
    const path = name.startsWith('/') ? name : which(name);
    if (path && existsSync(path) && (await run(path, ['--version'], { timeout: 20_000 })).code === 0) return path;
  }
  return undefined;
}

// ----------------------------------------------------------------------------------------------------------- chromium

const CHROMIUM = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** A browser of the Chromium family: CHROMIUM_PATH. */
export async function ensureChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (!existsSync(named)) throw new Trouble(`CHROMIUM_PATH names ${named}, which is not there.`);
    return { CHROMIUM_PATH: named };
  }
  let path = await working(...CHROMIUM);
  if (!path && (await aptInstall('chromium'))) path = await working(...CHROMIUM);
  if (path) return { CHROMIUM_PATH: path };
  throw new Trouble(
    'Chromium is missing. Install it (Debian: apt-get install chromium), or name a browser in CHROMIUM_PATH.',
  );
}

// ---------------------------------------------------------------------------------------------------------- postgresql

/** The folder with initdb and postgres: the newest of Debian's, else whatever the path leads to. */
async function postgresPrograms() {
  const home = '/usr/lib/postgresql';
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a)) : [];
  const dirs = versions.map((version) => join(home, version, 'bin'));
  const onPath = which('initdb');
  if (onPath) dirs.push(dirname(onPath));
  for (const dir of dirs) {
    if ((await working(join(dir, 'initdb'))) && (await working(join(dir, 'postgres')))) return dir;
  }
  return undefined;
}

/** PostgreSQL refuses to run as root: the account that it runs as then. */
function postgresUser() {
  if (!isRoot) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid.status === 0 && gid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Trouble('PostgreSQL does not run as root, and there is no account "postgres" or "nobody" to run it as.');
}

async function startPostgres(programs) {
  const folder = temporaryFolder('postgres');
  const user = postgresUser();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  const made = await run(join(programs, 'initdb'), options, { cwd: '/', ...user });
  if (made.code !== 0) throw new Trouble(`initdb failed.\n${made.output}`);
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', 'max_connections=200'];
  const ready = 'database system is ready to accept connections';
  await startServer('PostgreSQL', join(programs, 'postgres'), args, { folder, ready, user });
  // Suites that kill and start servers of their own need the programs too.
  return { TEST_DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres`, TEST_POSTGRES_BIN: programs };
}

/** A PostgreSQL whose user may create databases: TEST_DATABASE_URL. */
export async function ensurePostgres() {
  if (process.env.TEST_DATABASE_URL) return { TEST_DATABASE_URL: process.env.TEST_DATABASE_URL };
  let programs = await postgresPrograms();
  if (programs) return await startPostgres(programs);
  if (await dockerAnswers()) {
    const options = ['-e', 'POSTGRES_PASSWORD=natter'];
    // It starts twice: once to set itself up, once for good.
    const ready = { text: 'database system is ready to accept connections', times: 2 };
    const port = await startContainer('postgres:16', 5432, options, ['-c', 'max_connections=200'], ready);
    if (port) return { TEST_DATABASE_URL: `postgres://postgres:natter@127.0.0.1:${port}/postgres` };
  }
  if (isRoot && which('apt-get')) {
    // Only the programs are wanted, not a server that runs from now on.
    const settings = '/etc/postgresql-common/createcluster.conf';
    if (!existsSync(settings)) {
      mkdirSync(dirname(settings), { recursive: true });
      writeFileSync(settings, 'create_main_cluster = false\n');
    }
    if (await aptInstall('postgresql')) programs = await postgresPrograms();
    if (programs) return await startPostgres(programs);
  }
  throw new Trouble(
    'PostgreSQL is missing. Install it (Debian: apt-get install postgresql), start Docker, or name a database whose user may create databases in TEST_DATABASE_URL.',
  );
}

// ----------------------------------------------------------------------------------------------------------------- nats

/** The program out of the image: it needs nothing else. Undefined where that fails or it does not run here. */
async function natsFromImage() {
  const image = 'nats:2.10';
  const { code, output } = await saying(say, `docker create ${image}`, run('docker', ['create', image]));
  if (code !== 0) return undefined;
  const id = output.trim().split('\n').at(-1);
  const program = join(temporaryFolder('nats'), 'nats-server');
  await run('docker', ['cp', `${id}:/nats-server`, program]);
  await run('docker', ['rm', id]);
  return await working(program);
}

/** The program of a NATS server, which suites start, stop and kill themselves: TEST_NATS_SERVER. */
export async function ensureNats() {
  const named = process.env.TEST_NATS_SERVER;
  if (named) {
    if (await working(named)) return { TEST_NATS_SERVER: named };
    throw new Trouble(`TEST_NATS_SERVER names ${named}, which does not run.`);
  }
  let program = await working('nats-server');
  if (!program && (await dockerAnswers())) program = await natsFromImage();
  if (!program && (await aptInstall('nats-server'))) program = await working('nats-server');
  if (program) return { TEST_NATS_SERVER: program };
  throw new Trouble(
    'nats-server is missing. Install it (Debian: apt-get install nats-server), start Docker, or name the program in TEST_NATS_SERVER.',
  );
}

/** By the word that a package.json asks with, in `natter.services`. */
// ----------------------------------------------------------------------------------------------------------- compiler

/** A C compiler, for what a test preloads before libc: CC. */
export async function ensureCompiler() {
  const working = () => [process.env.CC, 'cc', 'gcc', 'clang'].find((name) => name && which(name));
  let path = working();
  if (!path && (await aptInstall('gcc', 'libc6-dev'))) path = working();
  if (path) return { CC: path };
  throw new Trouble('A C compiler is missing. Install one (Debian: apt-get install gcc libc6-dev), or name it in CC.');
}

export const SERVICES = {
  compiler: ensureCompiler,
  chromium: ensureChromium,
  postgres: ensurePostgres,
  nats: ensureNats,
};

/**
 * Runs a server together with what it needs, as one tree of processes whose processor time is counted as the server's:
 * `with-services.js <folder> <core> [--nats] -- <command> …`. The command finds them by DATABASE_URL and NATS_URL.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports.js';
import { startPostgres } from '../servers/postgres.js';

const STOP_MS = 6_000;

const split = process.argv.indexOf('--');
const [dir = '', core = '0', ...wanted] = process.argv.slice(2, split);
const [command = '', ...args] = process.argv.slice(split + 1);

/** The kernel ends it with this process. */
const tied = ['--pdeathsig', 'KILL'];

// Asked to end while things are only starting: nothing is there yet that would have to be told.
process.once('SIGTERM', () => process.exit(1));
const postgres = await startPostgres(dir, Number(core));
const env: NodeJS.ProcessEnv = { ...process.env, DATABASE_URL: postgres.url };
if (wanted.includes('--nats')) {
  const port = await freePort([Number(process.env.PORT)]);
  const config = join(dir, 'nats.conf');
  writeFileSync(config, `listen: "127.0.0.1:${port}"\n`);
  spawn('setpriv', [...tied, 'nats-server', '-c', config, '-l', join(dir, 'nats.log')], { stdio: 'ignore' });
  env.NATS_URL = `nats://127.0.0.1:${port}`;
}
const server = spawn('setpriv', [...tied, command, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
const ended = once(server, 'exit');
process.removeAllListeners('SIGTERM');
process.once('SIGTERM', () => {
  server.kill('SIGTERM');
  setTimeout(() => server.kill('SIGKILL'), STOP_MS).unref();
});
const [code] = (await ended) as [number | null];
await postgres.stop();
// nats-server still runs, and would keep this process: it ends with it.
process.exit(code ?? 1);

/** Child processes of the bench: pinned to a core, ended by their own ids, and never outliving the bench. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const living = new Set<ChildProcess>();
/** The end of what a child said on its error output, where that is a pipe. */
const said = new WeakMap<ChildProcess, string>();
const SAID_MAX = 2_000;

/** What a machine must have for this to work, or null when it is all there. */
export function missingTools(): string | null {
  if (process.platform !== 'linux') return 'the bench reads /proc and pins processes to cores: it needs Linux';
  for (const tool of ['taskset', 'setpriv']) {
    if (!installed(tool)) return `the bench needs ${tool} (Debian package util-linux)`;
  }
  return null;
}

export function installed(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status === 0;
}

export interface ChildOptions {
  core: number;
  env?: Record<string, string>;
  cwd?: string;
  stdio: StdioOptions;
}

/** Starts a command on one core. The kernel ends it when the bench ends, however that happens. */
export function start(command: string, args: readonly string[], options: ChildOptions): ChildProcess {
  const line = ['--pdeathsig', 'KILL', 'taskset', '-c', String(options.core), command, ...args];
  const child = spawn('setpriv', line, {
    stdio: options.stdio,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  living.add(child);
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => said.set(child, (lastWords(child) + text).slice(-SAID_MAX)));
  child.once('exit', () => living.delete(child));
  child.once('error', () => living.delete(child));
  return child;
}

export function lastWords(child: ChildProcess): string {
  return said.get(child) ?? '';
}

export function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** Asks a child to end, and ends it when it does not. */
export async function stop(child: ChildProcess, patience: number): Promise<void> {
  if (ended(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([gone, delay(patience, undefined, { ref: false })]);
  if (ended(child)) return;
  child.kill('SIGKILL');
  await gone;
}

/** At the very end, when nothing can be waited for any more. */
export function killAll(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** Moves this process itself, with all its threads, to a core. */
export function pinSelf(core: number): void {
  const done = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`taskset could not pin the bench to core ${core}: ${done.stderr}`);
}

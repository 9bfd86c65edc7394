/** The command line as a process of its own, and a server as one, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../processes.js';

const CLI = fileURLToPath(new URL('../../bundle/cli.js', import.meta.url));

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

export interface Server {
  url: string;
  process: ChildProcess;
  /** Ends it by a signal, and answers its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface Place {
  dir: string;
  /** Runs `natter` with arguments; `input` goes to its standard input. */
  natter(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<Ran>;
  /** Starts a process of `natter` and leaves it to the test. */
  start(args: readonly string[], env?: Record<string, string>): ChildProcess;
  serve(): Promise<Server>;
  /** Ends what still runs, and removes the folder. */
  close(): Promise<void>;
}

export function makePlace(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'natter-cli-'));
  const running = new Set<ChildProcess>();

  function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: dir,
      env: {
        PATH: process.env.PATH,
        DATA_DIR: join(dir, 'data'),
        PORT: '0',
        HOST: '127.0.0.1',
        LOG_LEVEL: 'silent',
        LIMITS: 'off',
        ...env,
      },
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  }

  async function natter(
    args: readonly string[],
    { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
  ): Promise<Ran> {
    const child = start(args, env);
    child.stdin?.end(input);
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, err };
  }

  async function serve(): Promise<Server> {
    const child = start(['serve']);
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      const hear = (text: string): void => {
        said += text;
        const found = /ready at (http:\S+)/.exec(said)?.[1];
        if (found) resolve(found);
      };
      child.stdout?.setEncoding('utf8').on('data', hear);
      child.stderr?.setEncoding('utf8').on('data', hear);
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    });
    return {
      url,
      process: child,
      end: (signal = 'SIGTERM') => endProcess(child, signal),
    };
  }

  return {
    dir,
    natter,
    start,
    serve,
    async close() {
      await Promise.all(Array.from(running, (child) => endProcess(child, 'SIGKILL')));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A real nats-server on a free port, started, stopped, frozen and killed by a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess } from '../processes.js';

/** As `npm test` finds it, else on the path. */
const PROGRAM = process.env.TEST_NATS_SERVER ?? 'nats-server';

export async function freePort(): Promise<number> {
  for (;;) {
    const wanted = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(wanted, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return wanted;
  }
}

export class NatsServer {
  readonly port: number;
  readonly folder: string;
  readonly #config: string;
  #child: ChildProcess | null = null;

  private constructor(port: number, folder: string, config: string) {
    this.port = port;
    this.folder = folder;
    this.#config = config;
  }

  /** `config` is in the language of nats-server's own files; it may need files in the folder that it is given. */
  static async start(config: string | ((folder: string) => string) = ''): Promise<NatsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'natter-nats-'));
    const text = typeof config === 'string' ? config : config(folder);
    const server = new NatsServer(await freePort(), folder, text);
    await server.start();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `nats://${this.address}`;
  }

  async start(): Promise<void> {
    const file = join(this.folder, 'nats.conf');
    writeFileSync(file, `listen: "127.0.0.1:${this.port}"\n${this.#config}\n`);
    const child = spawn(PROGRAM, ['-c', file], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk;
        if (said.includes('Server is ready')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`nats-server ended with ${code}:\n${said}`)));
    });
  }

  get running(): boolean {
    return this.#child !== null;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Its configuration is read again. */
  reload(): void {
    this.#child?.kill('SIGHUP');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child) await endProcess(child, signal);
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

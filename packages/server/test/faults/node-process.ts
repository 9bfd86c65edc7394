/** One node as a process of its own: started, frozen, ended, killed, and looked into from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { freePort } from '../bus/nats-server.js';
import type { Json } from '../json.js';
import { endProcess } from '../processes.js';

/** What a process holds, after its garbage was taken away. */
export interface Holdings {
  files: number;
  timers: number;
  heapBytes: number;
}

export interface NodeOptions {
  name: string;
  env: Record<string, string>;
  /** Folder with the built server. */
  dist?: string;
  /** A library that is loaded before libc. */
  shims?: string | null;
}

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

export class NodeProcess {
  readonly name: string;
  readonly port: number;
  readonly #folder: string;
  readonly #options: NodeOptions;
  readonly #clock: string;
  /** What it logged, all lives of it. */
  readonly logged: string[] = [];
  #child: ChildProcess | null = null;
  #inspector: string | null = null;
  /** How often it was started. */
  starts = 0;

  private constructor(port: number, folder: string, options: NodeOptions) {
    this.name = options.name;
    this.port = port;
    this.#folder = folder;
    this.#options = options;
    this.#clock = join(folder, 'clock');
  }

  static async make(options: NodeOptions): Promise<NodeProcess> {
    const node = new NodeProcess(await freePort(), mkdtempSync(join(tmpdir(), 'natter-faults-node-')), options);
    node.setClock(0);
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  async start(): Promise<void> {
    if (this.#child) return;
    const { env, dist = DIST, shims } = this.#options;
    const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', join(dist, 'main.js')], {
      cwd: this.#folder,
      env: {
        PATH: process.env.PATH,
        PORT: String(this.port),
        HOST: '127.0.0.1',
        DATA_DIR: this.#folder,
        ...(shims ? { LD_PRELOAD: shims, FAULT_CLOCK: this.#clock } : {}),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#inspector = null;
    this.starts += 1;
    child.once('exit', (code, signal) => {
      if (this.#child !== child) return;
      // Nobody ended it.
      this.#child = null;
      this.logged.push(`the process ended by itself with ${code ?? signal}`);
    });
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        const text = String(chunk);
        this.logged.push(text);
        this.#inspector ??= /ws:\/\/\S+/.exec(text)?.[0] ?? null;
        if (text.includes('is ready at')) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) =>
        reject(new Error(`${this.name} ended with ${code}:\n${this.logged.slice(-5).join('')}`)),
      );
    });
  }

  /** Ends it, and waits for its end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child) await endProcess(child, signal);
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Its time of day is so many seconds ahead, from now on. */
  setClock(ahead: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ahead));
    // In place: it is mapped into the process.
    writeFileSync(this.#clock, bytes, { flag: this.starts === 0 ? 'w' : 'r+' });
  }

  async holdings(): Promise<Holdings> {
    const pid = this.#child?.pid;
    if (!pid) throw new Error(`${this.name} does not run`);
    await this.#inspect('HeapProfiler.collectGarbage', {});
    const expression =
      'JSON.stringify([process.memoryUsage().heapUsed, process.getActiveResourcesInfo().filter((one) => one === "Timeout").length])';
    const answer = await this.#inspect('Runtime.evaluate', { expression });
    const [heapBytes, timers] = JSON.parse(answer.result.value) as [number, number];
    return { files: readdirSync(`/proc/${pid}/fd`).length, timers, heapBytes };
  }

  #inspect(method: string, params: object): Promise<Json> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.#inspector ?? '');
      socket.on('open', () => socket.send(JSON.stringify({ id: 1, method, params })));
      socket.on('message', (data) => {
        const { id, result } = JSON.parse(String(data));
        if (id !== 1) return;
        socket.close();
        resolve(result);
      });
      socket.on('error', reject);
    });
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

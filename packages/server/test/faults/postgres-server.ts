/** A real PostgreSQL on a free port, started, frozen, killed and started again by a test. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../bus/nats-server.js';

/** Where `initdb` and `postgres` are: as `npm test` finds them, else where Debian has them. */
function programs(): string {
  const named = process.env.TEST_POSTGRES_BIN;
  if (named) return named;
  const home = '/usr/lib/postgresql';
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(home, version, 'bin')).find((dir) => existsSync(join(dir, 'initdb')));
  if (!found) throw new Error('PostgreSQL is missing: run this with npm');
  return found;
}

/** It refuses to run as root. */
function account(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no account to run it as');
}

/** All of ours are small enough for a number. */
const INT8 = 20;

export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  /** While this file is there, its syncs fail, where the shims are loaded. */
  readonly syncFails: string;
  /** And while this one is there, its disk is full. */
  readonly diskFull: string;
  readonly #shims: string | null;
  #child: ChildProcess | null = null;

  private constructor(port: number, folder: string, shims: string | null) {
    this.port = port;
    this.folder = folder;
    this.syncFails = join(folder, 'sync-fails');
    this.diskFull = join(folder, 'disk-full');
    this.#shims = shims;
  }

  static async start(options: { shims?: string | null } = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'natter-faults-pg-'));
    const { uid, gid } = account();
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    const server = new PostgresServer(await freePort(), folder, options.shims ?? null);
    execFileSync(
      join(programs(), 'initdb'),
      ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
      { cwd: '/', stdio: 'ignore', ...account() },
    );
    await server.start();
    return server;
  }

  get url(): string {
    return this.urlAt(this.port);
  }

  /** Through somebody who passes it on. */
  urlAt(port: number): string {
    return `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  async start(): Promise<void> {
    // Those of before hold its memory until they have noticed.
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#spawn();
        return;
      } catch (error) {
        if (tries >= 40) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  #spawn(): Promise<void> {
    const sizes = ['max_connections=60', 'shared_buffers=32MB', 'min_wal_size=32MB', 'max_wal_size=64MB'];
    // What it shares between its processes is in its folder, and goes with that when it was killed.
    const settings = [...sizes, 'dynamic_shared_memory_type=mmap'];
    const args = ['-D', join(this.folder, 'data'), '-p', String(this.port), '-h', '127.0.0.1', '-k', this.folder];
    const child = spawn(join(programs(), 'postgres'), [...args, ...settings.flatMap((one) => ['-c', one])], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env.PATH,
        ...(this.#shims ? { LD_PRELOAD: this.#shims, FAULT_SYNC: this.syncFails, FAULT_DISK: this.diskFull } : {}),
      },
      ...account(),
    });
    let said = '';
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    return new Promise((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said = (said + chunk).slice(-20_000);
        if (!said.includes('database system is ready to accept connections')) return;
        this.#child = child;
        resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${said.slice(-3_000)}`)));
    });
  }

  /** Every process of it, at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (const pid of [child.pid, ...this.#children(child.pid)]) signal(pid, 'SIGKILL');
    await ended;
  }

  /** As `pg_ctl stop -m immediate`: nothing is finished, nothing is told. */
  async stopAtOnce(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGQUIT');
    await ended;
  }

  freeze(): void {
    if (this.#child?.pid) for (const pid of this.#children(this.#child.pid)) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    if (this.#child?.pid) for (const pid of this.#children(this.#child.pid)) signal(pid, 'SIGCONT');
  }

  /** Asks it directly, past everything that is broken on the way. */
  async ask<T extends pg.QueryResultRow>(sql: string, params: unknown[] = []): Promise<T[]> {
    const client = await this.connect();
    try {
      return (await client.query<T>(sql, params)).rows;
    } finally {
      await client.end().catch(() => {});
    }
  }

  async connect(): Promise<pg.Client> {
    const types = { getTypeParser: (oid: number) => (oid === INT8 ? Number : pg.types.getTypeParser(oid)) };
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 5_000, types });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async remove(): Promise<void> {
    this.thaw();
    await this.kill();
    // Its processes may still be about to go.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #children(pid: number): number[] {
    const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
    return stdout.split('\n').filter(Boolean).map(Number);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

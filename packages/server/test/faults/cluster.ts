/** Three nodes, PostgreSQL and NATS as processes of their own, with a wire on every link between them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatsServer } from '../bus/nats-server.js';
import type { Random } from '../simulation/random.js';
import { NodeProcess } from './node-process.js';
import { PostgresServer } from './postgres-server.js';
import { type CommitFates, deafToCommits, type Fates, lossyNats } from './tampering.js';
import { Wire } from './wire.js';

const SHIMS = fileURLToPath(new URL('./shims.c', import.meta.url));
const NODES = 3;
const ALL_WELL: CommitFates = { unasked: 0, unanswered: 0 };

export interface ClusterOptions {
  random: Random;
  /** Folder with the built server; another one than the package's has a bug in it. */
  dist?: string;
  env?: Record<string, string>;
}

export class Cluster {
  readonly random: Random;
  readonly #options: ClusterOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'natter-faults-'));
  postgres!: PostgresServer;
  nats!: NatsServer;
  readonly nodes: NodeProcess[] = [];
  /** By node. */
  readonly toPostgres: Wire[] = [];
  readonly toNats: Wire[] = [];
  /** What becomes of what nodes hear from NATS; null: it arrives. */
  fates: Fates | null = null;
  /** What becomes of commits. */
  commits: CommitFates = { ...ALL_WELL };
  /** Null where they can't be made: no compiler, or another system. */
  shims: string | null = null;

  constructor(options: ClusterOptions) {
    this.random = options.random;
    this.#options = options;
  }

  async open(): Promise<void> {
    this.shims = process.platform === 'linux' ? this.#compile() : null;
    this.postgres = await PostgresServer.start({ shims: this.shims });
    this.nats = await NatsServer.start();
    for (let index = 0; index < NODES; index += 1) {
      const toPostgres = await Wire.to(this.postgres.port);
      const toNats = await Wire.to(this.nats.port);
      toNats.tamper = lossyNats(this.random, () => this.fates);
      toPostgres.tamper = deafToCommits(this.random, () => this.commits);
      this.toPostgres.push(toPostgres);
      this.toNats.push(toNats);
      this.nodes.push(
        await NodeProcess.make({
          name: `node${index}`,
          shims: this.shims,
          ...(this.#options.dist === undefined ? {} : { dist: this.#options.dist }),
          env: {
            DATABASE_URL: this.postgres.urlAt(toPostgres.port),
            NATS_URL: `nats://127.0.0.1:${toNats.port}`,
            SECRET_KEY: 'the same on all nodes of the fault test',
            LOG_LEVEL: 'warn',
            LIMITS: 'off',
            ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
            // Everybody is to see every event: nobody is sent to a page.
            RESUME_EVENTS_MAX: '100000',
            DIALECTS: 'none',
            ...this.#options.env,
          },
        }),
      );
    }
    // The first one makes the tables.
    await this.nodes[0]?.start();
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** A port of any node, dead or alive: as a balancer that knows nothing. */
  anyPort(): number {
    return this.random.pick(this.nodes).port;
  }

  /** Of the nodes that run. */
  anyUrl(): string {
    const running = this.nodes.filter((node) => node.running);
    return this.random.pick(running.length > 0 ? running : this.nodes).url;
  }

  /** Everything is as it was: what was stopped runs, what was cut is whole. */
  async heal(): Promise<void> {
    this.fates = null;
    this.commits = { ...ALL_WELL };
    for (const node of this.nodes) node.thaw();
    this.nats.thaw();
    this.postgres.thaw();
    rmSync(this.postgres.diskFull, { force: true });
    rmSync(this.postgres.syncFails, { force: true });
    if (!this.postgres.running) await this.postgres.start();
    if (!this.nats.running) await this.nats.start();
    for (const wire of [...this.toPostgres, ...this.toNats]) wire.heal();
    for (const node of this.nodes) node.setClock(0);
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
    for (const wire of [...this.toPostgres, ...this.toNats]) await wire.close();
    await this.nats?.remove();
    await this.postgres?.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #compile(): string | null {
    const library = join(this.#folder, 'shims.so');
    const { status } = spawnSync(process.env.CC ?? 'cc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-w',
      '-o',
      library,
      SHIMS,
      '-ldl',
    ]);
    if (status !== 0) return null;
    // PostgreSQL reads it under another account.
    spawnSync('chmod', ['755', this.#folder]);
    return library;
  }
}

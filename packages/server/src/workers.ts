/** Several nodes on one machine behind one address: starts them, brings back those that die, and stops them together. */
import cluster, { type Worker } from 'node:cluster';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Colleagues, type FromWorker, Gatherer } from './colleagues.js';
import type { Config, Loaded } from './config.js';
import { type Logger, makeLogger } from './logger.js';
import { BUILT } from './places.js';
import { VERSION } from './version.js';

const MAIN = fileURLToPath(new URL('main.js', BUILT));
/** A worker that died comes back after this; the longer each time, when it dies again soon, up to the last. */
const RESTART_MS = 500;
const RESTART_MS_MAX = 15_000;
/** One that lived for so long did not die of its start. */
const LIVED_MS = 30_000;
/** A worker that does not stop by itself within its time is ended. */
const PATIENCE_MS = 2_000;

/** What a worker says: once it listens, and about metrics. */
type Message = { ready: string } | FromWorker;

interface Place {
  worker: Worker;
  startedAt: number;
  /** How often in a row it died soon. */
  deaths: number;
}

function problemOf({ database, nats }: Config, count: number): string | null {
  if (database.driver !== 'postgres') {
    return `--workers ${count} needs a database that several processes can share: set DATABASE_URL to postgres://…, and NATS_URL; SQLite has one process, and one worker serves it`;
  }
  if (!nats) return `--workers ${count} needs NATS_URL: workers tell each other through NATS what was committed`;
  return null;
}

/** Answers the exit code: 0 stopped, 1 failed, 2 wrong settings. */
export async function serveWorkers(loaded: Loaded, count: number): Promise<number> {
  const problems = loaded.ok ? [problemOf(loaded.config, count)] : loaded.problems;
  for (const problem of problems) if (problem !== null) process.stderr.write(`natter: ${problem}\n`);
  if (!loaded.ok || problems.some((problem) => problem !== null)) return 2;
  return new Workers(loaded.config, count, makeLogger(loaded.config.logLevel)).run();
}

class Workers {
  readonly #config: Config;
  readonly #count: number;
  readonly #logger: Logger;
  readonly #places = new Map<number, Place>();
  readonly #ready = new Set<number>();
  readonly #gatherer = new Gatherer();
  #url = '';
  #stopping = false;
  #code = 0;
  #done: () => void = () => {};

  constructor(config: Config, count: number, logger: Logger) {
    this.#config = config;
    this.#count = count;
    this.#logger = logger;
  }

  async run(): Promise<number> {
    // Connections are handed out in turn: each worker gets as many of those that stay.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ exec: MAIN, args: [] });
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => this.#asked(name));
    for (let at = 1; at <= this.#count; at += 1) this.#start(at, 0);
    await done;
    return this.#code;
  }

  #start(at: number, deaths: number): void {
    const { dataDir } = this.#config;
    // The first one has the folder itself, where the command line finds its socket.
    const worker = cluster.fork({ DATA_DIR: at === 1 ? dataDir : join(dataDir, `worker-${at}`) });
    this.#places.set(at, { worker, startedAt: performance.now(), deaths });
    worker.on('message', (message: Message) => {
      if ('ready' in message) this.#heard(at, message.ready);
      else this.#gatherer.hear(at, message, this.#listening());
    });
    worker.on('exit', (code, signal) => this.#ended(at, signal ?? String(code)));
  }

  #listening(): Map<number, Worker> {
    const places = [...this.#places].filter(([at]) => this.#ready.has(at));
    return new Map(places.map(([at, { worker }]) => [at, worker]));
  }

  #heard(at: number, url: string): void {
    this.#ready.add(at);
    if (this.#url !== '') this.#logger.info({ worker: at }, 'a worker is back');
    if (this.#url !== '' || this.#ready.size < this.#count) return;
    this.#url = url;
    const { dataDir } = this.#config;
    process.stdout.write(
      `\n  Natter ${VERSION} is ready at ${url}, with ${this.#count} workers\n  API: ${url}/docs   data: ${dataDir}\n\n`,
    );
  }

  #ended(at: number, how: string): void {
    const place = this.#places.get(at);
    this.#places.delete(at);
    this.#ready.delete(at);
    if (this.#stopping) {
      // One that was still starting ends by the signal itself.
      if (how !== '0' && how !== 'SIGTERM' && this.#code === 0) this.#code = 1;
      if (this.#places.size === 0) this.#done();
      return;
    }
    if (this.#url === '') {
      // It has said itself what is wrong, and the others would say the same.
      this.#code = /^[0-9]+$/.test(how) && how !== '0' ? Number(how) : 1;
      this.#stop();
      return;
    }
    const lived = performance.now() - (place?.startedAt ?? 0);
    const deaths = lived >= LIVED_MS ? 0 : (place?.deaths ?? 0);
    const wait = Math.min(RESTART_MS * 2 ** deaths, RESTART_MS_MAX);
    this.#logger.error({ worker: at, how, wait }, 'a worker died; another one takes its place');
    setTimeout(() => {
      if (!this.#stopping) this.#start(at, deaths + 1);
    }, wait);
  }

  #asked(signal: NodeJS.Signals): void {
    if (this.#stopping) {
      // Whoever asks twice does not want to wait.
      for (const { worker } of this.#places.values()) worker.process.kill('SIGKILL');
      process.exit(1);
    }
    this.#logger.info({ signal }, 'stopping: clients are told to come back');
    this.#stop();
  }

  #stop(): void {
    this.#stopping = true;
    if (this.#places.size === 0) this.#done();
    for (const { worker } of this.#places.values()) worker.process.kill('SIGTERM');
    const late = this.#config.limits.SHUTDOWN_SECONDS * 1_000 + PATIENCE_MS;
    setTimeout(() => {
      for (const { worker } of this.#places.values()) worker.process.kill('SIGKILL');
    }, late).unref();
  }
}

/** Who is told that it is ready, and who may ask it to stop. */
export interface Post {
  signals: readonly NodeJS.Signals[];
  colleagues: Colleagues;
  ready(url: string): void;
  /** Calls when the first process is gone, which nobody told: nobody new comes from then on, and this one ends as if it were asked to. */
  onAlone(call: () => void): void;
  /** Lets go of the process that started it, which would keep it alive. */
  leave(): void;
}

/** What this process says and hears as one of several; null: it is alone. */
export function workerPost(): Post | null {
  if (!cluster.isWorker) return null;
  // A terminal gives its signals to all processes at once; what they mean is for the first process to say.
  process.on('SIGINT', () => {});
  return {
    signals: ['SIGTERM'],
    colleagues: new Colleagues(),
    ready: (url) => process.send?.({ ready: url } satisfies Message),
    onAlone: (call) => {
      const { worker } = cluster;
      worker?.once('disconnect', () => {
        if (worker.exitedAfterDisconnect) return;
        // Else Node ends this process here and now, with all its sockets.
        worker.exitedAfterDisconnect = true;
        call();
      });
    },
    leave: () => {
      if (cluster.worker?.isConnected()) cluster.worker.disconnect();
    },
  };
}

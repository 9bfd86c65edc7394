/** One run: a fresh server on one core, a fresh load generator on the other, and a verdict on what they did. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ended, lastWords, start, stop } from './children.js';
import { makeFolder, removeFolder } from './folders.js';
import { broken, type Judgement, judge } from './judge.js';
import type { Job, Report } from './load/job.js';
import { freePort, listening } from './ports.js';
import { listeners, processTree } from './proc.js';
import type { Contestant, Started } from './servers/server.js';
import type { Work } from './works.js';

export interface RunOptions {
  /** Shared by all servers of a round: the times at which messages are due. */
  seed: number;
  cores: { server: number; load: number };
  /** The run is broken off after this, in milliseconds, if not before. */
  limit?: number;
  /** How long to wait for what does not come, in milliseconds (4,000). */
  silence?: number;
  /** Servers on Node write a CPU profile into the folder of the run when they end. */
  profile?: boolean;
  /** Called with the folder of the run after the server has ended and before the folder goes. */
  after?: (dir: string) => Promise<void>;
}

/** Times, in milliseconds. */
const START_MAX = 30_000;
const STOP_PATIENCE = 10_000;
const CONNECT_MAX = 120_000;
const DRAIN_MAX = 40_000;
const RESUME_MAX = 60_000;
const SILENCE = 4_000;
const GENERATOR = fileURLToPath(new URL('./load/generator.js', import.meta.url));
const COLLECT = new URL('./peers/collect.js', import.meta.url).href;

/** Eight characters that JSON, NATS subjects and MQTT topics carry as they are. */
function nonce(): string {
  return Array.from(randomBytes(8), (byte) => (byte % 36).toString(36)).join('');
}

export async function runOnce(contestant: Contestant, work: Work, options: RunOptions): Promise<Judgement> {
  const dir = makeFolder();
  let started: Started | null = null;
  try {
    const port = await freePort();
    const collects = work.kind === 'idle' && contestant.onNode;
    const nodeOptions = [
      ...(collects ? ['--expose-gc', '--import', COLLECT] : []),
      ...(options.profile && (contestant.onNode || contestant.withinNode)
        ? ['--cpu-prof', `--cpu-prof-dir=${dir}`]
        : []),
    ];
    const fresh = nonce();
    started = await contestant.start({ work, port, dir, nonce: fresh, core: options.cores.server, nodeOptions });
    const { child, rooms, tokens } = started;
    await listening(port, START_MAX, () => ended(child));
    const pid = child.pid as number;
    const heard = listeners(port, processTree(pid));
    if (!heard.ours || heard.others) return broken(`another process listens on port ${port}`);
    const job: Job = {
      work,
      wire: contestant.wire,
      port,
      serverPid: pid,
      nonce: started.nonce ?? fresh,
      standing: started.standing ?? null,
      order: contestant.order,
      rooms,
      tokens,
      seed: options.seed,
      cores: options.cores,
      silence: options.silence ?? SILENCE,
      collects,
    };
    const report = await generate(job, options.limit ?? Infinity);
    if (ended(child)) return broken('the server ended during the run', lastWords(child));
    return judge(report);
  } catch (error) {
    const words = started && ended(started.child) ? lastWords(started.child) : '';
    return broken(error instanceof Error ? error.message : String(error), words);
  } finally {
    if (started) await stop(started.child, STOP_PATIENCE);
    await options.after?.(dir);
    await removeFolder(dir);
  }
}

async function generate(job: Job, most: number): Promise<Report> {
  const child = start(process.execPath, [GENERATOR], {
    core: job.cores.load,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const timed = durationOf(job.work);
  const limit = new AbortController();
  try {
    child.send(job);
    const answer = await Promise.race([
      once(child, 'message').then(([report]) => report as Report),
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`the load generator ended by itself (${signal ?? code})`);
      }),
      delay(Math.min(most, timed + CONNECT_MAX + DRAIN_MAX), undefined, { signal: limit.signal }).then(() => {
        throw new Error('the run took too long');
      }),
    ]);
    return answer;
  } finally {
    limit.abort();
    await stop(child, 1_000);
  }
}

/** What a run takes beside connecting and draining, in milliseconds. */
function durationOf(work: Work): number {
  switch (work.kind) {
    case 'idle':
      return 6 * work.settle;
    case 'resume':
      return RESUME_MAX;
    default:
      return work.warmup + work.window;
  }
}

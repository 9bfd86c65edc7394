/** The load generator: a process of its own that does one job, reports and ends. */
import { setTimeout as delay } from 'node:timers/promises';
import { coreBusySeconds, cpuSeconds, residentBytes } from '../proc.js';
import type { ClosedWork, IdleWork, OpenWork, ResumeWork } from '../works.js';
import { Crowd } from './crowd.js';
import type { Figures, IdleFigures, Job, LoadFigures, Report, ResumeFigures } from './job.js';
import { ClosedLoop, OpenLoop } from './loops.js';

/** In milliseconds, as the rest. */
const DRAIN_MAX = 20_000;
/** Listened on when all has arrived: what comes then came twice. */
const AFTERMATH = 200;
const KEEP_ALIVE = 15_000;
const PROOFS_AT_A_TIME = 10;

function reading(job: Job, crowd: Crowd, completed: number) {
  const { user, system } = process.cpuUsage();
  return {
    at: Number(process.hrtime.bigint() / 1_000n),
    deliveries: crowd.delivered,
    completed,
    serverCpu: cpuSeconds(job.serverPid),
    loadCpu: (user + system) / 1_000_000,
    serverCore: coreBusySeconds(job.cores.server),
    loadCore: coreBusySeconds(job.cores.load),
  };
}

/** What Natter counts of itself; null where there is nobody who counts it. */
interface Counted {
  /** Events given to sockets, and the writes it took. */
  deliveries: number;
  writes: number;
  /** Events read from the log for those who come back. */
  read: number;
}

async function counted(job: Job): Promise<Counted | null> {
  if (!job.wire.startsWith('natter')) return null;
  const text = await (await fetch(`http://127.0.0.1:${job.port}/metrics`)).text();
  const value = (name: string): number => {
    // Of several workers each has a line of its own.
    const lines = [...text.matchAll(new RegExp(`^natter_${name}_total(?:\\{[^}]*\\})? (.+)$`, 'gm'))];
    if (lines.length === 0) throw new Error(`the server does not count natter_${name}_total`);
    return lines.reduce((sum, [, found]) => sum + Number(found), 0);
  };
  return { deliveries: value('deliveries'), writes: value('socket_writes'), read: value('log_events_read') };
}

/** Waits until all that was sent has arrived, and a little longer. */
async function drain(job: Job, crowd: Crowd, aftermath = AFTERMATH): Promise<void> {
  const ends = performance.now() + DRAIN_MAX;
  let seen = -1;
  let quietFrom = performance.now();
  for (;;) {
    const now = performance.now();
    const expected = crowd.expected();
    if (crowd.delivered >= expected.deliveries && crowd.confirmations >= expected.confirmations) break;
    if (crowd.delivered + crowd.confirmations !== seen) {
      seen = crowd.delivered + crowd.confirmations;
      quietFrom = now;
    }
    if (now - quietFrom > job.silence || now > ends) break;
    await delay(10);
  }
  await delay(aftermath);
}

async function underLoad(job: Job, work: ClosedWork | OpenWork, crowd: Crowd): Promise<LoadFigures> {
  await crowd.connect(0, work.members);
  const loop = work.kind === 'closed' ? new ClosedLoop(crowd, work) : new OpenLoop(crowd, work, job.seed);
  crowd.begin(loop);
  loop.start();
  await Promise.race([delay(work.warmup), crowd.failure]);
  // Outside of what is counted: it costs the server a little.
  const countedBefore = await counted(job);
  loop.keep(true);
  const before = reading(job, crowd, loop.completed);
  await Promise.race([delay(work.window), crowd.failure]);
  loop.keep(false);
  const after = reading(job, crowd, loop.completed);
  const countedAfter = await counted(job);
  loop.stop();
  await Promise.race([drain(job, crowd), crowd.failure]);
  return {
    kind: 'load',
    from: before.at,
    to: after.at,
    seconds: (after.at - before.at) / 1e6,
    deliveries: after.deliveries - before.deliveries,
    sends: after.completed - before.completed,
    serverCpu: after.serverCpu - before.serverCpu,
    loadCpu: after.loadCpu - before.loadCpu,
    serverCore: after.serverCore - before.serverCore,
    loadCore: after.loadCore - before.loadCore,
    latency: loop.latency(),
    late: loop.late(),
    perWrite:
      countedBefore && countedAfter
        ? (countedAfter.deliveries - countedBefore.deliveries) / Math.max(1, countedAfter.writes - countedBefore.writes)
        : null,
  };
}

async function idle(job: Job, work: IdleWork, crowd: Crowd): Promise<IdleFigures> {
  const settle = (time: number) => Promise.race([delay(time), crowd.failure]);
  const collect = async (): Promise<void> => {
    process.kill(job.serverPid, 'SIGUSR2');
    await settle(work.settle / 2);
  };
  const grown = (from: number): number => (residentBytes(job.serverPid) - from) / (work.members - work.before);

  await crowd.connect(0, work.before);
  await settle(work.settle);
  const start = residentBytes(job.serverPid);
  if (job.collects) await collect();
  const collectedStart = residentBytes(job.serverPid);
  const apart = !crowd.wire.joinsAtOnce;
  await crowd.connect(work.before, work.members, apart);
  await settle(work.settle);
  const connected = apart ? grown(start) : null;
  if (apart) {
    await crowd.join(work.before, work.members);
    await settle(work.settle);
  }
  const joined = grown(start);
  if (job.collects) await collect();
  const collected = job.collects ? grown(collectedStart) : null;
  await prove(job, crowd);
  return { kind: 'idle', connections: work.members, connected, joined, collected };
}

/** All are connected, then all say at once where they stand. */
async function resume(job: Job, work: ResumeWork, crowd: Crowd): Promise<ResumeFigures> {
  await crowd.connect(0, work.members, true);
  crowd.lacks(work.behind);
  const countedBefore = await counted(job);
  const bytes = crowd.bytes;
  const before = reading(job, crowd, 0);
  await crowd.join(0, work.members, work.members);
  const after = reading(job, crowd, 0);
  const countedAfter = await counted(job);
  const received = crowd.bytes - bytes;
  await Promise.race([drain(job, crowd), crowd.failure]);
  return {
    kind: 'resume',
    clients: work.members,
    seconds: (after.at - before.at) / 1e6,
    bytes: received,
    serverCpu: after.serverCpu - before.serverCpu,
    loadCpu: after.loadCpu - before.loadCpu,
    serverCore: after.serverCore - before.serverCore,
    loadCore: after.loadCore - before.loadCore,
    reads: countedBefore && countedAfter ? (countedAfter.read - countedBefore.read) / (work.rooms * work.behind) : null,
  };
}

function figuresOf(job: Job, crowd: Crowd): Promise<Figures> {
  const { work } = job;
  switch (work.kind) {
    case 'idle':
      return idle(job, work, crowd);
    case 'resume':
      return resume(job, work, crowd);
    default:
      return underLoad(job, work, crowd);
  }
}

/** All connections are live in their rooms: one message in each room reaches every member of it. */
async function prove(job: Job, crowd: Crowd): Promise<void> {
  crowd.begin({ delivered: () => undefined, confirmed: () => undefined, turn: () => undefined });
  for (let sender = 0; sender < crowd.senders.length; sender += 1) {
    crowd.send(sender);
    crowd.flush();
    if (sender % PROOFS_AT_A_TIME === 0) await Promise.race([drain(job, crowd, 0), crowd.failure]);
  }
  await Promise.race([drain(job, crowd), crowd.failure]);
}

async function run(job: Job): Promise<Report> {
  const crowd = new Crowd(job);
  const started = performance.now();
  const heart = setInterval(() => crowd.keepAlive(), KEEP_ALIVE);
  try {
    const figures = await figuresOf(job, crowd);
    const connectSeconds = (performance.now() - started) / 1_000;
    return { kind: 'done', figures, faults: crowd.finish(), connectSeconds };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error), faults: crowd.finish() };
  } finally {
    clearInterval(heart);
    crowd.close();
  }
}

process.once('message', async (job: Job) => {
  const report = await run(job);
  process.send?.(report, () => process.exit(0));
});
process.once('disconnect', () => process.exit(1));

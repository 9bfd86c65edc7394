/** What Natter is to reach, as ratios in one run against named peers, or as a figure of its own. */
import { OURS, type Row } from './metrics.js';
import { dialects } from './servers/natter.js';
import type { WorkName } from './works.js';

interface Target {
  work: WorkName;
  /** Key of a metric of that work. */
  metric: string;
  /** A peer, or null for Natter's own figure. */
  against: string | null;
  is: 'at least' | 'at most';
  value: number;
  text: string;
}

const TARGETS: readonly Target[] = [
  {
    work: 'sat10',
    metric: 'deliveries',
    against: 'nats-server',
    is: 'at least',
    value: 3,
    text: 'deliveries/s ≥ 3 × nats-server',
  },
  {
    work: 'sat10',
    metric: 'deliveries',
    against: 'socket.io',
    is: 'at least',
    value: 8,
    text: 'deliveries/s ≥ 8 × socket.io',
  },
  {
    work: 'sat10',
    metric: 'deliveries',
    against: 'fastapi',
    is: 'at least',
    value: 10,
    text: 'deliveries/s ≥ 10 × FastAPI + PostgreSQL',
  },
  { work: 'sat10', metric: 'cpu', against: null, is: 'at most', value: 1.2, text: 'cpu/M ≤ 1.2' },
  {
    work: 'sat100',
    metric: 'deliveries',
    against: 'nats-server',
    is: 'at least',
    value: 4,
    text: 'deliveries/s ≥ 4 × nats-server',
  },
  {
    work: 'sat100',
    metric: 'deliveries',
    against: 'socket.io',
    is: 'at least',
    value: 40,
    text: 'deliveries/s ≥ 40 × socket.io',
  },
  { work: 'rate50', metric: 'p99', against: 'nats-server', is: 'at most', value: 1, text: 'p99 ≤ nats-server' },
  { work: 'rate50', metric: 'cpu', against: 'nats-server', is: 'at most', value: 1, text: 'cpu/M ≤ nats-server' },
  {
    work: 'rooms',
    metric: 'sends',
    against: 'nats-server',
    is: 'at least',
    value: 1,
    text: 'messages/s ≥ 1.0 × nats-server',
  },
  {
    work: 'rooms',
    metric: 'sends',
    against: 'fastapi',
    is: 'at least',
    value: 18,
    text: 'messages/s ≥ 18 × FastAPI + PostgreSQL',
  },
  {
    work: 'idle',
    metric: 'joined',
    against: null,
    is: 'at most',
    value: 9_000,
    text: '≤ 9 KB a connection in 20 rooms',
  },
  {
    work: 'resume',
    metric: 'seconds',
    against: 'bare-writes',
    is: 'at most',
    value: 1.5,
    text: 'time until all are live ≤ 1.5 × that of the writes alone',
  },
  {
    work: 'resume',
    metric: 'reads',
    against: null,
    is: 'at most',
    value: 1.1,
    text: 'the log is read once for a room, not for a client',
  },
  {
    work: 'sat10',
    metric: 'cpu',
    against: 'natter-alone',
    is: 'at most',
    value: 1.05,
    text: 'cpu/M as with all dialects off',
  },
  {
    work: 'rooms',
    metric: 'cpuPerSend',
    against: 'natter-alone',
    is: 'at most',
    value: 1.05,
    text: 'µs CPU a send as with all dialects off',
  },
  ...dialects.flatMap(({ name }): Target[] => [
    asFast(name, 'sat10', 'deliveries', 'deliveries/s'),
    asFast(name, 'rooms', 'sends', 'messages/s'),
  ]),
];

/** A dialect is within 10 % of the native protocol. */
function asFast(dialect: string, work: WorkName, metric: string, unit: string): Target {
  const text = `${dialect} ≥ 0.9 × native ${unit}: native ≤ 1.11 × it`;
  return { work, metric, against: dialect, is: 'at most', value: 1 / 0.9, text };
}

export interface TargetResult {
  target: Target;
  found: number | null;
  met: boolean | null;
}

export function holdTargets(rows: readonly Row[]): TargetResult[] {
  return TARGETS.map((target) => {
    const row = rows.find(({ work, server }) => work === target.work && server === (target.against ?? OURS));
    const found = (target.against === null ? row?.figures : row?.ratios)?.[target.metric]?.median ?? null;
    if (found === null) return { target, found, met: null };
    return { target, found, met: target.is === 'at least' ? found >= target.value : found <= target.value };
  });
}

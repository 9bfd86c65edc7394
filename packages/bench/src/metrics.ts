/** What is told of each work point, and how many runs become one figure. */

import type { Judgement } from './judge.js';
import type { Figures, LoadFigures, ResumeFigures } from './load/job.js';
import type { WorkName } from './works.js';

export interface Metric {
  key: string;
  title: string;
  better: 'more' | 'less';
  digits: number;
  of(figures: Figures): number | null;
}

function ofLoad(pick: (figures: LoadFigures) => number | null): Metric['of'] {
  return (figures) => (figures.kind === 'load' ? pick(figures) : null);
}

function ofResume(pick: (figures: ResumeFigures) => number | null): Metric['of'] {
  return (figures) => (figures.kind === 'resume' ? pick(figures) : null);
}

const deliveries: Metric = {
  key: 'deliveries',
  title: 'deliveries/s',
  better: 'more',
  digits: 0,
  of: ofLoad((figures) => figures.deliveries / figures.seconds),
};
const cpu: Metric = {
  key: 'cpu',
  title: 'cpu/M',
  better: 'less',
  digits: 2,
  of: ofLoad((figures) => (figures.serverCpu / figures.deliveries) * 1e6),
};
const p50: Metric = {
  key: 'p50',
  title: 'p50 ms',
  better: 'less',
  digits: 1,
  of: ofLoad((figures) => figures.latency.p50),
};
const p99: Metric = {
  key: 'p99',
  title: 'p99 ms',
  better: 'less',
  digits: 1,
  of: ofLoad((figures) => figures.latency.p99),
};

const perWrite: Metric = {
  key: 'perWrite',
  title: 'events a write',
  better: 'more',
  digits: 1,
  of: ofLoad((figures) => figures.perWrite),
};

const saturated = [deliveries, cpu, p50, perWrite];

/** The first one of each list is what the work point is about. */
export const METRICS: Record<WorkName, readonly Metric[]> = {
  sat10: saturated,
  sat100: saturated,
  rate50: [p99, p50, cpu, perWrite],
  rooms: [
    {
      key: 'sends',
      title: 'messages/s',
      better: 'more',
      digits: 0,
      of: ofLoad((figures) => figures.sends / figures.seconds),
    },
    {
      key: 'cpuPerSend',
      title: 'µs CPU a send',
      better: 'less',
      digits: 1,
      of: ofLoad((figures) => (figures.serverCpu / figures.sends) * 1e6),
    },
    p50,
  ],
  idle: [
    {
      key: 'joined',
      title: 'bytes a connection',
      better: 'less',
      digits: 0,
      of: (f) => (f.kind === 'idle' ? f.joined : null),
    },
    {
      key: 'connected',
      title: 'before joining rooms',
      better: 'less',
      digits: 0,
      of: (figures) => (figures.kind === 'idle' ? figures.connected : null),
    },
    {
      key: 'collected',
      title: 'after a collection',
      better: 'less',
      digits: 0,
      of: (figures) => (figures.kind === 'idle' ? figures.collected : null),
    },
  ],
  resume: [
    {
      key: 'seconds',
      title: 's until all are live',
      better: 'less',
      digits: 2,
      of: ofResume((figures) => figures.seconds),
    },
    {
      key: 'cpuPerClient',
      title: 'µs CPU a client',
      better: 'less',
      digits: 0,
      of: ofResume((figures) => (figures.serverCpu / figures.clients) * 1e6),
    },
    {
      key: 'bytes',
      title: 'kB a client',
      better: 'less',
      digits: 1,
      of: ofResume((figures) => figures.bytes / figures.clients / 1_000),
    },
    { key: 'reads', title: 'times the log was read', better: 'less', digits: 2, of: ofResume(({ reads }) => reads) },
  ],
};

export interface Run extends Judgement {
  round: number;
  work: WorkName;
  server: string;
}

export interface Spread {
  median: number;
  low: number;
  high: number;
  count: number;
}

export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { median, low: sorted[0] as number, high: sorted.at(-1) as number, count: sorted.length };
}

export interface Row {
  work: WorkName;
  server: string;
  figures: Record<string, Spread | null>;
  /** By metric: Natter's figure divided by this server's, round by round. */
  ratios: Record<string, Spread | null>;
  /** Runs that count are disturbed ones: there was no clean one. */
  disturbed: boolean;
  refused: string[];
}

export const OURS = 'natter';

/** The runs of one work and server that count: the clean ones, else the disturbed ones. */
function counted(runs: readonly Run[], work: WorkName, server: string): Run[] {
  const all = runs.filter((run) => run.work === work && run.server === server);
  const clean = all.filter((run) => run.verdict === 'clean');
  return clean.length > 0 ? clean : all.filter((run) => run.verdict === 'disturbed');
}

export function summarise(runs: readonly Run[], works: readonly WorkName[], servers: readonly string[]): Row[] {
  return works.flatMap((work) => {
    const ours = counted(runs, work, OURS);
    const took = servers.filter((server) => runs.some((run) => run.work === work && run.server === server));
    return took.map((server): Row => {
      const counting = counted(runs, work, server);
      const row: Row = {
        work,
        server,
        figures: {},
        ratios: {},
        disturbed: counting[0]?.verdict === 'disturbed',
        refused: [],
      };
      for (const metric of METRICS[work]) {
        row.figures[metric.key] = spread(counting.flatMap((run) => value(metric, run)));
        row.ratios[metric.key] = server === OURS ? null : spread(pairs(metric, ours, counting));
      }
      for (const run of runs) {
        if (run.work === work && run.server === server && run.verdict === 'refused')
          row.refused.push(run.why.join('; '));
      }
      return row;
    });
  });
}

function value(metric: Metric, run: Run): number[] {
  const found = run.figures && metric.of(run.figures);
  return found === null ? [] : [found];
}

/** Ratios within a round: what the machine did to one server then, it did to the other too. */
function pairs(metric: Metric, ours: readonly Run[], theirs: readonly Run[]): number[] {
  return ours.flatMap((run) => {
    const other = theirs.find((each) => each.round === run.round);
    if (!other) return [];
    const [mine] = value(metric, run);
    const [peer] = value(metric, other);
    return mine === undefined || peer === undefined || peer === 0 ? [] : [mine / peer];
  });
}

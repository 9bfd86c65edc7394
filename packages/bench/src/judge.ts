/** Says what a run is worth: counted, counted with a mark, or refused. */
import type { Figures, LoadFigures, Report, ResumeFigures } from './load/job.js';
import { anyFault } from './load/verifier.js';

export type Verdict =
  /** Counts. */
  | 'clean'
  /** Other processes took part of the two cores: counts only where there is nothing better. */
  | 'disturbed'
  /** Counts for nothing. */
  | 'refused';

export interface Judgement {
  verdict: Verdict;
  why: string[];
  figures: Figures | null;
  /** The run came to its end, and all that was sent arrived as it should: whatever its figures are worth. */
  sound: boolean;
  /** Others took so much of a core that another try may do better. */
  again: boolean;
}

/** A run that ended before it could be judged. */
export function broken(...why: string[]): Judgement {
  return { verdict: 'refused', why: why.filter((text) => text !== ''), figures: null, sound: false, again: false };
}

/** Shares of one core. */
const BUSY = 0.95;
const DISTURBED = 0.06;
/** An open loop whose messages leave later than this (p99, ms) does not keep to its times. */
const LATE_MAX = 5;

export function judge(report: Report): Judgement {
  const why: string[] = [];
  const { faults } = report;
  if (report.kind === 'failed') why.push(report.why);
  if (faults && anyFault(faults)) {
    const { examples, ...counts } = faults;
    const kinds = Object.entries(counts).filter(([, count]) => count > 0);
    // A run that broke off has lost what was in flight; that is no finding of its own.
    if (report.kind === 'done' || kinds.some(([kind]) => kind !== 'lost')) {
      why.push(`${kinds.map(([kind, count]) => `${count} ${kind}`).join(', ')} (${examples[0] ?? 'no example'})`);
    }
  }
  if (report.kind === 'failed') return broken(...why);
  const { figures } = report;
  if (why.length > 0) return { verdict: 'refused', why, figures, sound: false, again: false };
  return figures.kind === 'idle' ? { verdict: 'clean', why, figures, sound: true, again: false } : weigh(figures);
}

function weigh(figures: LoadFigures | ResumeFigures): Judgement {
  const share = (seconds: number): number => seconds / figures.seconds;
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  const why: string[] = [];
  if (figures.kind === 'load' && figures.deliveries === 0) why.push('nothing was delivered');
  if (share(figures.loadCpu) >= BUSY && share(figures.serverCore) < BUSY) {
    why.push(
      `the load generator was the bottleneck: ${percent(share(figures.loadCpu))} of its core, the server's core ${percent(share(figures.serverCore))}`,
    );
  }
  if (figures.kind === 'load' && figures.late && figures.late.p99 > LATE_MAX) {
    why.push(`the load generator sent late: p99 ${figures.late.p99.toFixed(1)} ms after the due time`);
  }
  const refused = why.length > 0;
  const beside = Math.max(share(figures.serverCore - figures.serverCpu), share(figures.loadCore - figures.loadCpu));
  const again = beside > DISTURBED;
  if (again) why.push(`others took ${percent(beside)} of a core`);
  return { verdict: refused ? 'refused' : again ? 'disturbed' : 'clean', why, figures, sound: true, again };
}

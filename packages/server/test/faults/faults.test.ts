/**
 * Three real nodes on a real PostgreSQL and a real nats-server, broken in many ways while people talk: everything that was
 * promised holds. A short run by default; `npm run faults` makes it as long and as hard as one likes.
 */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.js';
import { FAULT_NAMES, type FaultName } from './faults.js';
import { type RunReport, run } from './run.js';

const SEED = Number(process.env.NATTER_FAULTS_SEED ?? Math.floor(Math.random() * 1e6));
const SECONDS = Number(process.env.NATTER_FAULTS_SECONDS ?? 0);
const WANTED = (process.env.NATTER_FAULTS ?? '').split(',').filter(Boolean) as FaultName[];
/** What is broken in the short run, in this order: hints, a node, the log, and the ways of clients. */
const SHORT: readonly (readonly FaultName[])[] = [
  ['nats.kill'],
  ['node.kill', 'nats.lose'],
  ['postgres.commit.unanswered', 'client.reply.lost'],
];
/** A fault and its healing take about so long. */
const EACH_SECONDS = 8;

function plan(random: Random): (readonly FaultName[])[] {
  if (SECONDS === 0) return [...SHORT];
  const names = WANTED.length > 0 ? WANTED : FAULT_NAMES;
  const rounds: (readonly FaultName[])[] = [];
  // Each alone, then in pairs.
  for (let round = 0; rounds.length < SECONDS / EACH_SECONDS; round += 1) {
    const order = [...names].sort(() => random.next() - 0.5);
    for (const name of order) rounds.push(round === 0 ? [name] : [...new Set([name, random.pick(names)])]);
  }
  return rounds.slice(0, Math.max(1, Math.round(SECONDS / EACH_SECONDS)));
}

const say = (line: string): void => void process.stdout.write(`faults: ${line}\n`);

function tell({ problems, recoveries, withoutHints, ...figures }: RunReport): void {
  const sorted = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
  const at = (list: readonly number[], share: number): number =>
    Math.round(sorted(list)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0);
  const spread = (list: readonly number[]) => ({ p50: at(list, 0.5), p99: at(list, 0.99), max: at(list, 1) });
  const report = {
    ...figures,
    recoveryMs: spread(recoveries),
    withoutHintsMs: spread(withoutHints),
    problems: problems.length,
  };
  say(JSON.stringify(report));
  const file = process.env.NATTER_FAULTS_REPORT;
  if (file) writeFileSync(file, `${JSON.stringify({ ...report, found: problems }, null, 2)}\n`);
}

describe('three nodes, PostgreSQL and NATS', () => {
  it(
    `keep all promises whatever breaks (I1–I16), seed ${SEED}`,
    async () => {
      const report = await run({ seed: SEED, plan: plan(new Random(SEED)), say });
      tell(report);
      expect(report.problems.slice(0, 20)).toEqual([]);
      expect(report.acknowledged).toBeGreaterThan(0);
    },
    (SECONDS + 600) * 1_000,
  );
});

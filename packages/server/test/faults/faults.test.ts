/**
 * Three real nodes on a real PostgreSQL and a real nats-server, broken in many ways while people talk: everything that was
 * promised holds. A short run by default; `npm run faults` makes it as long and as hard as one likes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.js';
import { FAULT_NAMES, type FaultName, faultOf } from './faults.js';
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
const EACH_SECONDS = 5;
/** From so many on, there is time for those that last longer. */
const LONG_SECONDS = 300;

function plan(random: Random): (readonly FaultName[])[] {
  if (SECONDS === 0) return [...SHORT];
  const names = WANTED.length > 0 ? WANTED : FAULT_NAMES;
  const brief = names.filter((name) => !faultOf(name).lasts);
  const long = names.filter((name) => faultOf(name).lasts && (WANTED.length > 0 || SECONDS >= LONG_SECONDS));
  const longSeconds = long.reduce((sum, name) => sum + (faultOf(name).lasts?.[1] ?? 0) / 1_000, 0);
  const count = Math.max(1, Math.round((SECONDS - longSeconds) / EACH_SECONDS));
  const rounds: (readonly FaultName[])[] = [];
  // Each alone, then in pairs. Nodes start anew before anything else breaks: without a database none can.
  const first = (name: FaultName): number => (name === 'node.rolling' ? 0 : 1);
  for (let round = 0; rounds.length < count && brief.length > 0; round += 1) {
    for (const name of shuffled(brief, random)) {
      const pair = round === 0 ? [name] : [...new Set([name, random.pick(brief)])];
      rounds.push(pair.sort((a, b) => first(a) - first(b)));
    }
  }
  return [...long.map((name) => [name]), ...rounds.slice(0, count)];
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const places = list.map((one) => ({ one, at: random.next() }));
  return places.sort((a, b) => a.at - b.at).map(({ one }) => one);
}

const say = (line: string): void => void process.stdout.write(`faults: ${line}\n`);

interface Spread {
  p50: number;
  p99: number;
  max: number;
}

function spread(list: readonly number[]): Spread {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function tell(report: RunReport): void {
  const { problems, recoveries, withoutHints, ...figures } = report;
  const short = { ...figures, recoveryMs: spread(recoveries), withoutHintsMs: spread(withoutHints) };
  say(JSON.stringify({ ...short, problems: problems.length }));
  const file = process.env.NATTER_FAULTS_REPORT;
  if (!file) return;
  const text = file.endsWith('.md') ? asPage(report) : `${JSON.stringify({ ...short, found: problems }, null, 2)}\n`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** For docs/faults. */
function asPage({ problems, recoveries, withoutHints, ...report }: RunReport): string {
  const { lost, doubled, gapped, reordered, phantom, leaked, faults, probes, skipped } = report;
  const row = (...cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const times = (name: string, list: readonly number[], allowed: string): string => {
    const { p50, p99, max } = spread(list);
    return row(name, list.length, p50, p99, max, allowed);
  };
  const options = WANTED.length > 0 ? ` --faults ${WANTED.join(',')}` : '';
  return [
    `# Fault test, seed ${report.seed}, ${new Date().toISOString().slice(0, 10)}`,
    '',
    `\`npm run faults -- --seed ${report.seed} --seconds ${SECONDS}${options}\`: ${Math.round(report.seconds)} s, three nodes, PostgreSQL, nats-server, a wire on every link; Node ${process.version}, ${cpus().length} cores.`,
    '',
    row('lost', 'doubled', 'gapped', 'reordered', 'phantom', 'leaked', 'findings'),
    row(...Array.from({ length: 7 }, () => '---')),
    row(lost, doubled, gapped, reordered, phantom, leaked, problems.length),
    '',
    `Events ${report.events}, deliveries ${report.deliveries}. Sends ${report.sends}: acknowledged ${report.acknowledged}, refused ${report.refused}, unknown ${report.unknown}.`,
    '',
    row('milliseconds', 'times', 'p50', 'p99', 'max', 'allowed [I7]'),
    row(...Array.from({ length: 6 }, () => '---')),
    times('from healing to everything everywhere', recoveries, '5000'),
    times('a message under broken hints, to the last device', withoutHints, '2000 (known), 5000 (unseen)'),
    '',
    `Asked meanwhile: ${Object.entries(probes)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}.`,
    '',
    row('fault', 'times'),
    row('---', '---'),
    ...Object.entries(faults)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => row(name, count)),
    '',
    ...(skipped.length > 0 ? [`Not possible here: ${[...new Set(skipped)].join(', ')}.`, ''] : []),
    ...(problems.length > 0 ? ['Found:', '', ...problems.slice(0, 100).map((problem) => `- ${problem}`), ''] : []),
  ].join('\n');
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

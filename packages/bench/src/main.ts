/** The bench: `npm run bench`, `npm run bench -- --quick`, `npm run bench -- --only natter,ws --work sat10`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { killAll, missingTools, pinSelf } from './children.js';
import { removeFolders } from './folders.js';
import { growth } from './growth.js';
import { importLogs } from './import.js';
import { instructions } from './instructions.js';
import { machine, versions } from './machine.js';
import { METRICS, type Run, summarise } from './metrics.js';
import { nodes, nodesMissing } from './nodes.js';
import { plotSvg } from './plot.js';
import { coreBusySeconds } from './proc.js';
import { profiled } from './profile.js';
import { markdownText, type Results, terminalText } from './report.js';
import { runOnce } from './run.js';
import { CONTESTANTS } from './servers/index.js';
import { dialects } from './servers/natter.js';
import { type Contestant, fits } from './servers/server.js';
import { timeStarts } from './start.js';
import { WORK_NAMES, type Work, type WorkName, workPoints } from './works.js';

const CORES = { server: 0, load: 1 };
const PACKAGE = join(import.meta.dirname, '..');
/** A whole run ends within this, whatever happens, in milliseconds. */
const LIMIT = { full: 90 * 60_000, quick: 165_000 };
/** Full runs wait, within limits, for a machine on which nothing else runs, and run again when they were disturbed. */
const QUIET_SHARE = 0.1;
/** So many readings in a row, of 400 ms each. */
const QUIET_TIMES = 3;
const RETRIES = 3;

/** Unless another number is said. */
const GROWN = 1_000_000;
const CROSSING = 2_000;

const USAGE = `usage: npm run bench -- [options]
       npm run bench -- growth [messages]   what users wait for as a store grows, up to so many messages (${GROWN})
       npm run bench -- import [folder]     messages of IRC logs a second into an empty store; without a folder it makes logs
       npm run bench -- start [messages]    how long a start takes, on an empty store and on one with so many (${GROWN})
       npm run bench -- nodes [messages]    how much later a message is at another node, over so many (${CROSSING})
       npm run bench -- instructions [update]   those of the hot path beside the committed ones, or instead of them
  --quick             one short round, under three minutes
  --only A,B          these servers: ${CONTESTANTS.map((each) => each.name).join(', ')};
                      dialects: natter-000 and its like; a quick run has no natter-… without this
  --work A,B          these work points: ${WORK_NAMES.join(', ')}
  --rounds N          rounds of a full run (5)
  --patience N        seconds that each run waits for a machine on which nothing else runs (30; quick: 0)
  --seed N            of the times at which messages of rate50 are due (printed)
  --profile           one run of each with a CPU profile of servers on Node; measures nothing
`;

/** Stands for all of them. */
const ALL_DIALECTS = 'dialects';

interface Plan {
  contestants: Contestant[];
  works: WorkName[];
  skipped: { server: string; why: string }[];
  quick: boolean;
  profile: boolean;
  rounds: number;
  /** In milliseconds. */
  patience: number;
  seed: number;
}

class UsageError extends Error {}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function listed<T extends string>(option: string | undefined, known: readonly T[], what: string): T[] {
  if (option === undefined) return [...known];
  return option.split(',').map((name) => {
    const found = known.find((each) => each === name.trim());
    if (found === undefined) throw new UsageError(`there is no ${what} '${name}'; there are ${known.join(', ')}`);
    return found;
  });
}

function whole(option: string, name: string, min: number, max: number): number {
  if (!/^\d+$/.test(option) || Number(option) < min || Number(option) > max)
    throw new UsageError(`--${name} wants a number from ${min} to ${max}`);
  return Number(option);
}

function readOptions(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    quick: flag,
    profile: flag,
    help: flag,
    only: text,
    work: text,
    rounds: text,
    patience: text,
    seed: text,
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readPlan(args: string[]): Plan {
  const values = readOptions(args);
  if (values.help) throw new UsageError('');
  const { quick, profile } = values;
  const known = [...CONTESTANTS.map((each) => each.name), ALL_DIALECTS];
  const names = listed(values.only, known, 'server');
  const ofAll = new Set(names.includes(ALL_DIALECTS) ? dialects.map(({ name }) => name) : []);
  const chosen = CONTESTANTS.filter(({ name, beside = false }) =>
    values.only === undefined ? !(beside && quick) : names.includes(name) || ofAll.has(name),
  );
  const skipped = chosen.flatMap((each) => {
    const why = each.missing();
    return why === null ? [] : [{ server: each.name, why }];
  });
  return {
    contestants: chosen.filter((each) => !skipped.some(({ server }) => server === each.name)),
    works: listed(values.work, WORK_NAMES, 'work point'),
    skipped,
    quick,
    profile,
    rounds: whole(values.rounds ?? (quick || profile ? '1' : '5'), 'rounds', 1, 100),
    patience: 1_000 * whole(values.patience ?? (quick ? '0' : '30'), 'patience', 0, 3_600),
    seed: whole(values.seed ?? String(1 + Math.floor(Math.random() * 1e6)), 'seed', 1, 2 ** 31 - 1),
  };
}

/** Waits, within limits, until nothing else keeps the cores busy; answers how long it waited, in milliseconds. */
async function quiet(limit: number): Promise<number> {
  const began = performance.now();
  let calm = 0;
  while (calm < QUIET_TIMES && performance.now() - began < limit) {
    const before = [CORES.server, CORES.load].map(coreBusySeconds);
    const started = performance.now();
    await delay(400);
    const seconds = (performance.now() - started) / 1_000;
    const after = [CORES.server, CORES.load].map(coreBusySeconds);
    if (after.every((busy, i) => (busy - (before[i] as number)) / seconds < QUIET_SHARE)) calm += 1;
    else calm = 0;
  }
  return performance.now() - began;
}

function line(run: Run): string {
  const metrics = METRICS[run.work].flatMap((metric) => {
    const value = run.figures && metric.of(run.figures);
    return value === null
      ? []
      : [`${value.toLocaleString('en', { maximumFractionDigits: metric.digits })} ${metric.title}`];
  });
  const mark = run.verdict === 'clean' ? '' : `  ${run.verdict.toUpperCase()}: ${run.why.join('; ')}`;
  return `${String(run.round).padStart(2)}  ${run.work.padEnd(7)} ${run.server.padEnd(12)} ${metrics.join(', ')}${mark}`;
}

/** Servers take turns at going first. */
function turned<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

async function measure(plan: Plan, works: Record<WorkName, Work>): Promise<{ runs: Run[]; cutShort: string | null }> {
  const runs: Run[] = [];
  // Time that was spent waiting for others is not its own.
  let ends = performance.now() + (plan.quick ? LIMIT.quick : LIMIT.full);
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const name of plan.works) {
      const contestants = plan.contestants.filter((each) => fits(each, works[name]));
      for (const contestant of turned(contestants, round - 1)) {
        for (let retry = 0; retry <= (plan.quick ? 0 : RETRIES); retry += 1) {
          const left = ends - performance.now();
          if (left < LONGEST)
            return { runs, cutShort: `The time was up in round ${round}, before ${name} of ${contestant.name}.` };
          ends += await quiet(plan.patience);
          const limit = ends - performance.now();
          const judgement = await runOnce(contestant, works[name], { seed: plan.seed + round, cores: CORES, limit });
          const run: Run = { round, work: name, server: contestant.name, ...judgement };
          say(line(run));
          if (run.again && retry < RETRIES && !plan.quick) continue;
          runs.push(run);
          break;
        }
      }
    }
  }
  return { runs, cutShort: null };
}

/** No run is begun with less than this left, in milliseconds. */
const LONGEST = 10_000;

async function main(): Promise<void> {
  const [task, ...rest] = process.argv.slice(2);
  if (task === 'growth') {
    const most = whole(rest[0] ?? String(GROWN), 'messages', 1_000, 100_000_000);
    // A shorter one is a try, and does not stand for the project.
    return growth(most, most >= GROWN ? join(PACKAGE, 'GROWTH.md') : null, say);
  }
  if (task === 'import') return importLogs(rest[0], say);
  if (task === 'start') {
    const lacking = missingTools();
    if (lacking !== null) throw new UsageError(lacking);
    const messages = whole(rest[0] ?? String(GROWN), 'messages', 1, 100_000_000);
    pinSelf(CORES.load);
    return timeStarts(messages, say);
  }
  if (task === 'nodes') {
    const lacking = missingTools() ?? nodesMissing();
    if (lacking !== null) throw new UsageError(lacking);
    const messages = whole(rest[0] ?? String(CROSSING), 'messages', 1, 1_000_000);
    pinSelf(CORES.load);
    return nodes(messages, say);
  }
  if (task === 'instructions') {
    process.exitCode = instructions(join(PACKAGE, 'INSTRUCTIONS.json'), rest[0] === 'update', say);
    return;
  }
  const plan = readPlan(process.argv.slice(2));
  const lacking =
    missingTools() ?? (cpus().length < 2 ? 'the bench needs two cores: one for the server, one for the load' : null);
  if (lacking !== null) throw new UsageError(lacking);
  for (const { server, why } of plan.skipped) say(`${server} is skipped: ${why}`);
  if (plan.contestants.length === 0) throw new UsageError('none of the servers can run here');
  pinSelf(CORES.load);
  const works = workPoints(plan.quick);
  if (plan.profile) {
    for (const work of plan.works) {
      for (const each of plan.contestants)
        if ((each.onNode || each.withinNode) && fits(each, works[work]))
          say(await profiled(each, works[work], { seed: plan.seed, cores: CORES }));
    }
    return;
  }
  say(
    `seed ${plan.seed}, ${plan.rounds} rounds of ${plan.works.join(', ')} with ${plan.contestants.map((each) => each.name).join(', ')}`,
  );
  const { runs, cutShort } = await measure(plan, works);
  const servers = plan.contestants.map((each) => each.name);
  const results: Results = {
    machine: machine(),
    versions: versions(plan.contestants),
    titles: Object.fromEntries(plan.contestants.map((each) => [each.name, each.title])),
    stores: Object.fromEntries(plan.contestants.map((each) => [each.name, each.stores])),
    skipped: plan.skipped,
    quick: plan.quick,
    rounds: plan.rounds,
    cutShort,
    works: plan.works,
    rows: summarise(runs, plan.works, servers),
    runs,
  };
  say(`\n${terminalText(results)}`);
  const entire =
    !plan.quick && plan.works.length === WORK_NAMES.length && servers.includes('natter') && servers.length > 1;
  for (const path of write(results, entire)) say(`written: ${path}`);
}

/** Whole runs replace the results that stand in the repository; others are kept beside them. */
function write(results: Results, whole: boolean): string[] {
  const folder = whole ? PACKAGE : join(PACKAGE, 'results');
  mkdirSync(folder, { recursive: true });
  const name = whole ? 'RESULTS' : results.machine.date.slice(0, 19).replaceAll(':', '-');
  const paths = [`${name}.md`, `${name}.json`, `${name}.svg`].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ];
  writeFileSync(paths[0], markdownText(results, `${name}.svg`));
  writeFileSync(paths[2], plotSvg(results));
  writeFileSync(paths[1], `${JSON.stringify(results, null, 2)}\n`);
  return paths;
}

process.once('exit', () => {
  killAll();
  removeFolders();
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code));

main().catch((error: unknown) => {
  if (error instanceof UsageError) process.stderr.write(`${error.message}${error.message ? '\n' : ''}${USAGE}`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});

/** The checker is checked: each of fourteen bugs is put into a copy of the server, and has to be found. `npm run faults -- --bugs` does it. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { plant } from '../mutant.js';
import { BUGS, CARELESS } from './bugs.js';
import { PowerCuts } from './power-cuts.js';
import { type RunReport, run, THE_DOCTOR } from './run.js';

const ALL = [...BUGS, CARELESS];
/** Unset: only that every bug can be put in. Else a part of their names, or nothing for all. */
const WANTED = process.env.NATTER_FAULTS_BUGS;
const SEED = Number(process.env.NATTER_FAULTS_SEED ?? 1);
/** Each may need some luck: so often it is tried, with another seed each time. */
const TRIES = 4;

const say = (line: string): void => void process.stdout.write(`bugs: ${line}\n`);

describe('every bug can be put in', () => {
  it.each(ALL)('$name', ({ changes }) => {
    const { dist, remove } = plant(changes);
    try {
      for (const { file } of changes) {
        const { status, stderr } = spawnSync(process.execPath, ['--check', join(dist, file)], { encoding: 'utf8' });
        expect(status, stderr).toBe(0);
      }
    } finally {
      remove();
    }
  });
});

// Takes minutes: asked for by the command alone.
const search = () => {
  const rows: string[] = [];
  afterAll(() => {
    const found = rows.filter((row) => !row.includes('not found')).length;
    const table = ['| bug | found | by: broken invariants, and one finding |', '|---|---|---|', ...rows, ''].join('\n');
    say(`${found} of ${rows.length} found\n${table}`);
    const title = `# Bugs that were put in: ${found} of ${rows.length} found, ${new Date().toISOString().slice(0, 10)}`;
    const command =
      '`npm run faults -- --bugs`: each in a copy of the built server of its own, six people in four rooms.';
    const file = process.env.NATTER_FAULTS_REPORT;
    if (file) writeFileSync(file, [title, '', command, '', table].join('\n'));
  });

  it.each(BUGS.filter(({ name }) => name.includes(WANTED ?? '')))(
    '$name',
    async ({ name, changes, faults, examined }) => {
      const { dist, remove } = plant(changes);
      try {
        for (let attempt = 0; attempt < TRIES; attempt += 1) {
          const seed = SEED + attempt;
          say(`${name}, seed ${seed}`);
          const report = await run({ seed, plan: [faults], lasts: [4_000, 5_000], users: 6, rooms: 4, dist });
          if (report.problems.length === 0) continue;
          if (examined && !report.problems.some((problem) => problem.startsWith(THE_DOCTOR))) continue;
          rows.push(`| ${name} | ${counts(report)}, under ${faults.join(', ')}, seed ${seed} | ${firstOf(report)} |`);
          return;
        }
        rows.push(`| ${name} | not found, under ${faults.join(', ')}, seeds ${SEED} to ${SEED + TRIES - 1} | |`);
        expect.unreachable('the checker did not find it');
      } finally {
        remove();
      }
    },
    600_000,
  );

  it.runIf(CARELESS.name.includes(WANTED ?? ''))(CARELESS.name, () => {
    const { dist, remove } = plant(CARELESS.changes);
    const cuts = new PowerCuts();
    try {
      const { lost, corrupt, cuts: disks } = cuts.replay('normal', dist, 60, SEED);
      rows.push(
        `| ${CARELESS.name} | ${lost > 0 ? '' : 'not found: '}acknowledged messages lost on ${lost} of ${disks} disks, ${corrupt} corrupt, seed ${SEED} | the replay of power cuts [L1] |`,
      );
      expect(lost).toBeGreaterThan(0);
    } finally {
      cuts.remove();
      remove();
    }
  });
};
if (WANTED !== undefined) describe('every bug is found', search);

/** What was broken, in the words of the report. */
function counts(report: RunReport): string {
  const named = (['lost', 'doubled', 'gapped', 'reordered', 'phantom', 'leaked'] as const).filter(
    (name) => report[name],
  );
  return [...named.map((name) => `${name} ${report[name]}`), `${report.problems.length} findings`].join(', ');
}

/** One finding of each invariant that was broken; the first is told whole. */
function firstOf({ problems }: RunReport): string {
  const invariants = [...new Set(problems.flatMap((problem) => problem.match(/\[[A-Z]\d+\]/g) ?? []))].join('');
  return `${invariants} ${(problems[0] ?? '').replaceAll('|', '/').slice(0, 160)}`;
}

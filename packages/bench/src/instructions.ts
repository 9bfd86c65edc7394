/**
 * Instructions of the pure parts of the hot path, counted by valgrind: `npm run bench -- instructions`. They hardly depend on
 * what else the machine does, so a slower build shows where times would not. Without the compilers of V8, whose timing would
 * be in it: a count says what code does, not how fast it is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installed } from './children.js';

/**
 * Each part is counted with two numbers of times: what starting takes is in both, but for some hundred million instructions
 * that differ from start to start. So many times that this is a few per cent.
 */
const PARTS = {
  command: { few: 20, many: 2_020 },
  delivery: { few: 2, many: 1_002 },
  encoding: { few: 200, many: 100_200 },
} as const;
export type HotPart = keyof typeof PARTS;

const TEXTS: Record<HotPart, string> = {
  command: 'a message, from its frame to the reply after the commit',
  delivery: 'an event to 1,000 sockets',
  encoding: 'an event as a frame',
};

const PROGRAM = fileURLToPath(new URL('./hot-path.js', import.meta.url));
const NODE_OPTIONS = ['--jitless', '--single-threaded', '--hash-seed=1', '--random-seed=1', '--no-warnings'];
/** More than this above the committed count is slower. */
const SLOWER = 1.1;

export interface Counts {
  /** Counts of other builds of Node can't be compared. */
  node: string;
  counts: Record<HotPart, number>;
}

function instructionsMissing(): string | null {
  return installed('valgrind') ? null : 'valgrind is not installed (Debian package valgrind)';
}

function instructionsOf(part: HotPart, times: number): number {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', process.execPath, ...NODE_OPTIONS];
  const run = spawnSync('valgrind', [...args, PROGRAM, part, String(times)], { encoding: 'utf8' });
  const refs = /I +refs: +([\d,]+)/.exec(run.stderr)?.[1];
  if (run.status !== 0 || refs === undefined)
    throw new Error(`${part} could not be counted:\n${run.stderr.slice(-1_000)}`);
  return Number(refs.replaceAll(',', ''));
}

function countInstructions(say: (line: string) => void): Counts {
  const counts = {} as Record<HotPart, number>;
  for (const [name, { few, many }] of Object.entries(PARTS)) {
    const part = name as HotPart;
    counts[part] = Math.round((instructionsOf(part, many) - instructionsOf(part, few)) / (many - few));
    say(`${part}: ${counts[part].toLocaleString('en')} instructions`);
  }
  return { node: `${process.version} ${process.arch}`, counts };
}

export interface Compared {
  lines: string[];
  /** Parts that take more than they did. */
  slower: HotPart[];
}

export function compareCounts(found: Counts, known: Counts | null): Compared {
  const comparable = known !== null && known.node === found.node;
  const slower: HotPart[] = [];
  const lines = Object.entries(found.counts).map(([name, count]) => {
    const part = name as HotPart;
    const before = comparable ? known.counts[part] : undefined;
    const told = `${TEXTS[part]}: ${count.toLocaleString('en')}`;
    if (before === undefined) return told;
    const ratio = count / before;
    if (ratio > SLOWER) slower.push(part);
    return `${told}, ${ratio.toFixed(3)} × the committed count${ratio > SLOWER ? ': SLOWER' : ''}`;
  });
  if (known !== null && !comparable)
    lines.push(`the committed counts are of ${known.node}, these of ${found.node}: not compared`);
  return { lines, slower };
}

/** Answers the exit code: 1 where a part is slower than it was. `update`: these counts are the committed ones from now on. */
export function instructions(file: string, update: boolean, say: (line: string) => void): number {
  const missing = instructionsMissing();
  if (missing !== null) {
    say(`instructions are skipped: ${missing}`);
    return 0;
  }
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counts) : null;
  const found = countInstructions(say);
  const { lines, slower } = compareCounts(found, known);
  say(`\n${lines.join('\n')}`);
  if (update) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  return slower.length > 0 && !update ? 1 : 0;
}

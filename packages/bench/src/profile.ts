/** Where a server on Node spends its time: one run with Node's CPU profiler, summed up by function for each thread. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceOf } from '@natter/server/source-maps';
import { type RunOptions, runOnce } from './run.js';
import type { Contestant } from './servers/server.js';
import type { Work } from './works.js';

interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

export interface Profile {
  nodes: { id: number; callFrame: CallFrame }[];
  /** Microseconds of the machine's monotonic clock. */
  startTime: number;
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

const SHOWN = 20;
/** Threads that did less than this share of the time are not shown. */
const SHOWN_SHARE = 0.01;
/** Waiting, and what the event loop does in the kernel between two calls into JavaScript: epoll and reads. */
const OUTSIDE = new Set(['(idle)', '(program)']);

function place(url: string): string {
  const path = url.replace(/^file:\/\//, '');
  for (const [mark, kept] of [
    ['node_modules/', ''],
    ['packages/', 'packages/'],
  ] as const) {
    const at = path.lastIndexOf(mark);
    if (at >= 0) return kept + path.slice(at + mark.length);
  }
  return path;
}

/** Microseconds by function, without what it calls, between two times. */
export function selfTimes(profile: Profile, from: number, to: number): Map<string, number> {
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => {
      const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName;
      if (callFrame.url === '') return [id, name];
      const built = { file: callFrame.url, line: callFrame.lineNumber + 1, column: callFrame.columnNumber + 1 };
      const { file, line } = sourceOf(built) ?? built;
      return [id, `${name}  ${place(file)}:${line}`];
    }),
  );
  const times = new Map<string, number>();
  let at = profile.startTime;
  profile.samples.forEach((id, i) => {
    const delta = profile.timeDeltas[i] ?? 0;
    at += delta;
    if (at < from || at > to) return;
    const name = names.get(id) ?? '(unknown)';
    times.set(name, (times.get(name) ?? 0) + delta);
  });
  return times;
}

function table(thread: number, times: Map<string, number>): string | null {
  const sum = [...times.values()].reduce((total, time) => total + time, 0);
  const called = [...times].filter(([name]) => !OUTSIDE.has(name)).sort(([, a], [, b]) => b - a);
  const inside = called.reduce((total, [, time]) => total + time, 0);
  if (inside < sum * SHOWN_SHARE) return null;
  const percent = (time: number): string => `${((time / sum) * 100).toFixed(1).padStart(5)} %`;
  const lines = called.slice(0, SHOWN).map(([name, time]) => `  ${percent(time)}  ${name}`);
  const rest = called.slice(SHOWN).reduce((total, [, time]) => total + time, 0);
  return [
    `thread ${thread}: ${percent(inside).trim()} of the time in functions, the rest waiting or in the event loop`,
    ...lines,
    `  ${percent(rest)}  all other functions`,
  ].join('\n');
}

/** Runs once under the profiler and answers a table for each thread of the server that had something to do. */
export async function profiled(contestant: Contestant, work: Work, options: RunOptions): Promise<string> {
  const profiles: Profile[] = [];
  const after = async (dir: string): Promise<void> => {
    for (const file of (await readdir(dir)).filter((name) => name.endsWith('.cpuprofile')).sort()) {
      profiles.push(JSON.parse(await readFile(join(dir, file), 'utf8')) as Profile);
    }
  };
  const { verdict, why, figures } = await runOnce(contestant, work, { ...options, profile: true, after });
  const [from, to] = figures?.kind === 'load' ? [figures.from, figures.to] : [0, Infinity];
  const tables = profiles.map((profile, thread) => table(thread, selfTimes(profile, from, to)));
  return [
    [`${work.name}, ${contestant.name}: ${verdict}`, ...why].join('; '),
    ...tables.filter((text) => text !== null),
  ].join('\n');
}

/** How long a start takes, on an empty store and on one that has grown: `npm run bench -- start [messages]`. */
import { start, stop } from './children.js';
import { makeFolder, removeFolder } from './folders.js';
import { importInto, makeLogs } from './import.js';
import { spread } from './metrics.js';
import { freePort, listening } from './ports.js';
import { cpuSeconds } from './proc.js';
import { PROGRAM } from './servers/natter.js';

/** Of each store. */
const STARTS = 15;
/** Between two looks whether it answers, in milliseconds. */
const LOOK_MS = 5;

export interface Start {
  /** From `node` to the first answer, and the processor time of all its threads until then; in milliseconds. */
  ms: number;
  cpuMs: number;
}

/** Starts the program on a folder, alone on one core, and ends it when it has answered. */
export async function startOnce(dir: string): Promise<Start> {
  const port = await freePort();
  const began = performance.now();
  const child = start(process.execPath, [PROGRAM], {
    core: 0,
    cwd: dir,
    env: { PORT: String(port), HOST: '127.0.0.1', DATA_DIR: dir, LOG_LEVEL: 'warn', NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await listening(port, 60_000, () => child.exitCode !== null, LOOK_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    await answer.arrayBuffer();
    const ms = performance.now() - began;
    if (!answer.ok) throw new Error(`the first answer was ${answer.status}`);
    return { ms, cpuMs: cpuSeconds(child.pid as number) * 1_000 };
  } finally {
    await stop(child, 10_000);
  }
}

/** Fills a folder with so many messages, which can be found; their logs are made for it. */
async function fill(dir: string, messages: number): Promise<void> {
  const logs = makeFolder();
  try {
    makeLogs(logs, messages);
    const imported = await importInto(dir, logs);
    if (imported.messages !== messages) throw new Error(`${imported.messages} of ${messages} messages are there`);
  } finally {
    await removeFolder(logs);
  }
}

export interface Starts {
  empty: Start[];
  filled: Start[];
}

/** Starts on both in turns, after one of each that makes what a first start makes. */
export async function measureStarts(messages: number, times: number): Promise<Starts> {
  const [empty, filled] = [makeFolder(), makeFolder()];
  try {
    await fill(filled, messages);
    const starts: Starts = { empty: [], filled: [] };
    for (let turn = 0; turn <= times; turn += 1) {
      const pair = { empty: await startOnce(empty), filled: await startOnce(filled) };
      if (turn === 0) continue;
      starts.empty.push(pair.empty);
      starts.filled.push(pair.filled);
    }
    return starts;
  } finally {
    await Promise.all([removeFolder(empty), removeFolder(filled)]);
  }
}

export async function timeStarts(messages: number, say: (line: string) => void): Promise<void> {
  say(`filling a store with ${messages.toLocaleString('en')} messages`);
  const { empty, filled } = await measureStarts(messages, STARTS);
  say(`${STARTS} starts of each in turns, on one core: median (least to most)`);
  for (const [name, starts] of [
    ['an empty store', empty],
    [`${messages.toLocaleString('en')} messages`, filled],
  ] as const) {
    const text = (figure: keyof Start): string => {
      const { median = 0, low = 0, high = 0 } = spread(starts.map((one) => one[figure])) ?? {};
      return `${median.toFixed(0)} ms (${low.toFixed(0)} to ${high.toFixed(0)})`;
    };
    say(`${name}: first answer after ${text('ms')}, processor time ${text('cpuMs')}`);
  }
}

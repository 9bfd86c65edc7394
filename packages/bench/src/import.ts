/** How many messages of old logs a second come into an empty store, and can be found: `npm run bench -- import [folder]`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCore } from '@natter/server/app';
import { loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { makeFolder, removeFolder } from './folders.js';
import { seeded } from './load/loops.js';
import { vocabulary } from './vocabulary.js';

/** Where no logs are given: so many messages of so many authors, in files of a day each. */
const MESSAGES = 200_000;
const MESSAGES_A_DAY = 5_000;
const AUTHORS = 500;
const WORDS = 9;
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2004, 0, 1);

export interface Imported {
  messages: number;
  authors: number;
  /** Until all is in the log, and until all can be found. */
  committedSeconds: number;
  searchableSeconds: number;
}

/** Logs as people write them, the same in all runs. */
export function makeLogs(dir: string, messages = MESSAGES): void {
  const random = seeded(1);
  const words = vocabulary(random);
  const two = (value: number): string => String(value).padStart(2, '0');
  for (let day = 0; day * MESSAGES_A_DAY < messages; day += 1) {
    const count = Math.min(MESSAGES_A_DAY, messages - day * MESSAGES_A_DAY);
    const lines = Array.from({ length: count }, (_, i) => {
      const minute = Math.floor((i / count) * 1_440);
      const nick = `author${Math.floor(random() ** 2 * AUTHORS)}`;
      const text = Array.from({ length: WORDS }, () => words[Math.floor(random() ** 2 * words.length)]).join(' ');
      return `[${two(Math.floor(minute / 60))}:${two(minute % 60)}] <${nick}> ${text}`;
    });
    const name = new Date(FIRST_DAY + day * DAY_MS).toISOString().slice(0, 10);
    writeFileSync(join(dir, `${name}.raw.txt`), `${lines.join('\n')}\n`);
  }
}

/** Imports logs into the store of a folder, through the server's own core; all of them can be found then. */
export async function importInto(dir: string, logs: string): Promise<Imported> {
  const loaded = loadConfig({ DATA_DIR: dir }, dir);
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  const parts = await openCore(loaded.config, { logger: makeLogger('silent') });
  try {
    const request = { operation: 'import.irc', input: { paths: [logs], room: 'imported' } };
    const done = await parts.operate(request, () => undefined, new AbortController().signal);
    if (!done.ok) throw new Error(`the import was refused: ${done.code} ${done.detail ?? ''}`);
    const { made, authors, seconds } = done.value as {
      made: { messages: number };
      authors: number;
      seconds: { committed: number; searchable: number };
    };
    const found = await parts.search.state();
    if (found.messages !== made.messages)
      throw new Error(`${found.messages} of ${made.messages} messages can be found when the import has ended`);
    return {
      messages: made.messages,
      authors,
      committedSeconds: seconds.committed,
      searchableSeconds: seconds.searchable,
    };
  } finally {
    await parts.close();
  }
}

/** The same into a store of its own. */
export async function measureImport(logs: string): Promise<Imported> {
  const dir = makeFolder();
  try {
    return await importInto(dir, logs);
  } finally {
    await removeFolder(dir);
  }
}

/** Without a folder of logs it makes its own. */
export async function importLogs(folder: string | undefined, say: (line: string) => void): Promise<void> {
  const made = folder === undefined ? makeFolder() : null;
  try {
    if (made !== null) makeLogs(made);
    const { messages, authors, committedSeconds, searchableSeconds } = await measureImport(folder ?? (made as string));
    const rate = (seconds: number): string => Math.round(messages / seconds).toLocaleString('en');
    say(`${messages.toLocaleString('en')} messages of ${authors.toLocaleString('en')} authors`);
    say(`committed: ${committedSeconds.toFixed(1)} s, ${rate(committedSeconds)} messages/s`);
    say(`searchable: ${searchableSeconds.toFixed(1)} s, ${rate(searchableSeconds)} messages/s`);
  } finally {
    if (made !== null) await removeFolder(made);
  }
}

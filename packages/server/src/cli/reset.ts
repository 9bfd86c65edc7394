/** `natter reset`: everything that was ever said goes, and an empty database takes its place. Asks first. */
import { rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { lockDataDir } from '../admin/lock.js';
import type { Session } from './commands.js';
import { safe } from './print.js';
import { CliError, isServing, openData, requireDatabase } from './reach.js';

/** What is to be typed, so that it is not done by a key too many. */
const WORD = 'reset';

export async function reset(session: Session, { yes = false }: { yes?: boolean }): Promise<number> {
  const { config, printer } = session;
  const { path } = config.database;
  if (await isServing(config)) throw new CliError('a server runs on this data: stop it first');
  requireDatabase(config);
  if (!yes && !(await isMeant(session, path))) throw new CliError('nothing was deleted');
  const locks = [...new Set([config.dataDir, dirname(path)])].map(lockDataDir);
  try {
    // What was made from the database goes before it: broken off, nothing is left of what is not there any more.
    for (const file of [join(dirname(path), 'search.db'), path]) {
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    }
  } finally {
    for (const lock of locks) lock.close();
  }
  await (await openData(config)).close();
  printer.line(`Everything is deleted, and an empty database made: ${safe(path)}`);
  return 0;
}

/** Asks on the terminal; where there is none, nobody can mean it by accident either. */
export async function isMeant(
  { stdin, stderr, signal }: Pick<Session, 'stdin' | 'stderr' | 'signal'>,
  path: string,
): Promise<boolean> {
  if (!stdin.isTTY) throw new CliError('there is no terminal to ask whether this is meant: use --yes', 2);
  const megabytes = (statSync(path).size / 1_000_000).toFixed(1);
  stderr.write(`This deletes all accounts, rooms and messages in ${safe(path)} (${megabytes} MB), for good.\n`);
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    return (await terminal.question(`Type ${WORD} to go on: `, { signal })).trim().toLowerCase() === WORD;
  } finally {
    terminal.close();
  }
}

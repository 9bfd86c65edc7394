/** `natter reset`: everything that was ever said goes, and an empty database takes its place. Asks first. */
import { createInterface } from 'node:readline/promises';
import { lockDataDir } from '../admin/lock.js';
import type { Session } from './commands.js';
import { safe } from './print.js';
import { CliError, isServing, openData, requireDatabase } from './reach.js';

export async function reset(session: Session, { yes = false }: { yes?: boolean }): Promise<number> {
  const { config, printer } = session;
  if (await isServing(config)) throw new CliError('a server runs on this data: stop it first');
  await requireDatabase(config);
  const { ownFolders, removeStored, storagePlace, storageSize } = await import('../storage.js');
  const place = safe(storagePlace(config));
  if (!yes && !(await isMeant(session, `${place}${storageSize(config)}`, 'reset')))
    throw new CliError('nothing was deleted');
  const locks = ownFolders(config).map(lockDataDir);
  try {
    await removeStored(config);
  } finally {
    for (const lock of locks) lock.close();
  }
  await (await openData(config)).close();
  printer.line(`Everything is deleted, and an empty database made: ${place}`);
  return 0;
}

/** Asks on the terminal for a word, so that it is not done by a key too many; where there is none, nobody can mean it by accident either. */
export async function isMeant(
  { stdin, stderr, signal }: Pick<Session, 'stdin' | 'stderr' | 'signal'>,
  place: string,
  word: string,
): Promise<boolean> {
  if (!stdin.isTTY) throw new CliError('there is no terminal to ask whether this is meant: use --yes', 2);
  stderr.write(`This deletes all accounts, rooms and messages in ${place}, for good.\n`);
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    return (await terminal.question(`Type ${word} to go on: `, { signal })).trim().toLowerCase() === word;
  } finally {
    terminal.close();
  }
}

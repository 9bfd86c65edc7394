/** `natter doctor`: recounts everything that is stored from the log. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.js';
import type { DoctorResult, OnProgress } from '../doctor/doctor.js';
import type { Session } from './commands.js';
import { safe } from './print.js';
import { showProgress } from './progress.js';
import { CliError, requireDatabase } from './reach.js';

export interface Examined extends DoctorResult {
  /** The same for two stores exactly if every row of every table is the same. */
  state: string;
}

const number = new Intl.NumberFormat('en');

/** Works while a server runs. What is on PostgreSQL is examined in a copy of one moment of it. `onRoom` hears what room it takes, before it is taken. */
export async function examineStored(
  config: Config,
  onProgress: OnProgress,
  signal: AbortSignal,
  onRoom: (said: string) => void = () => {},
): Promise<Examined> {
  const [{ examine }, { copyStore, hashStore, originOf }, storage] = await Promise.all([
    import('../doctor/doctor.js'),
    import('../transfer/copy.js'),
    import('../storage.js'),
  ]);
  const compare = () => storage.compareSearch(config, (done, of) => onProgress('search index', done, of));
  const { database } = config;
  const source = await storage.openSource(database, config, false);
  try {
    onRoom(requireRoom(await source.bytes()));
    if (database.driver === 'sqlite') {
      const { rows } = await originOf(source);
      let hashed = 0;
      const onHashed = (some: number): void => {
        hashed += some;
        onProgress('state', hashed, rows);
      };
      const state = await hashStore(source, {}, signal, onHashed);
      return { ...(await examine(database.path, compare, onProgress)), state };
    }
    const folder = mkdtempSync(join(tmpdir(), 'natter-doctor-'));
    try {
      const file = join(folder, 'copy.db');
      const target = storage.openBackup(file);
      const origin = await originOf(source);
      const onRows = (_: string, done: number, of: number): void => onProgress('copy', done, of);
      const { hash } = await copyStore(source, target, origin, {}, onRows, signal).finally(() => target.close());
      return { ...(await examine(file, compare, onProgress)), state: hash };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    await source.close();
  }
}

/**
 * Everything is recounted in a folder for temporary files. What that takes is less than the store itself takes: on
 * PostgreSQL, where a copy is made too, the same rows take twice as much as in a file.
 */
function requireRoom(bytes: number): string {
  const folder = tmpdir();
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const said = `${folder} needs about ${megabytes(bytes)} for it, and has ${megabytes(free)}`;
  if (free < bytes) throw new CliError(`${said}: name a folder with more room in TMPDIR`);
  return said;
}

const megabytes = (bytes: number): string => `${number.format(Math.ceil(bytes / 1_000_000))} MB`;

export async function doctor(session: Session, options: { json?: boolean }): Promise<number> {
  const { config, printer, stderr, signal } = session;
  await requireDatabase(config);
  const progress = showProgress('examining', stderr);
  const result = await examineStored(
    config,
    (part, done, of) => progress.update(done, of, part),
    signal,
    (said) => stderr.write(`${safe(said)}\n`),
  ).finally(() => progress.stop());
  if (options.json) printer.json(result);
  else {
    for (const { check, text } of result.findings) printer.line(`[${check}] ${safe(text)}`);
    const shown = result.findings.length;
    if (result.differences > shown) printer.line(`… and ${number.format(result.differences - shown)} more`);
    for (const note of result.notes) printer.line(`note: ${safe(note)}`);
    const verdict =
      result.differences === 0
        ? printer.paint('green', 'no differences')
        : printer.paint('red', `${number.format(result.differences)} differences`);
    printer.line(`state ${result.state}`);
    printer.line(`${number.format(result.events)} events examined in ${result.seconds.toFixed(1)} s: ${verdict}`);
  }
  return result.differences === 0 ? 0 : 1;
}

/** `natter move`, `backup` and `restore`: a whole store is copied to another one, read again, and said to be the same. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type DataLock, lockDataDir } from '../admin/lock.js';
import { type Config, type Database, readDatabase } from '../config.js';
import type { Source, Target } from '../store/copying.js';
import type { Changes, Copied } from '../transfer/copy.js';
import type { Session } from './commands.js';
import { safe } from './print.js';
import { showProgress } from './progress.js';
import { CliError, isServing, requireDatabase } from './reach.js';
import { isMeant } from './reset.js';

const number = new Intl.NumberFormat('en');

/** The whole community goes to another store: the same log, the same life of it, the same sessions. */
export async function move(session: Session, { from, to }: { from?: string; to?: string }): Promise<number> {
  const { config, printer } = session;
  const [source, target] = [databaseOf(config, from, '--from'), databaseOf(config, to, '--to')];
  if (JSON.stringify(source) === JSON.stringify(target)) {
    throw new CliError(
      'it is there already: --from and --to name the same place (without them, DATABASE_URL is meant)',
      2,
    );
  }
  const { isStored, openSource, openTarget, requireEmpty, storagePlace } = await import('../storage.js');
  await requireStopped(config);
  const origin = { ...config, database: source };
  if (!(await isStored(origin))) {
    const right = from === undefined ? 'DATABASE_URL' : '--from';
    throw new CliError(`there is no database at ${safe(storagePlace(origin))}: is ${right} right?`);
  }
  const locks = new Locks();
  try {
    locks.take([config.dataDir, ...foldersOf(source)]);
    const started = performance.now();
    const copied = await copy(session, 'moving', await openSource(source, config, true), {}, async (copying) => {
      // Looked at before there is anything of ours, and once more when nobody else can write there.
      await requireEmpty(target, config);
      locks.take(foldersOf(target));
      return openTarget(target, config, copying, false);
    });
    printer.line(`Moved ${said(copied, started)} to ${safe(storagePlace({ ...config, database: target }))}.`);
    printer.line(`Both have the state ${copied.hash}.`);
    printer.line(
      'Now set DATABASE_URL to the new place, and start. Nothing was changed at the old one: it must not be started again.',
    );
    return 0;
  } finally {
    locks.close();
  }
}

/** A file with everything, as it is at one moment; nobody is stopped for it. */
export async function backup(session: Session, file: string): Promise<number> {
  const { config, printer } = session;
  await requireDatabase(config);
  const path = resolve(file);
  const { openBackup, openSource } = await import('../storage.js');
  const started = performance.now();
  const copied = await copy(session, 'backing up', await openSource(config.database, config, false), {}, async () =>
    openBackup(path),
  );
  const { size } = statSync(path);
  printer.line(`Wrote ${said(copied, started)} to ${safe(path)} (${(size / 1_000_000).toFixed(1)} MB).`);
  printer.line(
    `State ${copied.hash}. Keep SECRET_KEY (or DATA_DIR/secret.key) with it: without it everybody has to log in again.`,
  );
  return 0;
}

/** Everything as it was when the backup was made: another life of the log begins, so that no client goes on where it was. */
export async function restore(
  session: Session,
  file: string,
  { replace = false, yes = false }: { replace?: boolean; yes?: boolean },
): Promise<number> {
  const { config, printer } = session;
  const path = resolve(file);
  if (!existsSync(path)) throw new CliError(`there is no ${path}`, 2);
  const { isStored, openTarget, readBackup, storagePlace, storageSize } = await import('../storage.js');
  await requireStopped(config);
  const locks = new Locks();
  let folder: string | null = null;
  try {
    locks.take([config.dataDir, ...foldersOf(config.database)]);
    folder = mkdtempSync(join(config.dataDir, 'restore-'));
    const place = safe(storagePlace(config));
    if (replace && !yes && (await isStored(config))) {
      if (!(await isMeant(session, `${place}${storageSize(config)}`, 'restore')))
        throw new CliError('nothing was deleted');
    }
    const started = performance.now();
    const copied = await copy(
      session,
      'restoring',
      readBackup(path, join(folder, 'migrated.db')),
      'another life',
      (origin) => openTarget(config.database, config, origin, replace),
    );
    printer.line(`Restored ${said(copied, started)} to ${place}.`);
    return 0;
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
    locks.close();
  }
}

function databaseOf(config: Config, text: string | undefined, option: string): Database {
  if (text === undefined) return config.database;
  const database = readDatabase(text, config.dataDir);
  if (database) return database;
  throw new CliError(`${option} names no database: sqlite:<path>, or postgres://user:password@host:port/database`, 2);
}

async function requireStopped(config: Config): Promise<void> {
  if (await isServing(config)) throw new CliError('a server runs on this data: stop it first');
}

function foldersOf(database: Database): string[] {
  return database.driver === 'sqlite' ? [dirname(database.path)] : [];
}

/** Folders that nobody else has meanwhile. */
class Locks {
  readonly #held = new Map<string, DataLock>();

  take(folders: readonly string[]): void {
    for (const folder of folders) if (!this.#held.has(folder)) this.#held.set(folder, lockDataDir(folder));
  }

  close(): void {
    for (const lock of this.#held.values()) lock.close();
  }
}

async function copy(
  { stderr, signal }: Session,
  title: string,
  source: Source,
  change: 'another life' | Changes,
  open: (origin: Awaited<ReturnType<typeof import('../transfer/copy.js').originOf>>) => Promise<Target>,
): Promise<Copied> {
  const { copyStore, originOf } = await import('../transfer/copy.js');
  const progress = showProgress(title, stderr);
  let target: Target | null = null;
  try {
    const origin = await originOf(source);
    const changes = change === 'another life' ? { epoch: nextEpoch(origin.epoch) } : change;
    target = await open(origin);
    return await copyStore(
      source,
      target,
      origin,
      changes,
      (what, done, of) => progress.update(done, of, `${what}: ${number.format(done)} rows`),
      signal,
    );
  } finally {
    progress.stop();
    await target?.close();
    await source.close();
  }
}

/** Above all that were before, whatever the clock says. */
const nextEpoch = (epoch: string): string => String(Math.max(Math.floor(Date.now() / 1_000), Number(epoch) + 1));

function said({ rows, resumed }: Copied, started: number): string {
  const before = resumed > 0 ? ` (${number.format(resumed)} of them before)` : '';
  return `${number.format(rows)} rows${before} in ${((performance.now() - started) / 1_000).toFixed(1)} s`;
}

/**
 * Examines a store: recounts every projection from the log, and checks invariants in ways of its own. Reads only, at one
 * moment, through a connection of its own: it works while a server runs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { MIGRATIONS, spell } from '../store/migrations/index.js';
import { checkInvariants } from './invariants.js';
import { replay } from './replay.js';
import { type Finding, Report } from './report.js';

export interface DoctorResult {
  events: number;
  /** The first of each check; `differences` is how many there are. */
  findings: Finding[];
  differences: number;
  counts: Record<string, number>;
  /** What could not be examined, and why; no difference. */
  notes: string[];
  seconds: number;
}

/** What is under way, as a share of it. */
export type OnProgress = (part: string, done: number, of: number) => void;

/** `compareIndex` holds the search index against the same store. */
export async function examine(
  storeFile: string,
  compareIndex: () => Promise<{ differences: string[]; note?: string }>,
  onProgress: OnProgress,
): Promise<DoctorResult> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'natter-doctor-'));
  const report = new Report();
  const notes: string[] = [];
  try {
    const events = examineStore(join(folder, 'replay.db'), storeFile, report, onProgress);
    const compared = await compareIndex();
    for (const text of compared.differences) report.add('M5', text);
    if (compared.note) notes.push(compared.note);
    return {
      events,
      findings: report.findings,
      differences: report.total,
      counts: report.counts(),
      notes,
      seconds: (performance.now() - started) / 1_000,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Answers how many events there are. */
function examineStore(file: string, storeFile: string, report: Report, onProgress: OnProgress): number {
  const db = new DatabaseSync(file);
  try {
    // Nothing of it outlives this run.
    db.exec(
      'pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -65536; pragma busy_timeout = 10000',
    );
    const applied = migrationsOf(storeFile);
    for (const { name, sql } of MIGRATIONS) if (applied.has(name)) db.exec(spell(sql, 'sqlite'));
    const behind = MIGRATIONS.filter(({ name }) => !applied.has(name));
    if (behind.length > 0)
      throw new Error(`the database is not migrated (${behind[0]?.name} is missing): run natter migrate`);
    db.prepare('attach database ? as actual').run(`${pathToFileURL(storeFile).href}?mode=ro`);
    db.exec('begin');
    const damage = db.prepare('pragma actual.quick_check(20)').all() as { quick_check: string }[];
    for (const { quick_check: text } of damage) if (text !== 'ok') report.add('file', text);
    replay(db, report, (done, of) => onProgress('projections', done, of));
    checkInvariants(db, report, (done, of) => onProgress('invariants', done, of));
    const { count } = db.prepare('select count(*) as count from actual.events').get() as { count: number };
    db.exec('rollback');
    return count;
  } finally {
    db.close();
  }
}

function migrationsOf(storeFile: string): Set<string> {
  const db = new DatabaseSync(storeFile, { readOnly: true });
  try {
    return new Set(
      (db.prepare('select name from schema_migrations').all() as { name: string }[]).map((row) => row.name),
    );
  } finally {
    db.close();
  }
}

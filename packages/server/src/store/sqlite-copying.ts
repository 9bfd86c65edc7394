/** A SQLite file that is copied whole, or filled. Works in the process that asks: the command line's. */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import {
  COPY_TABLE,
  CopyError,
  keyOf,
  type Origin,
  orderBy,
  type Place,
  type Source,
  type TableName,
  type Target,
  whereKey,
} from './copying.js';
import { MIGRATIONS, spell } from './migrations/index.js';
import { SqliteConnection } from './sqlite-connection.js';
import type { Param, Row } from './steps.js';

type Database = InstanceType<typeof DatabaseSync>;

/** Reads one snapshot, beside a server that goes on writing. */
export class SqliteSource implements Source {
  readonly migrations: readonly string[];
  readonly #file: string;
  readonly #db: Database;

  constructor(file: string) {
    if (!existsSync(file)) throw new CopyError(`there is no ${file}`);
    // A pipe would be waited for without end.
    if (!statSync(file).isFile()) throw new CopyError(`${file} is no file`);
    this.#file = file;
    try {
      this.#db = new DatabaseSync(pathToFileURL(file).href, { readOnly: true });
    } catch (error) {
      throw new CopyError(`${file} can not be read (${(error as Error).message})`);
    }
    try {
      this.#db.exec('pragma busy_timeout = 10000; pragma cache_size = -65536; begin');
      this.migrations = this.#rows('select name from schema_migrations order by name', []).map((row) =>
        String(row.name),
      );
    } catch (error) {
      this.#db.close();
      throw new CopyError(`${file} is no store of Natter (${(error as Error).message})`);
    }
  }

  /** What is wrong with the pages of the file; null: nothing. */
  damage(): string | null {
    return damageOf(this.#db);
  }

  async count(table: TableName, to: Place = null): Promise<number> {
    const sql = `select count(*) as count from ${table}${whereKey(table, '<=', to, () => '?')}`;
    return Number(this.#rows(sql, to ?? [])[0]?.count);
  }

  async bytes(): Promise<number> {
    return statSync(this.#file).size;
  }

  async lastEvent(): Promise<number> {
    return Number(this.#rows('select coalesce(max(id), 0) as id from events', [])[0]?.id);
  }

  async read(table: TableName, after: Place, limit: number): Promise<Row[]> {
    const sql = `select * from ${table}${whereKey(table, '>', after, () => '?')}${orderBy(table)} limit ?`;
    return this.#rows(sql, [...(after ?? []), limit]);
  }

  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    // Statements keep the file open until they are collected; nobody waits for the moment that was read.
    this.#db.exec('rollback');
    this.#db.close();
  }

  #rows(sql: string, params: readonly Param[]): Row[] {
    return this.#db.prepare(sql).all(...params) as Row[];
  }
}

/** A source of a file that may be of an older version: it is migrated in a copy, which the caller takes away. */
export function openOldSqliteFile(file: string, copy: string): SqliteSource {
  const source = new SqliteSource(file);
  try {
    // What it is restored over is gone before its last page is read.
    const damage = source.damage();
    if (damage !== null) throw new CopyError(`${file} is damaged (${damage})`);
    const known = MIGRATIONS.map(({ name }) => name);
    const newer = source.migrations.find((name) => !known.includes(name));
    if (newer !== undefined) {
      throw new CopyError(`${file} was written by a newer Natter (it has the migration ${newer}); upgrade this one`);
    }
    if (source.migrations.length === known.length) return source;
  } catch (error) {
    void source.close();
    throw error;
  }
  void source.close();
  copyFileSync(file, copy);
  SqliteConnection.openWriter(copy).close();
  return new SqliteSource(copy);
}

/** What a file is made for, and what is done with one that was broken off. */
export interface SqliteTargetOptions {
  /** The copy that may be gone on with; without it, every one begins anew. */
  origin?: Origin;
  /** Takes away what has the name, once the copy is whole. */
  makeRoom?: () => void;
}

/** A new file, which has its name only when all is in it. */
export class SqliteTarget implements Target {
  readonly begun: { table: TableName; place: Place } | null;
  readonly #file: string;
  readonly #partial: string;
  readonly #options: SqliteTargetOptions;
  readonly #db: Database;
  #ended = false;

  constructor(file: string, options: SqliteTargetOptions = {}) {
    if (!options.makeRoom && existsSync(file)) throw new CopyError(`${file} is there already`);
    this.#file = file;
    this.#options = options;
    this.#partial = `${file}.partial`;
    const origin = JSON.stringify(options.origin ?? null);
    if (!options.origin || !isPartOf(this.#partial, origin)) {
      // It holds hashes of passwords: nobody else reads it, from the first byte on.
      makeEmpty(this.#partial);
    }
    this.#db = new DatabaseSync(this.#partial);
    // Whatever ends this process, what was committed is in the file. The machine may fail: then the file is not believed,
    // and at the end it is flushed before it gets its name.
    this.#db.exec('pragma journal_mode = delete; pragma synchronous = off; pragma cache_size = -65536');
    try {
      this.begun = this.#begin(origin);
    } catch (error) {
      this.#end();
      removePartial(this.#partial);
      throw unwritable(this.#partial, error);
    }
  }

  /** Where an earlier attempt has come to; else makes the tables. */
  #begin(origin: string): { table: TableName; place: Place } | null {
    const db = this.#db;
    if (isTable(db, COPY_TABLE)) {
      const row = db.prepare(`select name, place from ${COPY_TABLE}`).get() as {
        name: TableName | null;
        place: string;
      };
      return row.name === null ? null : { table: row.name, place: JSON.parse(row.place) };
    }
    db.exec('begin');
    for (const { sql } of MIGRATIONS) db.exec(spell(sql, 'sqlite'));
    db.exec('create table schema_migrations (name text primary key, applied_at integer not null)');
    const applied = db.prepare('insert into schema_migrations (name, applied_at) values (?, ?)');
    for (const { name } of MIGRATIONS) applied.run(name, Date.now());
    db.exec(`create table ${COPY_TABLE} (origin text not null, name text, place text)`);
    db.prepare(`insert into ${COPY_TABLE} (origin) values (?)`).run(origin);
    db.exec('commit');
    return null;
  }

  async write(table: TableName, rows: readonly Row[]): Promise<void> {
    const last = rows.at(-1);
    if (!last) return;
    const columns = Object.keys(last);
    const insert = this.#db.prepare(
      `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    );
    try {
      this.#db.exec('begin');
      for (const row of rows) insert.run(...columns.map((column) => row[column] as Param));
      this.#db.prepare(`update ${COPY_TABLE} set name = ?, place = ?`).run(table, JSON.stringify(keyOf(table, last)));
      this.#db.exec('commit');
    } catch (error) {
      throw unwritable(this.#partial, error);
    }
  }

  async source(): Promise<Source> {
    return new SqliteSource(this.#partial);
  }

  async finish(): Promise<void> {
    this.#db.exec(`drop table ${COPY_TABLE}`);
    this.#end();
    flush(this.#partial);
    this.#options.makeRoom?.();
    renameSync(this.#partial, this.#file);
    removePartial(this.#partial);
    flush(dirname(this.#file));
  }

  async discard(): Promise<void> {
    this.#end();
    removePartial(this.#partial);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#end();
    if (!this.#options.origin) removePartial(this.#partial);
  }

  #end(): void {
    this.#ended = true;
    this.#db.close();
  }
}

function makeEmpty(file: string): void {
  try {
    removePartial(file);
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(file: string, error: unknown): CopyError {
  return new CopyError(`${file} can not be written: is there room for it? (${(error as Error).message})`);
}

/** Is the file a whole part of this copy, which can be gone on with? */
function isPartOf(file: string, origin: string): boolean {
  if (!existsSync(file)) return false;
  const db = new DatabaseSync(file);
  try {
    if (!isTable(db, COPY_TABLE)) return false;
    const row = db.prepare(`select origin from ${COPY_TABLE}`).get() as { origin: string } | undefined;
    return row?.origin === origin && damageOf(db) === null;
  } catch {
    // Whatever it is: it is made anew.
    return false;
  } finally {
    db.close();
  }
}

const isTable = (db: Database, name: string): boolean =>
  db.prepare(`select 1 from sqlite_schema where type = 'table' and name = ?`).get(name) !== undefined;

function damageOf(db: Database): string | null {
  try {
    const { quick_check: text } = db.prepare('pragma quick_check(1)').get() as { quick_check: string };
    return text === 'ok' ? null : text;
  } catch (error) {
    return (error as Error).message;
  }
}

function removePartial(file: string): void {
  for (const end of ['', '-journal']) rmSync(file + end, { force: true });
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** One synchronous SQLite connection with the durability that acknowledgements rest on, and the driver of the commit program. */
import { DatabaseSync } from '@photostructure/sqlite';
import { MIGRATIONS, spell } from './migrations/index.js';
import type { Answers, Param, Program, ReadStep, Row, WriteStep } from './steps.js';

/** Until this version a reset of the write-ahead log could lose committed pages. */
const SQLITE_MIN = [3, 51, 3] as const;
const MULTI_ROW = 16;
/** How long a connection waits for another one's lock. */
const BUSY_MS = 10_000;

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

export function assertVersion(version: string): void {
  const parts = version.split('.').map(Number);
  const older = SQLITE_MIN.map((part, index) => (parts[index] ?? 0) - part).find((difference) => difference !== 0) ?? 0;
  if (older < 0) throw new Error(`SQLite ${version} is older than ${SQLITE_MIN.join('.')}, which durable commits need`);
}

/** COMMIT itself failed. What it wrote may be found whole after a crash: it can't be told whether it was committed. */
export class CommitError extends Error {}

export class SqliteConnection {
  readonly #db: Database;
  /** Statements are kept: a prepare costs more than most runs, and prepared ones never give their memory back. */
  readonly #statements = new Map<string, Statement>();

  private constructor(db: Database) {
    this.#db = db;
  }

  /** Opens the file for writing, makes or migrates the schema, and asserts durability. */
  static openWriter(file: string): SqliteConnection {
    const db = new DatabaseSync(file);
    // The order matters: WAL sets synchronous back to NORMAL in this build.
    db.exec('pragma journal_mode = wal');
    db.exec('pragma synchronous = full');
    db.exec(
      `pragma busy_timeout = ${BUSY_MS}; pragma temp_store = memory; pragma cache_size = -65536; pragma wal_autocheckpoint = 4000`,
    );
    // [L6] What is overwritten or deleted leaves the file too, not only the tables.
    db.exec('pragma secure_delete = on');
    const connection = new SqliteConnection(db);
    try {
      connection.#assertDurable(file);
      connection.#migrate();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  static openReader(file: string): SqliteConnection {
    const db = new DatabaseSync(file, { readOnly: true });
    db.exec(
      `pragma busy_timeout = ${BUSY_MS}; pragma temp_store = memory; pragma cache_size = -65536; pragma query_only = on`,
    );
    return new SqliteConnection(db);
  }

  query(sql: string, params: readonly Param[]): Row[] {
    return this.#statement(sql).all(...params) as Row[];
  }

  /** Runs a program inside one transaction; nothing of it stays when it throws. */
  transaction<T>(program: Program<T>): T {
    this.#db.exec('begin immediate');
    try {
      const { value, writes } = program.decide(program.reads.map((step) => this.#read(step)));
      for (const step of writes) this.#write(step);
      this.#commit();
      return value;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback');
      throw error;
    }
  }

  /** Runs write steps in one transaction and answers how many rows each changed. */
  write(steps: readonly Extract<WriteStep, { kind: 'write' }>[]): number[] {
    this.#db.exec('begin immediate');
    try {
      const changes = steps.map(({ sql, params }) => {
        const statement = this.#statement(sql);
        return params.reduce((sum, row) => sum + Number(statement.run(...row).changes), 0);
      });
      this.#commit();
      return changes;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback');
      throw error;
    }
  }

  #commit(): void {
    try {
      this.#db.exec('commit');
    } catch (error) {
      throw new CommitError((error as Error).message, { cause: error });
    }
  }

  /** [L6] Empties the write-ahead log, which still has what was deleted since it was begun; false while a reader needs it. */
  emptyLog(): boolean {
    this.#db.exec('pragma busy_timeout = 0');
    try {
      return this.#statement('pragma wal_checkpoint(truncate)').get()?.busy === 0;
    } finally {
      this.#db.exec(`pragma busy_timeout = ${BUSY_MS}`);
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #read(step: ReadStep): Answers {
    switch (step.kind) {
      case 'read': {
        if (step.params.length === 0) return [];
        const statement = this.#statement(step.sql.replace('{lock}', ''));
        return step.params.map((row) => statement.all(...row) as Row[]);
      }
      case 'event_ids': {
        const { first } = this.#statement('select coalesce(max(id), 0) + 1 as first from events').get() as Row;
        return [Array.from({ length: step.count }, (_, index) => ({ id: Number(first) + index }))];
      }
      default:
        throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
    }
  }

  #write(step: WriteStep): void {
    switch (step.kind) {
      case 'insert':
        this.#insert(step);
        return;
      case 'write': {
        if (step.params.length === 0) return;
        const statement = this.#statement(step.sql);
        for (const row of step.params) statement.run(...row);
        return;
      }
      default:
        throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
    }
  }

  /** Sixteen rows a statement where there are so many: fewer calls, and few enough different statements to keep. */
  #insert(step: Extract<WriteStep, { kind: 'insert' }>): void {
    const { table, columns, rows } = step;
    const head = `insert ${step.ignore ? 'or ignore ' : ''}into ${table} (${columns.join(', ')}) values `;
    const one = `(${columns.map(() => '?').join(', ')})`;
    let index = 0;
    if (rows.length >= MULTI_ROW) {
      const many = this.#statement(head + Array(MULTI_ROW).fill(one).join(', '));
      for (; index + MULTI_ROW <= rows.length; index += MULTI_ROW) {
        // Pushed one by one: slices and flat() cost as much as the insert itself.
        const params: Param[] = [];
        for (let at = index; at < index + MULTI_ROW; at += 1) {
          for (const param of rows[at] as readonly Param[]) params.push(param);
        }
        many.run(...params);
      }
    }
    if (index === rows.length) return;
    const single = this.#statement(head + one);
    for (; index < rows.length; index += 1) single.run(...(rows[index] as readonly Param[]));
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #assertDurable(file: string): void {
    const { version } = this.#statement('select sqlite_version() as version').get() as { version: string };
    assertVersion(version);
    const { journal_mode: mode } = this.#statement('pragma journal_mode').get() as { journal_mode: string };
    const { synchronous } = this.#statement('pragma synchronous').get() as { synchronous: number };
    if ((mode !== 'wal' && file !== ':memory:') || synchronous !== 2) {
      throw new Error(
        `the database does not give durable commits: journal_mode=${mode}, synchronous=${synchronous} (wal and 2 are needed)`,
      );
    }
  }

  #migrate(): void {
    this.#db.exec('begin immediate');
    try {
      this.#db.exec(
        'create table if not exists schema_migrations (name text primary key, applied_at integer not null)',
      );
      const applied = new Set(this.query('select name from schema_migrations', []).map((row) => row.name));
      const unknown = [...applied].find((name) => !MIGRATIONS.some((migration) => migration.name === name));
      if (unknown !== undefined) {
        throw new Error(
          `the database was written by a newer Natter (it has the migration ${unknown}); upgrade this one`,
        );
      }
      const now = Date.now();
      for (const migration of MIGRATIONS) {
        if (applied.has(migration.name)) continue;
        this.#db.exec(spell(migration.sql, 'sqlite'));
        this.#statement('insert into schema_migrations (name, applied_at) values (?, ?)').run(migration.name, now);
      }
      // The life of the log begins with the schema; a restore begins another one.
      this.#statement(`insert or ignore into meta (key, value) values ('epoch', ?)`).run(
        String(Math.floor(now / 1_000)),
      );
      this.#db.exec('commit');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback');
      throw error;
    }
  }
}

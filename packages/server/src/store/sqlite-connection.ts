/** One synchronous SQLite connection with the durability that acknowledgements rest on, and the driver of the commit program. */
import { DatabaseSync } from '@photostructure/sqlite';
import { MIGRATIONS, spell } from './migrations/index.js';
import type { Answers, Param, Program, ReadStep, Row, WriteStep } from './steps.js';

/** Until this version a reset of the write-ahead log could lose committed pages. */
const SQLITE_MIN = [3, 51, 3] as const;
const MULTI_ROW = 16;
/** Pages in the write-ahead log, 64 MB of them, that are then copied into the database: each page once, however often it was written. */
const CHECKPOINT_PAGES = 16_000;
/** How long a connection waits for another one's lock. */
const BUSY_MS = 10_000;

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

export function assertVersion(version: string): void {
  const parts = version.split('.').map(Number);
  const older = SQLITE_MIN.map((part, index) => (parts[index] ?? 0) - part).find((difference) => difference !== 0) ?? 0;
  if (older < 0) throw new Error(`SQLite ${version} is older than ${SQLITE_MIN.join('.')}, which durable commits need`);
}

/** `select … from … where …` for all rows of parameters in one, which come as JSON; `at_row` is whose row it is. */
function forAll(sql: string): string {
  let at = -1;
  const named = sql.replace('{lock}', '').replace(/\?/g, () => `(p.row_params ->> ${++at})`);
  const [columns, ...rest] = named.slice('select '.length).split(' from ');
  const params = 'select key as at_row, value as row_params from json_each(?)';
  return `select p.at_row, ${columns} from (${params}) p cross join ${rest.join(' from ')}`;
}

/** COMMIT itself failed. What it wrote may be found whole after a crash: it can't be told whether it was committed. */
export class CommitError extends Error {}

export class SqliteConnection {
  readonly #db: Database;
  /** Statements are kept: a prepare costs more than most runs, and prepared ones never give their memory back. */
  readonly #statements = new Map<string, Statement>();
  /** Those that are asked for rows. They come as lists: across the binding, members of objects cost more than the query. */
  readonly #selects = new Map<string, { statement: Statement; names: readonly string[] }>();

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
      `pragma busy_timeout = ${BUSY_MS}; pragma temp_store = memory; pragma cache_size = -65536; pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
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
    let select = this.#selects.get(sql);
    if (!select) {
      const statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      select = { statement, names: statement.columns().map(({ name }) => name) };
      this.#selects.set(sql, select);
    }
    const { statement, names } = select;
    return (statement.all(...params) as unknown as Param[][]).map((values) => {
      const row: Row = {};
      for (let at = 0; at < names.length; at += 1) row[names[at] as string] = values[at] as Param;
      return row;
    });
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
    this.#selects.clear();
    this.#db.close();
  }

  #read(step: ReadStep): Answers {
    switch (step.kind) {
      case 'read': {
        const { sql, params } = step;
        const [first] = params;
        if (!first) return [];
        if (params.length === 1) return [this.query(sql.replace('{lock}', ''), first)];
        const answers: Row[][] = params.map(() => []);
        for (const row of this.query(forAll(sql), [JSON.stringify(params)])) answers[Number(row.at_row)]?.push(row);
        return answers;
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

  /**
   * Sixteen rows a statement where there are so many: fewer calls, and few enough different statements to keep. A column
   * that is null in all of them is left out: each value costs a call into the binding.
   */
  #insert({ table, columns, rows, ignore }: Extract<WriteStep, { kind: 'insert' }>): void {
    const given = columns.flatMap((_, at) => (rows.some((row) => row[at] !== null) ? [at] : []));
    const names = given.map((at) => columns[at]).join(', ');
    const head = `insert ${ignore ? 'or ignore ' : 'or fail '}into ${table} (${names}) values `;
    const one = `(${given.map(() => '?').join(', ')})`;
    let next = 0;
    for (const count of [MULTI_ROW, 1]) {
      if (rows.length - next < count) continue;
      const statement = this.#statement(head + Array(count).fill(one).join(', '));
      for (; next + count <= rows.length; next += count) {
        // Pushed one by one: slices and flat() cost as much as the insert itself.
        const params: Param[] = [];
        for (let index = next; index < next + count; index += 1) {
          for (const at of given) params.push((rows[index] as readonly Param[])[at] as Param);
        }
        statement.run(...params);
      }
    }
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

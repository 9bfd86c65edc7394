/** One connection to PostgreSQL: opened with the settings that commits rest on, which are asserted; and what its errors mean. */
import pg from 'pg';

export type Param = string | number | null;
export type Row = Record<string, Param>;

export interface PostgresOptions {
  /** postgres://user:password@host:port/database */
  url: string;
  /** Most connections that this process opens for the store. */
  connections: number;
  connectSeconds: number;
  /** Most time of one statement; a third of it may be spent waiting for a lock. */
  statementSeconds: number;
}

/** What a connection is for. Migrators and copiers wait as long as it takes. */
export type Role = 'writer' | 'reader' | 'indexer' | 'finder' | 'migrator' | 'copier';

export interface Answered {
  /** `COMMIT`, `ROLLBACK`, `UPDATE`, … */
  command: string;
  rows: Row[];
  /** Rows that were changed. */
  changed: number;
}

const PATIENT: ReadonlySet<Role> = new Set(['migrator', 'copier']);
const READS_ONLY: ReadonlySet<Role> = new Set(['reader', 'finder']);
/** Older ones are without what statements here ask for, and without security fixes of their own. */
const VERSION_MIN = 14;
const INT8 = 20;
const NUMERIC = 1700;
/** Beyond so many different statements a connection prepares no further ones. */
const NAMED_MAX = 500;

/** How the connections of nodes are called, and those of who copies a whole store beside them. */
export const NODE = 'natter';
const COPIER = 'natter-copy';

/** Ids, times and counts are integers below 2^53 throughout. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** One name for each statement, on all connections. */
const names = new Map<string, string>();

function nameOf(sql: string): string | undefined {
  let name = names.get(sql);
  if (name === undefined && names.size < NAMED_MAX) {
    name = `natter_${names.size}`;
    names.set(sql, name);
  }
  return name;
}

export class PostgresConnection {
  readonly #client: pg.Client;
  #lost = false;
  #onLost: (() => void) | null = null;

  private constructor(client: pg.Client) {
    this.#client = client;
    // Whoever waits for an answer hears of it too; between answers, only this does.
    client.on('error', () => this.#lose());
    client.on('end', () => this.#lose());
  }

  /** Throws PostgresError, with what to do about it. */
  static async open(options: PostgresOptions, role: Role): Promise<PostgresConnection> {
    const patient = PATIENT.has(role);
    const client = new pg.Client({
      connectionString: options.url,
      application_name: `${role === 'copier' ? COPIER : NODE} ${role}`,
      connectionTimeoutMillis: options.connectSeconds * 1_000,
      keepAlive: true,
      pipeline: true,
      types,
      // The server gives up first, and says so. This is for one that says nothing any more.
      ...(patient ? {} : { query_timeout: (options.statementSeconds + 1) * 1_000 }),
    });
    const connection = new PostgresConnection(client);
    try {
      await client.connect();
      await client.query(settings(role, options.statementSeconds));
      await connection.#assert(role);
      return connection;
    } catch (error) {
      connection.destroy();
      throw startError(error as Error, client);
    }
  }

  /** The connection is gone, whoever ended it. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Calls once the connection is gone. */
  onLost(call: () => void): void {
    if (this.#lost) call();
    else this.#onLost = call;
  }

  #lose(): void {
    this.#lost = true;
    this.#onLost?.();
    this.#onLost = null;
  }

  /** `once`: planned for these parameters alone, and not prepared. */
  async query(sql: string, params: readonly Param[] = [], once = false): Promise<Answered> {
    const name = once ? undefined : nameOf(sql);
    const asked = { text: sql, values: params as unknown[], ...(name === undefined ? {} : { name }) };
    try {
      const { command, rows, rowCount } = await this.#client.query(asked);
      return { command, rows, changed: rowCount ?? 0 };
    } catch (error) {
      if (isLost(error)) this.#lose();
      throw error;
    }
  }

  /** All or nothing. What it throws leaves nothing, unless the connection is lost at the very end. */
  async transaction<T>(begin: string, work: () => Promise<T>): Promise<T> {
    await this.query(begin, [], true);
    try {
      const value = await work();
      await this.query('commit', [], true);
      return value;
    } catch (error) {
      if (!this.lost) await this.query('rollback', [], true);
      throw error;
    }
  }

  /** Several statements without parameters, as migrations have them. */
  async script(sql: string): Promise<void> {
    await this.#client.query(sql);
  }

  /** Ends it after what was asked. */
  async close(): Promise<void> {
    this.#lose();
    await this.#client.end();
  }

  /** Ends it at once: what was asked is not answered, and a transaction that is open is rolled back. */
  destroy(): void {
    this.#lose();
    // Its own end() waits for answers.
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  /** Durability is asserted, not hoped for; and history is never read from a replica, which may be behind. */
  async #assert(role: Role): Promise<void> {
    const { rows } = await this.query(`select current_setting('server_version_num')::int / 10000 as version,
      current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as synchronous_commit,
      case when pg_is_in_recovery() then 1 else 0 end as replica`);
    const { version, encoding, fsync, synchronous_commit: synchronous, replica } = rows[0] as Row;
    if (Number(version) < VERSION_MIN) {
      throw new PostgresError(`this is PostgreSQL ${version}; Natter needs ${VERSION_MIN} or newer`);
    }
    if (encoding !== 'UTF8') {
      throw new PostgresError(
        `the database has the encoding ${encoding}; Natter needs UTF8 (create database … encoding 'UTF8' template template0)`,
      );
    }
    if (replica === 1) throw new PostgresError('this is a replica; Natter needs the primary, which can be written to');
    if (READS_ONLY.has(role)) return;
    for (const [name, value] of [
      ['fsync', fsync],
      ['synchronous_commit', synchronous],
    ]) {
      if (value !== 'off') continue;
      throw new PostgresError(
        `PostgreSQL does not give durable commits: ${name} is off. Acknowledged messages would be lost with the power: set it to on`,
      );
    }
  }
}

function settings(role: Role, statementSeconds: number): string {
  const statement = PATIENT.has(role) ? 0 : statementSeconds * 1_000;
  const set: Record<string, string | number> = {
    statement_timeout: statement,
    lock_timeout: Math.ceil(statement / 3),
    // A node that stands still while it holds locks loses them.
    idle_in_transaction_session_timeout: statement,
    client_connection_check_interval: 5_000,
    default_transaction_isolation: `'read committed'`,
    default_transaction_read_only: READS_ONLY.has(role) ? 'on' : 'off',
    standard_conforming_strings: 'on',
    // Compiling a statement takes longer than any of these runs.
    jit: 'off',
  };
  if (role === 'finder') set.work_mem = `'32MB'`;
  if (role === 'writer' || role === 'indexer') {
    // Every row is found by a key. What is looked at grows faster than statistics are taken: plans are made for
    // large tables from the beginning, and once.
    for (const way of ['seqscan', 'hashjoin', 'mergejoin']) set[`enable_${way}`] = 'off';
    set.plan_cache_mode = 'force_generic_plan';
  }
  return Object.entries(set)
    .map(([name, value]) => `set ${name} = ${value}`)
    .join('; ');
}

/** What stops PostgreSQL from being used, in words for whoever runs the server. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
}

/** Class and code as PostgreSQL gives them; '' for what is no answer of it. */
export function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return error instanceof pg.DatabaseError && typeof code === 'string' ? code : '';
}

/** Is the connection gone, rather than a statement refused? */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  // Shutdown, crash, not yet up, idle for too long; anything that is no answer.
  return code === '' || /^(08|57P|25P03)/.test(code);
}

/** Says where a server was looked for, and never a password. */
function place({ host, port, database }: pg.Client): string {
  return `${host.startsWith('/') ? host : `${host}:${port}`}/${database ?? ''}`;
}

function startError(error: Error, client: pg.Client): PostgresError {
  const where = place(client);
  const because = (text: string): PostgresError => new PostgresError(text, { cause: error });
  if (error instanceof PostgresError) return because(`${where}: ${error.message}`);
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return because(
        `PostgreSQL at ${where} does not let the user ${client.user} in: wrong password, or pg_hba.conf does not allow it`,
      );
    case '3D000':
      return because(
        `PostgreSQL at ${where} has no database ${client.database}: make one (createdb -O ${client.user} ${client.database})`,
      );
    case '53300':
      return because(
        `PostgreSQL at ${where} has no connection left: raise its max_connections, or lower DATABASE_CONNECTIONS_MAX`,
      );
    case '57P03':
      return because(`PostgreSQL at ${where} is not ready: ${error.message}`);
    case '':
      return because(
        /password must be a string/.test(error.message)
          ? `PostgreSQL at ${where} asks for a password, and DATABASE_URL has none for the user ${client.user}`
          : `PostgreSQL does not answer at ${where}: is it running, and is DATABASE_URL right? (${error.message || (error as NodeJS.ErrnoException).code})`,
      );
    default:
      return because(`PostgreSQL at ${where} can't be used: ${error.message}`);
  }
}

/** Kysely over a store's readers. Writes have no way through here: a reader's connection refuses them. */
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { Param, Row } from './steps.js';

export class ReadDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(read: (sql: string, params: readonly Param[]) => Promise<Row[]>) {
    this.#connection = {
      async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
        return { rows: (await read(query.sql, query.parameters as Param[])) as R[] };
      },
      // biome-ignore lint/correctness/useYield: the port asks for a generator, and nothing here streams
      async *streamQuery() {
        throw new Error('the store does not stream');
      },
    };
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }
  async beginTransaction(): Promise<void> {
    throw new Error('reads need no transaction: ask in one query what must be of one moment');
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

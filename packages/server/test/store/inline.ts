/** A SQLite connection in the test's own thread, so that each of its steps can be seen, held up or broken. */
import { commitBatch } from '@natter/server/store/commit';
import { openStoreOver, type SqliteThread } from '@natter/server/store/sqlite';
import { SqliteConnection } from '@natter/server/store/sqlite-connection';
import { answer, type SqliteRequest } from '@natter/server/store/sqlite-requests';
import type { Program } from '@natter/server/store/steps';
import { type Store, StoreError } from '@natter/server/store/store';

export class InlineThread implements SqliteThread {
  readonly connection: SqliteConnection;
  /** Every statement that was run, inserts aside. */
  readonly statements = new Set<string>();

  constructor(file = ':memory:') {
    this.connection = SqliteConnection.openWriter(file);
  }

  async ask<T>(request: SqliteRequest): Promise<T> {
    try {
      return this.run(request) as T;
    } catch (error) {
      throw new StoreError((error as Error).message, false, { cause: error });
    }
  }

  /** As the worker does it. */
  run(request: SqliteRequest): unknown {
    if (request.op === 'query') this.statements.add(request.sql);
    if (request.op === 'write') for (const step of request.steps) this.statements.add(step.sql);
    if (request.op === 'commit') return this.connection.transaction(this.#watched(commitBatch(request.batch)));
    return answer(this.connection, request);
  }

  #watched<T>(program: Program<T>): Program<T> {
    for (const step of program.reads) if (step.kind === 'read') this.#see(step);
    return {
      reads: program.reads,
      decide: (answers) => {
        const decided = program.decide(answers);
        for (const step of decided.writes) if (step.kind === 'write') this.#see(step);
        return decided;
      },
    };
  }

  #see({ sql, params }: { sql: string; params: readonly unknown[] }): void {
    if (params.length > 0) this.statements.add(sql.replace('{lock}', ''));
  }

  async close(): Promise<void> {
    this.connection.close();
  }
}

/** A store in memory, without threads: for tests that make many. */
export async function openInlineStore(thread = new InlineThread()): Promise<Store> {
  return openStoreOver(thread, []);
}

/** What a thread that holds a SQLite connection is asked, and how the connection answers. */
import { commitBatch } from './commit.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { Param, Row, WriteStep } from './steps.js';
import type { Entry } from './store.js';

export type SqliteRequest =
  | { op: 'commit'; batch: readonly Entry[] }
  | { op: 'query'; sql: string; params: readonly Param[] }
  | { op: 'write'; steps: readonly Extract<WriteStep, { kind: 'write' }>[] }
  | { op: 'close' };

/** [L6] Does it take content away, which then has to leave the write-ahead log too? */
export function takesAway(request: SqliteRequest): boolean {
  if (request.op === 'write') return request.steps.some((step) => step.sql.startsWith('delete from messages'));
  if (request.op !== 'commit') return false;
  return request.batch.some(({ drafts }) =>
    drafts.some(({ type }) => type === 'message.deleted' || type === 'user.deleted'),
  );
}

export function answer(connection: SqliteConnection, request: SqliteRequest): unknown {
  switch (request.op) {
    case 'commit':
      return connection.transaction(commitBatch(request.batch));
    case 'query':
      return connection.query(request.sql, request.params) satisfies Row[];
    case 'write':
      return connection.write(request.steps);
    case 'close':
      connection.close();
      return null;
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`);
  }
}

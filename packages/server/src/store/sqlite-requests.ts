/** What a thread that holds a SQLite connection is asked, and how the connection answers. */
import type { StreamId } from '@natter/protocol';
import { commitBatch } from './commit.js';
import { purgeMessages, purgeNames } from './purge.js';
import type { SqliteConnection } from './sqlite-connection.js';
import type { Param, Row, WriteStep } from './steps.js';
import type { Entry } from './store.js';

export type SqliteRequest =
  | { op: 'commit'; batch: readonly Entry[] }
  | { op: 'query'; sql: string; params: readonly Param[] }
  | { op: 'write'; steps: readonly Extract<WriteStep, { kind: 'write' }>[] }
  | { op: 'purge'; room: StreamId; limit: number }
  | { op: 'close' };

/** [L6] Does it take content away, which then has to leave the write-ahead log too? */
export function takesAway(request: SqliteRequest): boolean {
  if (request.op === 'purge') return true;
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
    case 'purge': {
      const done = connection.transaction(purgeMessages(request.room, request.limit));
      if (done) connection.transaction(purgeNames(request.room));
      return done;
    }
    case 'close':
      connection.close();
      return null;
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`);
  }
}

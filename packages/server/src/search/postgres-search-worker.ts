/** The thread of the search on PostgreSQL: makes the index follow the log, where that is this node's part, and answers. */
import '../stack-traces.js';
import { parentPort, workerData } from 'node:worker_threads';
import { PostgresConnection } from '../postgres/connection.js';
import type { FinderLimits } from './plan.js';
import { PostgresFinder } from './postgres-finder.js';
import { type FollowerOptions, PostgresFollower } from './postgres-follower.js';
import type { FinderRequest, IndexerRequest, SearchResponse } from './thread.js';

export interface PostgresSearchData extends FollowerOptions {
  limits: FinderLimits;
}

const port = parentPort;
if (!port) throw new Error('this file runs as a worker thread');
const data = workerData as PostgresSearchData;
const post = (response: SearchResponse): void => port.postMessage(response);

const follower = new PostgresFollower(data, (trouble) => post({ id: null, trouble }));
let finder: Promise<{ connection: PostgresConnection; finder: PostgresFinder }> | null = null;
/** One that found its connection gone is tried once more. */
const FIND_ATTEMPTS = 2;
/** Finds come one after the other: they share a connection and the vocabulary. */
let turn: Promise<unknown> = Promise.resolve();

async function find({ request, cursor }: Extract<FinderRequest, { op: 'find' }>): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    finder ??= PostgresConnection.open(data.database, 'finder').then((connection) => ({
      connection,
      finder: new PostgresFinder(connection, data.limits),
    }));
    finder.catch(() => {
      finder = null;
    });
    const opened = await finder;
    try {
      return await opened.finder.find(request, cursor);
    } catch (error) {
      if (!opened.connection.lost) throw error;
      finder = null;
      if (attempt === FIND_ATTEMPTS) throw error;
    }
  }
}

async function close(): Promise<void> {
  await follower.close();
  await turn;
  await (await finder?.catch(() => null))?.connection.close();
}

async function answer(message: Exclude<IndexerRequest | FinderRequest, { op: 'wake' }>): Promise<unknown> {
  switch (message.op) {
    case 'find': {
      const found = turn.then(() => find(message));
      turn = found.catch(() => {});
      return found;
    }
    case 'settle':
      return follower.settled();
    case 'state':
      return follower.state();
    case 'close':
      return close();
    default:
      throw new Error(`unknown request ${JSON.stringify(message satisfies never)}`);
  }
}

port.on('message', (message: IndexerRequest | FinderRequest) => {
  if (message.op === 'wake') {
    follower.wake();
    return;
  }
  const { id } = message;
  answer(message).then(
    (value) => {
      post({ id, ok: true, value: value ?? null });
      if (message.op === 'close') port.close();
    },
    (error: Error) => post({ id, ok: false, message: error.message, corrupt: false }),
  );
});
post({ id: 0, ok: true, value: null });

/** The thread that holds a SQLite connection: takes requests, answers them in order. One writes, others only read. */
import '../stack-traces.js';
import { parentPort, workerData } from 'node:worker_threads';
import { CommitError, SqliteConnection } from './sqlite-connection.js';
import { shorten } from './sqlite-outcomes.js';
import { answer, type SqliteRequest, takesAway } from './sqlite-requests.js';
import type { Outcome } from './store.js';

export interface SqliteWorkerData {
  file: string;
  role: 'writer' | 'reader';
}

/** One for each request, in their order; before them one for the opening. */
export type SqliteResponse = { ok: true; value: unknown } | { ok: false; message: string; unknown: boolean };

const port = parentPort;
if (!port) throw new Error('this file runs as a worker thread');
const { file, role } = workerData as SqliteWorkerData;
const connection = role === 'writer' ? SqliteConnection.openWriter(file) : SqliteConnection.openReader(file);

/** After a deletion: many that come one after the other are one piece of work. */
const EMPTY_LOG_MS = 1_000;
let emptying: NodeJS.Timeout | null = null;

function emptyLogSoon(): void {
  emptying ??= setTimeout(() => {
    emptying = null;
    try {
      if (connection.emptyLog()) return;
    } catch {
      // A full disk, perhaps: nothing is lost by it, and it is tried again until it is done.
    }
    emptyLogSoon();
  }, EMPTY_LOG_MS).unref();
}

const post = (response: SqliteResponse): void => port.postMessage(JSON.stringify(response));

port.on('message', (text: string) => {
  const request = JSON.parse(text) as SqliteRequest;
  let response: SqliteResponse;
  try {
    const value = answer(connection, request);
    response = { ok: true, value: request.op === 'commit' ? shorten(request.batch, value as Outcome[]) : value };
    if (takesAway(request)) emptyLogSoon();
  } catch (error) {
    response = { ok: false, message: (error as Error).message, unknown: error instanceof CommitError };
  }
  post(response);
  if (request.op !== 'close') return;
  if (emptying) clearTimeout(emptying);
  port.close();
});
post({ ok: true, value: null });

/** The threads of the search: one makes the index follow the log, another one answers. */
import '../stack-traces.js';
import { parentPort, workerData } from 'node:worker_threads';
import type { FinderLimits, FoundRows } from './plan.js';
import type { SearchState } from './search.js';
import { SqliteFinder } from './sqlite-finder.js';
import { SqliteIndex } from './sqlite-index.js';
import type { FinderRequest, IndexerRequest, SearchResponse } from './thread.js';

export type SearchWorkerData = { file: string; storeFile: string } & (
  | { role: 'indexer'; followMs: number; scrubMs: number }
  | { role: 'finder'; limits: FinderLimits }
);

const port = parentPort;
if (!port) throw new Error('this file runs as a worker thread');
const data = workerData as SearchWorkerData;
/** Longest pause between two looks at a busy log, beside the shortest one. */
const PAUSE_MS_MAX = 500;
const post = (response: SearchResponse): void => port.postMessage(response);

/** SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes. */
function isCorrupt(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && [11, 26].includes(errcode & 0xff);
}

function serveIndexer(followMs: number, scrubMs: number): void {
  const { index, rebuilt } = SqliteIndex.open(data.file, data.storeFile);
  if (rebuilt) post({ id: null, trouble: `the search index is made anew: ${rebuilt}` });
  let timer: NodeJS.Timeout | null = null;
  let dueAt = 0;
  /** When the log is looked at again, if anything was committed. */
  let nextAt = 0;
  /** When what was deleted has to be out of the file. */
  let scrubAt = Number.POSITIVE_INFINITY;
  let scrubbing = false;
  const waiting: number[] = [];
  let closing: number | null = null;

  /** One slice at a time, so that requests are heard in between. */
  function advance(): void {
    timer = null;
    try {
      if (closing === null) {
        const { taken, more } = index.advance();
        if (more) {
          schedule(0);
          return;
        }
        // The more there was, the longer the next pause: large slices cost far less for each message.
        nextAt = performance.now() + followMs + Math.min(taken / 10, PAUSE_MS_MAX);
      }
      for (const id of waiting.splice(0)) post({ id, ok: true, value: null });
      if (closing === null) scrub();
    } catch (error) {
      post({ id: null, failed: (error as Error).message, corrupt: isCorrupt(error) });
      return;
    }
    if (closing === null) return;
    index.close();
    post({ id: closing, ok: true, value: null });
    port?.close();
  }

  function scrub(): void {
    if (!scrubbing && !index.dirty) return;
    const now = performance.now();
    if (!Number.isFinite(scrubAt)) scrubAt = now + scrubMs;
    scrubbing = now >= scrubAt && index.scrub();
    if (now >= scrubAt && !scrubbing) {
      scrubAt = Number.POSITIVE_INFINITY;
      index.checkpoint();
      // What was deleted meanwhile begins the next wait.
      if (!index.dirty) return;
    }
    schedule(scrubbing ? 0 : Math.max(0, scrubAt - now));
  }

  /** The earliest of what was asked for holds. */
  function schedule(ms: number): void {
    const at = performance.now() + ms;
    if (timer && dueAt <= at) return;
    if (timer) clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(advance, ms);
  }

  port?.on('message', (message: IndexerRequest) => {
    switch (message.op) {
      case 'wake':
        // In a busy time the log is followed in slices of a few dozen milliseconds, not message by message.
        schedule(Math.max(0, nextAt - performance.now()));
        return;
      case 'settle':
        waiting.push(message.id);
        schedule(0);
        return;
      case 'state':
        post({ id: message.id, ok: true, value: { position: index.position, ...index.count() } satisfies SearchState });
        return;
      case 'close':
        closing = message.id;
        schedule(0);
        return;
      default:
        throw new Error(`unknown request ${JSON.stringify(message satisfies never)}`);
    }
  });
  post({ id: 0, ok: true, value: null });
  schedule(0);
}

function serveFinder(limits: FinderLimits): void {
  const finder = new SqliteFinder(data.file, data.storeFile, limits);
  port?.on('message', (message: FinderRequest) => {
    try {
      if (message.op === 'close') {
        finder.close();
        port?.close();
      }
      const value: FoundRows | null = message.op === 'find' ? finder.find(message.request, message.cursor) : null;
      post({ id: message.id, ok: true, value });
    } catch (error) {
      post({ id: message.id, ok: false, message: (error as Error).message, corrupt: isCorrupt(error) });
    }
  });
  post({ id: 0, ok: true, value: null });
}

if (data.role === 'indexer') serveIndexer(data.followMs, data.scrubMs);
else serveFinder(data.limits);

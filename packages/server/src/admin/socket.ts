/**
 * The socket in DATA_DIR through which the command line acts on a running server. Whoever may open it owns the data
 * anyway: it is for the user of the operating system who runs the server, and for nobody else.
 */
import { createHash } from 'node:crypto';
import { chmodSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer } from '../core/actor.js';

/** Paths of sockets have an end in all systems: the shortest one is 104 bytes. */
const PATH_BYTES_MAX = 100;
const REQUEST_UNITS_MAX = 1 << 20;
const REQUEST_MS = 10_000;

export interface OperationRequest {
  operation: string;
  input: unknown;
}

/** A line of the answer: how far it is, and at the end what came of it. */
export type OperationLine = { progress: unknown } | { answer: Answer<unknown> } | { failed: string };

export type Operate = (
  request: OperationRequest,
  onProgress: (progress: unknown) => void,
  signal: AbortSignal,
) => Promise<Answer<unknown>>;

export function socketPath(dataDir: string): string {
  const path = join(dataDir, 'natter.sock');
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return path;
  return join(tmpdir(), `natter-${createHash('sha256').update(path).digest('hex').slice(0, 24)}.sock`);
}

/** Is it a socket of ours? Where others can write, somebody else may have been there first. */
export function isOwnSocket(path: string): boolean {
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isSocket() === true && info.uid === process.getuid?.();
}

export interface AdminSocket {
  readonly path: string;
  close(): Promise<void>;
}

/** Listens. The caller holds the lock of the data folder, so a socket that is there already is a dead one. */
export async function listenAdmin(
  dataDir: string,
  operate: Operate,
  onError: (error: unknown) => void,
): Promise<AdminSocket> {
  const path = socketPath(dataDir);
  const sockets = new Set<Socket>();
  const ending = new AbortController();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, operate, ending.signal).catch(onError);
  });
  if (isOwnSocket(path)) rmSync(path);
  await listen(server, path);
  return {
    path,
    async close() {
      ending.abort(new Error('the server is stopping'));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Bound within this call: at no moment may others open it.
    const before = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(before);
    }
  });
  chmodSync(path, 0o600);
}

async function serve(socket: Socket, operate: Operate, ending: AbortSignal): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort(new Error('the command line is gone')));
  socket.on('error', () => socket.destroy());
  const write = (line: OperationLine): void => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };
  const request = await readRequest(socket);
  if (request) {
    try {
      const signal = AbortSignal.any([gone.signal, ending]);
      write({ answer: await operate(request, (progress) => write({ progress }), signal) });
    } catch (error) {
      write({ failed: (error as Error).message });
      if (!gone.signal.aborted && !ending.aborted) throw error;
    } finally {
      socket.end();
    }
  } else {
    write({ failed: 'a request is one line of JSON' });
    socket.end();
  }
}

/** The first line, as a request; null when it is none, too long, or too late. */
async function readRequest(socket: Socket): Promise<OperationRequest | null> {
  const line = await new Promise<string | null>((resolve) => {
    let text = '';
    const hear = (chunk: string): void => {
      text += chunk;
      if (text.includes('\n')) done(text.slice(0, text.indexOf('\n')));
      else if (text.length > REQUEST_UNITS_MAX) done(null);
    };
    const end = (): void => done(null);
    const done = (heard: string | null): void => {
      clearTimeout(timer);
      socket.off('data', hear).off('end', end).off('close', end);
      // Read on: otherwise the end of the other side is not seen.
      socket.resume();
      resolve(heard);
    };
    const timer = setTimeout(end, REQUEST_MS);
    socket.setEncoding('utf8').on('data', hear).once('end', end).once('close', end);
  });
  try {
    const request = JSON.parse(line ?? '') as Partial<OperationRequest> | null;
    return typeof request?.operation === 'string' ? { operation: request.operation, input: request.input } : null;
  } catch {
    return null;
  }
}

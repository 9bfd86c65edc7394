/** Carries an operation out where the data is: in the server that runs, through its socket; else here, with the data to oneself. */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { OperationInput, OperationName } from '../admin/operations.js';
import { isOwnSocket, type Operate, type OperationLine, socketPath } from '../admin/socket.js';
import type { CoreParts } from '../app.js';
import type { Config } from '../config.js';
import type { Answer } from '../core/actor.js';

/** What went wrong, in words for who sits at the terminal. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}

export interface ReachOptions {
  config: Config;
  /** Makes the database when there is none yet. */
  create: boolean;
  signal: AbortSignal;
}

export async function operate<T extends OperationName>(
  { config, create, signal }: ReachOptions,
  operation: T,
  input: OperationInput<T>,
  onProgress: (progress: unknown) => void = () => {},
): Promise<Answer<unknown>> {
  const socket = await connect(config.dataDir);
  if (socket) return askServer(socket, { operation, input }, onProgress, signal);
  if (!create) await requireDatabase(config);
  const parts = await openData(config);
  try {
    return await parts.operate({ operation, input }, onProgress, signal);
  } finally {
    await parts.close();
  }
}

/** Opens the data in this process. What the server is made of is loaded only here: asking a server needs none of it. */
export async function openData(config: Config): Promise<CoreParts> {
  const [{ openCore }, { makeLogger }] = await Promise.all([import('../app.js'), import('../logger.js')]);
  return openCore(config, { logger: makeLogger('warn') });
}

/** Does a server run on this data? */
export async function isServing(config: Config): Promise<boolean> {
  const socket = await connect(config.dataDir);
  socket?.destroy();
  return socket !== null;
}

export async function requireDatabase(config: Config): Promise<void> {
  const { isStored, storagePlace } = await import('../storage.js');
  if (await isStored(config)) return;
  const right = config.database.driver === 'sqlite' ? '--data-dir' : 'DATABASE_URL';
  throw new CliError(`there is no database at ${storagePlace(config)}: is ${right} right? (natter migrate makes one)`);
}

/** A connection to the server that runs; null when none does. */
async function connect(dataDir: string): Promise<Socket | null> {
  const path = socketPath(dataDir);
  if (!isOwnSocket(path)) return null;
  const socket = createConnection(path);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return socket;
  } catch (error) {
    socket.destroy();
    const { code } = error as NodeJS.ErrnoException;
    // Left behind by a server that was killed.
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return null;
    throw error;
  }
}

async function askServer(
  socket: Socket,
  request: Parameters<Operate>[0],
  onProgress: (progress: unknown) => void,
  signal: AbortSignal,
): Promise<Answer<unknown>> {
  const stop = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    let broken: Error | null = null;
    socket.on('error', (error) => {
      broken = error;
    });
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const text of createInterface({ input: socket })) {
      const line = JSON.parse(text) as OperationLine;
      if ('progress' in line) onProgress(line.progress);
      else if ('answer' in line) return line.answer;
      else throw new CliError(`the server failed: ${line.failed}`);
    }
    signal.throwIfAborted();
    throw new CliError(
      broken ? `the server broke off: ${(broken as Error).message}` : 'the server ended before it answered',
    );
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** Ports for the servers under test, from a range that no outgoing connection uses. */
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const FIRST = 20_000;
const LAST = 29_999;

function free(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

export async function freePort(except: readonly number[] = []): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (!except.includes(port) && (await free(port))) return port;
  }
  throw new Error(`no free port from ${FIRST} to ${LAST}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ port, host: '127.0.0.1' });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/** Resolves when somebody listens on the port; `gone` tells that nobody ever will. */
export async function listening(port: number, limit: number, gone: () => boolean, lookMs = 20): Promise<void> {
  const ends = performance.now() + limit;
  while (!(await answers(port))) {
    if (gone()) throw new Error('the server ended before it listened');
    if (performance.now() > ends) throw new Error(`the server did not listen within ${limit / 1_000} s`);
    await delay(lookMs);
  }
}

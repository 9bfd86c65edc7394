/** Waiting for what is to come about, without guessing how long it takes. */
import { type ClientOptions, NatterClient } from '@natter/client';
import { WebSocket } from 'ws';
import type { FakeServer } from './fake-server.js';

export async function eventually(what: string, holds: () => boolean, within = 20_000): Promise<void> {
  const end = performance.now() + within;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Short waits, so that tests of coming back do not take as long as coming back may. */
export const QUICK = { backoffFirst: 10, backoffMax: 50, openWithin: 10_000, answerWithin: 20_000 };

/** A client of user 1 unless told otherwise; its errors in the background fail the test that looks. */
export function connectTo(server: FakeServer, options: Partial<ClientOptions> = {}): NatterClient {
  return new NatterClient({ url: server.url, token: async () => 'token-1', WebSocket, timing: QUICK, ...options });
}

export class Deferred<T = void> {
  resolve!: (value: T) => void;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

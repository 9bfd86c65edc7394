/** The real server in a folder of its own, on a free port, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type App, openApp } from '@natter/server/app';
import { systemClock } from '@natter/server/clock';
import { type Config, loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { makeDatabaseSettings } from '../databases.js';
import type { Json } from '../json.js';

export interface Answered {
  status: number;
  headers: Headers;
  body: Json;
}

export interface Ask {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Person {
  id: number;
  name: string;
  token: string;
  refreshToken: string;
  session: string;
}

export interface Site {
  app: App;
  config: Config;
  url: string;
  /** Everything that was logged. */
  logged: () => string;
  /** Milliseconds by which the server's clock is ahead. */
  clock: { ahead: number };
  ask(method: string, path: string, ask?: Ask): Promise<Answered>;
  /** Registers somebody. */
  join(name: string): Promise<Person>;
  close(): Promise<void>;
}

export const PASSWORD = 'correct horse battery';

export async function openSite(env: Record<string, string> = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'natter-http-'));
  // The native API alone: the dialects have tests of their own.
  const defaults = { DIALECTS: 'none', PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'debug', LIMITS: 'off' };
  const database = await makeDatabaseSettings();
  const loaded = loadConfig({ ...defaults, ...database.env, ...env }, folder);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const clock = { ...systemClock, ahead: 0, now: () => Date.now() + clock.ahead };
  const app = await openApp(loaded.config, { logger: makeLogger(loaded.config.logLevel, destination), clock });
  const { url } = app;

  async function ask(method: string, path: string, { token, body, headers = {} }: Ask = {}): Promise<Answered> {
    const sent: Record<string, string> = { ...headers };
    const init: RequestInit = { method, headers: sent, redirect: 'manual' };
    if (token !== undefined) sent.authorization = `Bearer ${token}`;
    if (body !== undefined) {
      sent['content-type'] ??= 'application/json';
      init.body = typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body);
    }
    const response = await fetch(url + path, init);
    const text = await response.text();
    const json = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  }

  return {
    app,
    config: loaded.config,
    url,
    logged: () => lines.join(''),
    clock,
    ask,
    async join(name) {
      const { status, body } = await ask('POST', '/v1/users', { body: { name, password: PASSWORD } });
      if (status !== 201) throw new Error(`${name}: ${JSON.stringify(body)}`);
      const { user, accessToken: token, refreshToken, session } = body;
      return { id: user.id, name, token, refreshToken, session };
    },
    async close() {
      await app.close();
      await database.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

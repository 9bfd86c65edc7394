/** A whole server on a free port, and a way to it that can be cut, for tests that use the SDK as anybody does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, NatterClient, register } from '@natter/client';
import { Api } from '@natter/client/api';
import { Http } from '@natter/client/http';
import { type App, openApp } from '@natter/server/app';
import { loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { WebSocket } from 'ws';
import { makeDatabaseSettings } from '../databases.js';

const PASSWORD = 'correct horse battery';

/** Somebody with a client of their own. */
export interface Person {
  id: number;
  name: string;
  credentials: Credentials;
  client: NatterClient;
  /** Not through the way that can be cut. */
  api: Api;
}

export class TestServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'natter-sdk-'));
  readonly #people: Person[] = [];
  readonly #links = new Set<Socket>();
  #app: App | null = null;
  #way: Server | null = null;
  #port = 0;
  readonly #database: Awaited<ReturnType<typeof makeDatabaseSettings>>;

  private constructor(database: Awaited<ReturnType<typeof makeDatabaseSettings>>) {
    this.#database = database;
  }

  static async open(): Promise<TestServer> {
    const server = new TestServer(await makeDatabaseSettings());
    await server.start();
    server.#way = createServer((near) => server.#pass(near));
    await new Promise<void>((resolve) => server.#way?.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** Through the way that can be cut. */
  get url(): string {
    const address = this.#way?.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  async start(): Promise<void> {
    const env = { HOST: '127.0.0.1', LIMITS: 'off', LOG_LEVEL: 'error', ...this.#database.env };
    const loaded = loadConfig(env, this.#folder);
    if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
    this.#app = await openApp({ ...loaded.config, port: this.#port }, { logger: makeLogger('error') });
    this.#port = this.#app.port;
  }

  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = null;
  }

  async join(name: string, options: Partial<ConstructorParameters<typeof NatterClient>[0]> = {}): Promise<Person> {
    const credentials = await register(this.url, { name, password: PASSWORD });
    const client = this.connect(credentials, options);
    const api = new Api(new Http({ url: `http://127.0.0.1:${this.#port}`, token: credentials.token }));
    const person = { id: credentials.user.id, name, credentials, client, api };
    this.#people.push(person);
    return person;
  }

  connect(
    credentials: Credentials,
    options: Partial<ConstructorParameters<typeof NatterClient>[0]> = {},
  ): NatterClient {
    const timing = { backoffFirst: 10, backoffMax: 100 };
    return new NatterClient({ url: this.url, token: credentials.token, WebSocket, timing, ...options });
  }

  /** Every connection breaks now, without a word, whatever was on it. */
  cut(): void {
    for (const link of this.#links) link.destroy();
  }

  async close(): Promise<void> {
    for (const { client } of this.#people) client.close();
    await this.stop();
    this.cut();
    await new Promise((resolve) => this.#way?.close(resolve));
    await this.#database.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #pass(near: Socket): void {
    const far = connect(this.#port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#links.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#links.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}

export async function eventually(what: string, holds: () => boolean, within = 20_000): Promise<void> {
  const end = performance.now() + within;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

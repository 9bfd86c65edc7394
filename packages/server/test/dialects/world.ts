/** The real server on a free port, and clients that speak to it as any client of the documented APIs would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, openApp } from '@natter/server/app';
import { nameRules } from '@natter/server/auth/names';
import { loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { WebSocket } from 'ws';
import { makeDatabaseSettings } from '../databases.js';
import type { Json } from '../json.js';
import { Documented } from './documented.js';

export interface Answered {
  status: number;
  headers: Headers;
  body: Json;
}

export interface Ask {
  token?: string | undefined;
  /** Sent as JSON; text and bytes as they are. */
  body?: unknown;
  /** Sent as a form. */
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

/** Where the problems of a 422 are, in order. */
export const locs = ({ body }: Answered): unknown[] => body.detail.map((problem: { loc: unknown[] }) => problem.loc);
export const types = ({ body }: Answered): unknown[] => body.detail.map((problem: { type: string }) => problem.type);

const DOCUMENT = '/openapi.json';

let made = 0;
/** A name that nobody has. */
export const fresh = (word: string): string => {
  made += 1;
  return `${word}${made}x`;
};

export class World {
  readonly app: App;
  readonly #folder: string;
  readonly #removeDatabase: () => Promise<void>;
  readonly #sockets: Client[] = [];
  #documented: Promise<Documented> | null = null;

  constructor(app: App, folder: string, removeDatabase: () => Promise<void>) {
    this.app = app;
    this.#folder = folder;
    this.#removeDatabase = removeDatabase;
  }

  get url(): string {
    return `http://127.0.0.1:${this.app.port}`;
  }

  /** Where the command line finds this server. */
  get dataDir(): string {
    return join(this.#folder, 'data');
  }

  /** What the server documents of the answer is held to be so. */
  async ask(method: string, path: string, { token, body, form, headers = {} }: Ask = {}): Promise<Answered> {
    const sent: Record<string, string> = { ...headers };
    const init: RequestInit = { method, headers: sent, redirect: 'manual' };
    if (token !== undefined) sent.authorization = `Bearer ${token}`;
    if (form) {
      init.body = new URLSearchParams(form).toString();
      sent['content-type'] ??= 'application/x-www-form-urlencoded';
    } else if (body !== undefined) {
      sent['content-type'] ??= 'application/json';
      init.body = typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body);
    }
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    const answered = { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
    if (json && path !== DOCUMENT) {
      this.#documented ??= this.ask('GET', DOCUMENT).then((document) => new Documented(document.body));
      const problem = (await this.#documented).problem(method, path, answered);
      if (problem) throw new Error(problem);
    }
    return answered;
  }

  /** An account of the native API, logged in. */
  async native(name = fresh('native')): Promise<{ id: number; name: string; token: string }> {
    const { status, body } = await this.ask('POST', '/v1/users', { body: { name, password: 'correct horse battery' } });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return { id: body.user.id, name, token: body.accessToken };
  }

  /** Accounts that never log in, so that no password need be hashed for them. */
  async crowd(count: number): Promise<{ id: number }[]> {
    const { store, log } = this.app.parts;
    const first = await store.reserveStreams(count);
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const id = first + index;
        const name = fresh('crowd');
        const outcome = await log.append({
          actor: 0,
          at: Date.now(),
          drafts: [
            {
              stream: id,
              type: 'user.created',
              body: { name, nameKey: nameRules.key(name), email: null, fullName: '', role: 'user' },
            },
          ],
          claims: nameRules.keys(name).map((value) => ({ space: 'user.name' as const, value, owner: id })),
        });
        if (outcome.kind !== 'committed') throw new Error(`an account was answered with ${outcome.kind}`);
        return { id };
      }),
    );
  }

  /** A socket that was let in. */
  async socket(path: string, headers: Record<string, string> = {}): Promise<Client> {
    const client = new Client(
      new WebSocket(`ws://127.0.0.1:${this.app.port}${path}`, { headers, perMessageDeflate: false }),
    );
    this.#sockets.push(client);
    await client.opened;
    return client;
  }

  /** The answer to an upgrade that is refused; 101 where it is not. */
  refusal(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({
        port: this.app.port,
        host: '127.0.0.1',
        path,
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': `${'A'.repeat(22)}==`,
          ...headers,
        },
      });
      asked.on('upgrade', (_, socket) => {
        socket.destroy();
        resolve({ status: 101, body: '' });
      });
      asked.on('response', (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.app.close();
    await this.#removeDatabase();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** `log` is given what is logged. */
export async function openWorld(env: Record<string, string> = {}, log?: NodeJS.WritableStream): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'natter-dialect-'));
  const database = await makeDatabaseSettings();
  const defaults = { PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'error', LIMITS: 'off' };
  const loaded = loadConfig({ ...defaults, ...database.env, ...env }, folder);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const app = await openApp(loaded.config, { logger: makeLogger(loaded.config.logLevel, log) });
  return new World(app, folder, database.remove);
}

/** A frame as it came: parsed where it is JSON. */
export type Frame = Json;

/** How long a test waits for a frame; it fails with what came instead. */
const PATIENCE_MS = 10_000;

export class Client {
  readonly ws: WebSocket;
  /** What came and was not taken yet. */
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly opened: Promise<void>;
  readonly #waiting = new Set<() => void>();

  constructor(ws: WebSocket) {
    this.ws = ws;
    this.opened = new Promise((resolve, reject) => {
      ws.on('open', () => resolve());
      ws.on('error', reject);
    });
    ws.on('message', (data: Buffer) => {
      const text = data.toString();
      this.texts.push(text);
      this.frames.push(parsed(text));
      this.#changed();
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#changed();
    });
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The next frame, whatever it is. */
  async next(): Promise<Frame> {
    await this.#until(() => this.frames.length > 0, 'a frame');
    return this.frames.shift();
  }

  /** The next frame that fits; those before it are taken too. */
  async frame(type: string, fits: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const find = (): number => this.frames.findIndex((frame) => frame?.type === type && fits(frame));
    await this.#until(() => find() >= 0, type);
    return this.frames.splice(0, find() + 1).at(-1);
  }

  /**
   * All that came up to here: `probe` makes the server answer with a frame that `isAnswer` knows, behind all that it said
   * before. That frame is taken too, and left out.
   */
  async heard(probe: object | string, isAnswer: (frame: Frame) => boolean): Promise<Frame[]> {
    this.send(probe);
    await this.#until(() => this.frames.some(isAnswer), 'the answer to a probe');
    return this.frames.splice(0).filter((frame) => !isAnswer(frame));
  }

  /** The code with which it was closed. */
  async end(): Promise<number> {
    await this.#until(() => this.closed !== null, 'the end');
    return this.closed?.code ?? 0;
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.end();
  }

  destroy(): void {
    this.ws.terminate();
  }

  #changed(): void {
    for (const call of this.#waiting) call();
  }

  #until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const fail = (why: string): void => {
        stop();
        reject(new Error(`${why} before ${what}; came: ${JSON.stringify(this.frames)}`));
      };
      const timer = setTimeout(() => fail('no patience any more'), PATIENCE_MS);
      const look = (): void => {
        if (condition()) {
          stop();
          resolve();
        } else if (this.closed && what !== 'the end') {
          fail(`closed with ${this.closed.code}`);
        }
      };
      this.#waiting.add(look);
    });
  }
}

function parsed(text: string): Frame {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

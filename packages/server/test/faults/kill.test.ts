/** kill -9 of the server while fifty people talk: nothing that was acknowledged is lost, repeated or reordered. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatterClient } from '@natter/client';
import { openCore } from '@natter/server/app';
import { type Config, loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { makeDatabaseSettings } from '../databases.js';

const MAIN = fileURLToPath(new URL('../../bundle/main.js', import.meta.url));
const CLI = fileURLToPath(new URL('../../bundle/cli.js', import.meta.url));

const PEOPLE = 50;
const ROOMS = 6;
const KILLS = 3;
/** Acknowledged between two kills, at least. */
const SENDS_PER_ROUND = 300;
/** Of each person's messages, this many wait for their answers at once. */
const IN_FLIGHT = 4;

let folder: string;
let port: number;
let running: ChildProcess | null = null;
let database: Awaited<ReturnType<typeof makeDatabaseSettings>>;

beforeEach(async () => {
  database = await makeDatabaseSettings();
  folder = mkdtempSync(join(tmpdir(), 'natter-kill-'));
  port = await freePort();
});
afterEach(async () => {
  await stop('SIGKILL');
  await database.remove();
  rmSync(folder, { recursive: true, force: true });
});

const environment = (): Record<string, string> => ({
  DATA_DIR: folder,
  HOST: '127.0.0.1',
  PORT: String(port),
  LIMITS: 'off',
  LOG_LEVEL: 'error',
  // Nobody is so far behind that a page would do: every event is to be seen by everybody.
  RESUME_EVENTS_MAX: '100000',
  ...database.env,
});

function config(): Config {
  const loaded = loadConfig(environment(), folder);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

async function freePort(): Promise<number> {
  for (;;) {
    const wanted = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(wanted, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return wanted;
  }
}

/** Starts the server as a process, and waits until it says that it is ready. */
async function start(): Promise<void> {
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk;
      if (said.includes('is ready at')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  const child = running;
  running = null;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

function run(args: readonly string[]): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment() },
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
}

interface Acknowledged {
  room: number;
  text: string;
  seq: number;
  id: number;
  /** Moments of the one clock of this test, which only counts. */
  invoked: number;
  answered: number;
}

let moment = 0;

/** Somebody who talks through the SDK, and notes what was acknowledged and what was heard, in order. */
class Person {
  readonly client: NatterClient;
  readonly acknowledged: Acknowledged[] = [];
  readonly heard = new Map<number, { seq: number; id: number; type: string }[]>();
  readonly refused: string[] = [];
  readonly #name: string;
  #said = 0;
  #talking: Promise<unknown> = Promise.resolve();

  constructor(name: string, token: string) {
    this.#name = name;
    this.client = new NatterClient({
      url: `http://127.0.0.1:${port}`,
      token: async () => token,
      WebSocket,
      timing: { backoffFirst: 50, backoffMax: 500 },
    });
    this.client.on('event', ({ stream, seq, id, type }) => {
      const list = this.heard.get(stream) ?? [];
      this.heard.set(stream, list);
      list.push({ seq, id, type });
    });
    this.client.on('reset', ({ stream }) => this.refused.push(`stream ${stream} was reset`));
  }

  talk(rooms: readonly number[], going: () => boolean): void {
    this.#talking = Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        while (going()) {
          this.#said += 1;
          const room = rooms[this.#said % rooms.length] as number;
          const text = `${this.#name} says ${this.#said}`;
          moment += 1;
          const invoked = moment;
          const { seq, id } = await this.client.send('message.send', { room, text });
          moment += 1;
          this.acknowledged.push({ room, text, seq: seq as number, id: id as number, invoked, answered: moment });
        }
      }),
    );
  }

  silent(): Promise<unknown> {
    return this.#talking;
  }
}

describe('kill -9', () => {
  it('[L1][L3][H2] nothing acknowledged is lost, repeated or reordered, and everybody ends with the same log (I1–I5, I16)', async () => {
    const logger = makeLogger('silent');
    const seeding = await openCore(config(), { logger });
    const users: { user: number; name: string; token: string }[] = [];
    for (let index = 0; index < PEOPLE; index += 1) {
      const name = `person${index}`;
      const made = await seeding.accounts.create({ name, password: null }, 'user');
      if (!made.ok) throw new Error(made.code);
      const login = await seeding.accounts.startSession(made.value, { address: '', agent: '', dialect: '' });
      if (!login.ok) throw new Error(login.code);
      users.push({ user: made.value, name, token: login.value.accessToken });
    }
    const rooms: number[] = [];
    const [owner, ...others] = users.map(({ user }) => user);
    for (let index = 0; index < ROOMS; index += 1) {
      const made = await seeding.core.execute(
        { user: owner as number, role: 'user', session: null },
        { type: 'room.create', kind: 'group', name: `room ${index}`, members: others },
      );
      if (!made.ok) throw new Error(made.code);
      rooms.push(made.result.stream);
    }
    await seeding.close();

    await start();
    const people = users.map(({ name, token }) => new Person(name, token));
    await Promise.all(people.map((person) => person.client.connect()));
    const acknowledged = (): number => people.reduce((sum, person) => sum + person.acknowledged.length, 0);

    let going = true;
    for (const person of people) person.talk(rooms, () => going);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const enough = acknowledged() + SENDS_PER_ROUND;
      await vi.waitFor(() => expect(acknowledged()).toBeGreaterThan(enough), { timeout: 60_000, interval: 5 });
      await stop('SIGKILL');
      await start();
    }
    going = false;
    await Promise.all(people.map((person) => person.silent()));
    const lastOf = (room: number): number =>
      Math.max(
        ...people.flatMap((person) => person.acknowledged.filter((one) => one.room === room).map(({ seq }) => seq)),
      );
    const heads = new Map(rooms.map((room) => [room, lastOf(room)]));
    await vi.waitFor(
      () => {
        for (const person of people) {
          for (const [room, head] of heads) expect(person.heard.get(room)?.at(-1)?.seq).toBeGreaterThanOrEqual(head);
        }
      },
      { timeout: 60_000, interval: 20 },
    );
    for (const person of people) person.client.close();
    await stop('SIGTERM');

    const core = await openCore(config(), { logger });
    const logs = new Map<number, { seq: number; id: number; type: string; text: string | undefined }[]>();
    for (const room of rooms) {
      const events = await core.store.events(room, 0, 1_000_000);
      logs.set(
        room,
        events.map(({ seq, id, type, body }) => ({
          seq,
          id,
          type,
          text: (JSON.parse(body) as { text?: string }).text,
        })),
      );
    }
    await core.close();

    for (const [room, log] of logs) {
      // I2: dense from 1.
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      // I1: what nobody knows the fate of is there at most once.
      const texts = log.flatMap(({ text }) => (text === undefined ? [] : [text]));
      expect(new Set(texts).size).toBe(texts.length);
      for (const person of people) {
        for (const one of person.acknowledged.filter((each) => each.room === room)) {
          expect(log[one.seq - 1]).toEqual({ seq: one.seq, id: one.id, type: 'message.sent', text: one.text });
        }
        // I3 and I5: each heard the log as it is, from where it came in, without a gap, and nothing else.
        const heard = person.heard.get(room) ?? [];
        const from = (heard[0]?.seq ?? 1) - 1;
        expect(heard).toEqual(log.slice(from, from + heard.length).map(({ seq, id, type }) => ({ seq, id, type })));
        expect(from + heard.length).toBe(log.length);
      }
    }
    // I4: what was said after something else was acknowledged stands behind it, whoever said it.
    for (const room of rooms) {
      const sends = people.flatMap((person) => person.acknowledged.filter((each) => each.room === room));
      const moments = sends
        .flatMap((send) => [
          { at: send.invoked, send, begins: true },
          { at: send.answered, send, begins: false },
        ])
        .sort((a, b) => a.at - b.at);
      let newest = 0;
      const floor = new Map<number, number>();
      for (const { send, begins } of moments) {
        if (begins) floor.set(send.id, newest);
        else newest = Math.max(newest, send.seq);
      }
      expect(sends.filter((send) => send.seq <= (floor.get(send.id) ?? 0))).toEqual([]);
    }
    expect(people.flatMap((person) => person.refused)).toEqual([]);
    expect(acknowledged()).toBeGreaterThan(KILLS * SENDS_PER_ROUND);
    // I16: what the tables say is what the log says.
    expect(await run(['doctor'])).toMatchObject({ code: 0 });
  }, 180_000);
});

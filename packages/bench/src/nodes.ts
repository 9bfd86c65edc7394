/**
 * What a second node costs those who wait: `npm run bench -- nodes`. Two nodes over PostgreSQL and NATS, one sender and one
 * reader at the first, one reader at the second: the same messages, to both. And what the second node has to do for a room
 * that none of its users is in.
 */
import type { StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { ended, lastWords, start, stop } from './children.js';
import { makeFolder, removeFolder } from './folders.js';
import { freePort, listening } from './ports.js';
import { cpuSeconds } from './proc.js';
import { nats } from './servers/brokers.js';
import { PROGRAM, seedOnce, settings } from './servers/natter.js';
import { postgresMissing, startPostgres } from './servers/postgres.js';
import type { Work } from './works.js';

/** Members 0, 1 and 2 are in the first room, 3 and 4 in the second. */
const WORK: Work = {
  kind: 'closed',
  name: 'nodes',
  members: 5,
  rooms: 2,
  senders: 1,
  inFlight: 1,
  complete: 'all',
  warmup: 0,
  window: 0,
};
/** All servers share it. */
const CORE = 0;
const START_MS = 30_000;
const STOP_MS = 10_000;
const SILENCE_MS = 10_000;
const TEXT = 'x'.repeat(100);
/** Between two messages: nobody waits for anybody else's. */
const PAUSE_MS = 2;
/** For so many one more comes before those that count, while everything is being compiled. */
const WARM_SHARE = 5;

export interface Crossing {
  /** Milliseconds from the sending of a message until a reader has it: at the sender's node, and at the other one. */
  near: { p50: number; p99: number };
  far: { p50: number; p99: number };
  /** Median of each message's own ratio. */
  ratio: number;
  /** What NATS brought the other node for each message: of the room that both are in, and of the one that nobody there is in. */
  hints: number;
  hintsForNothing: number;
  /** Its processor time during the messages of the latter, and in as long a silence, in milliseconds. */
  busyMs: number;
  silentMs: number;
}

/** What the nodes stand on, where it is given: a database that is empty, and the program of a NATS server. */
export interface Given {
  database?: string;
  natsServer?: string;
}

/** Why it can't run here, or null. */
export function nodesMissing(): string | null {
  return postgresMissing() ?? nats.missing();
}

class Client {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (frame: { [key: string]: unknown }) => void>();
  #numbers = 0;
  /** What the server refused, if it did. */
  #refused = '';

  constructor(port: number) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, { perMessageDeflate: false });
    this.#socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as { [key: string]: unknown };
      if (frame.type === 'reply' && frame.error !== undefined) this.#refused = JSON.stringify(frame.error);
      const name =
        frame.type === 'message.sent' ? `sent ${(frame.body as { text?: string }).text}` : String(frame.type);
      const heard = this.#waiting.get(name);
      this.#waiting.delete(name);
      heard?.(frame);
    });
  }

  /** The frame with this name: its type, or `sent` and the text of a message. */
  async hears(name: string): Promise<number> {
    const limit = new AbortController();
    try {
      return await Promise.race([
        new Promise<number>((resolve) => this.#waiting.set(name, () => resolve(performance.now()))),
        delay(SILENCE_MS, undefined, { signal: limit.signal }).then(() => {
          throw new Error(`'${name}' did not come within ${SILENCE_MS / 1_000} s ${this.#refused}`);
        }),
      ]);
    } finally {
      limit.abort();
    }
  }

  async login(token: string): Promise<this> {
    await once(this.#socket, 'open');
    const live = this.hears('live');
    this.#socket.send(JSON.stringify({ type: 'hello', token }));
    await live;
    return this;
  }

  /** Answers when it was sent. */
  send(room: number, text: string): number {
    this.#numbers += 1;
    const frame = JSON.stringify({ id: this.#numbers, key: String(this.#numbers), type: 'message.send', room, text });
    const at = performance.now();
    this.#socket.send(frame);
    return at;
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** What the other nodes brought a node through NATS since it started. */
async function heardBy(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const found = /^natter_bus_heard_total (\d+)$/m.exec(text)?.[1];
  if (found === undefined) throw new Error('the server does not count natter_bus_heard_total');
  return Number(found);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function spreadOf(samples: readonly number[]): { p50: number; p99: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** So many messages in each of the two rooms, one after the other; all servers on one core. */
export async function measureNodes(messages: number, given: Given = {}): Promise<Crossing> {
  const dir = makeFolder();
  const ends: (() => unknown)[] = [];
  try {
    let { database } = given;
    if (database === undefined) {
      const postgres = await startPostgres(dir, CORE);
      ends.push(() => postgres.stop());
      database = postgres.url;
    }
    const { rooms, tokens } = await seedOnce(dir, WORK, CORE, '', database);
    const bus = await freePort();
    const broker = start(given.natsServer ?? 'nats-server', ['-a', '127.0.0.1', '-p', `${bus}`], {
      core: CORE,
      stdio: 'ignore',
    });
    ends.push(() => stop(broker, 1_000));
    await listening(bus, START_MS, () => ended(broker));
    const [here, there] = [await freePort([bus]), await freePort([bus])];
    const nodes = [here, there].map((port, index) => {
      const env = {
        ...settings({ work: WORK, port }, join(dir, `node${index}`)),
        DATABASE_URL: database,
        NATS_URL: `nats://127.0.0.1:${bus}`,
      };
      const stdio: StdioOptions = ['ignore', 'ignore', 'pipe'];
      const child = start(process.execPath, [PROGRAM], { core: CORE, cwd: dir, env, stdio });
      ends.push(() => stop(child, STOP_MS));
      return { child, port };
    });
    for (const { child, port } of nodes) {
      await listening(port, START_MS, () => ended(child)).catch((error: Error) => {
        throw new Error(`${error.message}: ${lastWords(child)}`);
      });
    }
    const farNode = nodes[1]?.child.pid as number;

    const login = async (port: number, member: number): Promise<Client> => {
      const client = new Client(port);
      ends.push(() => client.close());
      return client.login(tokens[member] as string);
    };
    const [sender, near, far, other, beside] = [
      await login(here, 0),
      await login(here, 1),
      await login(there, 2),
      await login(here, 3),
      await login(here, 4),
    ];

    const heardBefore = await heardBy(there);
    const nearMs: number[] = [];
    const farMs: number[] = [];
    for (let number = -Math.ceil(messages / WARM_SHARE); number < messages; number += 1) {
      const text = `${number} ${TEXT}`;
      const heard = Promise.all([near.hears(`sent ${text}`), far.hears(`sent ${text}`)]);
      const at = sender.send(rooms[0] as number, text);
      const [nearAt, farAt] = await heard;
      if (number >= 0) {
        nearMs.push(nearAt - at);
        farMs.push(farAt - at);
      }
      await delay(PAUSE_MS);
    }

    const hints = ((await heardBy(there)) - heardBefore) / (messages + Math.ceil(messages / WARM_SHARE));

    const counted = async (work: () => Promise<unknown>): Promise<{ hints: number; ms: number; took: number }> => {
      const [hints, cpu, began] = [await heardBy(there), cpuSeconds(farNode), performance.now()];
      await work();
      const took = performance.now() - began;
      return { hints: (await heardBy(there)) - hints, ms: 1_000 * (cpuSeconds(farNode) - cpu), took };
    };
    const busy = await counted(async () => {
      for (let number = 0; number < messages; number += 1) {
        const text = `${number} ${TEXT}`;
        const heard = beside.hears(`sent ${text}`);
        other.send(rooms[1] as number, text);
        await heard;
        await delay(PAUSE_MS);
      }
    });
    const silent = await counted(() => delay(busy.took));

    const ratios = farMs.map((ms, index) => ms / (nearMs[index] as number)).sort((a, b) => a - b);
    return {
      near: spreadOf(nearMs),
      far: spreadOf(farMs),
      ratio: quantile(ratios, 0.5),
      hints,
      hintsForNothing: busy.hints / messages,
      busyMs: busy.ms,
      silentMs: silent.ms,
    };
  } finally {
    for (const end of ends.reverse()) await end();
    await removeFolder(dir);
  }
}

export async function nodes(messages: number, say: (line: string) => void): Promise<void> {
  const { near, far, ratio, hints, hintsForNothing, busyMs, silentMs } = await measureNodes(messages);
  const ms = (value: number): string => value.toFixed(2);
  say(`${messages.toLocaleString('en')} messages of 100 characters, one after the other; p50 / p99 in ms`);
  say(`to a reader at the sender's node: ${ms(near.p50)} / ${ms(near.p99)}`);
  say(`to a reader at the other node:    ${ms(far.p50)} / ${ms(far.p99)}`);
  say(`the other node ÷ the sender's, median of each message's: ${ratio.toFixed(2)}`);
  say(
    `NATS brought the other node ${hints.toFixed(2)} hints a message, and ${hintsForNothing.toFixed(3)} in a room that nobody there is in;`,
  );
  say(`processor time there during those: ${busyMs.toFixed(0)} ms; in as long a silence: ${silentMs.toFixed(0)} ms`);
}

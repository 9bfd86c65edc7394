/** Several workers behind one address: as one server to those who speak to it, whatever becomes of a worker. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../bus/contract.js';
import { NatsServer } from '../bus/nats-server.js';
import { makePostgresDatabase } from '../databases.js';
import type { Json } from '../json.js';
import { makePlace, type Place } from './natter.js';

const SECRET_KEY = 'a key for tests, the same on all nodes';
const WORKERS = 3;

const closing: (() => Promise<unknown> | unknown)[] = [];
let place: Place;
beforeEach(() => {
  place = makePlace();
  closing.push(() => place.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function start(count: number, env: Record<string, string>): ChildProcess {
  return place.start(['serve', '--workers', String(count)], { LOG_LEVEL: 'error', ...env });
}

const refused = (count: number, env: Record<string, string>) =>
  place.natter(['serve', '--workers', String(count)], { env: { LOG_LEVEL: 'error', ...env } });

/** Workers over stores of their own. */
async function serve(): Promise<{ child: ChildProcess; url: string }> {
  const database = await makePostgresDatabase();
  closing.push(() => database.remove());
  const nats = await NatsServer.start();
  closing.push(() => nats.remove());
  const child = start(WORKERS, { DATABASE_URL: database.url, NATS_URL: nats.url, SECRET_KEY, FIGURE_SECONDS: '1' });
  return { child, url: await readyAt(child) };
}

describe('natter serve --workers', () => {
  it('is refused on SQLite, without NATS, and for what is no count, with a reason', async () => {
    const sqlite = await refused(2, {});
    expect(sqlite.code).toBe(2);
    expect(sqlite.err).toMatch(/--workers 2 needs a database that several processes can share: set DATABASE_URL/);
    const alone = await refused(2, { DATABASE_URL: 'postgres://a@127.0.0.1:1/b', SECRET_KEY });
    expect(alone.code).toBe(2);
    expect(alone.err).toMatch(/--workers 2 needs NATS_URL/);
    const none = await refused(0, {});
    expect(none.code).toBe(2);
    expect(none.err).toMatch(/a whole number from 1 to 256/);
  });

  it('ends when its workers cannot start, and says why', async () => {
    const env = { DATABASE_URL: 'postgres://a@127.0.0.1:1/b', NATS_URL: 'nats://127.0.0.1:1', SECRET_KEY };
    const { code, err } = await refused(2, env);
    expect(code).toBe(1);
    expect(err).toMatch(/natter: could not start/);
  });

  it('[H1][H2] every socket on every worker hears a room once and in order, also after a worker was killed; all end together', {
    timeout: 60_000,
  }, async () => {
    const { child, url } = await serve();
    const call = async (method: string, path: string, body: object | null, token = '') => {
      const response = await fetch(url + path, {
        method,
        headers: { ...(body ? { 'content-type': 'application/json' } : {}), authorization: `Bearer ${token}` },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      expect(response.status).toBeLessThan(300);
      return (await response.json()) as Json;
    };
    const ann = await call('POST', '/v1/users', { name: 'ann', password: 'correct horse battery' });
    const room = await call('POST', '/v1/rooms', { kind: 'group', name: 'all' }, ann.accessToken);
    const stream: number = room.id;

    const workers = childrenOf(child);
    expect(workers.length).toBe(WORKERS);
    const devices = await Promise.all(Array.from({ length: 2 * WORKERS }, () => Device.open(url, ann.accessToken)));
    closing.push(() => {
      for (const device of devices) device.close();
    });
    for (let i = 0; i < devices.length; i += 1) devices[i]?.send(stream, `from device ${i}`);
    await until(() => {
      for (const device of devices) expect(device.texts(stream).length).toBe(devices.length);
    });
    const [first, ...others] = devices.map((device) => device.texts(stream));
    for (const texts of others) expect(texts).toEqual(first);

    // Those who were on it come back to others, and hear what they missed.
    process.kill(workers[1] as number, 'SIGKILL');
    await Promise.all(devices.map((device) => device.answers()));
    expect(devices.some(({ gone }) => gone)).toBe(true);
    const stayed = devices.find(({ gone }) => !gone) as Device;
    stayed.send(stream, 'while one is away');
    await until(() => expect(stayed.texts(stream)).toContain('while one is away'));
    await Promise.all(devices.filter(({ gone }) => gone).map((device) => device.comeBack(url, ann.accessToken)));
    await until(() => {
      for (const device of devices) expect(device.texts(stream)).toEqual([...(first as string[]), 'while one is away']);
    });
    // Another one takes its place.
    await until(() => {
      expect(childrenOf(child).length).toBe(WORKERS);
      expect(childrenOf(child)).not.toContain(workers[1]);
    });

    // Whichever of them is asked tells of all, each by its own name.
    await until(async () => {
      const page = await (await fetch(`${url}/metrics`)).text();
      const sockets = [...page.matchAll(/^natter_sockets\{worker="(\d)"\} (\d+)$/gm)];
      expect(sockets.map(([, worker]) => worker)).toEqual(['1', '2', '3']);
      expect(sockets.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(devices.length);
      expect(page.match(/^# TYPE natter_commit_seconds histogram$/gm)).toHaveLength(1);
      expect(page).toMatch(/^natter_commit_seconds_bucket\{le="10",worker="1"\} \d+$/m);
      expect(page).toMatch(/^natter_process_start_time_seconds\{worker="2"\} \d+/m);
      expect(page).not.toMatch(/^natter_[^\s{]+ /m);
    });
    // So do the charts of admins. Requests at one time come in on several connections, and so at several workers.
    await until(async () => {
      const asked = Array.from({ length: 2 * WORKERS }, () => call('GET', '/v1/admin/figures', null, ann.accessToken));
      const pages = await Promise.all(asked);
      expect(new Set(pages.map((page) => page.node)).size).toBe(1);
      for (const page of pages) expect(page.figures.at(-1).sockets).toBe(devices.length);
    });

    const now = childrenOf(child);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    for (const pid of now) expect(() => process.kill(pid, 0)).toThrow();
    expect(devices.every(({ gone }) => gone === 'told')).toBe(true);
  });

  it('[H1] workers whose first process was killed answer what was asked, say "come back", and end', async () => {
    const { child, url } = await serve();
    const body = JSON.stringify({ name: 'ann', password: 'correct horse battery' });
    const headers = { 'content-type': 'application/json' };
    const { accessToken } = (await (await fetch(`${url}/v1/users`, { method: 'POST', headers, body })).json()) as Json;
    const devices = await Promise.all(Array.from({ length: WORKERS }, () => Device.open(url, accessToken)));
    closing.push(() => {
      for (const device of devices) device.close();
    });
    const workers = childrenOf(child);
    // Should a worker stay, nobody else would end it.
    closing.push(() => {
      for (const pid of workers.filter(isRunning)) process.kill(pid, 'SIGKILL');
    });
    child.kill('SIGKILL');
    await until(() => expect(workers.filter(isRunning)).toEqual([]));
    await until(() => expect(devices.map(({ gone }) => gone)).toEqual(devices.map(() => 'told')));
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });
});

/** Where it says that it is ready; fails when it ends before. */
function readyAt(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const hear = (chunk: Buffer): void => {
      heard += chunk;
      const found = /ready at (http:\S+), with 3 workers/.exec(heard)?.[1];
      if (found) resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${heard}`)));
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Ended, but for whoever should take note of it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function childrenOf({ pid }: ChildProcess): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

interface Heard {
  type: string;
  stream?: number;
  seq?: number;
  body?: { text: string };
  epoch?: number;
  cursors?: Record<string, number>;
}

/** A device that keeps what it heard, and comes back with where it stands. */
class Device {
  /** Its connection ended: it was told so, or not. */
  gone: 'told' | 'cut' | null = null;
  readonly #events: Heard[] = [];
  readonly #cursors: Record<string, number> = {};
  #epoch: number | undefined;
  #socket!: WebSocket;
  #sent = 0;

  static async open(url: string, token: string): Promise<Device> {
    const device = new Device();
    await device.comeBack(url, token);
    return device;
  }

  async comeBack(url: string, token: string): Promise<void> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`);
    this.#socket = socket;
    await once(socket, 'open');
    let live = 0;
    let rooms = 1;
    const ready = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data)) as Heard & { rooms?: { id: number; head: number }[]; inbox?: number };
        if (frame.type === 'ready') {
          this.#epoch = frame.epoch;
          rooms += frame.rooms?.length ?? 0;
          for (const { id, head } of frame.rooms ?? []) this.#cursors[id] ??= head;
        } else if (frame.type === 'live') {
          live += Object.keys(frame.cursors ?? {}).length;
          if (live >= rooms) resolve();
        } else if (frame.type === 'goodbye') {
          this.gone = 'told';
        } else if (frame.stream !== undefined && frame.seq !== undefined) {
          this.#events.push(frame);
          this.#cursors[frame.stream] = frame.seq;
        }
      });
    });
    this.gone = null;
    socket.on('close', () => {
      this.gone ??= 'cut';
    });
    const cursors = this.#epoch === undefined ? {} : { epoch: this.#epoch, cursors: this.#cursors };
    socket.send(JSON.stringify({ type: 'hello', token, ...cursors }));
    await ready;
  }

  /** Until its server has answered, or it is known to be gone. */
  async answers(): Promise<void> {
    if (this.gone) return;
    const socket = this.#socket;
    socket.ping();
    await Promise.race([once(socket, 'pong'), once(socket, 'close')]);
  }

  send(room: number, text: string): void {
    this.#sent += 1;
    this.#socket.send(JSON.stringify({ type: 'message.send', id: this.#sent, room, text }));
  }

  texts(room: number): string[] {
    return this.#events
      .filter(({ type, stream }) => type === 'message.sent' && stream === room)
      .map(({ body }) => body?.text ?? '');
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** Coming and coming back: tokens, close codes, waits, silence. */
import { NatterClient, NatterError, type WebSocketConstructor, type WebSocketLike } from '@natter/client';
import { backoff, TIMING } from '@natter/client/timing';
import { CLOSE } from '@natter/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { FakeServer } from './fake-server.js';
import { connectTo, eventually, QUICK } from './waiting.js';

let server: FakeServer;
const clients: NatterClient[] = [];

function client(options: Parameters<typeof connectTo>[1] = {}): NatterClient {
  const made = connectTo(server, options);
  clients.push(made);
  return made;
}

beforeEach(async () => {
  server = await FakeServer.start();
  server.tokens.set('token-1', 1);
});

afterEach(async () => {
  for (const made of clients.splice(0)) made.close();
  await server.close();
  vi.unstubAllGlobals();
});

describe('connecting', () => {
  it('says where it stands, from new over connecting to live and closed', async () => {
    const natter = client();
    const states: string[] = [];
    expect(natter.connection.getSnapshot()).toEqual({ state: 'closed', reason: 'new' });
    natter.on('connection', ({ state }) => states.push(state));
    await natter.connect();
    expect(natter.user).toBe(1);
    expect(natter.server).toMatchObject({ session: 'session', messageTextMax: 10_000 });
    const closed = new Promise((resolve) => server.last.socket.on('close', resolve));
    natter.close();
    expect(await closed).toBe(1000);
    expect(states).toEqual(['connecting', 'live', 'closed']);
    expect(natter.connection.getSnapshot()).toEqual({ state: 'closed', reason: 'client' });
  });

  it('connects again after it was closed', async () => {
    const natter = client();
    await natter.connect();
    natter.close();
    await natter.connect();
    expect(server.connections.length).toBe(2);
  });

  it('says what to do where there is no WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined);
    const make = () => new NatterClient({ url: server.url, token: async () => 'token-1' });
    expect(make).toThrow(/Install the package 'ws' and pass it/);
    expect(make).toThrow(expect.objectContaining({ code: 'no_websocket', retryable: false }));
  });

  it('takes the global WebSocket where there is one', async () => {
    vi.stubGlobal('WebSocket', WebSocket);
    const natter = new NatterClient({ url: server.url, token: async () => 'token-1' });
    clients.push(natter);
    await natter.connect();
    expect(natter.connection.getSnapshot().state).toBe('live');
  });

  it('tries again when the server is not there yet, and when it says nothing', async () => {
    const { url } = server;
    await server.close();
    const natter = client({ timing: { ...QUICK, openWithin: 300 } });
    const connected = natter.connect();
    await natter.connection.until(({ state }) => state === 'waiting');
    server = await FakeServer.start(Number(new URL(url).port));
    server.tokens.set('token-1', 1);
    let silent = 2;
    server.script.hello = () => silent-- > 0;
    await connected;
    expect(server.connections.length).toBeGreaterThanOrEqual(3);
  });

  it('tries again when a WebSocket tells of a refused connection by an error alone, as that of Node 22 does', async () => {
    const deaf: WebSocketLike = {
      send: () => {},
      close: () => {},
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    let tries = 0;
    function Refused(url: string): WebSocketLike {
      tries += 1;
      if (tries > 1) return new WebSocket(url);
      setTimeout(() => deaf.onerror?.({}), 1);
      return deaf;
    }
    const natter = client({ WebSocket: Refused as unknown as WebSocketConstructor });
    const waited: string[] = [];
    natter.on('connection', (now) => now.state === 'waiting' && waited.push(now.error.message));
    await natter.connect();
    expect(waited).toEqual(['the connection was closed (1006)']);
  });

  it('does not go on as somebody else', async () => {
    let token = 'token-1';
    server.tokens.set('token-2', 2);
    const natter = client({ token: async () => token });
    await natter.connect();
    token = 'token-2';
    server.last.cut();
    await natter.connection.until(({ state }) => state === 'closed');
    expect(natter.connection.getSnapshot()).toEqual({ state: 'closed', reason: 'other_user' });
  });
});

describe('tokens', () => {
  it('asks for another token when the server refuses one, naming the refused one', async () => {
    const asked: (string | undefined)[] = [];
    const natter = client({
      token: async (refused) => {
        asked.push(refused);
        return refused === 'stale' ? 'token-1' : 'stale';
      },
    });
    await natter.connect();
    expect(asked).toEqual([undefined, 'stale']);
  });

  it('[S2] gives up where there is no other token', async () => {
    const natter = client({ token: async () => 'stale' });
    await expect(natter.connect()).rejects.toThrow('unauthenticated');
    expect(natter.connection.getSnapshot()).toMatchObject({ state: 'closed', reason: 'unauthenticated' });
    expect(server.connections.length).toBe(1);
  });

  it('[S2] gives up when the second token is refused too', async () => {
    let n = 0;
    const natter = client({ token: async () => `stale-${n++}` });
    await expect(natter.connect()).rejects.toMatchObject({ message: 'the token is not valid' });
    expect(server.connections.length).toBe(2);
  });

  it('waits and asks again when the token could not be had for the moment', async () => {
    let fails = 2;
    const natter = client({
      token: async () => {
        if (fails-- > 0) throw new TypeError('fetch failed');
        return 'token-1';
      },
    });
    const errors: unknown[] = [];
    natter.on('connection', (now) => now.state === 'waiting' && errors.push(now.error.message));
    await natter.connect();
    expect(errors).toEqual(['fetch failed', 'fetch failed']);
  });

  it('[S3] gives up when the refresh token is not believed any more', async () => {
    const refused = new NatterError({ code: 'bad_refresh_token', message: 'no', retryable: false, status: 401 });
    const natter = client({ token: () => Promise.reject(refused) });
    await expect(natter.connect()).rejects.toBe(refused);
    expect(natter.connection.getSnapshot()).toEqual({ state: 'closed', reason: 'unauthenticated', error: refused });
  });
});

describe('coming back', () => {
  for (const [reason, { code, reconnect }] of Object.entries(CLOSE)) {
    if (reason === 'unauthenticated') continue;
    it(`${reconnect ? 'comes back after' : 'stays away after'} ${code} ${reason}`, async () => {
      const natter = client();
      await natter.connect();
      server.last.socket.close(code);
      await natter.connection.until(({ state }) => state !== 'live');
      if (reconnect) {
        await natter.connection.until(({ state }) => state === 'live');
        expect(server.connections.length).toBe(2);
      } else {
        expect(natter.connection.getSnapshot()).toMatchObject({ state: 'closed', reason });
      }
    });
  }

  it('comes back after a code that is in no table', async () => {
    const natter = client();
    await natter.connect();
    server.last.socket.close(4999);
    await eventually('again', () => server.connections.length === 2);
  });

  it('believes what the goodbye says over the table', async () => {
    const natter = client();
    await natter.connect();
    server.last.goodbye(4999, { reconnect: false });
    await natter.connection.until(({ state }) => state === 'closed');
    expect(natter.connection.getSnapshot()).toMatchObject({ reason: 'refused', error: { message: 'bye' } });
  });

  it('does not come back before the time that the goodbye names, whatever the browser hints', async () => {
    const hints = new Map<string, () => void>();
    vi.stubGlobal('addEventListener', (type: string, listener: () => void) => hints.set(type, listener));
    const natter = client();
    await natter.connect();
    const before = Date.now();
    server.last.goodbye(4006, { reconnect: true, retryAfter: 0.3 });
    const waiting = await natter.connection.until(({ state }) => state === 'waiting');
    expect((waiting as { until: number }).until).toBeGreaterThanOrEqual(before + 300);
    hints.get('online')?.();
    expect(natter.connection.getSnapshot().state).toBe('waiting');
    await natter.connection.until(({ state }) => state === 'live');
    expect(Date.now() - before).toBeGreaterThanOrEqual(299);
  });

  it('asks at once whether the link holds when the browser says that the network went', async () => {
    const hints = new Map<string, () => void>();
    vi.stubGlobal('addEventListener', (type: string, listener: () => void) => hints.set(type, listener));
    const natter = client();
    await natter.connect();
    hints.get('offline')?.();
    await eventually('a ping', () => server.last.heard.some(({ type }) => type === 'ping'));
    expect(natter.connection.getSnapshot().state).toBe('live');
  });

  it('comes back at once when the browser is online again, and forgets the browser when it is closed', async () => {
    const hints = new Map<string, () => void>();
    vi.stubGlobal('addEventListener', (type: string, listener: () => void) => hints.set(type, listener));
    vi.stubGlobal('removeEventListener', (type: string) => hints.delete(type));
    const natter = client({ timing: { ...QUICK, backoffFirst: 600_000, backoffMax: 600_000 } });
    await natter.connect();
    server.last.cut();
    await natter.connection.until(({ state }) => state === 'waiting');
    hints.get('online')?.();
    await natter.connection.until(({ state }) => state === 'live');
    natter.close();
    expect(hints.size).toBe(0);
  });

  it('waits longer with each try, at random below a ceiling, and never less than it was asked to', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat(100),
        (attempt, random, after) => {
          const wait = backoff(attempt, TIMING, random, after);
          expect(wait).toBeGreaterThanOrEqual(after * 1_000);
          expect(wait).toBeLessThanOrEqual(after * 1_000 + TIMING.backoffMax);
          if (attempt === 0) expect(wait).toBeLessThanOrEqual(after * 1_000 + TIMING.backoffFirst);
        },
      ),
    );
    expect([0, 1, 2, 3].map((attempt) => backoff(attempt, TIMING, 0.5))).toEqual([250, 500, 1_000, 2_000]);
  });
});

describe('silence', () => {
  it('finds a dead link within 15 seconds by its own settings', () => {
    expect(TIMING.pingAfter + TIMING.pongWithin).toBeGreaterThanOrEqual(10_000);
    expect(TIMING.pingAfter + TIMING.pongWithin).toBeLessThanOrEqual(15_000);
  });

  it('asks when the server is silent, and takes another link when it does not answer', async () => {
    const natter = client({ timing: { ...QUICK, pingAfter: 40, pongWithin: 1_000 } });
    await natter.connect();
    await eventually('a ping', () => server.last.heard.some(({ type }) => type === 'ping'));
    expect(natter.connection.getSnapshot().state).toBe('live');
    server.script.ping = () => true;
    const waiting = await natter.connection.until(({ state }) => state === 'waiting');
    expect(waiting).toMatchObject({ error: { code: 'timeout', retryable: true } });
    delete server.script.ping;
    await natter.connection.until(({ state }) => state === 'live');
    expect(server.connections.length).toBe(2);
  });

  it('says something in time even where it hears much and has nothing to say', async () => {
    server.heartbeatSeconds = 0.1;
    server.makeRoom(7, [1, 2]);
    const natter = client();
    await natter.connect();
    const talk = setInterval(() => server.say(7, 2, 'and on'), 5);
    await eventually('two pings', () => server.last.heard.filter(({ type }) => type === 'ping').length >= 2);
    clearInterval(talk);
    expect(natter.connection.getSnapshot().state).toBe('live');
  });

  it('takes another link when a frame is not what the protocol says', async () => {
    const natter = client();
    await natter.connect();
    server.last.socket.send('[1]');
    const waiting = await natter.connection.until(({ state }) => state === 'waiting');
    expect(waiting).toMatchObject({ error: { code: 'bad_answer' } });
    await natter.connection.until(({ state }) => state === 'live');
  });
});

describe('signals', () => {
  it('tells typing once in a while, and its end once', async () => {
    const natter = client();
    await natter.connect();
    for (let key = 0; key < 10; key += 1) natter.typing(7);
    natter.typing(7, false);
    natter.typing(7, false);
    await expect(natter.send('read.move', { room: 7, seq: 0 })).rejects.toMatchObject({ code: 'not_found' });
    const typed = server.last.heard.filter(({ type }) => type === 'typing').map(({ active }) => active);
    expect(typed).toEqual([true, false]);
  });

  it('hears typing and presence, and asks for presence again on each link', async () => {
    const natter = client();
    await natter.connect();
    natter.watchPresence([2, 3]);
    const typing = natter.next('typing');
    server.last.send({ type: 'typing', room: 7, user: 2, active: true });
    expect(await typing).toEqual({ type: 'typing', room: 7, user: 2, active: true });
    const presence = natter.next('presence');
    server.last.send({ type: 'presence', users: [{ user: 2, online: true, lastSeen: null }] });
    expect((await presence).users[0]).toMatchObject({ user: 2, online: true });
    server.last.cut();
    await natter.connection.until(({ state }) => state === 'waiting');
    await natter.connection.until(({ state }) => state === 'live');
    await eventually('the watch', () => server.last.heard.some(({ type }) => type === 'presence.watch'));
    expect(server.last.heard.at(-1)).toEqual({ type: 'presence.watch', users: [2, 3] });
  });
});

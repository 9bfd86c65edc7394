/** Commands over a link that may be lost: answered once, carried out once, in order. */
import type { NatterClient, NatterError } from '@natter/client';
import { savedOutbox } from '@natter/client/saved-outbox';
import { memoryStorage } from '@natter/client/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeServer } from './fake-server.js';
import { connectTo, eventually } from './waiting.js';

const ROOM = 7;
let server: FakeServer;
const clients: NatterClient[] = [];

function client(options: Parameters<typeof connectTo>[1] = {}): NatterClient {
  const made = connectTo(server, options);
  clients.push(made);
  return made;
}

const texts = (room = ROOM) =>
  server.log(room).flatMap((event) => (event.type === 'message.sent' ? event.body.text : []));

beforeEach(async () => {
  server = await FakeServer.start();
  server.tokens.set('token-1', 1);
  server.makeRoom(ROOM, [1, 2]);
  server.makeRoom(8, [1, 2]);
});

afterEach(async () => {
  for (const made of clients.splice(0)) made.close();
  await server.close();
});

describe('a command', () => {
  it('is answered with the event that it became', async () => {
    const natter = client();
    await natter.connect();
    const result = await natter.send('message.send', { room: ROOM, text: 'hello' });
    expect(result).toEqual({ stream: ROOM, seq: 2, id: expect.any(Number), at: expect.any(String) });
  });

  it('is refused with code, fields, and where the code is explained', async () => {
    const natter = client();
    await natter.connect();
    server.script.command = (connection, frame) =>
      server.refuse(connection, frame, {
        code: 'invalid',
        detail: 'the name is too long',
        fields: [{ path: '/name', message: 'too long' }],
      });
    const error = await natter.send('room.change', { room: ROOM, name: 'x' }).catch((thrown: NatterError) => thrown);
    expect(error).toMatchObject({
      name: 'NatterError',
      code: 'invalid',
      message: 'the name is too long',
      retryable: false,
      fields: [{ path: '/name', message: 'too long' }],
      docs: `${server.url}/docs/errors#invalid`,
    });
  });

  it('waits for the link when it is on the way there', async () => {
    const natter = client();
    void natter.connect();
    const result = await natter.send('read.move', { room: ROOM, seq: 1 });
    expect(result.seq).toBe(1);
  });

  it('is refused at once where nobody connects', async () => {
    await expect(client().send('read.move', { room: ROOM, seq: 1 })).rejects.toMatchObject({ code: 'closed' });
  });

  it('says that nobody knows, when the link is lost before the answer', async () => {
    const natter = client();
    await natter.connect();
    server.script.reply = (connection) => {
      connection.cut();
      return true;
    };
    const error = await natter.send('read.move', { room: ROOM, seq: 1 }).catch((thrown: NatterError) => thrown);
    expect(error).toMatchObject({ code: 'disconnected', retryable: true });
  });

  it('[L3] answers a repetition with the same key from the first time', async () => {
    const natter = client();
    await natter.connect();
    const first = await natter.send('read.move', { room: ROOM, seq: 1 }, { key: 'k' });
    const second = await natter.send('read.move', { room: ROOM, seq: 1 }, { key: 'k' });
    expect(second).toEqual({ ...first, replayed: true });
  });

  it('is not waited for without end', async () => {
    const natter = client({ timing: { answerWithin: 30 } });
    await natter.connect();
    server.script.command = () => true;
    await expect(natter.send('read.move', { room: ROOM, seq: 1 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is not sent any more when it was given up on the way', async () => {
    const natter = client({ timing: { answerWithin: 30, openWithin: 5_000 } });
    server.script.hello = (connection, frame) => {
      setTimeout(() => server.greet(connection, frame), 100);
      return true;
    };
    const connected = natter.connect();
    await expect(natter.send('read.move', { room: ROOM, seq: 1 })).rejects.toMatchObject({ code: 'timeout' });
    await connected;
    await natter.send('read.move', { room: 8, seq: 1 });
    expect(server.last.heard.filter(({ type }) => type === 'read.move').map(({ room }) => room)).toEqual([8]);
  });

  it('[G1] is not sent where it is larger than a frame: the server would close the link', async () => {
    server.maxFrameBytes = 1_000;
    const natter = client();
    await natter.connect();
    const text = 'ä'.repeat(600);
    await expect(natter.send('message.send', { room: ROOM, text })).rejects.toMatchObject({ code: 'too_large' });
    await natter.send('message.send', { room: ROOM, text: 'ä'.repeat(400) });
    expect(server.connections.length).toBe(1);
  });

  it('tells a refusal that belongs to no command as an error', async () => {
    const natter = client();
    await natter.connect();
    const error = natter.next('error');
    server.last.send({ type: 'reply', id: null, error: { code: 'bad_frame', message: 'no', retryable: false } });
    expect(await error).toMatchObject({ code: 'bad_frame' });
  });
});

describe('the outbox', () => {
  it('[L3] sends again with the same key when the reply was lost, and the message is there once', async () => {
    const natter = client();
    await natter.connect();
    let cuts = 3;
    server.script.reply = (connection) => {
      if (cuts-- <= 0) return false;
      connection.cut();
      return true;
    };
    const result = await natter.send('message.send', { room: ROOM, text: 'once' });
    expect(result).toMatchObject({ seq: 2, replayed: true });
    expect(texts()).toEqual(['once']);
    const keys = server.connections.flatMap(({ heard }) => heard.flatMap(({ key }) => key ?? []));
    expect(keys.length).toBe(4);
    expect(new Set(keys).size).toBe(1);
  });

  it('keeps the order of a room over lost links and refusals, and one room does not wait for another', async () => {
    const natter = client();
    await natter.connect();
    let n = 0;
    server.script.command = (connection, frame) => {
      if (frame.room !== ROOM) return false;
      n += 1;
      if (n % 3 === 1)
        return server.refuse(connection, frame, { code: 'overloaded', retryable: true, retryAfter: 0.01 });
      if (n % 3 === 2) {
        connection.cut();
        return true;
      }
      return false;
    };
    const all = Array.from({ length: 8 }, (_, index) => natter.send('message.send', { room: ROOM, text: `${index}` }));
    await natter.send('message.send', { room: 8, text: 'elsewhere' });
    expect(texts().length).toBeLessThan(8);
    await Promise.all(all);
    expect(texts()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  it('waits as long as the server asks before it tries again', async () => {
    const natter = client();
    await natter.connect();
    const times: number[] = [];
    server.script.command = (connection, frame) => {
      times.push(Date.now());
      if (times.length > 1) return false;
      return server.refuse(connection, frame, { code: 'rate_limited', retryable: true, retryAfter: 0.2 });
    };
    const sent = natter.send('message.send', { room: ROOM, text: 'later' });
    const [entry] = await natter.outbox.view.until(([first]) => first?.state.is === 'waiting');
    expect(entry?.state).toMatchObject({ is: 'waiting', error: { code: 'rate_limited', retryAfter: 0.2 } });
    await sent;
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(199);
  });

  it('shows what was refused for good, does not hold up what comes after it, and lets it be retried or cancelled', async () => {
    const natter = client();
    await natter.connect();
    server.script.command = (connection, frame) =>
      frame.text === 'bad' && server.refuse(connection, frame, { code: 'archived' });
    const failed = natter.next('failed');
    const bad = natter.send('message.send', { room: ROOM, text: 'bad' });
    const good = natter.send('message.send', { room: ROOM, text: 'good' });
    await expect(bad).rejects.toMatchObject({ code: 'archived' });
    await good;
    const { entry, error } = await failed;
    expect(error.code).toBe('archived');
    expect(natter.outbox.view.getSnapshot()).toMatchObject([{ key: entry.key, state: { is: 'failed' } }]);
    server.script = {};
    expect(natter.outbox.retry(entry.key)).toBe(true);
    await natter.next('sent');
    expect(texts()).toEqual(['good', 'bad']);
    expect(natter.outbox.view.getSnapshot()).toEqual([]);
    expect(natter.outbox.cancel(entry.key)).toBe(false);
  });

  it('[L3] retries with a new key what was refused because of its key', async () => {
    const natter = client();
    await natter.connect();
    server.script.command = (connection, frame) => server.refuse(connection, frame, { code: 'key_conflict' });
    await expect(natter.send('message.send', { room: ROOM, text: 'x' }, { key: 'old' })).rejects.toThrow(
      'key_conflict',
    );
    server.script = {};
    natter.outbox.retry('old');
    await natter.next('sent');
    expect(server.last.heard.at(-1)?.key).toMatch(/^[0-9a-f]{32}$/);
  });

  it('takes out what was cancelled before it was sent', async () => {
    const natter = client();
    const key = natter.timeline(ROOM).send('never');
    expect(natter.outbox.cancel(key)).toBe(true);
    await natter.connect();
    await natter.send('message.send', { room: ROOM, text: 'after' });
    expect(texts()).toEqual(['after']);
  });

  it('does not take back what is on its way, and waits for nothing but the link when that is lost', async () => {
    const natter = client();
    await natter.connect();
    server.script.command = () => true;
    server.script.hello = () => true;
    const key = natter.timeline(ROOM).send('on its way');
    expect(natter.outbox.view.getSnapshot()).toMatchObject([{ state: { is: 'sending' } }]);
    expect(natter.outbox.cancel(key)).toBe(false);
    server.last.cut();
    await natter.connection.until(({ state }) => state === 'waiting');
    await natter.outbox.view.until(([entry]) => entry?.state.is !== 'sending');
    expect(natter.outbox.view.getSnapshot()).toMatchObject([{ key, state: { is: 'queued' } }]);
    expect(natter.outbox.cancel(key)).toBe(true);
  });

  it('has so many on their way at once, and no more', async () => {
    const natter = client({ outboxInFlight: 2 });
    for (let id = 100; id < 110; id += 1) server.makeRoom(id, [1]);
    await natter.connect();
    let most = 0;
    let now = 0;
    server.script.reply = (connection, frame, result) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        connection.send({ type: 'reply', id: frame.id, result });
      }, 3);
      return true;
    };
    await Promise.all(Array.from({ length: 10 }, (_, n) => natter.send('message.send', { room: 100 + n, text: 'hi' })));
    expect(most).toBe(2);
  });

  it('[G1] says that it is full, and takes again when there is room', async () => {
    const natter = client({ outboxMax: 2 });
    const timeline = natter.timeline(ROOM);
    const first = timeline.send('1');
    timeline.send('2');
    expect(() => timeline.send('3')).toThrow(expect.objectContaining({ code: 'outbox_full', retryable: false }));
    natter.outbox.cancel(first);
    timeline.send('3');
    await natter.connect();
    await natter.outbox.view.until((entries) => entries.length === 0);
    expect(texts()).toEqual(['2', '3']);
  });

  it('takes other commands too, where they ask for it', async () => {
    const natter = client();
    const moved = natter.send('read.move', { room: ROOM, seq: 1 }, { queue: true });
    expect(natter.outbox.view.getSnapshot()).toMatchObject([{ type: 'read.move', lane: 'room 7' }]);
    await natter.connect();
    expect(await moved).toMatchObject({ seq: 1 });
  });
});

describe('the outbox over a reload', () => {
  it('[L3] sends what was not answered before the reload, with the keys of before, in order, once', async () => {
    const map = new Map<string, string>();
    const before = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
    await before.connect();
    // The first is committed and its reply lost; the others never leave.
    server.script.reply = (connection) => {
      connection.cut();
      before.close();
      return true;
    };
    const timeline = before.timeline(ROOM);
    const keys = ['one', 'two', 'three'].map((text) => timeline.send(text));
    await eventually('the first', () => texts().length === 1);
    server.script = {};
    const after = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
    const waiting = await after.outbox.view.until((entries) => entries.length === 3);
    expect(waiting.map(({ key }) => key)).toEqual(keys);
    expect(
      after
        .timeline(ROOM)
        .getSnapshot()
        .pending.map(({ text }) => text),
    ).toEqual(['one', 'two', 'three']);
    await after.connect();
    await after.outbox.view.until((entries) => entries.length === 0);
    expect(texts()).toEqual(['one', 'two', 'three']);
    await eventually('an empty storage', () => map.size === 0);
  });

  it('finds the outbox when the server says who I am, ahead of what was given since', async () => {
    const map = new Map<string, string>();
    const before = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
    before.timeline(ROOM).send('old');
    await eventually('it is saved', () => map.size === 1);
    before.close();
    const after = client({ outbox: savedOutbox(memoryStorage(map)) });
    server.script.command = () => true;
    await after.connect();
    await after.outbox.view.until((entries) => entries.length === 1);
    after.timeline(ROOM).send('new');
    server.script = {};
    server.last.cut();
    await eventually('both', () => texts().length === 2);
    expect(texts()).toEqual(['old', 'new']);
  });

  it('keeps what had failed, and its reason', async () => {
    const map = new Map<string, string>();
    const before = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
    await before.connect();
    server.script.command = (connection, frame) => server.refuse(connection, frame, { code: 'archived' });
    await expect(before.send('message.send', { room: ROOM, text: 'no' })).rejects.toThrow();
    before.close();
    const after = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
    const [entry] = await after.outbox.view.until((entries) => entries.length === 1);
    expect(entry).toMatchObject({ input: { text: 'no' }, state: { is: 'failed', error: { code: 'archived' } } });
  });

  it('is nobody else’s', async () => {
    const map = new Map<string, string>();
    server.tokens.set('token-2', 2);
    const mine = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
    mine.timeline(ROOM).send('mine');
    await eventually('it is saved', () => map.size === 1);
    mine.close();
    const other = client({ outbox: savedOutbox(memoryStorage(map)), token: async () => 'token-2' });
    await other.connect();
    await other.send('message.send', { room: ROOM, text: 'yours' });
    expect(texts()).toEqual(['yours']);
  });

  it('tells when the storage fails, and sends all the same', async () => {
    const storage = {
      ...memoryStorage(),
      set: () => {
        throw new Error('quota exceeded');
      },
    };
    const natter = client({ outbox: savedOutbox(storage), user: 1 });
    const error = natter.next('error');
    await natter.connect();
    await natter.send('message.send', { room: ROOM, text: 'hi' });
    expect((await error).message).toBe('quota exceeded');
    expect(texts()).toEqual(['hi']);
  });

  it.each(['{nonsense', 'null', '{}', '[null]', '[{}]', '[{"key":1,"input":null}]', '"\\u0000"'])(
    'is not stopped by a storage that holds nonsense: %s',
    async (nonsense) => {
      const map = new Map([[`natter:outbox:${server.url}:1:0`, nonsense]]);
      const natter = client({ outbox: savedOutbox(memoryStorage(map)), user: 1 });
      const error = natter.next('error');
      await natter.connect();
      await natter.send('message.send', { room: ROOM, text: 'hi' });
      expect((await error).message).toMatch(/JSON|can't be read/);
      expect(texts()).toEqual(['hi']);
    },
  );
});

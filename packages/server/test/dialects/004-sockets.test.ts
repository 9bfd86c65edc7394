/** Dialect 004: its sockets, what they answer and refuse, and history that fits without a gap to what comes live. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, heard, PASSWORD, People, type Person, say, walk } from './004-people.js';
import { type Client, type Frame, fresh, openWorld, type World } from './world.js';

let world: World;
let admin: Person;
let ben: Person;
const people = new People(() => world);
beforeAll(async () => {
  world = await openWorld();
  admin = await people.join('admin');
  ben = await people.join('ben');
});
afterAll(() => world.close());

const idsOf = (messages: Frame[]): number[] => messages.map(({ id }) => id);

describe('dialect 004: frames', () => {
  it('[D4] answers errors to the sender alone, and the socket stays', async () => {
    const room = await people.room(admin);
    const [socket, other] = [await people.enter(ben, room), await people.enter(admin, room)];
    const failed = 'Error processing message';
    const rows: [string | object, string][] = [
      ['{"type":', 'Invalid JSON format'],
      ['', 'Invalid JSON format'],
      ['[1]', failed],
      ['null', failed],
      ['"message"', failed],
      ['7', failed],
      [{}, 'Unknown message type: None'],
      [{ type: null }, 'Unknown message type: None'],
      [{ type: 5 }, 'Unknown message type: 5'],
      [{ type: ['message'] }, 'Unknown message type: list'],
      [`{"type":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'Unknown message type: list'],
      [`{"type":"message","content":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, failed],
      [{ type: 'ping' }, 'Unknown message type: ping'],
      [{ type: 'typing', content: 'start' }, 'Unknown message type: typing'],
      [{ type: 'x'.repeat(1_000) }, `Unknown message type: ${'x'.repeat(100)}`],
      [{ type: 'message' }, 'Message content cannot be empty'],
      [{ type: 'message', content: '' }, 'Message content cannot be empty'],
      [{ type: 'message', content: ' \t\r\n\u00a0 ' }, 'Message content cannot be empty'],
      [{ type: 'message', content: null }, failed],
      [{ type: 'message', content: 5 }, failed],
      [{ type: 'message', content: ['x'] }, failed],
      [{ type: 'message', content: { toString: 'x' } }, failed],
      [{ type: 'message', content: 'x'.repeat(10_001) }, 'Failed to save message: must be at most 10000 characters'],
      [{ type: 'message', content: 'a\u0000b' }, 'Failed to save message: must not contain NUL'],
      ['{"type":"message","content":"\\ud800"}', 'Failed to save message: must not contain lone surrogates'],
      [{ type: 'fetch_messages', limit: 'x' }, failed],
      [{ type: 'fetch_messages', limit: '5' }, failed],
      [{ type: 'fetch_messages', limit: 1.5 }, failed],
      [{ type: 'fetch_messages', limit: null }, failed],
      [{ type: 'fetch_messages', limit: 0 }, 'Failed to fetch messages'],
      [{ type: 'fetch_messages', limit: -1 }, 'Failed to fetch messages'],
      [{ type: 'fetch_messages', cursor: 'x' }, 'Failed to fetch messages'],
      [{ type: 'fetch_messages', cursor: 1.5 }, 'Failed to fetch messages'],
      [{ type: 'fetch_messages', cursor: { id: 1 } }, 'Failed to fetch messages'],
      [{ type: 'fetch_messages', cursor: 1e300 }, 'Failed to fetch messages'],
    ];
    for (const [frame, message] of rows) {
      socket.send(frame);
      expect(await socket.next(), JSON.stringify(frame).slice(0, 60)).toEqual({ type: 'error', message });
    }
    expect(await heard(other)).toEqual([]);
    await say(socket, 'still here');
    expect((await other.next()).data.content).toBe('still here');
    expect(await heard(socket)).toEqual([]);
  });

  it('[D4] takes 10,000 characters, by code points, trimmed, and keeps all else as it came', async () => {
    const room = await people.room(admin);
    const [socket, other] = [await people.enter(ben, room), await people.enter(admin, room)];
    const texts = [
      'x'.repeat(10_000),
      '😀'.repeat(10_000),
      '<b>"\\%_\'; drop table messages;--',
      'שלום\u200d👩‍👩‍👧 e\u0301 \u202eabc',
      'line\nline\ttab',
      '__proto__',
    ];
    for (const text of texts) {
      socket.send({ type: 'message', content: `  ${text}\n`, user_id: admin.id, room_id: 1, id: 5, extra: {} });
      const { data } = await other.next();
      expect(data).toMatchObject({ content: text, user_id: ben.id, username: ben.username, room_id: room });
    }
    const { body } = await people.ask('GET', `/rooms/${room}/messages`, { token: admin.token });
    expect(body.map(({ content }: { content: string }) => content)).toEqual(texts);
    // A frame beyond FRAME_BYTES_MAX ends the socket.
    socket.send({ type: 'message', content: '€'.repeat(30_000) });
    expect(await socket.end()).toBe(1009);
    other.ws.send(Buffer.from('{}'), { binary: true });
    expect(await other.end()).toBe(1003);
  });

  it('[D4] begins with the newest 50, and says where to go on', async () => {
    const room = await people.room(admin);
    const socket = await people.enter(ben, room);
    const first = await say(socket, 'm1');
    for (let i = 2; i <= 50; i += 1) await say(socket, `m${i}`);
    const exactly = await (await people.connect(admin, room)).next();
    expect(exactly.data).toMatchObject({ has_more: false, next_cursor: null });
    expect(exactly.data.messages).toHaveLength(50);
    await say(socket, 'm51');
    const more = await (await people.connect(admin, room)).next();
    expect(more.data).toMatchObject({ has_more: true, next_cursor: first.id + 1 });
    expect(more.data.messages.map(({ content }: Frame) => content)).toEqual(
      Array.from({ length: 50 }, (_, i) => `m${i + 2}`),
    );
    socket.send({ type: 'fetch_messages', cursor: more.data.next_cursor });
    expect((await socket.frame('messages_history')).data).toEqual({
      messages: [first],
      has_more: false,
      next_cursor: null,
    });
    for (const cursor of [0, null, false, '']) {
      socket.send({ type: 'fetch_messages', cursor, limit: 1 });
      expect((await socket.frame('messages_history')).data.messages[0].content).toBe('m51');
    }
    socket.send({ type: 'fetch_messages', cursor: -1, limit: 1_000 });
    expect((await socket.frame('messages_history')).data).toEqual({
      messages: [],
      has_more: false,
      next_cursor: null,
    });
  });

  it('[D4] shows a sender what it sent before it asked, and answers in the order of asking', async () => {
    const room = await people.room(admin);
    const socket = await people.enter(ben, room);
    for (let i = 1; i <= 30; i += 1) {
      socket.send({ type: 'message', content: `m${i}` });
      socket.send({ type: 'fetch_messages', limit: 1 });
    }
    for (let i = 1; i <= 30; i += 1) {
      const { data } = await socket.frame('messages_history');
      expect(Number(data.messages[0].content.slice(1))).toBeGreaterThanOrEqual(i);
    }
  });

  it('[L6] leaves out what was deleted, and shows what was edited', async () => {
    const room = await people.room(admin);
    const socket = await people.enter(admin, room);
    const [gone, edited] = [await say(socket, 'gone'), await say(socket, 'old')];
    const login = await world.ask('POST', '/v1/sessions', { body: { name: admin.username, password: PASSWORD } });
    const { accessToken: token } = login.body;
    expect((await world.ask('DELETE', `/v1/messages/${gone.id}`, { token })).status).toBe(200);
    await world.ask('PATCH', `/v1/messages/${edited.id}`, { token, body: { text: 'new' } });
    expect(await heard(socket)).toEqual([]);
    const { data } = await (await people.connect(ben, room)).next();
    expect(data.messages).toEqual([{ ...edited, content: 'new' }]);
    expect(socket.texts.filter((text) => text.includes('gone'))).toHaveLength(1);
  });
});

describe('dialect 004: history and live', () => {
  it('[H2] fit together for those who come while others write: nothing is missed, nothing told twice', async () => {
    const room = await people.room(admin);
    const watcher = await people.enter(admin, room);
    const writers = [watcher, await people.enter(ben, room), await people.enter(ben, room)];
    const guests: Client[] = [];
    const COUNT = 120;
    for (let i = 1; i <= COUNT; i += 1) {
      for (const [at, writer] of writers.entries()) writer.send({ type: 'message', content: `${at}:${i}` });
      if (i % 6 === 0) guests.push(await people.connect(i % 12 === 0 ? admin : ben, room));
    }
    const total = COUNT * writers.length;
    const all: number[] = [];
    while (all.length < total) all.push((await watcher.frame('message')).data.id);
    for (const guest of guests) {
      const { data } = await guest.next();
      const seen = idsOf(data.messages);
      while (seen.at(-1) !== all.at(-1)) seen.push((await guest.next()).data.id);
      expect(await heard(guest)).toEqual([]);
      expect(seen).toEqual(all.slice(-seen.length));
      expect(seen.length).toBeGreaterThanOrEqual(50);
    }
  });

  it('[D4] walks by cursor to the beginning, each message once, while others write and delete', async () => {
    const room = await people.room(admin);
    const [writer, walker] = [await people.enter(admin, room), await people.enter(ben, room)];
    const before: Frame[] = [];
    for (let i = 1; i <= 60; i += 1) before.push(await say(writer, `m${i}`));
    const login = await world.ask('POST', '/v1/sessions', { body: { name: admin.username, password: PASSWORD } });
    const { accessToken: token } = login.body;
    let more = 0;
    const pages = await walk(walker, 7, async () => {
      more += 1;
      await say(writer, `later ${more}`);
      // The message that the next cursor may name, and one further on.
      for (const at of [59 - 7 * more + 1, 50 - 7 * more]) {
        const message = before[at];
        if (message) await world.ask('DELETE', `/v1/messages/${message.id}`, { token });
      }
    });
    const seen = idsOf(pages.toReversed().flat());
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    const left = await people.ask('GET', `/rooms/${room}/messages?limit=100`, { token: ben.token });
    const kept = idsOf(left.body).filter((id) => id <= (before.at(-1)?.id ?? 0));
    expect(seen).toEqual(expect.arrayContaining(kept));
    expect(kept.length).toBeGreaterThan(30);
    expect(pages.at(-1)?.[0]).toEqual(before[0]);
  });

  it('[G1] makes no page for one who does not read, and all of them once it does', async () => {
    const room = await people.room(admin);
    const socket = await people.enter(ben, room);
    for (let i = 0; i < 100; i += 1) socket.send({ type: 'message', content: `${i}${'x'.repeat(9_990)}` });
    await socket.frame('message', ({ data }) => data.content.startsWith('99x'));
    const before = process.memoryUsage().arrayBuffers;
    socket.ws.pause();
    // Each page is a megabyte.
    const PAGES = 60;
    for (let i = 0; i < PAGES; i += 1) socket.send({ type: 'fetch_messages', limit: 100 });
    const other = await people.enter(admin, room);
    for (let i = 0; i < 20; i += 1) await say(other, `meanwhile ${i}`);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(15_000_000);
    socket.ws.resume();
    for (let i = 0; i < PAGES; i += 1) {
      expect((await socket.frame('messages_history')).data.messages).toHaveLength(100);
    }
  });
});

describe('dialect 004: the door', () => {
  it('[D2] is told apart from 002 by the API that made the token', async () => {
    const name = fresh('carl');
    const account = { username: name, email: `${name}@example.com`, password: 'secret123' };
    await world.ask('POST', `${api}/users/register`, { body: account });
    const login = await world.ask('POST', `${api}/users/login`, { body: account });
    const carl = { token: login.body.access_token };
    const room = await people.room(admin);
    const path = `${api}/ws/${room}`;
    // One who comes with a token of 002 is not in the room, and 002 lets nobody in who is not.
    expect((await world.refusal(`${path}?token=${carl.token}`)).status).toBe(403);
    expect((await people.ask('GET', `/rooms/${room}/messages`, { token: carl.token })).status).toBe(200);
    const theirs = await world.socket(`${path}?token=${carl.token}`);
    theirs.send({ type: 'ping', chat_id: room });
    expect((await theirs.next()).type).toBe('pong');
    const mine = await people.enter(ben, room);
    expect((await say(mine, 'to both')).content).toBe('to both');
    expect((await theirs.next()).message).toMatchObject({ content: 'to both', chat_id: room });
    theirs.send({ type: 'message', chat_id: room, content: 'and back' });
    expect((await mine.next()).data).toMatchObject({ content: 'and back', username: name });

    // Of a token that no dialect made: the header is this one's custom, else the room says it.
    const nora = await world.native();
    const byRoom = await world.socket(`${path}?token=${nora.token}`);
    expect((await byRoom.next()).type).toBe('messages_history');
    const open = await world.ask('POST', '/v1/rooms', {
      token: nora.token,
      body: { kind: 'channel', visibility: 'public', name: fresh('open') },
    });
    const byHeader = await world.socket(`${api}/ws/${open.body.id}`, { authorization: `Bearer ${nora.token}` });
    expect((await byHeader.next()).type).toBe('messages_history');
    const byQuery = await world.socket(`${api}/ws/${open.body.id}?token=${nora.token}`);
    byQuery.send({ type: 'ping', chat_id: 1 });
    expect((await byQuery.next()).type).toBe('pong');
  });

  it('[A2] lets whoever comes into an open room join it, and nobody into others', async () => {
    const room = await people.room(admin);
    const dora = await people.join('dora');
    const socket = await people.enter(dora, room);
    const login = await world.ask('POST', '/v1/sessions', { body: { name: dora.username, password: PASSWORD } });
    const { accessToken: token } = login.body;
    const { body } = await world.ask('GET', '/v1/rooms', { token });
    expect(body.rooms.map(({ id }: { id: number }) => id)).toEqual([room]);
    // Who leaves natively hears nothing more, and is told so when it writes.
    expect((await world.ask('DELETE', `/v1/rooms/${room}/members/${dora.id}`, { token })).status).toBe(200);
    const other = await people.enter(ben, room);
    await say(other, 'without her');
    expect(await heard(socket)).toEqual([]);
    socket.send({ type: 'message', content: 'hello?' });
    expect(await socket.next()).toEqual({ type: 'error', message: 'Failed to save message' });
    socket.send({ type: 'fetch_messages' });
    expect(await socket.next()).toEqual({ type: 'error', message: 'Failed to fetch messages' });
    for (const path of ['', '?token=', '?token=garbage', `?token=${ben.refresh}`]) {
      expect(await world.refusal(`${api}/ws/${room}${path}`), path).toEqual({ status: 403, body: '' });
    }
  });

  it('[A1] closes the sockets of a session that ends, and no others', async () => {
    const room = await people.room(admin);
    const eve = await people.join('eve');
    const login = await people.ask('POST', '/auth/login', { body: { username: eve.email, password: PASSWORD } });
    const other = { token: login.body.access_token };
    const [ending, staying] = [await people.enter(eve, room), await people.enter(other, room)];
    const claims = JSON.parse(Buffer.from(eve.token.split('.')[1] ?? '', 'base64url').toString());
    const native = await world.ask('POST', '/v1/sessions', { body: { name: eve.username, password: PASSWORD } });
    await world.ask('DELETE', `/v1/sessions/${claims.sid}`, { token: native.body.accessToken });
    expect(await ending.end()).toBe(4003);
    expect(await heard(staying)).toEqual([]);
    expect((await world.refusal(`${api}/ws/${room}?token=${eve.token}`)).status).toBe(403);
  });

  it('[D5] is not there where DIALECTS does not name it', async () => {
    const bare = await openWorld({ DIALECTS: '002' });
    try {
      const body = { username: 'ann', email: 'ann@example.com', password: PASSWORD };
      expect((await bare.ask('POST', `${api}/auth/register`, { body })).status).toBe(404);
      const nora = await bare.native();
      for (const path of ['/auth/me', '/user/', '/rooms/', '/chat/websocket-info']) {
        expect((await bare.ask('GET', api + path, { token: nora.token })).status, path).toBe(404);
      }
      expect((await bare.ask('GET', '/openapi.json')).body.paths).not.toHaveProperty(`${api}/rooms/`);
    } finally {
      await bare.close();
    }
  });
});

/** Dialect 000: its one socket for all rooms; what clients say to each other, and what the server makes of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heard, PASSWORD, People, type Person, TIME } from './000-people.js';
import { type Client, type Frame, fresh, openWorld, type World } from './world.js';

let world: World;
let anna: Person;
let ben: Person;
const people = new People(() => world);
beforeAll(async () => {
  world = await openWorld();
  [anna, ben] = await Promise.all([people.join('anna'), people.join('ben')]);
});
afterAll(() => world.close());

/** A room of the two, and the socket of each. */
async function pair(): Promise<{ room: string; one: Client; other: Client }> {
  const room = await people.room(anna, [ben]);
  const [one, other] = await Promise.all([people.connect(anna), people.connect(ben)]);
  return { room, one, other };
}

/** The next frame of both, which is the same one. */
async function nextOf(one: Client, other: Client): Promise<Frame> {
  const [mine, theirs] = await Promise.all([one.next(), other.next()]);
  expect(mine).toEqual(theirs);
  return mine;
}

describe('dialect 000: who comes in', () => {
  it('[D4] takes the token from the query or from X-User-JWT, on both paths, and refuses all else with 403', async () => {
    const room = await people.room(anna);
    for (const path of ['/ws', '/ws/rooms']) {
      const bearer = { authorization: `Bearer ${anna.token}` };
      for (const headers of [{ 'x-user-jwt': anna.token }, bearer]) {
        const socket = await world.socket(path, headers);
        expect(await heard(socket, room)).toEqual([]);
        await socket.close();
      }
      const socket = await world.socket(`${path}?token=${anna.token}`);
      expect(await heard(socket, room)).toEqual([]);
      for (const query of ['', '?token=', '?token=garbage', `?token=${anna.token.slice(0, -2)}`]) {
        expect(await world.refusal(path + query), path + query).toEqual({ status: 403, body: '' });
      }
      expect(await world.refusal(path, { 'x-user-jwt': 'garbage' })).toEqual({ status: 403, body: '' });
    }
  });

  it('[A1] closes the sockets of a session that ends, and no others', async () => {
    const room = await people.room(ben);
    const login = await people.ask('POST', '/users/login', { body: { username: ben.username, password: PASSWORD } });
    const other: Person = { ...ben, token: login.body.access_token };
    const [ending, staying] = await Promise.all([people.connect(ben), people.connect(other)]);
    const native = await world.ask('POST', '/v1/sessions', { body: { name: ben.username, password: PASSWORD } });
    const claims = JSON.parse(Buffer.from(ben.token.split('.')[1] ?? '', 'base64url').toString());
    await world.ask('DELETE', `/v1/sessions/${claims.sid}`, { token: native.body.accessToken });
    expect(await ending.end()).toBe(4003);
    expect(await world.refusal(`/ws/rooms?token=${ben.token}`)).toEqual({ status: 403, body: '' });
    expect(await heard(staying, room)).toEqual([]);
    ben = other;
  });
});

describe('dialect 000: what is said', () => {
  it('[D4] is the same object for all in the room, with the name, the time and a type', async () => {
    const { room, one, other } = await pair();
    const objects: object[] = [
      { message: 'hi' },
      { message: 'hi', n: 7, nested: { list: [1, [2, { three: null }]], true: false }, '': 'no name' },
      { content: 'in another place' },
      { text: 'in a third one', content: '', message: null },
      { message: 'one', content: 'two', text: 'three' },
      { typing: true },
      {},
      { message: '' },
      { message: ' \n ' },
      { message: 5 },
      { message: ['a', { b: 'c' }] },
      { message: '😀\u200d🔥 ‮rtl‬ <b>&amp;</b>' },
      { type: 'file', url: 'https://example.com/x.png' },
      { type: 7, message: 'odd type' },
      { type: 'chat', message: 'plain' },
      { own: {}, text: 'names of ours', extra: 1, 0: { own: { user: 'x' } } },
    ];
    for (const object of objects) {
      one.send({ room, ...object });
      expect(await nextOf(one, other)).toEqual({
        type: 'chat',
        ...object,
        room,
        user: anna.username,
        timestamp: TIME,
      });
    }
    const history = await people.ask('GET', `/history?room_name=${room}`, { token: ben.token });
    expect(history.body.history).toEqual(
      objects.map((object) => ({ type: 'chat', ...object, room, user: anna.username, timestamp: TIME })),
    );
  });

  it('[D4] says who said it and when by itself, whatever the client claims', async () => {
    const { room, one, other } = await pair();
    one.send({ room, message: 'from somebody else', user: ben.username, timestamp: '1970-01-01T00:00:00Z' });
    const frame = await nextOf(one, other);
    expect(frame).toEqual({ type: 'chat', room, message: 'from somebody else', user: anna.username, timestamp: TIME });
    expect(Date.now() - Date.parse(frame.timestamp)).toBeLessThan(60_000);
    // Members that mean something to JavaScript are members like others.
    one.send(
      `{"room":"${room}","message":"m","__proto__":{"user":"evil","admin":true},"constructor":{"prototype":1},"toString":"x","hasOwnProperty":1}`,
    );
    for (const socket of [one, other]) {
      await socket.next();
      expect(socket.texts.at(-1)).toContain('"__proto__":{"user":"evil","admin":true}');
      expect(JSON.parse(socket.texts.at(-1) ?? '')).toMatchObject({ user: anna.username, toString: 'x' });
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    // Of a name that comes twice the last one counts, as ever.
    one.send(`{"room":"nowhere","room":"${room}","message":"first","message":"last"}`);
    expect((await nextOf(one, other)).message).toBe('last');
  });

  it('[D4] has up to 10,000 characters of text, by code points; longer ones are refused to the sender alone', async () => {
    const { room, one, other } = await pair();
    const longest = '😀'.repeat(10_000);
    one.send({ room, message: longest, n: 1 });
    expect(await nextOf(one, other)).toMatchObject({ message: longest, n: 1 });
    one.send({ room, message: `${longest}x` });
    expect(await one.next()).toEqual({ type: 'error', room, message: 'Message must be at most 10000 characters' });
    // Nobody else's text is that of an object which has none: it may be as long as a frame.
    const picture = 'A'.repeat(60_000);
    one.send({ room, picture });
    expect((await nextOf(one, other)).picture).toBe(picture);
    expect(await heard(other, room)).toEqual([]);
  });

  it('[G1] goes no deeper and is no larger than the limits', async () => {
    const { room, one, other } = await pair();
    const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    one.send(`{"room":"${room}","deep":${nest(63)}}`);
    expect(JSON.stringify((await nextOf(one, other)).deep)).toBe(nest(63));
    for (const depth of [64, 1_000, 30_000]) {
      one.send(`{"room":"${room}","deep":${nest(depth)}}`);
      expect(await one.next()).toEqual({ type: 'error', room, message: 'Message is nested too deeply' });
    }
    for (const bad of ['"\\u0000"', '"\\ud800"', '{"\\u0000":1}', '[{"x":["\\udc00"]}]']) {
      one.send(`{"room":"${room}","bad":${bad}}`);
      const message = 'Message must not contain NUL or lone surrogates';
      expect(await one.next(), bad).toEqual({ type: 'error', room, message });
    }
    one.send(`{"room":"${room}","good":"\\ud83d\\ude00"}`);
    expect((await nextOf(one, other)).good).toBe('😀');

    const frame = (bytes: number): string => {
      const head = `{"room":"${room}","x":"`;
      return `${head}${'x'.repeat(bytes - head.length - 2)}"}`;
    };
    one.send(frame(65_536));
    expect((await nextOf(one, other)).x).toHaveLength(frame(65_536).length - `{"room":"${room}","x":""}`.length);
    one.send(frame(65_537));
    expect(await one.end()).toBe(1009);
    expect(await heard(other, room)).toEqual([]);
  });

  it('[D4] closes the socket with 1008 without a room of its user, and drops it when it is no object', async () => {
    const room = await people.room(anna, [ben]);
    const closed = await people.room(ben);
    const listening = await people.connect(ben);
    const rows: [unknown, number, string][] = [
      [{}, 1008, 'No room specified'],
      [{ message: 'x' }, 1008, 'No room specified'],
      [{ room: null, message: 'x' }, 1008, 'No room specified'],
      [{ room: '', message: 'x' }, 1008, 'No room specified'],
      [{ room: 0, message: 'x' }, 1008, 'No room specified'],
      [{ room: closed, message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: 'nowhere', message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: 'x'.repeat(60_000) }, 1008, 'Not subscribed to room'],
      [{ room: [room], message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: { name: room }, message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: true, message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: -1, message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: 1.5, message: 'x' }, 1008, 'Not subscribed to room'],
      [{ room: 999_999_999, message: 'x' }, 1008, 'Not subscribed to room'],
      ['{"room":', 1006, ''],
      ['', 1006, ''],
      ['hello', 1006, ''],
      ['[]', 1006, ''],
      ['null', 1006, ''],
      ['"x"', 1006, ''],
      ['['.repeat(60_000), 1006, ''],
    ];
    for (const [frame, code, reason] of rows) {
      const socket = await people.connect(anna);
      socket.send(frame as string | object);
      await socket.end();
      expect(socket.closed, JSON.stringify(frame).slice(0, 80)).toEqual({ code, reason });
    }
    const binary = await people.connect(anna);
    binary.ws.send(Buffer.from(JSON.stringify({ room, message: 'x' })));
    expect(await binary.end()).toBe(1003);
    expect(await heard(listening, room)).toEqual([]);
  });
});

describe('dialect 000: rooms of a socket', () => {
  it('[A1] are those of its user at each moment: joined, left, removed from, deleted', async () => {
    const room = await people.room(anna);
    const native = await world.ask('POST', '/v1/sessions', { body: { name: anna.username, password: PASSWORD } });
    const token = native.body.accessToken;
    const dora = await people.join('dora');
    const [speaking, listening] = await Promise.all([people.connect(anna), people.connect(dora)]);
    expect(await listening.next()).toMatchObject({ type: 'info' });
    const own = await people.room(dora);

    speaking.send({ room, message: 'before' });
    expect((await speaking.next()).message).toBe('before');
    await people.enter(dora, room);
    speaking.send({ room, message: 'welcome' });
    expect(await listening.next()).toMatchObject({ room, message: 'welcome' });
    listening.send({ room, message: 'thanks' });
    expect((await listening.next()).message).toBe('thanks');

    await people.leave(dora, room);
    speaking.send({ room, message: 'alone again' });
    await speaking.frame('chat', ({ message }) => message === 'alone again');
    expect(await heard(listening, own)).toEqual([]);

    await people.enter(dora, room);
    const { body } = await people.ask('GET', `/rooms/get_users_in_room/${room}`, { token: anna.token });
    const id = body.users.find(({ username }: Person) => username === dora.username).id;
    const [{ id: roomId }] = (await world.ask('GET', '/v1/rooms', { token })).body.rooms.filter(
      ({ name }: { name: string }) => name === room,
    );
    expect((await world.ask('DELETE', `/v1/rooms/${roomId}/members/${id}`, { token })).status).toBe(200);
    speaking.send({ room, message: 'without her' });
    await speaking.frame('chat', ({ message }) => message === 'without her');
    expect(await heard(listening, own)).toEqual([]);
    listening.send({ room, message: 'still there?' });
    expect([await listening.end(), listening.closed?.reason]).toEqual([1008, 'Not subscribed to room']);

    // The name is free when the room is gone, and means the next one then.
    expect((await world.ask('DELETE', `/v1/rooms/${roomId}`, { token })).status).toBe(200);
    await people.room(dora, [anna], room);
    const back = await people.connect(dora);
    speaking.send({ room, message: 'anew' });
    expect(await back.next()).toMatchObject({ room, message: 'anew' });
    expect(await speaking.frame('chat', ({ message }) => message === 'anew')).toMatchObject({ room });
  });

  it('[H2] say everything once and in one order to all, and nothing of each other', async () => {
    const rooms = await Promise.all([people.room(anna, [ben]), people.room(anna, [ben]), people.room(anna)]);
    const [first = '', second = '', alone = ''] = rooms;
    const sockets = await Promise.all([people.connect(anna), people.connect(anna), people.connect(ben)]);
    const [one, , other] = sockets as [Client, Client, Client];
    const COUNT = 100;
    for (let n = 0; n < COUNT; n += 1) {
      for (const room of rooms) one.send({ room, message: 'one', n });
      for (const room of [first, second]) other.send({ room, message: 'other', n });
    }
    const seen = async (socket: Client, room: string, count: number): Promise<string[]> => {
      const mine = (): Frame[] => socket.texts.map((text) => JSON.parse(text)).filter((frame) => frame.room === room);
      await expect.poll(() => mine().length, { timeout: 10_000 }).toBe(count);
      return mine().map(({ message, n }) => `${message} ${n}`);
    };
    for (const room of [first, second]) {
      const orders = await Promise.all(sockets.map((socket) => seen(socket, room, COUNT * 2)));
      expect(orders[1]).toEqual(orders[0]);
      expect(orders[2]).toEqual(orders[0]);
      for (const who of ['one', 'other']) {
        const own = orders[0]?.filter((line) => line.startsWith(`${who} `));
        expect(own).toEqual(Array.from({ length: COUNT }, (_, n) => `${who} ${n}`));
      }
    }
    expect(await seen(one, alone, COUNT)).toHaveLength(COUNT);
    expect(await heard(other, first)).toHaveLength(COUNT * 4);
    expect(other.texts.filter((text) => JSON.parse(text).room === alone)).toEqual([]);
  });

  it('[D3] that were made elsewhere go by their id, so that no two are called the same', async () => {
    const room = await people.room(anna);
    const nora = await world.native();
    const { body } = await people.ask('GET', '/users/me', { token: anna.token });
    expect(body.user_info.permissions).toContain(`room.${room}`);
    const same = await world.ask('POST', '/v1/rooms', {
      token: nora.token,
      body: { kind: 'channel', visibility: 'public', name: room },
    });
    await people.ask('POST', '/rooms/join_room', { token: anna.token, body: { room_id: same.body.id } });
    const socket = await people.connect(anna);
    await world.ask('POST', `/v1/rooms/${same.body.id}/messages`, { token: nora.token, body: { text: 'other room' } });
    expect(await socket.next()).toMatchObject({ room: same.body.id, message: 'other room', user: nora.name });
    socket.send({ room: same.body.id, message: 'by id' });
    expect(await socket.next()).toMatchObject({ room: same.body.id, message: 'by id' });
    socket.send({ room, message: 'by name' });
    expect(await socket.next()).toMatchObject({ room, message: 'by name' });
    const page = await world.ask('GET', `/v1/rooms/${same.body.id}/messages`, { token: nora.token });
    expect(page.body.messages.map(({ text }: { text: string }) => text)).toEqual(['other room', 'by id']);
  });

  it('[D3] keep to the name that they have: a new one counts at once, and none at all once they are private', async () => {
    const room = fresh('before');
    const id = await people.create(anna, room);
    await people.enter(ben, room);
    const [one, other] = await Promise.all([people.connect(anna), people.connect(ben)]);
    one.send({ room, message: 1 });
    expect((await nextOf(one, other)).room).toBe(room);
    const native = await world.ask('POST', '/v1/sessions', { body: { name: anna.username, password: PASSWORD } });
    const change = (body: object) =>
      world.ask('PATCH', `/v1/rooms/${id}`, { token: native.body.accessToken, body }).then(({ status }) => status);
    const name = fresh('after');
    expect(await change({ name })).toBe(200);
    one.send({ room: name, message: 2 });
    expect(await nextOf(one, other)).toMatchObject({ room: name, message: 2 });
    one.send({ room: ` ${name.toUpperCase()}`, message: 3 });
    expect(await nextOf(one, other)).toMatchObject({ room: name, message: 3 });
    other.send({ room, message: 'the old name' });
    expect(await other.end()).toBe(1008);
    const back = await people.connect(ben);
    expect(await change({ visibility: 'private' })).toBe(200);
    one.send({ room: id, message: 4 });
    expect(await nextOf(one, back)).toMatchObject({ room: id, message: 4 });
    back.send({ room: name, message: 'no name' });
    expect(await back.end()).toBe(1008);
  });

  it('[D4] tell a sender that the room takes nothing any more, or that it is too much', async () => {
    const { room, one, other } = await pair();
    const native = await world.ask('POST', '/v1/sessions', { body: { name: anna.username, password: PASSWORD } });
    const { body } = await world.ask('GET', '/v1/rooms', { token: native.body.accessToken });
    const { id } = body.rooms.find(({ name }: { name: string }) => name === room);
    const archived = await world.ask('PUT', `/v1/rooms/${id}/archived`, {
      token: native.body.accessToken,
      body: { archived: true },
    });
    expect(archived.status).toBe(200);
    one.send({ room, message: 'too late' });
    expect(await one.next()).toEqual({ type: 'error', room, message: 'Room is archived' });
    expect(other.frames).toEqual([]);

    const strict = await openWorld({ LIMITS: 'on', RATE_SENDS_PER_USER: '1' });
    try {
      const crowd = new People(() => strict);
      const carl = await crowd.join('carl');
      const busy = await crowd.room(carl);
      const socket = await crowd.connect(carl);
      for (let n = 0; n < 5; n += 1) socket.send({ room: busy, n });
      const frames: Frame[] = [];
      while (frames.length < 5) frames.push(await socket.next());
      expect(frames.filter(({ type }) => type === 'chat')).toHaveLength(1);
      const refused = frames.filter(({ type }) => type === 'error');
      expect(refused).toEqual(Array(4).fill({ type: 'error', room: busy, message: 'Too many messages' }));
    } finally {
      await strict.close();
    }
  });
});

describe('dialect 000: beside the native API', () => {
  it('[D1] has one log: text, edits and deletions are the same on both sides', async () => {
    const room = fresh('both');
    const id = await people.create(anna, room);
    const nora = await world.native();
    expect((await world.ask('PUT', `/v1/rooms/${id}/members/me`, { token: nora.token })).status).toBe(200);
    const native = await world.socket('/v1/socket');
    native.send({ type: 'hello', token: nora.token });
    await native.frame('live');
    const socket = await people.connect(anna);
    const rows: [object, string][] = [
      [{ message: 'hi', n: 1 }, 'hi'],
      [{ content: 'in content' }, 'in content'],
      [{ typing: true }, '{"typing":true}'],
      [{ picture: '😀'.repeat(600) }, `{"picture":"${'😀'.repeat(487)}…`],
    ];
    const ids: number[] = [];
    for (const [object, text] of rows) {
      socket.send({ room, ...object });
      await socket.next();
      const event = await native.frame('message.sent');
      expect([event.stream, event.body.text]).toEqual([id, text]);
      ids.push(event.id);
    }
    const sent = await world.ask('POST', `/v1/rooms/${id}/messages`, { token: nora.token, body: { text: 'from /v1' } });
    expect(sent.status).toBe(201);
    expect(await socket.next()).toEqual({ type: 'chat', room, message: 'from /v1', user: nora.name, timestamp: TIME });

    // Edits and deletions have no frame here; the history shows them.
    const login = await world.ask('POST', '/v1/sessions', { body: { name: anna.username, password: PASSWORD } });
    const token = login.body.accessToken;
    const [first, second, third] = ids;
    for (const message of [first, second, third]) {
      const edited = await world.ask('PATCH', `/v1/messages/${message}`, { token, body: { text: 'edited' } });
      expect(edited.status).toBe(200);
    }
    expect((await world.ask('DELETE', `/v1/messages/${second}`, { token })).status).toBe(200);
    expect(await heard(socket, room)).toEqual([]);
    const { body } = await people.ask('GET', `/history?room_name=${room}`, { token: anna.token });
    expect(body.history.slice(0, 4)).toMatchObject([
      { message: 'edited', n: 1 },
      { message: 'edited', typing: true },
      { picture: '😀'.repeat(600) },
      { message: 'from /v1', user: nora.name },
    ]);
    expect(JSON.stringify(body)).not.toContain('in content');
  });
});

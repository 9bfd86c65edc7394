/** Bad input to every route and every socket of every dialect: no failure of the server, no word of what is others', nothing lost. */
import { Writable } from 'node:stream';
import type { RoomId, UserId } from '@natter/protocol';
import { DIALECTS, type DialectName } from '@natter/server/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Random } from '../simulation/random.js';
import { type Answered, type Client, fresh, openWorld, type World } from './world.js';

type Json = Record<string, unknown>;

/** In everything that a stranger must not see. */
const SECRET = 'xyzzy-secret';
const SEED = Number(process.env.SEED ?? 1);

interface Operation {
  dialect: DialectName;
  method: string;
  path: string;
  open: boolean;
  query: string[];
  /** Members of the body, each with a value that is allowed. */
  body: Json | undefined;
}

let world: World;
let operations: Operation[];
const lines: string[] = [];
/** Two who share rooms, and one who is in none of them. */
let owner: UserId;
let friend: UserId;
let mallory: UserId;
let rooms: Hidden[];

/** A room of the two, with words in it that are theirs alone. */
interface Hidden {
  id: RoomId;
  name: string;
  messages: number[];
}

beforeAll(async () => {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  world = await openWorld({ LOG_LEVEL: 'warn', RESUME_EVENTS_MAX: '100000' }, destination);
  [owner, friend, mallory] = (await Promise.all(
    ['owner', 'friend', 'mallory'].map(async (word) => {
      const name = fresh(word);
      const account = { name, password: 'correct horse', email: `${name}@example.com` };
      const made = await world.app.parts.accounts.create(account, 'user');
      if (!made.ok) throw new Error(made.code);
      return made.value;
    }),
  )) as [UserId, UserId, UserId];
  rooms = await Promise.all([
    hide('', 'direct'),
    ...['', ...DIALECTS].flatMap((dialect) => [hide(dialect, 'group'), hide(dialect, 'channel')]),
  ]);
  operations = operationsOf((await world.ask('GET', '/openapi.json')).body);
});
afterAll(() => world.close());

const actor = (user: UserId) => ({ user, role: 'user' as const, session: null });

async function hide(dialect: string, kind: 'direct' | 'group' | 'channel'): Promise<Hidden> {
  const { core } = world.app.parts;
  const name = fresh(`hidden ${kind} `);
  const made = await core.execute(
    actor(owner),
    kind === 'direct'
      ? { type: 'room.open', user: friend }
      : { type: 'room.create', kind, name, topic: SECRET, members: [friend] },
    { dialect },
  );
  if (!made.ok) throw new Error(made.code);
  const room = made.result.stream;
  const messages: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const done = await core.execute(actor(owner), { type: 'message.send', room, text: `${SECRET} ${i}` }, { dialect });
    if (done.ok) messages.push(done.result.id ?? 0);
  }
  return { id: room, name, messages };
}

function operationsOf(document: { paths: Record<string, Record<string, Json>> }): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const dialect = /^dialect ([0-9]{3})/.exec((operation.tags as string[])[0] ?? '')?.[1] as DialectName | undefined;
      if (!dialect) return [];
      const parameters = (operation.parameters ?? []) as { in: string; name: string }[];
      const content = (operation.requestBody as { content: Record<string, { schema: Json }> } | undefined)?.content;
      const schema = content?.['application/json']?.schema as { properties?: Record<string, Json> } | undefined;
      return [
        {
          dialect,
          method: method.toUpperCase(),
          path,
          open: Array.isArray(operation.security),
          query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
          body: schema && Object.fromEntries(Object.entries(schema.properties ?? {}).map(sampleOf)),
        },
      ];
    }),
  );
}

function sampleOf([name, schema]: [string, Json]): [string, unknown] {
  const one = ((schema.anyOf as Json[] | undefined)?.[0] ?? schema) as { type?: string; format?: string };
  const byType: Record<string, unknown> = { integer: 7, boolean: true, array: [7], object: {} };
  return [name, byType[one.type ?? ''] ?? (one.format === 'email' ? 'nobody@example.com' : 'some text')];
}

/** A token as the log-in of that API gives it. Each asking has its own: some end sessions. */
async function tokenOf(user: UserId, dialect: DialectName): Promise<string> {
  const login = await world.app.parts.accounts.startSession(user, { address: '', agent: '', dialect });
  if (!login.ok) throw new Error(login.code);
  return login.value.accessToken;
}

/** All ids that are somebody's, and some that are nobody's. */
const ids = (): number[] => [owner, friend, ...rooms.flatMap(({ id, messages }) => [id, messages[0] ?? 0])];
const NO_IDS = [
  '0',
  '-1',
  '1.5',
  '9007199254740993',
  '1e9',
  'abc',
  '%00',
  '%ED%9F%BF',
  '%F0%9F%98%80',
  '..%2F1',
  "'%20or%201=1",
  '%25',
  'null',
  '__proto__',
  'x'.repeat(1_100),
];

/** Refused or done, but never failed, in the shape of these APIs, and without a word of what is others'. */
function check(named: string, { status, headers, body }: Answered): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  expect(status, `${named}: ${text.slice(0, 300)}`).toBeLessThan(500);
  expect(text, named).not.toContain(SECRET);
  expect(text, named).not.toMatch(/node_modules|\.js:\d|SQLITE|sqlite_|select "/);
  if (status < 400) return;
  expect([named, headers.get('content-type')]).toEqual([named, expect.stringMatching(/^application\/json/)]);
  const { detail } = body as Json;
  expect([named, typeof detail === 'string' || Array.isArray(detail)]).toEqual([named, true]);
}

const fill = (path: string, value: string | number): string => path.replace(/\{[^}]*\}/g, String(value));

/** What nobody expects in a body or a frame. */
const ODD: unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e\u200b',
  '%_\\"\'',
  'x'.repeat(70_000),
  [],
  [[]],
  {},
  { a: { b: [] } },
  [null],
  { toString: 'x', constructor: 'y' },
];

/** Texts that are no JSON, or JSON that is none to think of. */
const BODIES = [
  '',
  ' ',
  '{',
  '"',
  'null',
  '[]',
  '7',
  '"text"',
  '{"a":1e999}',
  '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}',
  '\ufeff{}',
  `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  '{"a":1,"a":2}',
  '{"content":"\\ud800"}',
];

describe.each(DIALECTS)('every route of dialect %s', (dialect) => {
  const own = (): Operation[] => operations.filter((operation) => operation.dialect === dialect);

  it('tells a stranger nothing of rooms, messages and people that are others’, and changes nothing of theirs', async () => {
    expect(own().length).toBeGreaterThan(5);
    for (const { method, path, body, query } of own()) {
      const token = await tokenOf(mallory, dialect);
      for (const [at, id] of ids().entries()) {
        // By id, and by name where one is asked for by name.
        const name = rooms[at % rooms.length]?.name ?? '';
        const aim = ([key, value]: [string, unknown]): unknown => {
          if (Array.isArray(value)) return [id];
          if (typeof value === 'number') return id;
          // Never where it could be taken for a name of the stranger's own.
          return key.startsWith('room') ? name : value;
        };
        const aimed = body && Object.fromEntries(Object.entries(body).map((one) => [one[0], aim(one)]));
        const ask = aimed ? { token, body: aimed } : { token };
        const send = async (target: string): Promise<void> => {
          const sent = await world.ask(method, target, ask);
          check(`${method} ${target} ${JSON.stringify(aimed)}`, sent);
          // Its name may come back to who said it, and to nobody else.
          const others = rooms.filter((room) => room.name !== '' && room.name !== name).map((room) => room.name);
          for (const other of others) expect(JSON.stringify(sent.body), `${method} ${target}`).not.toContain(other);
          if (!target.includes(encodeURIComponent(name)) && !JSON.stringify(aimed)?.includes(name)) {
            expect(JSON.stringify(sent.body), `${method} ${target}`).not.toContain(name);
          }
        };
        for (const value of query.length > 0 ? [id, encodeURIComponent(name)] : ['']) {
          await send(`${fill(path, id)}?${query.map((key) => `${key}=${value}`).join('&')}`);
        }
        if (path.includes('{')) await send(fill(path, encodeURIComponent(name)));
      }
    }
  });

  it('stands what is no id and no value of a query', async () => {
    for (const { method, path, body, query } of own()) {
      const token = await tokenOf(mallory, dialect);
      if (path.includes('{')) {
        for (const id of NO_IDS) {
          const named = `${method} ${fill(path, id)}`;
          check(named, await world.ask(method, fill(path, id), { token, ...(body ? { body } : {}) }));
        }
      }
      for (const name of query) {
        for (const value of [...NO_IDS, '', '1&limit=2', '%ff', '99999999999999999999', '%5B%5D']) {
          const target = `${fill(path, owner)}?${query.map((other) => `${other}=${other === name ? value : 1}`).join('&')}`;
          check(`${method} ${target}`, await world.ask(method, target, { token }));
        }
      }
    }
  });

  it('stands bodies of any other shape and kind', async () => {
    for (const { method, path, body, open } of own()) {
      const token = open ? undefined : await tokenOf(mallory, dialect);
      const target = fill(path, owner);
      const send = async (text: string | Uint8Array, headers: Record<string, string> = {}): Promise<void> => {
        const named = `${method} ${target} ${Buffer.from(text).toString().slice(0, 80)} ${JSON.stringify(headers)}`;
        check(named, await world.ask(method, target, { token, body: text, headers }));
      };
      if (!body || method === 'GET') continue;
      for (const text of BODIES) await send(text);
      for (const name of Object.keys(body)) {
        for (const value of ODD) {
          // Hashing a password takes long, and is not what is looked at here.
          if (/password/.test(name) === false && /password/.test(Object.keys(body).join()) && value !== null) continue;
          await send(JSON.stringify({ ...body, [name]: value }));
        }
      }
      const text = JSON.stringify(body);
      await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
      await send('x'.repeat(300_000));
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'multipart/form-data',
        'application/json; charset=utf-16',
        'application/xml',
        'nonsense',
        '',
      ]) {
        await send(text, { 'content-type': type });
      }
      await send('a=%ff&username=%00&password=%ED%A0%80&&==', { 'content-type': 'application/x-www-form-urlencoded' });
      await send(Buffer.from('1f8b0800', 'hex'), { 'content-encoding': 'gzip' });
    }
  });

  it('stands headers that are no tokens', async () => {
    for (const { method, path, open } of own()) {
      if (open) continue;
      for (const authorization of [
        '',
        'Bearer',
        'Bearer  ',
        'bearer a b',
        'Basic eDp5',
        'x'.repeat(4_000),
        'Bearer eyJ.eyJ.x',
        'Bearer \u00ff',
        ', Bearer x',
      ]) {
        const sent = await world.ask(method, fill(path, owner), { headers: { authorization } });
        check(`${method} ${path} ${authorization.slice(0, 20)}`, sent);
        expect([401, 403], `${method} ${path} ${authorization.slice(0, 20)}`).toContain(sent.status);
      }
    }
  });
});

/** Where each dialect has its sockets, for one room. */
const SOCKETS: Record<DialectName, (room: RoomId, token: string) => string> = {
  '002': (room, token) => `/api/v1/ws/${room}?token=${token}`,
  '000': (_room, token) => `/ws/rooms?token=${token}`,
  '001': (room, token) => `/ws/${room}?token=${token}`,
  '003': (_room, token) => `/ws/${token}`,
  '004': (room, token) => `/api/v1/ws/${room}?token=${token}`,
};

const MEMBERS = [
  'type',
  'content',
  'chat_id',
  'room_id',
  'room',
  'room_name',
  'message',
  'cursor',
  'limit',
  'is_typing',
  'user',
  'timestamp',
  'data',
  'receiver_id',
  'group_id',
  '__proto__',
];
const TYPES = [
  'message',
  'typing',
  'ping',
  'pong',
  'join_room',
  'leave_room',
  'fetch_messages',
  'new_message',
  'system',
  'error',
  'start',
  'info',
];

const DEEP = `${'['.repeat(25_000)}${']'.repeat(25_000)}`;

/** `own`: what the sender has a right to speak of. */
function oddFrame(random: Random, own: unknown[]): string {
  if (random.chance(0.15)) return random.pick(BODIES.filter((text) => text.length < 60_000));
  const frame: Json = {};
  for (let i = random.below(5); i >= 0; i -= 1) {
    const others = random.chance(0.5) ? random.pick(ids()) : random.pick(rooms).name;
    const odd = random.pick(ODD.filter((one) => JSON.stringify(one).length < 60_000));
    frame[random.pick(MEMBERS)] = random.pick([random.pick(own), others, others, odd]);
  }
  if (random.chance(0.8)) frame.type = random.pick(TYPES);
  if (random.chance(0.9)) return JSON.stringify(frame);
  frame[random.pick(MEMBERS)] = 'deep';
  return JSON.stringify(frame).replace('"deep"', DEEP);
}

/** Waits until the server has read all that was sent, or closed the socket. */
async function read({ ws }: Client): Promise<void> {
  if (ws.readyState === WebSocket.CLOSED) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      ws.off('close', done);
      ws.off('pong', done);
      resolve();
    };
    ws.on('close', done);
    ws.on('pong', done);
    ws.ping();
  });
}

describe.each(DIALECTS)('every socket of dialect %s', (dialect) => {
  it('lets no stranger into what is others’', async () => {
    const token = await tokenOf(mallory, dialect);
    const strange = [0, 999_999_999, '00', '1e3', '-1', 'x', '%00', 'a/b', '9'.repeat(15), '9'.repeat(40)];
    for (const id of [...rooms.map((room) => room.id), owner, friend, ...strange]) {
      for (const path of [
        `/ws/${id}?token=${token}`,
        `/api/v1/ws/${id}?token=${token}`,
        `/ws/rooms/${id}?token=${token}`,
      ]) {
        expect(await world.refusal(path), path).toEqual({ status: 403, body: '' });
      }
    }
    const path = SOCKETS[dialect](rooms[0]?.id ?? 0, 'x.y.z');
    for (const target of [
      path,
      path.replace('x.y.z', ''),
      path.replace('x.y.z', '%00'),
      path.replace('x.y.z', `${token}x`),
    ]) {
      expect(await world.refusal(target), target).toEqual({ status: 403, body: '' });
    }
  });

  it('stands any frame, and tells nothing of rooms that it is not in; others go on as if nothing were', async () => {
    const random = new Random(SEED);
    const { core } = world.app.parts;
    const name = fresh('open ');
    const made = await core.execute(
      actor(owner),
      { type: 'room.create', kind: 'channel', visibility: 'public', name, members: [mallory, friend] },
      { dialect },
    );
    if (!made.ok) throw new Error(made.code);
    const room = made.result.stream;
    const witness = await world.socket('/v1/socket');
    const login = await world.app.parts.accounts.startSession(friend, { address: '', agent: '', dialect: '' });
    witness.send({ type: 'hello', token: login.ok ? login.value.accessToken : '' });
    await witness.frame('live');

    let socket: Client | null = null;
    const texts: string[] = [];
    let said = 0;
    for (let i = 0; i < 400; i += 1) {
      if (!socket || socket.closed) {
        texts.push(...(socket?.texts ?? []));
        socket = await world.socket(SOCKETS[dialect](room, await tokenOf(mallory, dialect)));
      }
      const frame = oddFrame(random, [room, name, 'hello', mallory]);
      socket.send(frame);
      if (i % 5 === 0) {
        const hidden = random.pick(rooms).id;
        const sent = await Promise.all([
          core.execute(actor(owner), { type: 'message.send', room: hidden, text: SECRET }),
          core.execute(actor(owner), { type: 'message.send', room, text: `${said}` }),
        ]);
        expect(sent.map(({ ok }) => ok)).toEqual([true, true]);
        said += 1;
      }
      await read(socket);
      // A socket may be closed for what it said, not because the server failed.
      if (!socket.closed) continue;
      expect([1000, 1003, 1006, 1007, 1008, 1009], `seed ${SEED}, frame ${i}: ${frame.slice(0, 200)}`).toContain(
        socket.closed.code,
      );
    }
    texts.push(...(socket?.texts ?? []));
    expect(texts.join('\n')).not.toContain(SECRET);
    for (let n = 0; n < said; n += 1) {
      const heard = await witness.frame('message.sent', ({ stream, actor: by }) => stream === room && by === owner);
      expect(heard.body.text).toBe(`${n}`);
    }
  });
});

it('is all there afterwards, and nothing has failed', async () => {
  const { queries } = world.app.parts;
  for (const { id, messages } of rooms) {
    const page = await queries.messagePage(actor(owner), { room: id, limit: 200 });
    const members = await queries.roomMembers(actor(owner), { room: id });
    if (!page.ok || !members.ok) throw new Error('the room is gone');
    expect(page.value.messages.map((message) => message.id)).toEqual(expect.arrayContaining(messages));
    expect(page.value.messages.every((message) => message.text.includes(SECRET))).toBe(true);
    expect(members.value.members.map(({ user }) => user.id).sort()).toEqual([owner, friend].sort());
  }
  expect((await world.ask('GET', '/health')).body.ready).toBe(true);
  expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
});

it('a frame that brings something down brings down its own socket, and no more', async () => {
  const failed: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      failed.push(String(chunk));
      done();
    },
  });
  const fragile = await openWorld({ DIALECTS: '002' }, destination);
  try {
    const nora = await fragile.native();
    const body = { kind: 'group', name: 'Both' };
    const { id } = (await fragile.ask('POST', '/v1/rooms', { token: nora.token, body })).body;
    const path = `/api/v1/ws/${id}?token=${nora.token}`;
    const [socket, other] = [await fragile.socket(path), await fragile.socket(path)];
    const { hub } = fragile.app;
    const { typing } = hub;
    hub.typing = () => {
      throw new Error('a bug');
    };
    socket.send({ type: 'typing', chat_id: id, content: 'start' });
    expect(await socket.end()).toBe(1011);
    hub.typing = typing;
    other.send({ type: 'ping', chat_id: id });
    expect((await other.frame('pong')).type).toBe('pong');
    await expect.poll(() => failed.filter((line) => line.includes('a bug'))).toHaveLength(1);
  } finally {
    await fragile.close();
  }
});

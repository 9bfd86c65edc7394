/** Dialect 001: each row of its contract, what it refuses in which words, its limits, and hostile input. */
import { SYSTEM_ACTOR } from '@natter/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heard, joined, left, PASSWORD, People, type Person } from './001-people.js';
import { type Answered, fresh, locs, openWorld, types, type World } from './world.js';

let world: World;
let anna: Person;
let ben: Person;
const people = new People(() => world);
beforeAll(async () => {
  world = await openWorld({ DIALECT_PAGE_MAX: '100' });
  [anna, ben] = await Promise.all([people.join('anna'), people.join('ben')]);
});
afterAll(() => world.close());

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
const UNKNOWN = 999_999_999;
const NO_ROOM = [404, 'Chat room not found'];

describe('dialect 001: who asks', () => {
  it('[D4] wants a bearer token on every route but three', async () => {
    const routes = [
      ['POST', '/logout'],
      ['GET', '/chat/rooms'],
      ['POST', '/chat/rooms'],
      ['GET', '/chat/rooms/1'],
      ['GET', '/chat/rooms/x/messages'],
      ['POST', '/chat/rooms/1/messages'],
    ] as const;
    for (const [method, path] of routes) {
      for (const [ask, detail] of [
        [{}, 'Not authenticated'],
        [{ headers: { authorization: `Basic ${anna.token}` } }, 'Not authenticated'],
        [{ token: 'garbage' }, 'Could not validate credentials'],
      ] as const) {
        const refused = await people.ask(method, path, ask);
        expect(said(refused), `${method} ${path}`).toEqual([401, detail]);
        expect(refused.headers.get('www-authenticate'), path).toBe('Bearer');
      }
    }
    const lower = await people.ask('GET', '/chat/rooms', { headers: { authorization: `bearer ${anna.token}` } });
    expect(lower.status).toBe(200);
    const health = await people.ask('GET', '/health');
    expect([health.status, health.body]).toEqual([200, { status: 'ok', version: '1.0.0' }]);
    const broken = await people.ask('POST', '/chat/rooms', { body: '{"name": ' });
    expect([broken.status, types(broken)]).toEqual([422, ['json_invalid']]);
  });

  it('[D4] has no other paths and methods, and takes a slash at the end', async () => {
    expect(said(await people.ask('GET', '/nowhere', { token: anna.token }))).toEqual([404, 'Not Found']);
    const wrong = await people.ask('DELETE', '/chat/rooms', { token: anna.token });
    expect(said(wrong)).toEqual([405, 'Method Not Allowed']);
    expect(wrong.headers.get('allow')).toMatch(/GET.*POST/);
    expect((await people.ask('GET', '/chat/rooms/', { token: anna.token })).status).toBe(200);
  });
});

describe('dialect 001: accounts', () => {
  const register = (body: unknown) => people.ask('POST', '/register', { body });

  it('[D4] registers with or without an address, each name and address once', async () => {
    const [one, other] = [fresh('cleo'), fresh('cleo')];
    const made = await register({ username: one, password: '123456', extra: true });
    expect([made.status, made.body]).toMatchObject([201, { username: one, email: null }]);
    // More than one may have no address, and null is none.
    expect((await register({ username: other, password: '123456', email: null })).body.email).toBeNull();
    const taken = [400, 'Username or email already registered'];
    expect(said(await register({ username: one.toUpperCase(), password: '123456' }))).toEqual(taken);
    const email = `${anna.username}@EXAMPLE.com`;
    expect(said(await register({ username: fresh('dora'), password: '123456', email }))).toEqual(taken);
    const racers = await Promise.all(
      Array.from({ length: 5 }, () => register({ username: `${one}9`, password: '123456' })),
    );
    expect(racers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400, 400]);
  });

  it('[D4] says all that is wrong, in the order of the fields', async () => {
    const bad = await register({ email: 'someone', password: '12345', username: 'ab' });
    expect([bad.status, locs(bad)]).toEqual([
      422,
      [
        ['body', 'username'],
        ['body', 'email'],
        ['body', 'password'],
      ],
    ]);
    expect(types(bad)).toEqual(['string_too_short', 'value_error', 'string_too_short']);
    expect(locs(await register({}))).toEqual([
      ['body', 'username'],
      ['body', 'password'],
    ]);
    expect(types(await register({ username: 'x'.repeat(51), email: '', password: 7 }))).toEqual([
      'string_too_long',
      'value_error',
      'string_type',
    ]);
    expect(types(await register([1]))).toEqual(['model_attributes_type']);
    expect(locs(await people.ask('POST', '/register'))).toEqual([['body']]);
    // What the name rules of the server forbid is no valid name here either.
    for (const username of ['a b c', '   ', 'adm\u200bin', 'рaypal', '\u202Etxet']) {
      const refused = await register({ username, password: '123456' });
      expect([refused.status, locs(refused)], username).toEqual([422, [['body', 'username']]]);
    }
    const username = `${fresh('longest')}${'y'.repeat(50)}`.slice(0, 50);
    expect((await register({ username, password: 'ü'.repeat(100) })).body.username).toBe(username);
    expect(types(await register({ username: fresh('huge'), password: 'x'.repeat(100_000) }))).toEqual(['value_error']);
  });

  it('[D4] logs in by form or by JSON, and tells an unknown name from a wrong password', async () => {
    const { username } = anna;
    const login = (ask: Parameters<typeof people.ask>[2]) => people.ask('POST', '/login', ask);
    const good = { username, password: PASSWORD };
    for (const ask of [{ form: good }, { form: { ...good, grant_type: 'password', scope: '' } }, { body: good }]) {
      expect((await login(ask)).status).toBe(200);
    }
    const wrong = await login({ form: { username, password: 'nonsense' } });
    expect([...said(wrong), wrong.headers.get('www-authenticate')]).toEqual([401, 'Incorrect password', null]);
    const unknown = { username: fresh('nobody'), password: PASSWORD };
    for (const ask of [{ form: unknown }, { body: unknown }]) {
      expect(said(await login(ask))).toEqual([404, 'User not found']);
    }
    expect(said(await login({ form: { ...good, username: "' or 1=1 --" } }))).toEqual([404, 'User not found']);
    const grant = await login({ form: { ...good, grant_type: 'client_credentials' } });
    expect([grant.status, locs(grant), types(grant)]).toEqual([
      422,
      [['body', 'grant_type']],
      ['string_pattern_mismatch'],
    ]);
    const none = [
      ['body', 'username'],
      ['body', 'password'],
    ];
    for (const ask of [{ form: {} }, {}, { body: {} }]) expect(locs(await login(ask))).toEqual(none);
    expect(types(await login({ body: { username: 1, password: [] } }))).toEqual(['string_type', 'string_type']);
  });

  it('[S2] tells only who knows the password that an account is deactivated', async () => {
    const carl = await people.join('carl');
    const request = { operation: 'user.deactivate' as const, input: { name: carl.username } };
    await world.app.parts.operate(request, () => {}, new AbortController().signal);
    const login = (password: string) => people.ask('POST', '/login', { form: { username: carl.username, password } });
    expect(said(await login(PASSWORD))).toEqual([403, 'User is deactivated']);
    expect(said(await login('nonsense'))).toEqual([401, 'Incorrect password']);
    expect((await people.ask('GET', '/chat/rooms', { token: carl.token })).status).toBe(401);
  });

  it('[A1] ends by logout the session that asks, whoever asks at the same moment, and no other', async () => {
    const carl = await people.join('carl');
    const others = await Promise.all([1, 2].map(() => people.login(carl.username)));
    expect(new Set([carl.token, ...others]).size).toBe(3);
    const room = await people.room(carl);
    const ending = await people.connect(carl, room);
    const answers = await Promise.all([1, 2, 3].map(() => people.ask('POST', '/logout', { token: carl.token })));
    expect(answers.map(({ status }) => status)).toContain(200);
    for (const { status } of answers) expect([200, 401]).toContain(status);
    expect(await ending.end()).toBe(4003);
    expect(said(await people.ask('POST', '/logout', { token: carl.token }))).toEqual([
      401,
      'Could not validate credentials',
    ]);
    for (const token of others) expect((await people.ask('GET', '/chat/rooms', { token })).status).toBe(200);
  });

  it('[D4] gives tokens for 24 hours, where those of others live half an hour', async () => {
    const lifeOf = (token: string): number => {
      const { exp, iat, api } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      expect(api).toBe(token === anna.token ? '001' : '');
      return (exp - iat) / 60;
    };
    expect(lifeOf(anna.token)).toBe(1_440);
    expect(lifeOf((await world.native()).token)).toBe(30);
    const brief = await openWorld({ DIALECT_001_TOKEN_EXPIRE_MINUTES: '5', DIALECTS: '001' });
    try {
      const body = { username: 'ann', password: PASSWORD };
      expect((await brief.ask('POST', '/api/register', { body })).status).toBe(201);
      const { body: login } = await brief.ask('POST', '/api/login', { form: body });
      const claims = JSON.parse(Buffer.from(login.access_token.split('.')[1] ?? '', 'base64url').toString());
      expect(claims.exp - claims.iat).toBe(300);
    } finally {
      await brief.close();
    }
  });
});

describe('dialect 001: rooms', () => {
  const create = (name: unknown, { token } = anna) => people.ask('POST', '/chat/rooms', { token, body: { name } });

  it('[D4] have names of 1 to 100 characters, each once', async () => {
    const long = '字'.repeat(100);
    expect((await create(long)).body.name).toBe(long);
    const cases: [unknown, string][] = [
      ['', 'string_too_short'],
      ['x'.repeat(101), 'string_too_long'],
      [5, 'string_type'],
      [null, 'string_type'],
      [undefined, 'missing'],
      ['   ', 'value_error'],
      ['a\u0000b', 'value_error'],
      ['a\u202Eb', 'value_error'],
      ['a\nb', 'value_error'],
    ];
    for (const [name, type] of cases) {
      const refused = await create(name);
      expect([refused.status, locs(refused), types(refused)], `${name}`).toEqual([422, [['body', 'name']], [type]]);
    }
    const name = fresh('Once');
    expect((await create(name)).status).toBe(201);
    for (const same of [name, name.toUpperCase(), ` ${name} `]) {
      expect(said(await create(same, ben))).toEqual([400, 'Chat room name already exists']);
    }
  });

  it('[D4] are listed in the order of their making, by parts of their names taken literally', async () => {
    const word = fresh('Zoo');
    const names = [`${word} Äpfel`, `${word} 100%`, `${word} a_b`, `${word} axb`];
    for (const name of names) await people.room(anna, name);
    const list = async (query: string) => {
      const { status, body } = await people.ask('GET', `/chat/rooms?${query}`, { token: ben.token });
      expect(status).toBe(200);
      return body.map((room: { name: string }) => room.name);
    };
    expect(await list(`search=${word.toLowerCase()}`)).toEqual(names);
    expect(await list(`search=${word}&skip=1&limit=2`)).toEqual(names.slice(1, 3));
    expect(await list('search=%C3%A4PFEL')).toEqual(names.slice(0, 1));
    expect(await list(`search=${word}%20100%25`)).toEqual([names[1]]);
    expect(await list('search=a_b')).toEqual([names[2]]);
    expect(await list("search='%20or%201=1%20--")).toEqual([]);
    expect(await list('limit=0')).toEqual([]);
    expect(await list('search=')).toEqual(expect.arrayContaining(names));
    expect(await list('limit=1&limit=2')).toHaveLength(2);
    for (const query of ['skip=-1&limit=-1', 'skip=x&limit=1.5']) {
      const refused = await people.ask('GET', `/chat/rooms?${query}`, { token: ben.token });
      expect([refused.status, locs(refused)]).toEqual([
        422,
        [
          ['query', 'skip'],
          ['query', 'limit'],
        ],
      ]);
    }
    expect(await list('skip=99999999999999999999')).toEqual([]);
  });

  it('[A2] are there for everybody, and private ones of other APIs for nobody', async () => {
    const nora = await world.native();
    const secret = await world.ask('POST', '/v1/rooms', {
      token: nora.token,
      body: { kind: 'group', name: fresh('Secret') },
    });
    const { token } = anna;
    for (const room of [secret.body.id, UNKNOWN, 0, -1, '99999999999999999999']) {
      const path = `/chat/rooms/${room}`;
      expect(said(await people.ask('GET', path, { token })), path).toEqual(NO_ROOM);
      expect(said(await people.ask('GET', `${path}/messages`, { token })), path).toEqual(NO_ROOM);
      expect(said(await people.ask('POST', `${path}/messages`, { token, body: { content: 'x' } })), path).toEqual(
        NO_ROOM,
      );
      expect(await world.refusal(`/ws/${room}?token=${token}`), path).toMatchObject({ status: expect.any(Number) });
    }
    expect((await world.refusal(`/ws/${secret.body.id}?token=${token}`)).status).toBe(403);
    for (const path of ['/chat/rooms/x', '/chat/rooms/x/messages', '/chat/rooms/1.5']) {
      const odd = await people.ask('GET', path, { token });
      expect([odd.status, locs(odd), types(odd)]).toEqual([422, [['path', 'room_id']], ['int_parsing']]);
    }
  });

  it('[A2] count their messages for who has not come in yet, who joins by reading or writing and not by looking', async () => {
    const room = await people.room(anna);
    await people.post(anna, room, 'one');
    const detail = () => people.ask('GET', `/chat/rooms/${room}`, { token: ben.token });
    expect((await detail()).body).toMatchObject({ message_count: 1, creator_username: anna.username });
    const members = async (): Promise<number[]> => {
      const { db } = world.app.parts.store;
      const rows = await db
        .selectFrom('members')
        .select('user_id')
        .where('room', '=', room)
        .orderBy('joined_seq')
        .execute();
      return rows.map((row) => row.user_id);
    };
    expect(await members()).toEqual([anna.id]);
    expect(await people.contents(ben, room)).toEqual(['one']);
    expect(await members()).toEqual([anna.id, ben.id]);
    const carl = await people.join('carl');
    await people.post(carl, room, 'two');
    expect((await detail()).body.message_count).toBe(2);
    expect(await members()).toHaveLength(3);
  });
});

describe('dialect 001: messages', () => {
  it('[D4] have 1 to 10,000 characters, spaces among them, and stay as they came', async () => {
    const room = await people.room(anna);
    const send = (content: unknown) =>
      people.ask('POST', `/chat/rooms/${room}/messages`, { token: anna.token, body: { content } });
    for (const content of [' ', '😀'.repeat(10_000), "<script>alert('1')</script>", '%_\\"\' ; drop table messages']) {
      const sent = await send(content);
      expect([sent.status, sent.body.content]).toEqual([201, content]);
    }
    const cases: [unknown, string][] = [
      ['', 'string_too_short'],
      ['😀'.repeat(10_001), 'string_too_long'],
      [7, 'string_type'],
      [undefined, 'missing'],
      ['a\u0000', 'value_error'],
      ['\ud800', 'value_error'],
    ];
    for (const [content, type] of cases) {
      const refused = await send(content);
      expect([refused.status, locs(refused), types(refused)]).toEqual([422, [['body', 'content']], [type]]);
    }
    expect(await people.contents(ben, room)).toHaveLength(4);
  });

  it('[D4] are read newest first, by number, and by parts of their texts taken literally', async () => {
    const room = await people.room(anna);
    for (const content of ['100% sure', 'a_b', 'axb', 'ÄRGER', "it's"]) await people.post(anna, room, content);
    expect(await people.contents(ben, room, '?skip=1&limit=2')).toEqual(['ÄRGER', 'axb']);
    expect(await people.contents(ben, room, '?skip=5')).toEqual([]);
    expect(await people.contents(ben, room, '?limit=0')).toEqual([]);
    for (const [search, found] of [
      ['100%25', ['100% sure']],
      ['a_b', ['a_b']],
      ['%C3%A4rger', ['ÄRGER']],
      ['SURE', ['100% sure']],
      ["t's", ["it's"]],
      ['nothing', []],
    ] as const) {
      expect(await people.contents(ben, room, `?search=${search}`), search).toEqual(found);
    }
    expect(await people.contents(ben, room, '?search=%25&skip=0&limit=1')).toEqual(['100% sure']);
    const refused = await people.ask('GET', `/chat/rooms/${room}/messages?skip=-1&limit=x`, { token: ben.token });
    expect([refused.status, locs(refused)]).toEqual([
      422,
      [
        ['query', 'skip'],
        ['query', 'limit'],
      ],
    ]);
  });
});

describe('dialect 001: accounts that are gone', () => {
  it('[S5] leave their rooms and messages behind', async () => {
    const gone = await people.join('gone');
    const room = await people.room(gone);
    await people.post(gone, room, 'remember me');
    expect(await people.contents(ben, room)).toEqual(['remember me']);
    const system = { user: SYSTEM_ACTOR, role: 'system' as const, session: null };
    const deleted = await world.app.parts.core.execute(system, { type: 'user.delete', user: gone.id });
    expect(deleted).toMatchObject({ ok: true });
    expect(said(await people.ask('GET', '/chat/rooms', { token: gone.token }))).toEqual([
      401,
      'Could not validate credentials',
    ]);
    const login = { form: { username: gone.username, password: PASSWORD } };
    expect(said(await people.ask('POST', '/login', login))).toEqual([404, 'User not found']);
    const name = `deleted-${gone.id}`;
    const detail = await people.ask('GET', `/chat/rooms/${room}`, { token: ben.token });
    expect(detail.body).toMatchObject({ creator_username: name, message_count: 1 });
    const { body } = await people.ask('GET', `/chat/rooms/${room}/messages`, { token: ben.token });
    expect(body).toMatchObject([{ content: 'remember me', user_id: gone.id, username: name }]);
  });
});

describe('dialect 001: pages', () => {
  it('have at most DIALECT_PAGE_MAX rows, and go on where they ended', async () => {
    const room = await people.room(anna);
    await Promise.all(Array.from({ length: 101 }, (_, i) => people.post(anna, room, `${i}`)));
    const [first, rest] = [
      await people.contents(ben, room, '?limit=5000'),
      await people.contents(ben, room, '?skip=100'),
    ];
    expect([first.length, rest.length]).toEqual([100, 1]);
    expect(new Set([...first, ...rest]).size).toBe(101);
  });
});

describe('dialect 001: sockets', () => {
  it('[D4] are refused with 403 and no word without a good token or a room', async () => {
    const room = await people.room(anna);
    for (const path of [
      `${room}`,
      `${room}?token=`,
      `${room}?token=garbage`,
      `${UNKNOWN}?token=${anna.token}`,
      `0?token=${anna.token}`,
    ]) {
      expect(await world.refusal(`/ws/${path}`), path).toEqual({ status: 403, body: '' });
    }
    expect((await world.refusal(`/ws/${room}?token=${anna.token}`)).status).toBe(101);
  });

  it('[D4] take any JSON with content, let the rest be, and tell what was not sent to the sender alone', async () => {
    const room = await people.room(anna);
    const socket = await people.connect(anna, room);
    const other = await people.connect(ben, room);
    expect(await socket.next()).toEqual(joined(ben.username));
    for (const nothing of [
      '{}',
      '[]',
      '[1]',
      '5',
      'null',
      '"text"',
      '{"content":null}',
      '{"content":""}',
      '{"type":"x"}',
    ]) {
      socket.send(nothing);
    }
    expect(await heard(socket)).toEqual([]);
    for (const [frame, why] of [
      ['{"content":5}', 'content should be a string'],
      ['{"content":{"a":1}}', 'content should be a string'],
      [JSON.stringify({ content: 'x'.repeat(10_001) }), 'content must be at most 10000 characters'],
      ['{"content":"a\\u0000"}', 'content must not contain NUL'],
    ] as const) {
      socket.send(frame);
      expect(await socket.next()).toEqual({ type: 'system', content: `Message not sent: ${why}` });
    }
    expect(await heard(other)).toEqual([]);
    socket.send({ content: ' ', type: 'system', user_id: ben.id, username: 'someone else' });
    for (const each of [socket, other]) {
      expect(await each.next()).toMatchObject({
        type: 'message',
        user_id: anna.id,
        username: anna.username,
        content: ' ',
      });
    }
    expect(await people.contents(ben, room)).toEqual([' ']);
  });

  it('[D4] are told of one by one, to themselves too, as they come and go', async () => {
    const room = await people.room(anna);
    const first = await people.connect(anna, room);
    const second = await people.connect(anna, room);
    expect(await first.next()).toEqual(joined(anna.username));
    second.destroy();
    expect(await first.next()).toEqual(left(anna.username));
    expect(await heard(first)).toEqual([]);
  });

  it('[H2] are heard with what they said last before it is told that they left', async () => {
    const room = await people.room(anna);
    const staying = await people.connect(anna, room);
    const going = await people.connect(ben, room);
    expect(await staying.next()).toEqual(joined(ben.username));
    for (const content of ['last', 'words']) going.send({ content });
    await going.close();
    expect((await staying.next()).content).toBe('last');
    expect((await staying.next()).content).toBe('words');
    expect(await staying.next()).toEqual(left(ben.username));
  });

  it('[A1] hear nothing more of a room that their user was taken out of, and can come back while it is open', async () => {
    const room = await people.room(anna);
    const [staying, removed] = [await people.connect(anna, room), await people.connect(ben, room)];
    await staying.next();
    const { core } = world.app.parts;
    const owner = { user: anna.id, role: 'user' as const, session: null };
    expect(await core.execute(owner, { type: 'member.remove', room, user: ben.id })).toMatchObject({ ok: true });
    await people.post(anna, room, 'without him');
    expect((await staying.next()).content).toBe('without him');
    expect(await heard(removed)).toEqual([]);
    removed.send({ content: 'still here?' });
    expect(await removed.next()).toEqual({ type: 'system', content: 'Message not sent: you are not in this room' });
    const back = await people.connect(ben, room);
    await people.post(anna, room, 'with him');
    expect((await back.next()).content).toBe('with him');
  });

  it('[G1] close on frames that are too large, and nobody else does', async () => {
    const room = await people.room(anna);
    const [large, other] = [await people.connect(anna, room), await people.connect(ben, room)];
    large.send({ content: 'x'.repeat(70_000) });
    expect(await large.end()).toBe(1009);
    expect(await other.next()).toEqual(left(anna.username));
    expect(await heard(other)).toEqual([]);
  });
});

describe('dialect 001: rates', () => {
  it('[D4] hold for searches and messages, and say when to come again', async () => {
    const strict = await openWorld({ LIMITS: 'on', RATE_SEARCHES_PER_USER: '3', RATE_SENDS_PER_USER: '3' });
    try {
      const crowd = new People(() => strict);
      const dora = await crowd.join('dora');
      const room = await crowd.room(dora);
      const ask = (method: string, path: string, body?: object) => crowd.ask(method, path, { token: dora.token, body });
      const paths = ['/chat/rooms', `/chat/rooms/${room}/messages`];
      const searches = await Promise.all(
        [...paths, ...paths, ...paths, ...paths].map(async (path) => ({
          path,
          answer: await ask('GET', `${path}?search=x`),
        })),
      );
      for (const path of paths) {
        const refused = searches.filter((one) => one.path === path && one.answer.status !== 200);
        expect(refused.length, path).toBeGreaterThan(0);
        for (const { answer } of refused) {
          expect(said(answer)).toEqual([429, 'Too Many Requests']);
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        }
        expect((await ask('GET', path)).status).toBe(200);
      }
      const socket = await crowd.connect(dora, room);
      for (let i = 0; i < 5; i += 1) socket.send({ content: `${i}` });
      const frames = [];
      for (let i = 0; i < 5; i += 1) frames.push(await socket.next());
      expect(frames).toContainEqual({ type: 'system', content: 'Message not sent: too many messages' });
      const posts = await Promise.all([1, 2, 3, 4, 5].map(() => ask('POST', paths[1] ?? '', { content: 'x' })));
      expect(posts.map(({ status }) => status)).toContain(429);
    } finally {
      await strict.close();
    }
  });
});

/** Dialect 000: what its accounts and rooms answer and refuse, in which words. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, People, type Person } from './000-people.js';
import { type Answered, fresh, locs, openWorld, types, type World } from './world.js';

let world: World;
let anna: Person;
let ben: Person;
const people = new People(() => world);
beforeAll(async () => {
  world = await openWorld();
  [anna, ben] = await Promise.all([people.join('anna'), people.join('ben')]);
});
afterAll(() => world.close());

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
const UNKNOWN = 999_999_999;

describe('dialect 000: who asks', () => {
  it('[D4] wants a bearer token on every route but three, and serves the paths of the code beside those of the document', async () => {
    const routes = [
      ['GET', '/users/me'],
      ['POST', '/rooms/create_room'],
      ['POST', '/rooms/join_room'],
      ['GET', '/rooms/get_users_in_room/1'],
      ['DELETE', '/rooms/leave_room/1'],
      ['GET', '/me'],
      ['POST', '/create_room'],
      ['POST', '/join_room'],
      ['GET', '/get_users_in_room/1'],
      ['DELETE', '/leave_room/1'],
      ['GET', '/history?room_name=x'],
    ] as const;
    for (const [method, path] of routes) {
      for (const header of [undefined, 'Basic x', 'Bearer']) {
        const headers = header === undefined ? {} : { authorization: header };
        const none = await people.ask(method, path, { headers });
        expect(said(none), `${path} with ${header}`).toEqual([401, 'Not authenticated']);
        expect(none.headers.get('www-authenticate'), path).toBe('Bearer');
      }
      const bad = await people.ask(method, path, { token: 'garbage' });
      expect(said(bad), path).toEqual([401, 'Could not validate credentials']);
      expect(bad.headers.get('www-authenticate'), path).toBe('Bearer');
    }
    const lower = await people.ask('GET', '/users/me/', { headers: { authorization: `bearer ${anna.token}` } });
    expect([lower.status, lower.body.user_info.username]).toEqual([200, anna.username]);
    expect(said(await people.ask('GET', '/users/nothing'))).toEqual([404, 'Not Found']);
    const wrong = await people.ask('PUT', '/users/login');
    expect([...said(wrong), wrong.headers.get('allow')]).toEqual([405, 'Method Not Allowed', 'POST, OPTIONS']);
  });

  it('[D2] takes the tokens that others of this server made, and none that were made elsewhere', async () => {
    const nora = await world.native();
    const me = await people.ask('GET', '/users/me', { token: nora.token });
    expect(me.body.user_info).toMatchObject({ username: nora.name, email: '' });
    // The right name under a signature of one's own opens nothing.
    const [head, body] = anna.token.split('.');
    const forged = await people.ask('GET', '/users/me', { token: `${head}.${body}.${'A'.repeat(43)}` });
    expect(forged.status).toBe(401);
    for (const path of ['/v1/me', '/v1/rooms']) {
      expect((await people.ask('GET', path, { token: anna.token })).status).toBe(401);
    }
  });
});

describe('dialect 000: accounts', () => {
  const create = (body: unknown) => people.ask('POST', '/users/create_user', { body });

  it('[D4] takes any password and any text as an address, and says all that is missing in order', async () => {
    const nothing = await create({});
    expect([nothing.status, locs(nothing), types(nothing)]).toEqual([
      422,
      [
        ['body', 'username'],
        ['body', 'email'],
        ['body', 'password'],
      ],
      ['missing', 'missing', 'missing'],
    ]);
    expect(types(await create({ username: 1, email: null, password: ['x'] }))).toEqual([
      'string_type',
      'string_type',
      'string_type',
    ]);
    expect(locs(await create(undefined))).toEqual([['body']]);
    expect(types(await create('{"username":'))).toEqual(['json_invalid']);
    expect(types(await create([1]))).toEqual(['model_attributes_type']);
    for (const password of ['x', '', ' ', 'ü'.repeat(200)]) {
      const username = fresh('odd');
      const made = await people.ask('POST', '/create_user', {
        body: { username, email: `no address ${username}`, password },
      });
      expect([made.status, made.body.message]).toEqual([200, 'User created successfully']);
      const login = await people.ask('POST', '/users/login', { body: { username, password } });
      expect(login.status, JSON.stringify(password)).toBe(200);
    }
    // Two without an address are not the same.
    for (const username of [fresh('plain'), fresh('plain')]) {
      expect((await create({ username, email: '', password: 'x' })).status).toBe(200);
    }
  });

  it('[D4] refuses names and addresses that are taken with 400, and those that are none here with 422', async () => {
    const taken = await create({ username: anna.username.toUpperCase(), email: 'x', password: 'x' });
    expect(said(taken)).toEqual([400, 'User already exists']);
    const address = await create({ username: fresh('new'), email: `${anna.username}@EXAMPLE.com`, password: 'x' });
    expect(said(address)).toEqual([400, 'Email already exists']);
    for (const username of ['', ' ', 'two words', 'zero\u200bwidth', 'аdmin', `${'x'.repeat(51)}`, 'all', 'a\u0000b']) {
      const refused = await create({ username, email: fresh('mail'), password: 'x' });
      expect([refused.status, locs(refused)], JSON.stringify(username)).toEqual([422, [['body', 'username']]]);
    }
    const long = await create({ username: fresh('long'), email: fresh('mail'), password: 'x'.repeat(5_000) });
    expect([long.status, locs(long)]).toEqual([422, [['body', 'password']]]);
  });

  it('[D4] tells an unknown name from a wrong password, on both paths, and gives the token in the shape of each', async () => {
    for (const path of ['/users/login', '/login']) {
      const logIn = (body: unknown) => people.ask('POST', path, { body });
      expect(said(await logIn({ username: anna.username, password: 'x' }))).toEqual([401, 'Incorrect password']);
      expect(said(await logIn({ username: 'never.made', password: PASSWORD }))).toEqual([
        404,
        'User never.made not found',
      ]);
      expect(locs(await logIn({ password: 1 }))).toEqual([
        ['body', 'username'],
        ['body', 'password'],
      ]);
      const form = await people.ask('POST', path, { form: { username: anna.username, password: PASSWORD } });
      expect([form.status, locs(form)]).toEqual([422, [['body']]]);
    }
    const bare = await people.ask('POST', '/login', { body: { username: anna.username, password: PASSWORD } });
    expect(bare.body).toEqual({ access_token: { jwt: expect.any(String) }, token_type: 'bearer' });
    const me = await people.ask('GET', '/me', { token: bare.body.access_token.jwt });
    expect(me.body.user_info.username).toBe(anna.username);
  });

  it('[S2] lets nobody in whose account is deactivated', async () => {
    const carl = await people.join('carl');
    const request = { operation: 'user.deactivate' as const, input: { name: carl.username } };
    await world.app.parts.operate(request, () => {}, new AbortController().signal);
    const login = await people.ask('POST', '/users/login', { body: { username: carl.username, password: PASSWORD } });
    expect(said(login)).toEqual([403, 'User is deactivated']);
    const guess = await people.ask('POST', '/users/login', { body: { username: carl.username, password: 'x' } });
    expect(said(guess)).toEqual([401, 'Incorrect password']);
    expect((await people.ask('GET', '/users/me', { token: carl.token })).status).toBe(401);
    expect(await world.refusal(`/ws/rooms?token=${carl.token}`)).toEqual({ status: 403, body: '' });
  });
});

describe('dialect 000: rooms', () => {
  const create = (body: unknown, token = anna.token) => people.ask('POST', '/rooms/create_room', { token, body });

  it('[D4] makes a room of what is asked, and says what is wrong in the order of the fields', async () => {
    const nothing = await create({});
    expect([nothing.status, locs(nothing), types(nothing)]).toEqual([422, [['body', 'name']], ['missing']]);
    const odd = await create({ name: 7, is_public: 'maybe', description: null });
    expect([locs(odd), types(odd)]).toEqual([
      [
        ['body', 'name'],
        ['body', 'is_public'],
        ['body', 'description'],
      ],
      ['string_type', 'bool_parsing', 'string_type'],
    ]);
    for (const [name, where] of [
      ['', 'name'],
      ['  ', 'name'],
      ['x'.repeat(101), 'name'],
      ['x'.repeat(10_000), 'name'],
      ['bell\u0007', 'name'],
    ] as const) {
      expect(locs(await create({ name }))).toEqual([['body', where]]);
    }
    expect(locs(await create({ name: fresh('room'), description: 'x'.repeat(1_001) }))).toEqual([
      ['body', 'description'],
    ]);
    expect(locs(await create({ name: fresh('room'), description: 'bell\u0007' }))).toEqual([['body', 'description']]);
    const lines = await create({ name: fresh('room'), description: 'one\n\ntwo\tthree' });
    expect([lines.status, lines.body.room.description]).toEqual([200, 'one two three']);
    const name = `${fresh('字')}${'字'.repeat(100)}`.slice(0, 100);
    const made = await create({ name: ` ${name} `, is_public: 'yes', description: 'x'.repeat(1_000), extra: 1 });
    expect([made.status, made.body.message]).toEqual([200, `Room '${name}' created successfully.`]);
    expect(made.body.room).toMatchObject({ name, is_public: true, description: 'x'.repeat(1_000) });
  });

  it('[D3] has each name once, in any case, whatever other APIs call theirs', async () => {
    const name = fresh('Twice');
    await people.create(anna, name);
    for (const again of [name, name.toUpperCase(), ` ${name}`]) {
      expect(said(await create({ name: again }, ben.token))).toEqual([400, 'Room already exists']);
    }
    const nora = await world.native();
    const made = await world.ask('POST', '/v1/rooms', {
      token: nora.token,
      body: { kind: 'channel', visibility: 'public', name },
    });
    expect(made.status).toBe(201);
    // By name one finds those of this API, by id any that one may be in.
    await people.enter(ben, name);
    const mine = await people.ask('GET', '/users/me', { token: ben.token });
    expect(mine.body.user_info.permissions).toEqual([`room.${name}`]);
    const other = await people.ask('POST', '/rooms/join_room', { token: ben.token, body: { room_id: made.body.id } });
    expect(other.body).toEqual({ message: `User '${ben.username}' joined room '${name}' successfully.` });
    const both = await people.ask('GET', '/users/me', { token: ben.token });
    expect(both.body.user_info.permissions).toEqual([`room.${name}`, `room.${made.body.id}`]);
  });

  it('[D4] joins by query, or by JSON or form that names the room, and nothing else', async () => {
    const name = fresh('Lounge & Bar/é%');
    const id = await people.create(anna, name);
    const join = (ask: object, query = '') =>
      people.ask('POST', `/rooms/join_room${query}`, { token: ben.token, ...ask });
    const joined = { message: `User '${ben.username}' joined room '${name}' successfully.` };
    for (const ask of [
      { body: { room_name: name } },
      { body: { name } },
      { body: { room_id: id } },
      { body: { room_id: `${id}` } },
      { form: { room_name: name } },
    ]) {
      expect((await join(ask)).body, JSON.stringify(ask)).toEqual(joined);
      await people.leave(ben, id);
    }
    expect((await join({}, `?room_name=nowhere&room_name=${encodeURIComponent(name)}`)).body).toEqual(joined);
    expect(
      (await people.ask('POST', `/join_room?room_name=${encodeURIComponent(name)}`, { token: ben.token })).body,
    ).toEqual(joined);

    for (const ask of [{}, { body: {} }, { body: null }]) {
      const none = await join(ask);
      expect([none.status, locs(none), types(none)]).toEqual([422, [['query', 'room_name']], ['missing']]);
    }
    expect(locs(await join({ body: { room_name: 5, room_id: 'x' } }))).toEqual([
      ['body', 'room_name'],
      ['body', 'room_id'],
    ]);
    for (const unknown of ['', 'nowhere', `${id}`, 'x'.repeat(5_000), "'; drop table rooms; --", '%']) {
      const missing = await join({}, `?room_name=${encodeURIComponent(unknown)}`);
      expect(said(missing)).toEqual([404, `Room not found for name: ${unknown}`]);
    }
    for (const unknown of [UNKNOWN, 0, -1]) {
      expect(said(await join({ body: { room_id: unknown } }))).toEqual([404, `Room not found for ID: ${unknown}`]);
    }
  });

  it('[A2] shows who is in a room to those who are, by its id or its name, and nothing that is secret', async () => {
    const name = fresh('Members');
    const id = await people.create(anna, name);
    await people.enter(ben, name);
    const carl = await people.join('carl');
    const list = (room: string | number, token = anna.token) =>
      people.ask('GET', `/rooms/get_users_in_room/${encodeURIComponent(room)}`, { token });
    for (const room of [id, name, name.toLowerCase()]) {
      const { body } = await list(room);
      expect(body.users.map(({ username }: Person) => username)).toEqual([anna.username, ben.username]);
      for (const user of body.users) {
        expect(Object.keys(user).sort()).toEqual(['created_at', 'email', 'id', 'is_active', 'username']);
      }
    }
    expect((await people.ask('GET', `/get_users_in_room/${id}`, { token: ben.token })).body.users).toHaveLength(2);
    expect(said(await list(id, carl.token))).toEqual([404, `Room not found for ID: ${id}`]);
    for (const room of [UNKNOWN, 0, 'nowhere', '1e3', '99999999999999999999']) {
      expect(said(await list(room))).toEqual([404, `Room not found for ID: ${room}`]);
    }
  });

  it('[D4] leaves a room once or twice, by id or name, and knows none that it may not see', async () => {
    const name = fresh('Leaving');
    const id = await people.create(anna, name);
    await people.enter(ben, name);
    const leave = (room: string | number, prefix = '/rooms') =>
      people.ask('DELETE', `${prefix}/leave_room/${encodeURIComponent(room)}`, { token: ben.token });
    const left = { message: `User '${ben.username}' left room '${name}' successfully.` };
    expect((await leave(id)).body).toEqual(left);
    expect((await leave(id)).body).toEqual(left);
    expect((await leave(name, '')).body).toEqual(left);
    expect(said(await leave('nowhere'))).toEqual([404, 'Room not found for ID: nowhere']);
    const nora = await world.native();
    const secret = await world.ask('POST', '/v1/rooms', { token: nora.token, body: { kind: 'group', name: 'secret' } });
    expect(said(await leave(secret.body.id))).toEqual([404, `Room not found for ID: ${secret.body.id}`]);
    const join = await people.ask('POST', '/rooms/join_room', {
      token: ben.token,
      body: { room_id: secret.body.id },
    });
    expect(said(join)).toEqual([404, `Room not found for ID: ${secret.body.id}`]);
  });

  it('[D4] takes a name that is a number for a room of its own before the id of another', async () => {
    const nora = await world.native();
    const open = (name: string) =>
      world.ask('POST', '/v1/rooms', { token: nora.token, body: { kind: 'channel', visibility: 'public', name } });
    const native = await open(fresh('native'));
    const id = await people.create(anna, `${native.body.id}`);
    const users = await people.ask('GET', `/rooms/get_users_in_room/${native.body.id}`, { token: anna.token });
    expect(users.body.users.map(({ username }: Person) => username)).toEqual([anna.username]);
    const left = await people.ask('DELETE', `/rooms/leave_room/${native.body.id}`, { token: anna.token });
    expect(left.body.message).toContain(`'${native.body.id}'`);
    expect(said(await people.ask('GET', `/rooms/get_users_in_room/${id}`, { token: anna.token }))[0]).toBe(404);
  });

  it('[A2] has the history of a room for those who are in it', async () => {
    const name = fresh('Past');
    await people.create(anna, name);
    const history = (token = anna.token, room = name) =>
      people.ask('GET', `/history?room_name=${encodeURIComponent(room)}`, { token });
    const none = [404, 'No history found for this room'];
    expect(said(await history())).toEqual(none);
    const socket = await people.connect(anna);
    for (const n of [1, 2, 3]) socket.send({ room: name, n });
    for (const n of [1, 2, 3]) expect((await socket.next()).n).toBe(n);
    expect((await history()).body.history.map(({ n }: { n: number }) => n)).toEqual([1, 2, 3]);
    expect(said(await history(ben.token))).toEqual(none);
    expect(said(await history(anna.token, 'nowhere'))).toEqual(none);
    expect(locs(await people.ask('GET', '/history', { token: anna.token }))).toEqual([['query', 'room_name']]);
  });
});

describe('dialect 000: a browser', () => {
  it('is led to the app and the documents, and the database is said to be there', async () => {
    for (const [from, to] of [
      ['/chat', '/'],
      ['/messages', '/'],
      ['/about', '/docs'],
    ] as const) {
      const answer = await people.ask('GET', from, { headers: { accept: 'text/html' } });
      expect([answer.status, answer.headers.get('location')], from).toEqual([302, to]);
      const page = await people.ask('GET', to, { headers: { accept: 'text/html' } });
      expect([page.status, page.headers.get('content-type')], to).toEqual([200, 'text/html; charset=utf-8']);
    }
    expect((await people.ask('GET', '/test-db')).body).toEqual({ message: 'Database connection successful!' });
  });
});

it('[D5] is not there where DIALECTS does not name it', async () => {
  const other = await openWorld({ DIALECTS: '002' });
  try {
    const body = { username: 'anna', email: 'x', password: PASSWORD };
    for (const path of ['/users/create_user', '/create_user', '/users/login', '/login', '/rooms/create_room']) {
      expect((await other.ask('POST', path, { body })).status, path).toBe(404);
    }
    for (const path of ['/users/me', '/me', '/history?room_name=x', '/chat', '/messages', '/about', '/test-db']) {
      expect((await other.ask('GET', path)).status, path).toBe(404);
    }
    const nora = await other.native();
    for (const path of ['/ws', '/ws/rooms']) {
      expect((await other.refusal(`${path}?token=${nora.token}`)).status, path).toBe(404);
    }
  } finally {
    await other.close();
  }
});

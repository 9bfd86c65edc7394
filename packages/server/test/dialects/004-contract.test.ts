/** Dialect 004: what its accounts, roles, rooms and pages over HTTP answer, in which words, and their limits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, People, type Person, say } from './004-people.js';
import { type Answered, type Ask, fresh, locs, openWorld, types, type World } from './world.js';

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

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
const UNKNOWN = 999_999_999;
const NO_ADMIN = [403, "Insufficient permissions. Required roles: ['admin']"];

/** Someone of the native API who is an admin too, by whom accounts and rooms are changed as this API can't. */
async function native(): Promise<{ token: string }> {
  const login = await world.ask('POST', '/v1/sessions', { body: { name: admin.username, password: PASSWORD } });
  expect(login.status).toBe(201);
  return { token: login.body.accessToken };
}

describe('dialect 004: accounts', () => {
  const register = (body: unknown) => people.ask('POST', '/auth/register', { body });

  it('[D4] registers with what is asked, and says all that is wrong in the order of the fields', async () => {
    for (const path of ['/auth/register', '/auth/register/', '/auth/signup']) {
      const bad = await people.ask('POST', path, { body: { email: 'x', password: 5 } });
      expect([bad.status, locs(bad), types(bad)]).toEqual([
        422,
        [
          ['body', 'username'],
          ['body', 'email'],
          ['body', 'password'],
        ],
        ['missing', 'value_error', 'string_type'],
      ]);
    }
    const none = await people.ask('POST', '/auth/register');
    expect([none.status, locs(none)]).toEqual([422, [['body']]]);
    expect(types(await register('{'))).toEqual(['json_invalid']);
    expect(types(await register([]))).toEqual(['model_attributes_type']);
    for (const email of ['plain', 'a@b', 'a@localhost', 'a@example.test', '@example.com', 'a b@example.com', 7, null]) {
      const bad = await register({ username: fresh('eve'), email, password: PASSWORD });
      expect([bad.status, locs(bad)], `${email}`).toEqual([422, [['body', 'email']]]);
    }
    // Names keep to the rules of all APIs; an empty password could not be sent by the form.
    for (const username of ['', ' ', 'a\u200bb', 'x'.repeat(51), 'a\u0000b', 'two words']) {
      const bad = await register({ username, email: 'fine@example.com', password: PASSWORD });
      expect([bad.status, locs(bad)], JSON.stringify(username)).toEqual([422, [['body', 'username']]]);
    }
    expect(locs(await register({ username: fresh('eve'), email: 'fine@example.com', password: '' }))).toEqual([
      ['body', 'password'],
    ]);
  });

  it('[D4] takes a password of one letter and a very long one', async () => {
    for (const password of ['x', '🔑'.repeat(128)]) {
      const username = fresh('fay');
      const made = await register({ username, email: `${username}@example.com`, password });
      expect([made.status, made.body.user]).toMatchObject([200, { username, role: 'user' }]);
      expect((await people.ask('POST', '/auth/login', { body: { username, password } })).status).toBe(200);
    }
  });

  it('[D4] tells which of name and address is taken, the address first, in any case of letters', async () => {
    const other = fresh('gil');
    for (const [username, email, word] of [
      [ben.username, ben.email, 'email'],
      [other, ben.email.toUpperCase(), 'email'],
      [ben.username.toUpperCase(), `${other}@example.com`, 'username'],
    ]) {
      const taken = await register({ username, email, password: PASSWORD });
      expect(said(taken)).toEqual([400, `User with this ${word} already exists`]);
    }
    const at = { username: other, email: `${other}@example.com`, password: PASSWORD };
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(at)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(400)]);
  });

  it('[D4] logs in by JSON and by form, by name and by address, and answers nobody and wrong alike', async () => {
    const login = (ask: Ask) => people.ask('POST', '/auth/login', ask);
    for (const username of [ben.username, ben.email]) {
      for (const ask of [
        { body: { username, password: PASSWORD } },
        { form: { username, password: PASSWORD } },
        { form: { username, password: PASSWORD, grant_type: 'password', scope: '', client_id: 'x' } },
      ]) {
        const done = await login(ask);
        expect([done.status, done.body.user]).toEqual([
          200,
          { id: ben.id, email: ben.email, username: ben.username, role: 'user' },
        ]);
      }
    }
    for (const username of [ben.username, 'nobody', 'nobody@example.com', '\u0000', '']) {
      const wrong = await login({ body: { username, password: 'wrong' } });
      if (username === '\u0000') {
        expect(locs(wrong)).toEqual([['body', 'username']]);
        continue;
      }
      expect(said(wrong)).toEqual([401, 'Invalid credentials']);
      expect(wrong.headers.get('www-authenticate')).toBe('Bearer');
    }
    for (const ask of [{ body: {} }, { form: {} }]) {
      expect(locs(await login(ask))).toEqual([
        ['body', 'username'],
        ['body', 'password'],
      ]);
    }
    expect(types(await login({ form: { username: ben.username, password: PASSWORD, grant_type: 'x' } }))).toEqual([
      'string_pattern_mismatch',
    ]);
  });

  it('[D4] gives another access token as often as it is asked, and takes no token for the other', async () => {
    const refresh = (refresh_token: unknown) => people.ask('POST', '/auth/refresh', { body: { refresh_token } });
    for (let i = 0; i < 2; i += 1) {
      const { status, body } = await refresh(ben.refresh);
      expect([status, body.token_type]).toEqual([200, 'bearer']);
      expect((await people.ask('GET', '/auth/me', { token: body.access_token })).body.user.id).toBe(ben.id);
    }
    const nora = await world.native();
    const { body: theirs } = await world.ask('POST', '/v1/sessions', {
      body: { name: nora.name, password: 'correct horse battery' },
    });
    for (const token of ['garbage', '', ben.token, theirs.refreshToken, 'x'.repeat(5_000)]) {
      const bad = await refresh(token);
      expect(said(bad), token.slice(0, 20)).toEqual([401, 'Could not validate refresh token']);
      expect(bad.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(locs(await refresh(5))).toEqual([['body', 'refresh_token']]);
    const swapped = await people.ask('GET', '/auth/me', { token: ben.refresh });
    expect(said(swapped)).toEqual([401, 'Could not validate credentials']);
  });

  it('[S4] tells only who knows the password that an account is deactivated, and ends its sessions', async () => {
    const hal = await people.join('hal');
    const room = await people.room(admin);
    const socket = await people.enter(hal, room);
    const { token } = await native();
    const off = await world.ask('PUT', `/v1/users/${hal.id}/active`, { token, body: { active: false } });
    expect(off.status).toBe(200);
    expect(await socket.end()).toBe(4003);
    const login = (password: string) =>
      people.ask('POST', '/auth/login', { body: { username: hal.username, password } });
    expect(said(await login(PASSWORD))).toEqual([401, 'User account is deactivated']);
    expect(said(await login('wrong'))).toEqual([401, 'Invalid credentials']);
    expect(said(await people.ask('GET', '/auth/me', { token: hal.token }))).toEqual([
      401,
      'Could not validate credentials',
    ]);
    expect((await people.ask('POST', '/auth/refresh', { body: { refresh_token: hal.refresh } })).status).toBe(401);
    const all = await people.ask('GET', '/user/', { token: admin.token });
    expect(all.body.find(({ id }: Person) => id === hal.id)).toMatchObject({ is_active: false });
    expect((await people.ask('GET', `/user/${hal.id}`, { token: ben.token })).body.is_active).toBe(false);
  });
});

describe('dialect 004: who asks', () => {
  it('[D4] wants a bearer token on every route but three, and says how to send it', async () => {
    const routes = [
      ['GET', '/auth/me'],
      ['GET', '/user/'],
      ['GET', '/user/1'],
      ['GET', '/rooms/'],
      ['POST', '/rooms/'],
      ['GET', '/rooms/1'],
      ['GET', '/rooms/1/messages'],
      ['GET', '/chat/websocket-info'],
    ] as const;
    for (const [method, path] of routes) {
      for (const headers of [{}, { authorization: 'Basic abc' }, { authorization: 'Bearer' }]) {
        const none = await people.ask(method, path, { headers });
        expect(said(none), path).toEqual([401, 'Not authenticated']);
        expect(none.headers.get('www-authenticate'), path).toBe('Bearer');
      }
      const bad = await people.ask(method, path, { token: 'garbage' });
      expect(said(bad), path).toEqual([401, 'Could not validate credentials']);
      expect(bad.headers.get('www-authenticate'), path).toBe('Bearer');
    }
    const lower = await people.ask('GET', '/rooms', { headers: { authorization: `bearer ${ben.token}` } });
    expect(lower.status).toBe(200);
    expect(types(await people.ask('POST', '/rooms/', { body: '{' }))).toEqual(['json_invalid']);
  });

  it('[D4] holds the role before the input, and believes a new role at once', async () => {
    const ida = await people.join('ida');
    const { token } = ida;
    expect(said(await people.ask('GET', '/user/', { token }))).toEqual(NO_ADMIN);
    for (const body of [{ name: 'Mine' }, {}, [], { name: 5 }]) {
      expect(said(await people.ask('POST', '/rooms/', { token, body }))).toEqual(NO_ADMIN);
    }
    const by = await native();
    const raised = await world.ask('PUT', `/v1/users/${ida.id}/role`, { token: by.token, body: { role: 'admin' } });
    expect(raised.status).toBe(200);
    expect((await people.ask('GET', '/auth/me', { token })).body.user.role).toBe('admin');
    const all = await people.ask('GET', '/user/', { token });
    expect(all.body.map(({ id }: Person) => id)).toEqual(expect.arrayContaining([admin.id, ben.id, ida.id]));
    expect(locs(await people.ask('POST', '/rooms/', { token, body: {} }))).toEqual([['body', 'name']]);
    expect((await people.ask('POST', '/rooms/', { token, body: { name: fresh('ok') } })).status).toBe(200);
  });

  it('[D4] answers unknown people and paths, and other methods', async () => {
    const ask = (method: string, path: string) => people.ask(method, path, { token: ben.token });
    for (const id of [UNKNOWN, 0, -1]) {
      expect(said(await ask('GET', `/user/${id}`))).toEqual([404, `User with ID ${id} not found.`]);
    }
    // A room has an id of the same kind, and is nobody.
    const room = await people.room(admin);
    expect((await ask('GET', `/user/${room}`)).status).toBe(404);
    expect(locs(await ask('GET', '/user/x'))).toEqual([['path', 'user_id']]);
    expect(said(await ask('GET', '/rooms/1/nothing'))).toEqual([404, 'Not Found']);
    const other = await ask('DELETE', '/rooms/');
    expect([...said(other), other.headers.get('allow')]).toEqual([
      405,
      'Method Not Allowed',
      expect.stringContaining('POST'),
    ]);
  });
});

describe('dialect 004: rooms', () => {
  const create = (body: unknown) => people.ask('POST', '/rooms/', { token: admin.token, body });
  const get = (path: string) => people.ask('GET', path, { token: ben.token });

  it('[D4] are made with a name of their own and perhaps a description', async () => {
    const name = fresh('Café ');
    const made = await create({ name });
    expect([made.status, made.body]).toMatchObject([200, { name, description: null, is_active: true }]);
    expect(said(await create({ name }))).toEqual([400, `Room with name '${name}' already exists`]);
    const long = `${fresh('x')}${'字'.repeat(100)}`.slice(0, 100);
    expect((await create({ name: long, description: 'y'.repeat(1_000) })).body).toMatchObject({
      name: long,
      description: 'y'.repeat(1_000),
    });
    const lines = await create({ name: fresh('Lines '), description: 'one\r\n\ntwo\tthree' });
    expect([lines.status, lines.body.description]).toEqual([200, 'one two three']);
    for (const [body, loc] of [
      [{ name: fresh('y'), description: 'bell\u0007' }, 'description'],
      [{ name: '' }, 'name'],
      [{ name: ' ' }, 'name'],
      [{ name: null }, 'name'],
      [{ name: 'x'.repeat(101) }, 'name'],
      [{ name: 'a\u202eb' }, 'name'],
      [{ name: fresh('y'), description: 'y'.repeat(1_001) }, 'description'],
      [{ name: fresh('y'), description: 5 }, 'description'],
    ] as const) {
      const bad = await create(body);
      expect([bad.status, locs(bad)], JSON.stringify(body).slice(0, 50)).toEqual([422, [['body', loc]]]);
    }
    const many = await Promise.all(Array.from({ length: 10 }, () => create({ name: `${name}!` })));
    expect(many.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(400)]);
  });

  it('[A2] answers rooms that are not open, unknown, or archived as if they did not exist', async () => {
    const { token } = await native();
    const hidden = await world.ask('POST', '/v1/rooms', { token, body: { kind: 'group', name: 'Ours', members: [] } });
    const closed = await people.room(admin);
    const archived = await world.ask('PUT', `/v1/rooms/${closed}/archived`, { token, body: { archived: true } });
    expect([hidden.status, archived.status]).toEqual([201, 200]);
    for (const id of [hidden.body.id, closed, ben.id, UNKNOWN, 0, -1]) {
      expect(said(await get(`/rooms/${id}`))).toEqual([404, `Room with ID ${id} not found`]);
      expect(said(await get(`/rooms/${id}/messages`))).toEqual([404, `Room with ID ${id} not found`]);
      if (id >= 0) {
        const refused = await world.refusal(`/api/v1/ws/${id}?token=${ben.token}`);
        expect(refused).toEqual({ status: 403, body: '' });
      }
    }
    expect(locs(await get('/rooms/x'))).toEqual([['path', 'room_id']]);
    expect((await get('/rooms/')).body.map(({ id }: { id: number }) => id)).not.toContain(closed);
    const { body } = await world.ask('GET', `/v1/rooms/${hidden.body.id}/members`, { token });
    expect(body.members).toHaveLength(1);
  });

  it('[D3] lists rooms of this API alone, and enters open ones of others by their id', async () => {
    const { token } = await native();
    const open = await world.ask('POST', '/v1/rooms', {
      token,
      body: { kind: 'channel', visibility: 'public', name: fresh('Open ') },
    });
    expect(open.status).toBe(201);
    const mine = await people.room(admin, open.body.name);
    const listed = (await get('/rooms')).body.map(({ id }: { id: number }) => id);
    expect(listed).toContain(mine);
    expect(listed).not.toContain(open.body.id);
    expect((await get(`/rooms/${open.body.id}`)).body).toMatchObject({ name: open.body.name, description: null });
    expect((await get(`/rooms/${open.body.id}/messages`)).body).toEqual([]);
  });

  it('[D4] show their messages in pages by id, for whoever comes', async () => {
    const room = await people.room(admin);
    const socket = await people.enter(admin, room);
    const ids: number[] = [];
    for (let i = 1; i <= 5; i += 1) ids.push((await say(socket, `m${i}`)).id);
    const jon = await people.join('jon');
    const page = async (query: string): Promise<number[]> => {
      const { status, body } = await people.ask('GET', `/rooms/${room}/messages?${query}`, { token: jon.token });
      expect(status).toBe(200);
      return body.map(({ id }: { id: number }) => id);
    };
    expect(await page('')).toEqual(ids);
    expect(await page('limit=2')).toEqual(ids.slice(3));
    expect(await page(`limit=2&cursor=${ids[3]}`)).toEqual(ids.slice(1, 3));
    expect(await page(`limit=100&cursor=${ids[0]}`)).toEqual([]);
    // The id of no message of this room, the beginning, and beyond the end.
    expect(await page(`cursor=${(ids[4] ?? 0) + 1}`)).toEqual(ids);
    expect(await page('cursor=0')).toEqual(ids);
    expect(await page('cursor=-5')).toEqual([]);
    expect(await page('cursor=99999999999999999999')).toEqual(ids);
    expect(await page('limit=9999999999')).toEqual(ids);
    const bad = await get(`/rooms/${room}/messages?limit=x&cursor=y`);
    expect([bad.status, locs(bad)]).toEqual([
      422,
      [
        ['query', 'limit'],
        ['query', 'cursor'],
      ],
    ]);
    for (const query of ['limit=0', 'limit=-1', 'limit=1.5', 'limit=', 'cursor=']) {
      expect((await get(`/rooms/${room}/messages?${query}`)).status, query).toBe(422);
    }
    // What was edited shows its new text; what was deleted is gone.
    const { token } = await native();
    expect((await world.ask('DELETE', `/v1/messages/${ids[4]}`, { token })).status).toBe(200);
    const edited = await world.ask('PATCH', `/v1/messages/${ids[0]}`, { token, body: { text: 'new' } });
    expect(edited.status).toBe(200);
    const left = await get(`/rooms/${room}/messages`);
    expect(left.body.map(({ content }: { content: string }) => content)).toEqual(['new', 'm2', 'm3', 'm4']);
    expect(left.body[0].updated_at > left.body[0].created_at).toBe(true);
  });

  it('[D4] never give more than 100 messages at once', async () => {
    const room = await people.room(admin);
    const socket = await people.enter(admin, room);
    for (let i = 1; i <= 105; i += 1) socket.send({ type: 'message', content: `m${i}` });
    await socket.frame('message', ({ data }) => data.content === 'm105');
    for (const [query, count] of [
      ['', 50],
      ['?limit=100', 100],
      ['?limit=101', 100],
    ] as const) {
      const { body } = await get(`/rooms/${room}/messages${query}`);
      expect([body.length, body.at(-1).content]).toEqual([count, 'm105']);
    }
  });
});

/** Dialect 004, Simple Chat: its document walked from top to bottom. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { api, heard, walk } from './004-people.js';
import { type Client, openWorld, type World } from './world.js';

const CLI = fileURLToPath(new URL('../../bundle/cli.js', import.meta.url));

let world: World;
beforeAll(async () => {
  world = await openWorld({ FIRST_USER_IS_ADMIN: 'false' });
});
afterAll(() => world.close());

/** The command line beside the running server. */
async function natter(...args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, DATA_DIR: world.dataDir };
  return (await promisify(execFile)(process.execPath, [CLI, ...args], { cwd: world.dataDir, env })).stdout;
}

const post = (path: string, body: object, token?: string) => world.ask('POST', api + path, { token, body });
const get = (path: string, token?: string) => world.ask('GET', api + path, { token });

it('the document of 004 is walked from registering to the documentation', async () => {
  // Getting started: 1. Register a new user.
  const account = (username: string, email: string) => ({ username, email, password: 'your_password' });
  const registered = await post('/auth/register', account('your_username', 'your_email@example.com'));
  expect([registered.status, registered.body]).toEqual([
    200,
    {
      message: 'User your_email@example.com signed up successfully',
      user: { id: expect.any(Number), email: 'your_email@example.com', username: 'your_username', role: 'user' },
    },
  ]);
  const { user: anna } = registered.body;
  const second = await post('/auth/signup', account('second_username', 'second@example.com'));
  const { user: ben } = second.body;
  for (const [username, email, taken] of [
    ['your_username', 'your_email@example.com', 'email'],
    ['third_username', 'your_email@example.com', 'email'],
    ['your_username', 'third@example.com', 'username'],
  ] as const) {
    const again = await post('/auth/register', account(username, email));
    expect([again.status, again.body]).toEqual([400, { detail: `User with this ${taken} already exists` }]);
  }

  // 2. Login to get JWT token: JSON by name, and a form by e-mail.
  const login = await post('/auth/login', { username: 'your_username', password: 'your_password' });
  expect([login.status, login.body]).toEqual([
    200,
    { access_token: expect.any(String), refresh_token: expect.any(String), token_type: 'bearer', user: anna },
  ]);
  const form = await world.ask('POST', `${api}/auth/login`, {
    form: { username: 'second@example.com', password: 'your_password', grant_type: 'password' },
  });
  expect([form.status, form.body.user]).toEqual([200, ben]);
  const tokens = [login.body.access_token, form.body.access_token] as const;

  // 3. Use the token for authenticated requests.
  const me = await get('/auth/me', tokens[0]);
  expect(me.body).toEqual({
    user: { ...anna, is_active: true, created_at: expect.any(String), updated_at: expect.any(String) },
  });
  expect((await get('/auth/me')).status).toBe(401);
  const refreshed = await post('/auth/refresh', { refresh_token: login.body.refresh_token });
  expect(refreshed.body).toEqual({ access_token: expect.any(String), token_type: 'bearer' });
  expect((await get(`/user/${ben.id}`, refreshed.body.access_token)).body).toMatchObject(ben);

  // Roles: only admins make rooms, and the command line makes an admin.
  const description = 'For everybody';
  const denied = await post('/rooms/', { name: 'General', description }, tokens[0]);
  expect([denied.status, denied.body]).toEqual([
    403,
    { detail: "Insufficient permissions. Required roles: ['admin']" },
  ]);
  expect(await natter('user', 'role', 'your_username', 'admin')).toBe('your_username has the role admin.\n');
  const made = await post('/rooms/', { name: 'General', description }, tokens[0]);
  expect([made.status, made.body]).toEqual([
    200,
    {
      name: 'General',
      description,
      id: expect.any(Number),
      is_active: true,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    },
  ]);
  const { id: room } = made.body;
  const twice = await post('/rooms/', { name: 'General' }, tokens[0]);
  expect([twice.status, twice.body]).toEqual([400, { detail: "Room with name 'General' already exists" }]);
  expect((await get('/rooms/', tokens[1])).body).toEqual([made.body]);
  expect((await get(`/rooms/${room}`, tokens[1])).body).toEqual(made.body);
  expect((await get('/user/', tokens[1])).status).toBe(403);
  const users = (await get('/user/', tokens[0])).body.map(({ id }: { id: number }) => id);
  expect(users).toEqual([anna.id, ben.id]);

  // WebSocket chat: one by the query, one by the header.
  for (const path of [`${room}`, `${room}?token=garbage`, `999999?token=${tokens[0]}`, `x?token=${tokens[0]}`]) {
    const { status } = await world.refusal(`${api}/ws/${path}`);
    expect([403, 404], path).toContain(status);
  }
  const byQuery = await world.socket(`${api}/ws/${room}?token=${tokens[0]}`);
  const byHeader = await world.socket(`${api}/ws/${room}`, { authorization: `Bearer ${tokens[1]}` });
  const both: Client[] = [byQuery, byHeader];
  for (const socket of both) {
    expect(await socket.next()).toEqual({
      type: 'messages_history',
      data: { messages: [], has_more: false, next_cursor: null },
    });
  }
  // Nobody is told who comes and goes.
  for (const socket of both) expect(await heard(socket)).toEqual([]);

  byQuery.send({ type: 'message', content: '  Hello, world!  ' });
  const [mine, theirs] = [await byQuery.next(), await byHeader.next()];
  expect(mine).toEqual({
    type: 'message',
    data: {
      id: expect.any(Number),
      content: 'Hello, world!',
      user_id: anna.id,
      username: 'your_username',
      room_id: room,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/),
    },
  });
  expect(theirs).toEqual(mine);

  for (const [frame, message] of [
    [{ type: 'message', content: ' \n ' }, 'Message content cannot be empty'],
    [{ type: 'zz' }, 'Unknown message type: zz'],
    ['{"type": "message"', 'Invalid JSON format'],
  ] as const) {
    byHeader.send(frame);
    expect(await byHeader.next()).toEqual({ type: 'error', message });
  }
  for (let i = 1; i <= 6; i += 1) {
    byHeader.send({ type: 'message', content: `m${i}` });
    expect((await byQuery.next()).data.content).toBe(`m${i}`);
  }
  expect(await heard(byQuery)).toEqual([]);

  // Fetch message history: three pages, the newest first, each of them oldest first, each message once.
  const pages = await walk(byHeader, 3);
  expect(pages.map((page) => page.map(({ content }) => content))).toEqual([
    ['m4', 'm5', 'm6'],
    ['m1', 'm2', 'm3'],
    ['Hello, world!'],
  ]);
  expect(pages[2]).toEqual([mine.data]);

  const page = await get(`/rooms/${room}/messages?limit=2`, tokens[1]);
  expect(page.body.map(({ content }: { content: string }) => content)).toEqual(['m5', 'm6']);
  const before = await get(`/rooms/${room}/messages?limit=2&cursor=${page.body[0].id}`, tokens[1]);
  expect(before.body.map(({ content }: { content: string }) => content)).toEqual(['m3', 'm4']);
  expect(before.body[0]).toEqual({
    content: 'm3',
    id: expect.any(Number),
    user_id: ben.id,
    room_id: room,
    created_at: expect.any(String),
    updated_at: expect.any(String),
    user: { ...ben, is_active: true, created_at: expect.any(String), updated_at: expect.any(String) },
  });

  // WebSocket info, and the address that the original prints there.
  const info = await get('/chat/websocket-info', tokens[1]);
  expect(info.body).toMatchObject({
    websocket_endpoint: '/api/v1/ws/{room_id}',
    authentication: {
      method: 'JWT Token',
      query_parameter: '?token=your_jwt_token',
      header: 'Authorization: Bearer your_jwt_token',
    },
    message_formats: {
      send_message: { type: 'message', content: 'Hello, world!' },
      fetch_history: { type: 'fetch_messages', cursor: 123, limit: 50 },
    },
    response_formats: { new_message: {}, message_history: {}, error: { type: 'error' } },
    room_info: {},
  });
  const address = /new WebSocket\('ws:\/\/([^/]+)(\/api\/v1\/ws)\/1\?token=your_jwt_token'\)/.exec(
    info.body.connection_example.javascript,
  );
  expect(address?.[1]).toBe(`127.0.0.1:${world.app.port}`);
  expect(info.body.connection_example.python).toContain(address?.[2]);
  const short = await world.socket(`/ws/${room}?token=${tokens[1]}`);
  expect((await short.next()).data.messages).toHaveLength(7);

  // Swagger UI, ReDoc, and what they read.
  for (const path of ['/docs/', '/redoc']) {
    const shown = await world.ask('GET', path, { headers: { accept: 'text/html' } });
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  }
  const { body: document } = await world.ask('GET', '/openapi.json');
  for (const path of ['/auth/register', '/auth/login', '/auth/refresh', '/auth/me', '/user/', '/user/{user_id}']) {
    expect(Object.keys(document.paths)).toContain(api + path);
  }
  for (const path of ['/rooms/', '/rooms/{room_id}', '/rooms/{room_id}/messages', '/chat/websocket-info']) {
    expect(Object.keys(document.paths)).toContain(api + path);
  }
});

/** Dialect 001, Real-Time Chat Application: its document walked from top to bottom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heard, joined, left, People } from './001-people.js';
import { openWorld, types, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const people = new People(() => world);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);

describe('dialect 001: the document', () => {
  it('shows its API at /api/docs and /api/redoc: the nine rows of its table', async () => {
    const docs = await world.ask('GET', '/api/docs');
    expect([docs.status, docs.body]).toEqual([200, expect.stringContaining('swagger-ui')]);
    const redoc = await world.ask('GET', '/api/redoc');
    expect([redoc.status, redoc.body]).toEqual([200, expect.stringContaining('spec-url="/api/openapi.json"')]);
    const { body: openapi } = await world.ask('GET', '/api/openapi.json');
    const routes = Object.entries<object>(openapi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.sort()).toEqual([
      'GET /api/chat/rooms',
      'GET /api/chat/rooms/{room_id}',
      'GET /api/chat/rooms/{room_id}/messages',
      'GET /api/health',
      'POST /api/chat/rooms',
      'POST /api/chat/rooms/{room_id}/messages',
      'POST /api/login',
      'POST /api/logout',
      'POST /api/register',
    ]);
    expect(openapi.info).toEqual({ title: 'Real-Time Chat Application', version: '1.0.0' });
    expect(openapi.components.securitySchemes.OAuth2PasswordBearer.flows.password.tokenUrl).toBe('/api/login');
    const text = JSON.stringify(openapi);
    const named = [...text.matchAll(/#\/components\/schemas\/([^"]+)/g)].map(([, name]) => name as string);
    expect(new Set(Object.keys(openapi.components.schemas))).toEqual(new Set(named));
    expect(Object.keys(openapi.paths['/api/login'].post.requestBody.content)).toEqual([
      'application/x-www-form-urlencoded',
      'application/json',
    ]);
    const parameters = openapi.paths['/api/chat/rooms'].get.parameters;
    expect(parameters.map(({ name, required }: Record<string, unknown>) => [name, required ?? false])).toEqual([
      ['skip', false],
      ['limit', false],
      ['search', false],
    ]);
    // What the page of Swagger draws from is the same document.
    expect((await world.ask('GET', '/api/docs/json')).body).toEqual(openapi);
  });

  it('is walked from registering to connecting', async () => {
    // Register a user; log in; get chat rooms.
    const testuser = { username: 'testuser', email: 'test@example.com', password: 'testpassword' };
    const registered = await world.ask('POST', '/api/register', { body: testuser });
    expect([registered.status, registered.body]).toEqual([
      201,
      { username: 'testuser', email: 'test@example.com', id: expect.any(Number), created_at: TIME },
    ]);
    const again = await world.ask('POST', '/api/register', { body: testuser });
    expect([again.status, again.body]).toEqual([400, { detail: 'Username or email already registered' }]);
    const short = await world.ask('POST', '/api/register', {
      body: { ...testuser, username: 'te', password: 'short' },
    });
    expect([short.status, types(short)]).toEqual([422, ['string_too_short', 'string_too_short']]);
    const form = { username: 'testuser', password: 'testpassword' };
    const login = await world.ask('POST', '/api/login', { form });
    expect([login.status, login.body]).toEqual([200, { access_token: expect.any(String), token_type: 'bearer' }]);
    const a = { id: registered.body.id, username: 'testuser', token: login.body.access_token };
    const otherToken = await world.ask('POST', '/api/login', { form }).then(({ body }) => body.access_token);
    expect(otherToken).not.toBe(a.token);
    const b = await people.join('ben');
    const rooms = await world.ask('GET', '/api/chat/rooms', { token: a.token });
    expect([rooms.status, rooms.body]).toEqual([200, []]);

    // Rooms: make, list, search, one in detail.
    const made = await people.ask('POST', '/chat/rooms', { token: a.token, body: { name: 'General Talk' } });
    const general = { name: 'General Talk', id: expect.any(Number), created_by: a.id, created_at: TIME };
    expect([made.status, made.body]).toEqual([201, general]);
    const room = made.body.id;
    await people.room(b, 'Cats & Dogs');
    const list = await people.ask('GET', '/chat/rooms', { token: b.token });
    expect(list.body.map(({ name }: { name: string }) => name)).toEqual(['General Talk', 'Cats & Dogs']);
    const found = await people.ask('GET', '/chat/rooms?search=RAL%20t', { token: b.token });
    expect(found.body).toEqual([general]);
    const detail = { ...general, creator_username: 'testuser', message_count: 0 };
    expect((await people.ask('GET', `/chat/rooms/${room}`, { token: b.token })).body).toEqual(detail);

    // Messages: post, read, page, search.
    for (const content of ['first', 'Second thoughts', 'third']) {
      const sent = await people.ask('POST', `/chat/rooms/${room}/messages`, { token: a.token, body: { content } });
      expect([sent.status, sent.body]).toEqual([
        201,
        { content, id: expect.any(Number), user_id: a.id, room_id: room, timestamp: TIME, username: 'testuser' },
      ]);
    }
    expect(await people.contents(b, room)).toEqual(['third', 'Second thoughts', 'first']);
    expect(await people.contents(b, room, '?skip=1&limit=1')).toEqual(['Second thoughts']);
    expect(await people.contents(b, room, '?search=THOUGHT')).toEqual(['Second thoughts']);
    expect((await people.ask('GET', `/chat/rooms/${room}`, { token: b.token })).body.message_count).toBe(3);

    // ws://localhost:8000/ws/{room_id}?token={your_access_token}
    const anna = await people.connect(a, room);
    const second = await people.connect({ ...a, token: otherToken }, room);
    expect(await anna.next()).toEqual(joined('testuser'));
    const ben = await people.connect(b, room);
    for (const socket of [anna, second]) expect(await socket.next()).toEqual(joined(b.username));
    anna.send({ content: 'via ws' });
    const message = { type: 'message', user_id: a.id, username: 'testuser', content: 'via ws', timestamp: TIME };
    for (const socket of [anna, second, ben]) expect(await socket.next()).toEqual(message);
    ben.send('this is not JSON');
    expect(await ben.next()).toBe('Invalid JSON format. Please send proper JSON.');
    ben.send({ type: 'anything', content: 'still here', room_id: 1 });
    for (const socket of [anna, second, ben]) {
      expect(await socket.next()).toEqual({ ...message, user_id: b.id, username: b.username, content: 'still here' });
    }
    await people.post(b, room, 'by HTTP');
    for (const socket of [anna, second, ben]) expect((await socket.next()).content).toBe('by HTTP');
    expect((await people.contents(b, room)).slice(0, 3)).toEqual(['by HTTP', 'still here', 'via ws']);

    // End a user session (revoke JWT).
    const logout = await people.ask('POST', '/logout', { token: a.token });
    expect([logout.status, logout.body]).toEqual([200, { message: 'Successfully logged out' }]);
    await anna.end();
    for (const socket of [second, ben]) expect(await socket.next()).toEqual(left('testuser'));
    const revoked = await people.ask('GET', '/chat/rooms', { token: a.token });
    expect([revoked.status, revoked.body]).toEqual([401, { detail: 'Could not validate credentials' }]);
    expect(await world.refusal(`/ws/${room}?token=${a.token}`)).toEqual({ status: 403, body: '' });
    expect((await people.ask('GET', '/chat/rooms', { token: otherToken })).status).toBe(200);
    expect(await heard(second)).toEqual([]);
    await second.close();
    expect(await ben.next()).toEqual(left('testuser'));
  });
});

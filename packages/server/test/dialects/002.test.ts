/** Dialect 002, Chat Service API: its document walked from top to bottom, and each row of its contract. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, heard, PASSWORD, People, type Person } from './002-people.js';
import { fresh, locs, openWorld, types, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const people = new People(() => world);
const join = people.join.bind(people);
const direct = people.direct.bind(people);
const group = people.group.bind(people);
const connect = people.connect.bind(people);

const USER = {
  username: expect.any(String),
  email: expect.any(String),
  full_name: null,
  id: expect.any(Number),
  is_active: true,
  created_at: expect.stringMatching(/Z$/),
  last_seen: expect.stringMatching(/Z$/),
};

describe('dialect 002: the document', () => {
  it('is walked from registering to leaving', async () => {
    const [a, b, c] = await Promise.all([join('anna', 'Anna Ash'), join('ben'), join('carl')]);
    const again = await world.ask('POST', `${api}/users/register`, {
      body: { username: a.username, email: 'other@example.com', password: PASSWORD },
    });
    expect([again.status, again.body]).toEqual([400, { detail: 'Username already exists' }]);

    const me = await world.ask('PUT', `${api}/users/me`, { token: b.token, body: { full_name: 'Benedict Birch' } });
    expect(me.body).toEqual({ ...USER, username: b.username, full_name: 'Benedict Birch', id: b.id });
    const found = await world.ask('GET', `${api}/users/search?q=ict%20bir`, { token: a.token });
    expect(found.body.map(({ id }: Person) => id)).toEqual([b.id]);

    const chat = await direct(a, b);
    expect(await direct(b, a)).toBe(chat);
    const two = await world.ask('POST', `${api}/chats/`, {
      token: a.token,
      body: { chat_type: 'direct', participant_ids: [b.id, c.id] },
    });
    expect([two.status, locs(two)]).toEqual([422, [['body', 'participant_ids']]]);

    const team = await group(a, [b]);
    const chats = await world.ask('GET', `${api}/chats/?page=1&limit=20`, { token: a.token });
    expect(chats.body).toMatchObject({ total: 2, page: 1, limit: 20, pages: 1 });
    expect(chats.body.items.map(({ id }: { id: number }) => id)).toEqual([team, chat]);

    expect((await world.ask('GET', `${api}/chats/${team}`, { token: c.token })).status).toBe(404);
    const rename = (token: string) => world.ask('PUT', `${api}/chats/${team}`, { token, body: { name: 'Crew' } });
    expect((await rename(b.token)).status).toBe(403);
    expect((await rename(a.token)).body).toMatchObject({ name: 'Crew', chat_type: 'group', id: team });

    const add = (token: string) =>
      world.ask('POST', `${api}/chats/${team}/participants`, { token, body: { user_ids: [c.id] } });
    expect((await add(b.token)).body).toEqual({ detail: 'Only admins can add participants' });
    expect((await add(a.token)).body).toEqual({ message: 'Participants added successfully' });
    const flags = await world.ask('GET', `${api}/chats/${team}/participants`, { token: c.token });
    expect(flags.body.map((one: { user_id: number; is_admin: boolean }) => [one.user_id, one.is_admin])).toEqual([
      [a.id, true],
      [b.id, false],
      [c.id, false],
    ]);
    const removed = await world.ask('DELETE', `${api}/chats/${team}/participants`, {
      token: a.token,
      body: { user_id: c.id },
    });
    expect(removed.body).toEqual({ message: 'Participant removed successfully' });

    const send = (token: string, content: string) =>
      world.ask('POST', `${api}/messages/`, { token, body: { chat_id: team, content } });
    const sent = await send(a.token, 'Hello, world!');
    expect([sent.status, sent.body]).toEqual([
      201,
      {
        content: 'Hello, world!',
        id: expect.any(Number),
        chat_id: team,
        sender_id: a.id,
        sender_username: a.username,
        timestamp: expect.stringMatching(/Z$/),
        message_type: 'text',
        is_edited: false,
        is_deleted: false,
      },
    ]);
    expect((await send(a.token, 'x'.repeat(10_000))).status).toBe(201);
    expect((await send(a.token, 'x'.repeat(10_001))).status).toBe(422);
    expect((await send(c.token, 'let me in')).body).toEqual({ detail: 'User is not a participant in this chat' });

    const edited = await world.ask('PUT', `${api}/messages/${sent.body.id}`, {
      token: a.token,
      body: { content: 'Hello!' },
    });
    expect(edited.body).toMatchObject({ id: sent.body.id, content: 'Hello!', is_edited: true });
    const gone = await world.ask('DELETE', `${api}/messages/${sent.body.id}`, { token: a.token });
    expect(gone.body).toEqual({ message: 'Message deleted successfully' });
    const history = await world.ask('GET', `${api}/messages/chat/${team}`, { token: b.token });
    expect(history.body).toMatchObject({ total: 1, page: 1, limit: 20, pages: 1 });
    expect(history.body.items.map(({ content }: { content: string }) => content.length)).toEqual([10_000]);

    // The socket.
    for (const path of [`${team}?token=garbage`, `${team}`, `${team}?token=${c.token}`]) {
      expect(await world.refusal(`${api}/ws/${path}`)).toEqual({ status: 403, body: '' });
    }
    const anna = await connect(a, team);
    expect(await heard(anna, team)).toEqual([]);
    const ben = await connect(b, team);
    expect(await anna.next()).toEqual({
      type: 'user_joined',
      user_id: b.id,
      chat_id: team,
      timestamp: expect.stringMatching(/Z$/),
    });
    expect(await heard(ben, team)).toEqual([]);
    const stats = await world.ask('GET', `${api}/ws/stats`);
    expect(stats.body).toEqual({ online_users: 2, total_connections: 2 });
    const online = await world.ask('GET', `${api}/ws/chat/${team}/online`, { token: a.token });
    expect(online.body).toEqual({
      chat_id: team,
      online_users: [
        { id: a.id, username: a.username, full_name: 'Anna Ash' },
        { id: b.id, username: b.username, full_name: 'Benedict Birch' },
      ],
      count: 2,
    });

    ben.send({ type: 'typing', chat_id: team, content: 'start' });
    ben.send({ type: 'typing', chat_id: team, content: 'stop' });
    for (const type of ['typing_started', 'typing_stopped']) {
      expect(await anna.next()).toEqual({ type, user_id: b.id, chat_id: team, timestamp: expect.any(String) });
    }
    ben.send({ type: 'ping', chat_id: team });
    expect(await ben.next()).toEqual({ type: 'pong', timestamp: expect.stringMatching(/Z$/) });

    ben.send({ type: 'message', chat_id: team, content: '  Hello, world!  ' });
    const frames = [await anna.next(), await ben.next()];
    expect(frames[0]).toEqual(frames[1]);
    expect(frames[0]).toEqual({
      type: 'new_message',
      chat_id: team,
      timestamp: frames[0].message.timestamp,
      message: {
        id: expect.any(Number),
        chat_id: team,
        sender_id: b.id,
        sender_username: b.username,
        content: 'Hello, world!',
        timestamp: expect.stringMatching(/Z$/),
        message_type: 'text',
        is_edited: false,
        is_deleted: false,
      },
    });

    await ben.close();
    expect(await anna.next()).toMatchObject({ type: 'user_left', user_id: b.id, chat_id: team });
    const left = await world.ask('DELETE', `${api}/chats/${team}`, { token: b.token });
    expect(left.body).toEqual({ message: 'Left chat successfully' });
    expect((await world.ask('GET', `${api}/chats/${team}`, { token: b.token })).status).toBe(404);
  });
});

describe('dialect 002: accounts', () => {
  it('registers with what is asked, and says all that is wrong in the order of the fields', async () => {
    const bad = await world.ask('POST', `${api}/users/register`, {
      body: { username: 'ab', password: '12345', full_name: 'x'.repeat(101), extra: 1 },
    });
    expect(bad.status).toBe(422);
    expect(locs(bad)).toEqual([
      ['body', 'username'],
      ['body', 'email'],
      ['body', 'full_name'],
      ['body', 'password'],
    ]);
    expect(types(bad)).toEqual(['string_too_short', 'missing', 'string_too_long', 'string_too_short']);
    const username = fresh('dora');
    const body = { username, email: 'no address at all', password: '123456' };
    expect((await world.ask('POST', `${api}/users/register`, { body })).body).toMatchObject({
      username,
      email: body.email,
    });
    const taken = { ...body, username: fresh('dora') };
    expect((await world.ask('POST', `${api}/users/register`, { body: taken })).body).toEqual({
      detail: 'Email already exists',
    });
  });

  it('logs in by JSON alone, and answers an unknown name like a wrong password', async () => {
    const { username } = await join('emil');
    const wrong = await world.ask('POST', `${api}/users/login`, { body: { username, password: 'nonsense' } });
    const unknown = await world.ask('POST', `${api}/users/login`, { body: { username: 'nobody', password: PASSWORD } });
    for (const refused of [wrong, unknown]) {
      expect([refused.status, refused.body]).toEqual([401, { detail: 'Incorrect username or password' }]);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    }
    const form = await world.ask('POST', `${api}/users/login`, { form: { username, password: PASSWORD } });
    expect([form.status, locs(form)]).toEqual([422, [['body']]]);
  });

  it('asks for a bearer token after it has read the body, and before it looks at it', async () => {
    const { token } = await join('fritz');
    const none = await world.ask('POST', `${api}/messages/`, { body: {} });
    expect([none.status, none.body]).toEqual([403, { detail: 'Not authenticated' }]);
    const bad = await world.ask('GET', `${api}/users/me`, { token: 'garbage' });
    expect([bad.status, bad.body]).toEqual([401, { detail: 'Could not validate credentials' }]);
    const broken = await world.ask('POST', `${api}/messages/`, { body: '{"chat_id": 1,' });
    expect([broken.status, types(broken)]).toEqual([422, ['json_invalid']]);
    const lower = await world.ask('GET', `${api}/users/me`, { headers: { authorization: `bearer ${token}` } });
    expect(lower.status).toBe(200);
    const other = await world.ask('GET', `${api}/users/me`, { headers: { authorization: `Basic ${token}` } });
    expect(other.status).toBe(403);
  });

  it('changes oneself, and finds others', async () => {
    const [one, other] = await Promise.all([join('gustav', 'Zoë Gustafson'), join('gustav')]);
    const put = (body: object) => world.ask('PUT', `${api}/users/me`, { token: one.token, body });
    expect((await put({})).body).toMatchObject({ full_name: 'Zoë Gustafson' });
    expect((await put({ email: `${other.username}@example.com` })).body).toEqual({
      detail: 'Email already registered',
    });
    expect(locs(await put({ full_name: 'x'.repeat(101) }))).toEqual([['body', 'full_name']]);
    const search = (query: string) => world.ask('GET', `${api}/users/search?${query}`, { token: other.token });
    expect((await search('q=zo%C3%AB')).body.map(({ id }: Person) => id)).toContain(one.id);
    expect((await search('q=GUSTAV&limit=1')).body).toHaveLength(1);
    expect((await search('q=%20a%20')).body).toEqual({ detail: 'Search query must be at least 2 characters long' });
    expect((await search('q=%25%25')).body).toEqual([]);
    expect(locs(await search('limit=x'))).toEqual([
      ['query', 'q'],
      ['query', 'limit'],
    ]);
    const get = (id: unknown) => world.ask('GET', `${api}/users/${id}`, { token: other.token });
    expect((await get(one.id)).body).toMatchObject({ username: one.username, email: `${one.username}@example.com` });
    expect((await get(999_999)).body).toEqual({ detail: 'User not found' });
    expect(locs(await get('x'))).toEqual([['path', 'user_id']]);
  });
});

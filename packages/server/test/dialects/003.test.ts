/** Dialect 003, Real-Time Chat (Streamlit): its document walked from top to bottom, and its accounts and sessions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter, heard, PASSWORD, People, type Person } from './003-people.js';
import { type Answered, type Frame, fresh, locs, openWorld, types, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const people = new People(() => world);
const ask = people.ask.bind(people);

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
/** Python's way to write a time; its first 19 characters are what clients show. */
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/);
const TOKENS = {
  access_token: expect.stringMatching(/^[^./]+\.[^./]+\.[^./]+$/),
  refresh_token: expect.any(String),
  token_type: 'bearer',
};
const me = ({ token }: Person) => ask('GET', '/auth/me', { token });
const refresh = ({ refresh: refresh_token }: Person) => ask('POST', '/auth/refresh', { body: { refresh_token } });
const logout = ({ refresh: refresh_token }: Person) => ask('POST', '/auth/logout', { body: { refresh_token } });

describe('dialect 003: the document', () => {
  it('is walked from registering to leaving', async () => {
    // Authentication.
    const username = fresh('john_doe');
    const register = {
      username,
      email: `${username}@example.com`,
      password: PASSWORD,
      full_name: 'John Doe',
    };
    const made = await ask('POST', '/auth/register', { body: register });
    const USER = {
      username,
      email: register.email,
      full_name: 'John Doe',
      id: expect.any(Number),
      is_active: true,
      is_verified: false,
      created_at: TIME,
    };
    expect([made.status, made.body]).toEqual([
      201,
      { message: 'User registered successfully', user: USER, tokens: TOKENS },
    ]);
    const login = await ask('POST', '/auth/login', { body: { username, password: PASSWORD } });
    expect([login.status, login.body]).toEqual([200, { message: 'Login successful', user: USER, tokens: TOKENS }]);
    const a: Person = {
      id: login.body.user.id,
      username,
      email: register.email,
      token: login.body.tokens.access_token,
      refresh: login.body.tokens.refresh_token,
    };
    const [b, c, d] = await Promise.all([people.join('jane'), people.join('bob'), people.join('dora')]);
    expect((await me(a)).body).toEqual(USER);
    const renewed = await refresh(a);
    expect([renewed.status, renewed.body]).toEqual([200, { ...TOKENS, refresh_token: a.refresh }]);
    expect(renewed.body.access_token).not.toBe(a.token);
    expect((await logout(a)).body).toEqual({ message: 'Logout successful' });
    // The document goes on with the access token that it had.
    expect((await me(a)).status).toBe(200);

    // Messages.
    const hello = await ask('POST', '/messages/send', {
      token: a.token,
      body: { recipient_id: b.id, content: 'Hello! How are you?' },
    });
    const direct = hello.body.data.chat_room_id;
    expect([hello.status, hello.body]).toEqual([
      201,
      {
        message: 'Message sent successfully',
        data: {
          id: expect.any(Number),
          chat_room_id: expect.any(Number),
          sender_id: a.id,
          content: 'Hello! How are you?',
          is_read: false,
          created_at: TIME,
        },
      },
    ]);
    await people.write(a, b, 'two');
    expect((await people.write(a, b, 'three')).chat_room_id).toBe(direct);
    const chats = ({ token }: Person) => ask('GET', '/messages/chats', { token });
    expect((await chats(b)).body).toEqual([
      {
        chat_room_id: direct,
        other_user_id: a.id,
        other_user_username: a.username,
        other_user_full_name: 'John Doe',
        last_message: 'three',
        last_message_time: TIME,
        unread_count: 3,
      },
    ]);
    expect((await chats(a)).body).toMatchObject([{ other_user_id: b.id, last_message: 'three', unread_count: 0 }]);
    const history = (query: string) => ask('GET', `/messages/chat/${a.id}${query}`, { token: b.token });
    const newest = await history('?limit=2&offset=0');
    expect(newest.body.map(({ content }: Frame) => content)).toEqual(['two', 'three']);
    expect(newest.body[1]).toEqual({
      id: expect.any(Number),
      chat_room_id: direct,
      sender_id: a.id,
      content: 'three',
      is_read: true,
      created_at: TIME,
      sender_username: a.username,
      sender_full_name: 'John Doe',
    });
    expect((await history('?limit=50&offset=2')).body.map(({ content }: Frame) => content)).toEqual([
      'Hello! How are you?',
    ]);
    expect((await chats(b)).body).toMatchObject([{ unread_count: 0 }]);

    // Groups.
    const team = await ask('POST', '/groups/create', {
      token: a.token,
      body: { name: 'Team Discussion', member_ids: [b.id, c.id] },
    });
    const group = {
      id: expect.any(Number),
      name: 'Team Discussion',
      room_type: 'group',
      created_by: a.id,
      member_count: 3,
      created_at: TIME,
    };
    expect([team.status, team.body]).toEqual([201, { message: 'Group created successfully', group }]);
    const room = team.body.group.id;
    const sent = await ask('POST', '/groups/send', {
      token: a.token,
      body: { group_id: room, content: 'Hello team!' },
    });
    expect([sent.status, sent.body.message, sent.body.data]).toMatchObject([
      201,
      'Message sent successfully',
      { chat_room_id: room, sender_id: a.id, content: 'Hello team!', is_read: false },
    ]);
    const groupMessages = ({ token }: Person) => ask('GET', `/groups/${room}/messages?limit=50`, { token });
    expect((await groupMessages(b)).body).toEqual([
      { ...sent.body.data, sender_username: a.username, sender_full_name: 'John Doe' },
    ]);
    expect(said(await groupMessages(d))).toEqual([403, 'You are not a member of this group']);
    expect((await ask('GET', '/groups/my-groups', { token: c.token })).body).toEqual([
      { ...group, last_message: 'Hello team!', last_message_time: TIME },
    ]);
    const add = (token: string) => ask('POST', `/groups/${room}/members`, { token, body: { user_ids: [c.id, d.id] } });
    expect(said(await add(b.token))).toEqual([403, 'Only group creator can add members']);
    const added = await add(a.token);
    expect([added.status, added.body]).toEqual([200, { message: 'Successfully added 1 members', members_added: 1 }]);
    const remove = (by: Person, user: Person) =>
      ask('DELETE', `/groups/${room}/members`, { token: by.token, body: { user_id: user.id } });
    expect(said(await remove(b, d))).toEqual([403, 'Not authorized to remove this member']);
    expect((await remove(a, d)).body).toEqual({ message: 'Member removed successfully' });
    expect((await remove(c, c)).body).toEqual({ message: 'Member removed successfully' });
    expect((await ask('GET', '/groups/my-groups', { token: c.token })).body).toEqual([]);

    // The socket.
    const anna = await people.connect(a);
    const ben = await people.connect(b);
    const online = await ask('GET', '/ws/online-users');
    expect(online.body).toEqual({ online_users: [a.id, b.id].sort((x, y) => x - y), count: 2 });
    await enter(anna, room);
    await enter(ben, room);
    expect(await anna.next()).toEqual({ type: 'user_joined', room_id: room, user_id: b.id, username: b.username });
    const carl = await people.connect(c);
    carl.send({ type: 'join_room', room_id: room });
    expect(await carl.next()).toEqual({ type: 'error', message: "You don't have access to this room" });
    carl.send({ type: 'message', room_id: room, content: 'let me in' });
    expect(await carl.next()).toEqual({ type: 'error', message: 'You are not in this room' });

    anna.send({ type: 'message', room_id: room, content: 'Hello everyone!' });
    const frames = [await anna.next(), await ben.next()];
    expect(frames[0]).toEqual(frames[1]);
    expect(frames[0]).toEqual({
      type: 'new_message',
      room_id: room,
      message_id: expect.any(Number),
      sender_id: a.id,
      sender_username: a.username,
      sender_full_name: 'John Doe',
      content: 'Hello everyone!',
      created_at: TIME,
    });
    anna.send({ type: 'typing', room_id: room });
    expect(await ben.next()).toEqual({ type: 'user_typing', room_id: room, user_id: a.id, username: a.username });
    expect(await heard(anna)).toEqual([]);
    anna.send({ type: 'ping' });
    expect(await anna.next()).toEqual({ type: 'pong' });
    ben.send({ type: 'leave_room', room_id: room });
    expect(await ben.next()).toEqual({ type: 'room_left', room_id: room, message: `Left room ${room}` });
    expect(await anna.next()).toEqual({ type: 'user_left', room_id: room, user_id: b.id, username: b.username });
    anna.send({ type: 'message', room_id: room, content: 'anybody there?' });
    await anna.frame('new_message');
    expect(await heard(ben)).toEqual([]);
    // Leaving the room live leaves the membership.
    expect((await groupMessages(b)).body.map(({ content }: Frame) => content)).toEqual([
      'Hello team!',
      'Hello everyone!',
      'anybody there?',
    ]);
    await Promise.all([anna, ben, carl].map((client) => client.close()));
  });
});

describe('dialect 003: accounts', () => {
  it('[D4] registers with what is asked, and says all that is wrong in the order of the fields', async () => {
    const bad = await ask('POST', '/auth/register', {
      body: { username: 'ab', email: 'nobody', password: '1234567', full_name: 'x'.repeat(101), extra: 1 },
    });
    expect(bad.status).toBe(422);
    expect(locs(bad)).toEqual([
      ['body', 'username'],
      ['body', 'email'],
      ['body', 'password'],
      ['body', 'full_name'],
    ]);
    expect(types(bad)).toEqual(['string_too_short', 'value_error', 'string_too_short', 'string_too_long']);
    expect(types(await ask('POST', '/auth/register', { body: {} }))).toEqual(['missing', 'missing', 'missing']);
    const wrong = await ask('POST', '/auth/register', { body: { username: 1, email: null, password: [] } });
    expect(types(wrong)).toEqual(['string_type', 'string_type', 'string_type']);
    for (const email of ['a@b', 'a@localhost', 'a@shop.test', '@example.com', 'a b@example.com']) {
      const body = { username: fresh('emil'), email, password: PASSWORD };
      expect(locs(await ask('POST', '/auth/register', { body })), email).toEqual([['body', 'email']]);
    }
    const long = {
      username: `${fresh('long')}${'y'.repeat(50)}`.slice(0, 50),
      email: `${fresh('long')}@example.com`,
      password: 'p'.repeat(100),
      full_name: '',
    };
    const made = await ask('POST', '/auth/register', { body: long });
    expect([made.status, made.body.user]).toMatchObject([201, { username: long.username, full_name: null }]);
    const longer = { ...long, username: `${long.username}y`, password: 'p'.repeat(101) };
    expect(types(await ask('POST', '/auth/register', { body: longer }))).toEqual([
      'string_too_long',
      'string_too_long',
    ]);
    // What Natter's own names forbid is a 422 as well.
    const invisible = { ...long, username: 'an\u200bna', email: `${fresh('x')}@example.com` };
    expect(locs(await ask('POST', '/auth/register', { body: invisible }))).toEqual([['body', 'username']]);
  });

  it('[D4] takes a name and an address once, in any case', async () => {
    const { username, email } = await people.join('anna');
    const register = (body: object) => ask('POST', '/auth/register', { body: { password: PASSWORD, ...body } });
    const name = await register({ username: username.toUpperCase(), email: `${fresh('other')}@example.com` });
    expect(said(name)).toEqual([400, 'Username already taken']);
    const address = await register({ username: fresh('other'), email: email.toUpperCase() });
    expect(said(address)).toEqual([400, 'Email already registered']);
  });

  it('logs in by name or address, and answers an unknown name like a wrong password', async () => {
    const anna = await people.join('anna');
    const [one, two] = await Promise.all([people.device(anna), people.device(anna, anna.email)]);
    expect(new Set([anna.refresh, one.refresh, two.refresh]).size).toBe(3);
    for (const body of [
      { username: anna.username, password: 'nonsense' },
      { username: fresh('nobody'), password: PASSWORD },
      { username: 'nobody@example.com', password: PASSWORD },
      { username: '', password: '' },
    ]) {
      const refused = await ask('POST', '/auth/login', { body });
      expect(said(refused)).toEqual([401, 'Invalid username or password']);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(locs(await ask('POST', '/auth/login', { body: { username: 5 } }))).toEqual([
      ['body', 'username'],
      ['body', 'password'],
    ]);
    const form = await ask('POST', '/auth/login', { form: { username: anna.username, password: PASSWORD } });
    expect([form.status, locs(form)]).toEqual([422, [['body']]]);
  });

  it('[D4] wants a bearer token where one is needed: none is 403, a bad one 401', async () => {
    for (const [method, path] of [
      ['GET', '/auth/me'],
      ['POST', '/auth/logout-all'],
      ['POST', '/auth/change-password'],
      ['POST', '/messages/send'],
      ['GET', '/messages/chat/1'],
      ['GET', '/messages/chats'],
      ['POST', '/groups/create'],
      ['POST', '/groups/send'],
      ['GET', '/groups/1/messages'],
      ['GET', '/groups/my-groups'],
      ['POST', '/groups/1/members'],
      ['DELETE', '/groups/1/members'],
    ] as const) {
      expect(said(await ask(method, path)), path).toEqual([403, 'Not authenticated']);
      const other = await ask(method, path, { headers: { authorization: 'Basic abc' } });
      expect(said(other), path).toEqual([403, 'Invalid authentication credentials']);
      const bad = await ask(method, path, { token: 'garbage' });
      expect(said(bad), path).toEqual([401, 'Invalid authentication credentials']);
      expect(bad.headers.get('www-authenticate'), path).toBe('Bearer');
    }
    const anna = await people.join('anna');
    expect((await ask('GET', '/auth/me', { headers: { authorization: `bEARER ${anna.token}` } })).status).toBe(200);
    expect((await ask('GET', '/auth/me/', { token: anna.token })).status).toBe(200);
    // A refresh token opens nothing.
    expect((await ask('GET', '/auth/me', { token: anna.refresh })).status).toBe(401);
    const broken = await ask('POST', '/messages/send', { body: '{"recipient_id": 1,' });
    expect([broken.status, types(broken)]).toEqual([422, ['json_invalid']]);
    expect(said(await ask('GET', '/auth/nothing'))).toEqual([404, 'Not Found']);
    expect(said(await ask('GET', '/auth/login'))).toEqual([405, 'Method Not Allowed']);
    expect((await ask('GET', '/')).body).toMatchObject({ status: 'running', docs: '/docs' });
    expect((await ask('GET', '/health')).body).toMatchObject({ status: 'healthy' });
  });
});

describe('dialect 003: sessions', () => {
  /** The session that a token belongs to. */
  const sessionOf = ({ token }: Person): string =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid;

  it('renews an access token again and again by the same refresh token, and says why it does not', async () => {
    const anna = await people.join('anna');
    const other = await people.device(anna);
    for (let i = 0; i < 3; i += 1) {
      const renewed = await refresh(anna);
      expect(renewed.body.refresh_token).toBe(anna.refresh);
      expect((await ask('GET', '/auth/me', { token: renewed.body.access_token })).body.id).toBe(anna.id);
    }
    const socket = await people.connect(anna);
    expect((await logout(anna)).body).toEqual({ message: 'Logout successful' });
    expect(said(await refresh(anna))).toEqual([401, 'Refresh token not found']);
    expect(said(await logout(anna))).toEqual([400, 'Invalid refresh token']);
    // Only this refresh token is gone.
    expect((await me(anna)).status).toBe(200);
    expect(await heard(socket)).toEqual([]);
    expect((await refresh(other)).status).toBe(200);

    for (const garbage of ['', 'garbage', anna.token, `${anna.refresh}x`]) {
      expect(said(await refresh({ ...anna, refresh: garbage })), garbage).toEqual([401, 'Invalid refresh token']);
      expect(said(await logout({ ...anna, refresh: garbage })), garbage).toEqual([400, 'Invalid refresh token']);
    }
    for (const path of ['/auth/refresh', '/auth/logout']) {
      expect(locs(await ask('POST', path, { body: {} })), path).toEqual([['body', 'refresh_token']]);
      expect(types(await ask('POST', path, { body: { refresh_token: 7 } })), path).toEqual(['string_type']);
    }
    // Tokens of the native API change with every use, and are not taken here.
    const native = await ask('POST', '/v1/users', { body: { name: fresh('nora'), password: 'correct horse battery' } });
    expect(said(await refresh({ ...anna, refresh: native.body.refreshToken }))).toEqual([
      401,
      'Refresh token not found',
    ]);

    const { store } = world.app.parts;
    const session = await store.db
      .selectFrom('sessions')
      .select('refresh_hash')
      .where('id', '=', sessionOf(other))
      .executeTakeFirstOrThrow();
    const now = Date.now();
    await store.rotateSession(sessionOf(other), session.refresh_hash, session.refresh_hash, now, now - 1);
    expect(said(await refresh(other))).toEqual([401, 'Refresh token expired']);
  });

  it('[A1] logs out all devices: their refresh tokens, access tokens and open sockets end', async () => {
    const [anna, ben] = await Promise.all([people.join('anna'), people.join('ben')]);
    const devices = [anna, await people.device(anna), await people.device(anna)];
    const [first] = devices as [Person, Person, Person];
    const renewed = await refresh(first);
    const room = (await people.write(anna, ben, 'hello')).chat_room_id;
    const sockets = await Promise.all(devices.map((device) => people.inRoom(device, room)));
    const bystander = await people.connect(ben);
    const ended = await ask('POST', '/auth/logout-all', { token: devices[1]?.token });
    expect([ended.status, ended.body]).toEqual([
      200,
      { message: 'Logged out from all devices', sessions_terminated: 3 },
    ]);
    for (const socket of sockets) expect(await socket.end()).toBe(4003);
    for (const device of [...devices, { ...first, token: renewed.body.access_token }]) {
      expect(said(await me(device))).toEqual([401, 'Invalid authentication credentials']);
      expect(said(await refresh(device))).toEqual([401, 'Refresh token not found']);
      expect(await world.refusal(`/ws/${device.token}`)).toEqual({ status: 403, body: '' });
    }
    expect(await heard(bystander)).toEqual([]);
    const again = await people.device(anna);
    expect((await logout(again)).status).toBe(200);
    // What was given up before does not count.
    const counted = await ask('POST', '/auth/logout-all', { token: again.token });
    expect(counted.body.sessions_terminated).toBe(0);
    expect((await me(again)).status).toBe(401);
  });

  it('[S4] changes a password: every session ends, the one that asked too, and only the new one logs in', async () => {
    const anna = await people.join('anna');
    const other = await people.device(anna);
    const change = (body: object) => ask('POST', '/auth/change-password', { token: anna.token, body });
    expect(said(await change({ old_password: 'nonsense', new_password: 'newpass456' }))).toEqual([
      400,
      'Current password is incorrect',
    ]);
    expect(types(await change({ old_password: PASSWORD, new_password: '1234567' }))).toEqual(['string_too_short']);
    expect(types(await change({ old_password: PASSWORD, new_password: 'x'.repeat(101) }))).toEqual(['string_too_long']);
    expect(locs(await change({}))).toEqual([
      ['body', 'old_password'],
      ['body', 'new_password'],
    ]);
    expect((await me(other)).status).toBe(200);
    const sockets = await Promise.all([anna, other].map((device) => people.connect(device)));
    const changed = await change({ old_password: PASSWORD, new_password: 'newpass456' });
    expect([changed.status, changed.body]).toEqual([
      200,
      { message: 'Password changed successfully. Please login again.' },
    ]);
    for (const socket of sockets) expect(await socket.end()).toBe(4003);
    for (const device of [anna, other]) {
      expect((await me(device)).status).toBe(401);
      expect(said(await refresh(device))).toEqual([401, 'Refresh token not found']);
    }
    const old = await ask('POST', '/auth/login', { body: { username: anna.username, password: PASSWORD } });
    expect(said(old)).toEqual([401, 'Invalid username or password']);
    expect((await me(await people.device(anna, anna.email, 'newpass456'))).status).toBe(200);
  });

  it('[S4] ends everything of an account that is deactivated, and says so to who knows the password', async () => {
    const bare = await openWorld({ DIALECTS: '003' });
    try {
      const own = new People(() => bare);
      const admin = await bare.native();
      const anna = await own.join('anna');
      const socket = await own.connect(anna);
      const done = await bare.ask('PUT', `/v1/users/${anna.id}/active`, {
        token: admin.token,
        body: { active: false },
      });
      expect(done.status).toBe(200);
      expect(await socket.end()).toBe(4003);
      expect((await bare.ask('GET', '/auth/me', { token: anna.token })).status).toBe(401);
      const renewed = await bare.ask('POST', '/auth/refresh', { body: { refresh_token: anna.refresh } });
      expect(renewed.status).toBe(401);
      const login = (password: string) =>
        bare.ask('POST', '/auth/login', { body: { username: anna.username, password } });
      const inactive = await login(PASSWORD);
      expect(said(inactive)).toEqual([401, 'Account is inactive']);
      expect(inactive.headers.get('www-authenticate')).toBe('Bearer');
      expect(said(await login('nonsense'))).toEqual([401, 'Invalid username or password']);
    } finally {
      await bare.close();
    }
  });
});

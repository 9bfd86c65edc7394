/** Dialect 002: what its chats, messages and sockets refuse, in which words, and its limits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, heard, PASSWORD, People, type Person } from './002-people.js';
import { type Answered, fresh, locs, openWorld, types, type World } from './world.js';

let world: World;
let anna: Person;
let ben: Person;
let carl: Person;
const people = new People(() => world);
beforeAll(async () => {
  world = await openWorld();
  [anna, ben, carl] = await Promise.all([people.join('anna'), people.join('ben'), people.join('carl')]);
});
afterAll(() => world.close());

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
const UNKNOWN = 999_999_999;

describe('dialect 002: who asks', () => {
  it('[D4] wants a bearer token on every route but five', async () => {
    const routes = [
      ['GET', '/users/me'],
      ['PUT', '/users/me'],
      ['GET', '/users/search?q=xx'],
      ['GET', '/users/1'],
      ['POST', '/chats/'],
      ['GET', '/chats/'],
      ['GET', '/chats/1'],
      ['PUT', '/chats/1'],
      ['DELETE', '/chats/1'],
      ['POST', '/chats/1/participants'],
      ['DELETE', '/chats/1/participants'],
      ['GET', '/chats/1/participants'],
      ['POST', '/messages/'],
      ['GET', '/messages/chat/1'],
      ['PUT', '/messages/1'],
      ['DELETE', '/messages/1'],
      ['GET', '/ws/chat/1/online'],
    ] as const;
    for (const [method, path] of routes) {
      expect(said(await people.ask(method, path)), path).toEqual([403, 'Not authenticated']);
      const bad = await people.ask(method, path, { token: 'garbage' });
      expect(said(bad), path).toEqual([401, 'Could not validate credentials']);
      expect(bad.headers.get('www-authenticate'), path).toBe('Bearer');
    }
    expect((await people.ask('GET', '/info')).body.limits).toEqual({
      max_group_members: 100,
      max_message_length: 10_000,
    });
    expect((await people.ask('GET', '/ws/stats')).status).toBe(200);
    expect((await world.ask('GET', '/')).body).toMatchObject({
      message: 'Chat Service API',
      version: '1.0.0',
      status: 'running',
    });
    expect((await world.ask('GET', '/health')).body).toMatchObject({
      status: 'healthy',
      mysql: 'connected',
      mongodb: 'connected',
    });
  });
});

describe('dialect 002: accounts that are deactivated', () => {
  it('[D4] are told so wherever a token is asked for, while it is good; a token that is none is refused as ever', async () => {
    const bare = await openWorld();
    try {
      const own = new People(() => bare);
      const admin = await bare.native();
      const gone = await own.join('gone');
      const chat = await own.direct(gone, { ...gone, id: admin.id });
      const active = (active: boolean) =>
        bare.ask('PUT', `/v1/users/${gone.id}/active`, { token: admin.token, body: { active } });
      expect((await active(false)).status).toBe(200);
      const inactive = [400, 'Inactive user'];
      for (const path of [
        '/users/me',
        '/chats/',
        `/chats/${chat}`,
        `/messages/chat/${chat}`,
        `/ws/chat/${chat}/online`,
      ]) {
        expect(said(await own.ask('GET', path, { token: gone.token })), path).toEqual(inactive);
      }
      const sent = await own.ask('POST', '/messages/', { token: gone.token, body: { chat_id: chat, content: 'x' } });
      expect(said(sent)).toEqual(inactive);
      const credentials = { username: gone.username, password: PASSWORD };
      expect(said(await own.ask('POST', '/users/login', { body: credentials }))).toEqual(inactive);
      const [head, claims] = gone.token.split('.');
      const forged = `${head}.${claims}.${'A'.repeat(43)}`;
      const bad = [401, 'Could not validate credentials'];
      expect(said(await own.ask('GET', '/users/me', { token: forged }))).toEqual(bad);
      expect(await bare.refusal(`${api}/ws/${chat}?token=${gone.token}`)).toEqual({ status: 403, body: '' });
      // The session is over for good; who is let in again logs in.
      expect((await active(true)).status).toBe(200);
      expect(said(await own.ask('GET', '/users/me', { token: gone.token }))).toEqual(bad);
      expect((await own.ask('POST', '/users/login', { body: credentials })).status).toBe(200);
    } finally {
      await bare.close();
    }
  });
});

describe('dialect 002: chats', () => {
  const create = (body: unknown) => people.ask('POST', '/chats/', { token: anna.token, body });

  it('[D4] refuses what is no chat with 422, and those who are nobody with 400', async () => {
    const kind = await create({ chat_type: 'channel', participant_ids: [ben.id] });
    expect([kind.status, locs(kind), types(kind)]).toEqual([422, [['body', 'chat_type']], ['string_pattern_mismatch']]);
    const empty = await create({ chat_type: 'group', participant_ids: [] });
    expect([empty.status, types(empty)]).toEqual([422, ['too_short']]);
    const nothing = await create({});
    expect([nothing.status, locs(nothing)]).toEqual([
      422,
      [
        ['body', 'chat_type'],
        ['body', 'participant_ids'],
      ],
    ]);
    const odd = await create({ chat_type: 'group', name: 'x'.repeat(101), participant_ids: ['x', 1.5, null] });
    expect(locs(odd)).toEqual([
      ['body', 'name'],
      ['body', 'participant_ids', 0],
      ['body', 'participant_ids', 1],
      ['body', 'participant_ids', 2],
    ]);
    expect(types(await create([1]))).toEqual(['model_attributes_type']);
    const two = await create({ chat_type: 'direct', participant_ids: [ben.id, carl.id] });
    expect([two.status, two.body.detail[0].msg]).toEqual([
      422,
      'Value error, Direct chat must have exactly 1 other participant',
    ]);
    for (const chat_type of ['direct', 'group']) {
      for (const ids of [[UNKNOWN], [anna.id], [0], [-1]]) {
        const refused = await create({ chat_type, participant_ids: ids });
        expect(said(refused), `${chat_type} ${ids}`).toEqual([400, 'One or more participants not found']);
      }
    }
    const twice = await create({ chat_type: 'group', participant_ids: [ben.id, ben.id] });
    expect(said(twice)).toEqual([400, 'One or more participants not found']);
  });

  it('[D4] takes each field at its longest, and a group without a name', async () => {
    const username = `${fresh('longest')}${'y'.repeat(50)}`.slice(0, 50);
    const email = `${fresh('x')}${'y'.repeat(100)}@example.com`.slice(-100);
    const password = 'p'.repeat(100);
    const full_name = 'é'.repeat(100);
    const made = await people.ask('POST', '/users/register', { body: { username, email, password, full_name } });
    expect([made.status, made.body]).toMatchObject([201, { username, email, full_name }]);
    expect((await people.ask('POST', '/users/login', { body: { username, password } })).status).toBe(200);

    const name = '字'.repeat(100);
    const team = await create({ chat_type: 'group', name, participant_ids: [ben.id] });
    expect([team.status, team.body.name]).toEqual([201, name]);
    const rename = (body: object) => people.ask('PUT', `/chats/${team.body.id}`, { token: anna.token, body });
    expect((await rename({})).body.name).toBe(name);
    expect(locs(await rename({ name: 'x'.repeat(101) }))).toEqual([['body', 'name']]);
    expect((await rename({ name: 'Crew' })).body.name).toBe('Crew');
    const nameless = await create({ chat_type: 'group', participant_ids: [ben.id] });
    expect([nameless.status, nameless.body.name]).toEqual([201, null]);
  });

  it('[A2] answers strangers as if the chat did not exist', async () => {
    const team = await people.group(anna, [ben]);
    const { token } = carl;
    for (const chat of [team, UNKNOWN, 0, -1]) {
      const path = `/chats/${chat}`;
      const gone = [404, "Chat not found or you don't have access"];
      expect(said(await people.ask('GET', path, { token }))).toEqual(gone);
      expect(said(await people.ask('GET', `${path}/participants`, { token }))).toEqual(gone);
      expect(said(await people.ask('PUT', path, { token, body: { name: 'Mine' } }))).toEqual(gone);
      expect(said(await people.ask('POST', `${path}/participants`, { token, body: { user_ids: [carl.id] } }))).toEqual([
        400,
        'Only admins can add participants',
      ]);
      expect(said(await people.ask('DELETE', `${path}/participants`, { token, body: { user_id: ben.id } }))).toEqual([
        400,
        'Only admins can remove other participants',
      ]);
      expect((await people.ask('DELETE', path, { token })).body).toEqual({ message: 'Left chat successfully' });
      expect(said(await people.ask('GET', `/ws/chat/${chat}/online`, { token }))).toEqual([
        404,
        'Chat not found or access denied',
      ]);
      const outside = [400, 'User is not a participant in this chat'];
      expect(said(await people.ask('GET', `/messages/chat/${chat}`, { token }))).toEqual(outside);
      expect(said(await people.ask('POST', '/messages/', { token, body: { chat_id: chat, content: 'x' } }))).toEqual(
        outside,
      );
    }
    const odd = await people.ask('GET', '/chats/x', { token });
    expect([odd.status, locs(odd), types(odd)]).toEqual([422, [['path', 'chat_id']], ['int_parsing']]);
    const members = await people.ask('GET', `/chats/${team}/participants`, { token: anna.token });
    expect(members.body).toHaveLength(2);
  });

  it('[D4] keeps direct chats as they are, and only admins change groups', async () => {
    const pair = await people.direct(anna, ben);
    const rename = await people.ask('PUT', `/chats/${pair}`, { token: anna.token, body: { name: 'x' } });
    expect(said(rename)).toEqual([400, 'Can only update group chats']);
    const add = (chat: number, token: string, body: unknown) =>
      people.ask('POST', `/chats/${chat}/participants`, { token, body });
    expect(said(await add(pair, anna.token, { user_ids: [carl.id] }))).toEqual([
      400,
      'Can only add participants to group chats',
    ]);
    const team = await people.group(anna, [ben]);
    const forbidden = await people.ask('PUT', `/chats/${team}`, { token: ben.token, body: { name: 'x' } });
    expect(said(forbidden)).toEqual([403, 'Only admins can update chat details']);
    expect((await add(team, anna.token, { user_ids: [] })).status).toBe(422);
    expect((await add(team, anna.token, { user_ids: [UNKNOWN, ben.id, carl.id, carl.id] })).body).toEqual({
      message: 'Participants added successfully',
    });
    const remove = (token: string, user_id: number) =>
      people.ask('DELETE', `/chats/${team}/participants`, { token, body: { user_id } });
    expect(said(await remove(ben.token, carl.id))).toEqual([400, 'Only admins can remove other participants']);
    for (const id of [carl.id, carl.id, UNKNOWN]) {
      expect((await remove(anna.token, id)).body).toEqual({ message: 'Participant removed successfully' });
    }
    expect((await people.ask('DELETE', `/chats/${team}/participants`, { token: anna.token })).status).toBe(422);
    // Who leaves last as an admin makes the longest-standing member one [A5].
    expect((await remove(anna.token, anna.id)).status).toBe(200);
    const left = await people.ask('GET', `/chats/${team}/participants`, { token: ben.token });
    expect(left.body).toMatchObject([{ user_id: ben.id, is_admin: true }]);
  });

  it('[D4] finds those who are there among however many who are not', async () => {
    const team = await people.group(anna, [ben]);
    const nobody = Array.from({ length: 2_500 }, (_, index) => UNKNOWN + index);
    const user_ids = [...nobody, ben.id, carl.id];
    const added = await people.ask('POST', `/chats/${team}/participants`, { token: anna.token, body: { user_ids } });
    expect([added.status, added.body]).toEqual([200, { message: 'Participants added successfully' }]);
    const { body } = await people.ask('GET', `/chats/${team}/participants`, { token: anna.token });
    expect(body.map(({ user_id }: { user_id: number }) => user_id)).toEqual([anna.id, ben.id, carl.id]);
  });

  it('[D4] has the limits that the server is given, and says which', async () => {
    const small = await openWorld({ GROUP_MEMBERS_MAX: '3', MESSAGE_TEXT_MAX: '50' });
    try {
      const there = new People(() => small);
      const owner = await there.join('owner');
      const { token } = owner;
      expect((await there.ask('GET', '/info')).body.limits).toEqual({ max_group_members: 3, max_message_length: 50 });
      const [a, b, c] = (await small.crowd(3)).map(({ id }) => id);
      const body = { chat_type: 'group', participant_ids: [a, b, c] };
      const many = await there.ask('POST', '/chats/', { token, body });
      expect(many.body.detail[0].msg).toBe('Value error, Group chat cannot have more than 3 members');
      const chat_id = await there.group(owner, [{ id: a ?? 0 }, { id: b ?? 0 }]);
      const more = await there.ask('POST', `/chats/${chat_id}/participants`, { token, body: { user_ids: [c] } });
      expect(said(more)).toEqual([400, 'Cannot exceed 3 members in group chat']);
      const send = (length: number) =>
        there.ask('POST', '/messages/', { token, body: { chat_id, content: 'x'.repeat(length) } });
      expect((await send(50)).status).toBe(201);
      expect(locs(await send(51))).toEqual([['body', 'content']]);
    } finally {
      await small.close();
    }
  });

  it('[D4] has 99 others in a group, never more than 100 members, whoever adds them at once', async () => {
    const others = await world.crowd(120);
    const made = await create({ chat_type: 'group', participant_ids: others.slice(0, 99).map(({ id }) => id) });
    expect([made.status, made.body.participants.length]).toEqual([201, 100]);
    const many = await create({ chat_type: 'group', participant_ids: others.slice(0, 102).map(({ id }) => id) });
    expect([many.status, many.body.detail[0].msg]).toEqual([
      422,
      'Value error, Group chat cannot have more than 100 members',
    ]);
    const team = await people.group(anna, others.slice(0, 89));
    const answers = await Promise.all(
      others
        .slice(100)
        .map(({ id }) =>
          people.ask('POST', `/chats/${team}/participants`, { token: anna.token, body: { user_ids: [id] } }),
        ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    for (const refused of answers.filter(({ status }) => status !== 200)) {
      expect(said(refused)).toEqual([400, 'Cannot exceed 100 members in group chat']);
    }
    const { body } = await people.ask('GET', `/chats/${team}/participants`, { token: anna.token });
    expect(body).toHaveLength(100);
  });
});

describe('dialect 002: messages', () => {
  it('[D4] takes 1 to 10,000 characters, by code points, and holds pages to their limits', async () => {
    const chat = await people.direct(ben, carl);
    const { token } = ben;
    const send = (body: unknown) => people.ask('POST', '/messages/', { token, body });
    const long = await send({ chat_id: chat, content: '😀'.repeat(10_000) });
    expect([long.status, long.body.content]).toEqual([201, '😀'.repeat(10_000)]);
    const longer = await send({ chat_id: chat, content: '😀'.repeat(10_001) });
    expect([longer.status, locs(longer), types(longer)]).toEqual([422, [['body', 'content']], ['string_too_long']]);
    expect(types(await send({ chat_id: chat, content: '' }))).toEqual(['string_too_short']);
    expect(locs(await send({ content: 1 }))).toEqual([
      ['body', 'content'],
      ['body', 'chat_id'],
    ]);
    for (let i = 1; i <= 3; i += 1) expect((await send({ chat_id: chat, content: `${i}` })).status).toBe(201);
    const page = (query: string) => people.ask('GET', `/messages/chat/${chat}?${query}`, { token: carl.token });
    const second = await page('page=2&limit=2');
    expect(second.body).toMatchObject({ total: 4, page: 2, limit: 2, pages: 2 });
    expect(second.body.items.map(({ content }: { content: string }) => content.slice(0, 2))).toEqual(['1', '😀']);
    expect((await page('page=9')).body.items).toEqual([]);
    expect(locs(await page('page=0&limit=101'))).toEqual([
      ['query', 'page'],
      ['query', 'limit'],
    ]);
  });

  it('[D4] is changed by its sender alone, and gone is gone', async () => {
    const chat = await people.direct(anna, carl);
    const { body } = await people.ask('POST', '/messages/', {
      token: anna.token,
      body: { chat_id: chat, content: 'mine' },
    });
    const edit = (id: unknown, token: string, content = 'yours') =>
      people.ask('PUT', `/messages/${id}`, { token, body: { content } });
    const remove = (id: unknown, token: string) => people.ask('DELETE', `/messages/${id}`, { token });
    const noEdit = [400, "Message not found or you don't have permission to edit it"];
    const noDelete = [400, "Message not found or you don't have permission to delete it"];
    for (const [id, token] of [
      [body.id, carl.token],
      [body.id, ben.token],
      [UNKNOWN, anna.token],
      [0, anna.token],
    ] as const) {
      expect(said(await edit(id, token))).toEqual(noEdit);
      expect(said(await remove(id, token))).toEqual(noDelete);
    }
    expect((await edit(body.id, anna.token, 'x'.repeat(10_001))).status).toBe(422);
    expect(locs(await edit('x', anna.token))).toEqual([['path', 'message_id']]);
    expect((await edit(body.id, anna.token, 'mine')).body).toMatchObject({ content: 'mine', is_edited: true });
    expect((await remove(body.id, anna.token)).status).toBe(200);
    expect(said(await remove(body.id, anna.token))).toEqual(noDelete);
    expect(said(await edit(body.id, anna.token))).toEqual(noEdit);
  });
});

describe('dialect 002: sockets', () => {
  it('[D4] tells errors to the sender alone, and stays', async () => {
    const chat = await people.direct(anna, ben);
    const other = await people.connect(ben, chat);
    const socket = await people.connect(anna, chat);
    await other.frame('user_joined');
    const rows: [string | object, string][] = [
      ['{"type":', 'Invalid JSON format'],
      ['[1]', 'Internal server error'],
      [{ type: 'message', content: 'no chat' }, 'Internal server error'],
      [{ chat_id: chat }, 'Internal server error'],
      [{ type: 'message', chat_id: 'x', content: 'no' }, 'Internal server error'],
      [{ type: 'message', chat_id: chat, content: 5 }, 'Internal server error'],
      [{ type: 'dance', chat_id: chat }, 'Unknown message type: dance'],
    ];
    for (const [frame, message] of rows) {
      socket.send(frame);
      expect(await socket.next()).toEqual({ type: 'error', message, timestamp: expect.stringMatching(/Z$/) });
    }
    socket.send({ type: 'message', chat_id: chat, content: 'x'.repeat(10_001) });
    expect(await socket.next()).toMatchObject({ type: 'error' });
    socket.send({ type: 'message', chat_id: chat, content: ' \n ' });
    expect(await heard(socket, chat)).toEqual([]);
    expect(await heard(other, chat)).toEqual([]);
    // The chat is that of the path, whatever the frame says.
    socket.send({ type: 'message', chat_id: UNKNOWN, content: 'x'.repeat(10_000) });
    for (const each of [socket, other]) {
      const { chat_id, message } = await each.frame('new_message');
      expect([chat_id, message.content.length]).toEqual([chat, 10_000]);
    }
  });

  it('[H2] says what was sent to it before it answers, or tells that its user has left', async () => {
    const chat = await people.direct(ben, carl);
    const watching = await people.connect(carl, chat);
    const socket = await people.connect(ben, chat);
    expect((await watching.next()).type).toBe('user_joined');
    socket.send({ type: 'message', chat_id: chat, content: 'question' });
    socket.send({ type: 'ping', chat_id: chat });
    expect([(await socket.next()).type, (await socket.next()).type]).toEqual(['new_message', 'pong']);
    socket.send({ type: 'message', chat_id: chat, content: 'goodbye' });
    await socket.close();
    const told = [await watching.next(), await watching.next(), await watching.next()];
    expect(told.map(({ type }) => type)).toEqual(['new_message', 'new_message', 'user_left']);
    expect(told[1].message.content).toBe('goodbye');
    expect(await heard(watching, chat)).toEqual([]);
  });

  it('[D4] counts a user once, however many sockets they have in the chat', async () => {
    const chat = await people.direct(ben, carl);
    const watching = await people.connect(carl, chat);
    const first = await people.connect(ben, chat);
    await watching.frame('user_joined');
    const second = await people.connect(ben, chat);
    await first.close();
    expect(await heard(watching, chat)).toEqual([]);
    second.send({ type: 'typing', chat_id: chat, content: 'start' });
    await watching.frame('typing_started');
    await second.close();
    expect(await watching.next()).toMatchObject({ type: 'user_left', user_id: ben.id });
    expect(await watching.next()).toMatchObject({ type: 'typing_stopped', user_id: ben.id });
  });

  it('[A1] lets a removed member hear nothing more on a socket that is open', async () => {
    const team = await people.group(anna, [ben, carl]);
    const [removed, staying] = await Promise.all([people.connect(ben, team), people.connect(carl, team)]);
    const gone = await people.ask('DELETE', `/chats/${team}/participants`, {
      token: anna.token,
      body: { user_id: ben.id },
    });
    expect(gone.status).toBe(200);
    const sent = await people.ask('POST', '/messages/', {
      token: anna.token,
      body: { chat_id: team, content: 'without him' },
    });
    expect(sent.status).toBe(201);
    await staying.frame('new_message');
    const since = await heard(removed, team);
    expect(since.filter(({ type }) => type === 'new_message')).toEqual([]);
    removed.send({ type: 'message', chat_id: team, content: 'still here?' });
    expect(await removed.next()).toMatchObject({ type: 'error', message: 'User is not a participant in this chat' });
    removed.send({ type: 'typing', chat_id: team, content: 'start' });
    await heard(removed, team);
    expect((await heard(staying, team)).filter(({ type }) => type === 'typing_started')).toEqual([]);
    expect(await world.refusal(`/api/v1/ws/${team}?token=${ben.token}`)).toEqual({ status: 403, body: '' });
  });
});

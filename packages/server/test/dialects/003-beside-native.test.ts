/** Dialect 003 beside the native API and the other dialects: one log, one set of accounts, and tokens that open their own doors. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { heard, People, type Person } from './003-people.js';
import { type Frame, openWorld, type World } from './world.js';

let world: World;
let admin: { id: number; name: string; token: string };
let anna: Person;
const people = new People(() => world);
const ask = people.ask.bind(people);
beforeAll(async () => {
  world = await openWorld();
  admin = await world.native();
  anna = await people.join('anna', 'Anna Ash');
});
afterAll(() => world.close());

it('[D1] carries messages from the native API to a socket of 003, and the other way round', async () => {
  const nora = await world.native();
  const made = await world.ask('POST', '/v1/rooms', {
    token: nora.token,
    body: { kind: 'group', name: 'Both', members: [anna.id] },
  });
  const room = made.body.id;
  const native = await world.socket('/v1/socket');
  native.send({ type: 'hello', token: nora.token });
  await native.frame('live');
  const socket = await people.inRoom(anna, room);
  const sent = await world.ask('POST', `/v1/rooms/${room}/messages`, { token: nora.token, body: { text: 'from /v1' } });
  expect(sent.status).toBe(201);
  expect(await socket.next()).toMatchObject({
    type: 'new_message',
    room_id: room,
    sender_id: nora.id,
    sender_username: nora.name,
    sender_full_name: null,
    content: 'from /v1',
  });
  socket.send({ type: 'message', room_id: room, content: 'from 003' });
  const { message_id } = await socket.frame('new_message');
  const event = await native.frame('message.sent', ({ body }) => body.text === 'from 003');
  expect(event).toMatchObject({ stream: room, id: message_id, actor: anna.id });
  socket.send({ type: 'typing', room_id: room });
  expect(await native.frame('typing')).toMatchObject({ room, user: anna.id, active: true });

  // By its id the room can be used; the list shows what was made through 003 [D3].
  const messages = await ask('GET', `/groups/${room}/messages`, { token: anna.token });
  expect(messages.body.map(({ content }: Frame) => content)).toEqual(['from /v1', 'from 003']);
  const own = await people.group(anna, [nora]);
  const groups = await ask('GET', '/groups/my-groups', { token: anna.token });
  expect(groups.body.map(({ id }: Frame) => id)).toEqual([own]);
});

it('[D1] shares direct chats and what is read in them with the native API, and edits and deletions', async () => {
  const nora = await world.native();
  const opened = await world.ask('POST', '/v1/directs', { token: nora.token, body: { user: anna.id } });
  expect(opened.status).toBe(201);
  const room = opened.body.id;
  const send = async (text: string): Promise<number> => {
    const sent = await world.ask('POST', `/v1/rooms/${room}/messages`, { token: nora.token, body: { text } });
    return sent.body.id;
  };
  const [first, second] = [await send('one'), await send('two')];
  await world.ask('PATCH', `/v1/messages/${first}`, { token: nora.token, body: { text: 'one, corrected' } });
  expect((await world.ask('DELETE', `/v1/messages/${second}`, { token: nora.token })).status).toBe(200);
  const chat = async (): Promise<Frame> => {
    const { body } = await ask('GET', '/messages/chats', { token: anna.token });
    return body.find(({ other_user_id }: Frame) => other_user_id === nora.id);
  };
  expect(await chat()).toMatchObject({ chat_room_id: room, last_message: 'one, corrected', unread_count: 1 });
  const history = await ask('GET', `/messages/chat/${nora.id}`, { token: anna.token });
  expect(history.body).toMatchObject([{ id: first, content: 'one, corrected', is_read: true }]);
  expect(await chat()).toMatchObject({ unread_count: 0 });
  await send('three');
  const head = (await world.ask('GET', `/v1/rooms/${room}`, { token: nora.token })).body.head;
  expect(head).toBeGreaterThan(0);
  expect(await chat()).toMatchObject({ last_message: 'three', unread_count: 1 });
});

it('[D2] refuses tokens of 003 on the native routes and the native socket, and takes native ones itself', async () => {
  for (const path of ['/v1/me', '/v1/rooms', '/v1/sessions']) {
    expect((await world.ask('GET', path, { token: anna.token })).status, path).toBe(401);
  }
  const socket = await world.socket('/v1/socket');
  socket.send({ type: 'hello', token: anna.token });
  expect(await socket.end()).toBe(4002);
  const refreshed = await world.ask('POST', '/v1/sessions/refresh', { body: { refreshToken: anna.refresh } });
  expect([refreshed.status, refreshed.body.code]).toEqual([401, 'bad_refresh_token']);
  expect((await ask('POST', '/auth/refresh', { body: { refresh_token: anna.refresh } })).status).toBe(200);
  const nora = await world.native();
  expect((await ask('GET', '/auth/me', { token: nora.token })).body).toMatchObject({ id: nora.id, email: '' });
  const own = await world.socket(`/ws/${nora.token}`);
  expect(await own.next()).toMatchObject({ type: 'connected', user_id: nora.id });
});

it('[S5] keeps what a deleted user said, shown as "Deleted User", and ends everything of theirs', async () => {
  const gone = await people.join('gone', 'Gone Girl');
  const team = await people.group(anna, [gone]);
  await ask('POST', '/groups/send', { token: gone.token, body: { group_id: team, content: 'remember me' } });
  await people.write(gone, anna, 'and me');
  const socket = await people.connect(gone);
  expect((await world.ask('DELETE', `/v1/users/${gone.id}`, { token: admin.token })).status).toBe(200);
  expect(await socket.end()).toBe(4003);
  expect((await ask('GET', '/auth/me', { token: gone.token })).status).toBe(401);
  const refresh = await ask('POST', '/auth/refresh', { body: { refresh_token: gone.refresh } });
  expect([refresh.status, refresh.body.detail]).toEqual([401, 'Refresh token not found']);
  const messages = await ask('GET', `/groups/${team}/messages`, { token: anna.token });
  expect(messages.body).toMatchObject([
    {
      content: 'remember me',
      sender_id: null,
      sender_username: 'Deleted User',
      sender_full_name: 'Deleted User',
    },
  ]);
  // Nobody is there to write to any more.
  const history = await ask('GET', `/messages/chat/${gone.id}`, { token: anna.token });
  expect([history.status, history.body.detail]).toEqual([404, 'User not found']);
  const send = await ask('POST', '/messages/send', {
    token: anna.token,
    body: { recipient_id: gone.id, content: 'hello?' },
  });
  expect([send.status, send.body.detail]).toEqual([400, 'Recipient user not found']);
  expect((await ask('GET', '/messages/chats', { token: anna.token })).body).not.toContainEqual(
    expect.objectContaining({ other_user_id: gone.id }),
  );
  await expect
    .poll(async () => (await ask('GET', '/groups/my-groups', { token: anna.token })).body)
    .toContainEqual(expect.objectContaining({ id: team, member_count: 1 }));
});

it('[A1] ends with a room that is deleted: its messages and memberships go', async () => {
  const team = await people.group(anna, [admin]);
  const nativeAnna = await world.ask('POST', '/v1/sessions', {
    body: { name: anna.username, password: 'securepass123' },
  });
  const socket = await people.inRoom(anna, team);
  expect((await world.ask('DELETE', `/v1/rooms/${team}`, { token: nativeAnna.body.accessToken })).status).toBe(200);
  const messages = await ask('GET', `/groups/${team}/messages`, { token: anna.token });
  expect(messages.status).toBe(403);
  const send = await ask('POST', '/groups/send', { token: anna.token, body: { group_id: team, content: 'x' } });
  expect([send.status, send.body.detail]).toEqual([400, 'Group not found']);
  socket.send({ type: 'message', room_id: team, content: 'x' });
  expect(await socket.next()).toEqual({ type: 'error', message: 'You are not in this room' });
  expect(await heard(socket)).toEqual([]);
});

it('[D5] is not there where DIALECTS does not name it', async () => {
  const bare = await openWorld({ DIALECTS: '002' });
  try {
    for (const path of ['/auth/me', '/messages/chats', '/groups/my-groups', '/ws/online-users']) {
      expect((await bare.ask('GET', path)).status, path).toBe(404);
    }
    const register = { username: 'anna', email: 'a@example.com', password: 'securepass123' };
    expect((await bare.ask('POST', '/auth/register', { body: register })).status).toBe(404);
    const nora = await bare.native();
    expect((await bare.refusal(`/ws/${nora.token}`)).status).toBe(404);
  } finally {
    await bare.close();
  }
});

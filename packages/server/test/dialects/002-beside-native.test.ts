/** Dialect 002 beside the native API: one log, one set of accounts and rooms, and tokens that open their own doors. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { api, heard, PASSWORD, People, type Person } from './002-people.js';
import { openWorld, type World } from './world.js';

let world: World;
let anna: Person;
const people = new People(() => world);
beforeAll(async () => {
  world = await openWorld();
  anna = await people.join('anna');
});
afterAll(() => world.close());

it('[D1] carries messages from the native API to a socket of 002, and the other way round', async () => {
  const nora = await world.native();
  const made = await world.ask('POST', '/v1/rooms', {
    token: nora.token,
    body: { kind: 'group', name: 'Both', members: [anna.id] },
  });
  expect(made.status).toBe(201);
  const room = made.body.id;
  const native = await world.socket('/v1/socket');
  native.send({ type: 'hello', token: nora.token });
  await native.frame('live');
  const socket = await people.connect(anna, room);

  const sent = await world.ask('POST', `/v1/rooms/${room}/messages`, { token: nora.token, body: { text: 'from /v1' } });
  expect(sent.status).toBe(201);
  expect((await socket.frame('new_message')).message).toMatchObject({
    content: 'from /v1',
    chat_id: room,
    sender_id: nora.id,
    sender_username: nora.name,
  });
  socket.send({ type: 'message', chat_id: room, content: 'from 002' });
  const { message } = await socket.frame('new_message');
  const event = await native.frame('message.sent', ({ body }) => body.text === 'from 002');
  expect(event).toMatchObject({ stream: room, id: message.id, actor: anna.id });

  // By its id the room can be used; the list shows what was made through 002 [D3].
  expect((await people.ask('GET', `/chats/${room}`, { token: anna.token })).body).toMatchObject({ name: 'Both' });
  const own = await people.group(anna, [nora]);
  const { body } = await people.ask('GET', '/chats/', { token: anna.token });
  expect(body.items.map(({ id }: { id: number }) => id)).toEqual([own]);
});

it('[D2] refuses tokens of 002 on the native routes and the native socket, and takes native ones itself', async () => {
  for (const path of ['/v1/me', '/v1/rooms', '/v1/sessions']) {
    expect((await world.ask('GET', path, { token: anna.token })).status, path).toBe(401);
  }
  const socket = await world.socket('/v1/socket');
  socket.send({ type: 'hello', token: anna.token });
  expect(await socket.end()).toBe(4002);
  const nora = await world.native();
  expect((await people.ask('GET', '/users/me', { token: nora.token })).body).toMatchObject({
    id: nora.id,
    username: nora.name,
  });
});

it('[A1] closes the sockets of a session that ends, and no others', async () => {
  const ben = await people.join('ben');
  const chat = await people.direct(anna, ben);
  const other: Person = { ...ben, token: await people.login(ben.username) };
  const [ending, staying] = [await people.connect(ben, chat), await people.connect(other, chat)];
  const login = await world.ask('POST', '/v1/sessions', { body: { name: ben.username, password: PASSWORD } });
  const claims = JSON.parse(Buffer.from(ben.token.split('.')[1] ?? '', 'base64url').toString());
  const ended = await world.ask('DELETE', `/v1/sessions/${claims.sid}`, { token: login.body.accessToken });
  expect(ended.status).toBe(200);
  expect(await ending.end()).toBe(4003);
  expect((await people.ask('GET', '/users/me', { token: ben.token })).status).toBe(401);
  expect(await world.refusal(`${api}/ws/${chat}?token=${ben.token}`)).toEqual({ status: 403, body: '' });
  expect(await heard(staying, chat)).toEqual([]);
});

it('[D5] is not there where DIALECTS is none', async () => {
  const bare = await openWorld({ DIALECTS: 'none' });
  try {
    for (const path of ['/users/me', '/chats/', '/messages/chat/1', '/info', '/ws/stats']) {
      expect((await bare.ask('GET', api + path)).status, path).toBe(404);
    }
    const register = { username: 'anna', email: 'a@example.com', password: PASSWORD };
    expect((await bare.ask('POST', `${api}/users/register`, { body: register })).status).toBe(404);
    const nora = await bare.native();
    expect((await bare.refusal(`${api}/ws/1?token=${nora.token}`)).status).toBe(404);
  } finally {
    await bare.close();
  }
});

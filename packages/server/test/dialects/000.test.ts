/** Dialect 000, Mul-Chat: its document walked from top to bottom. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { heard, PASSWORD, People, TIME } from './000-people.js';
import { fresh, openWorld, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const people = new People(() => world);

it('[D4] is walked from registering to leaving', async () => {
  // "Open your browser and navigate to …"
  const page = await world.ask('GET', '/', { headers: { accept: 'text/html' } });
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);

  // POST /users/create_user
  const [a, b] = await Promise.all([people.join('anna'), people.join('ben')]);
  const again = await people.ask('POST', '/users/create_user', {
    body: { username: a.username, email: 'other@example.com', password: PASSWORD },
  });
  expect([again.status, again.body]).toEqual([400, { detail: 'User already exists' }]);

  // POST /users/login
  const logIn = (username: string, password: string) =>
    people.ask('POST', '/users/login', { body: { username, password } });
  const wrong = await logIn(a.username, 'nonsense');
  expect([wrong.status, wrong.body]).toEqual([401, { detail: 'Incorrect password' }]);
  const nobody = fresh('nobody');
  const unknown = await logIn(nobody, PASSWORD);
  expect([unknown.status, unknown.body]).toEqual([404, { detail: `User ${nobody} not found` }]);
  const login = await logIn(a.username, PASSWORD);
  const token = login.body.access_token;
  expect([login.status, login.body]).toEqual([200, { access_token: token, token_type: 'bearer', jwt: token }]);

  // GET /users/me, with "Bearer <your_token>"
  const me = await people.ask('GET', '/users/me', { token });
  expect([me.status, me.body]).toEqual([
    200,
    {
      user_info: {
        username: a.username,
        email: `${a.username}@example.com`,
        nats_account: 'chat-app',
        permissions: [],
        created_at: TIME,
        nats_expires_at: null,
        nats_expired_at: null,
      },
    },
  ]);
  const none = await people.ask('GET', '/users/me');
  expect([none.status, none.body]).toEqual([401, { detail: 'Not authenticated' }]);

  // POST /rooms/create_room
  const [r, o] = [fresh('general'), fresh('other')];
  const made = await people.ask('POST', '/rooms/create_room', {
    token: a.token,
    body: { name: r, description: 'All\nand everything' },
  });
  expect([made.status, made.body]).toEqual([
    200,
    {
      message: `Room '${r}' created successfully.`,
      room_id: expect.any(Number),
      room: {
        id: made.body.room_id,
        name: r,
        subject_prefix: 'room',
        description: 'All and everything',
        is_public: false,
        created_at: TIME,
      },
    },
  ]);
  const id = made.body.room_id;
  await people.create(a, o);
  // "Each chat room has its own NATS subject": those of one's rooms are what one may hear.
  const subjects = await people.ask('GET', '/users/me', { token: a.token });
  expect(subjects.body.user_info.permissions).toEqual([`room.${r}`, `room.${o}`]);

  // Who is in no room is told so.
  const lonely = await people.connect(b);
  expect(await lonely.next()).toEqual({ type: 'info', message: "You don't have any rooms available." });
  await lonely.close();

  // POST /rooms/join_room; twice is as good as once.
  await people.enter(b, r);
  await people.enter(b, r);

  // WebSocket /ws/rooms?token=
  const [anna, ben] = await Promise.all([people.connect(a), people.connect(b)]);
  anna.send({ room: r, message: 'hi', n: 7 });
  for (const socket of [anna, ben]) {
    expect(await socket.next()).toEqual({
      type: 'chat',
      room: r,
      message: 'hi',
      n: 7,
      user: a.username,
      timestamp: TIME,
    });
  }
  // Isolated messaging: what is said in the other room is heard by those in it.
  anna.send({ room: o, message: 'to myself' });
  expect(await anna.next()).toMatchObject({ room: o, message: 'to myself' });
  expect(await heard(ben, r)).toEqual([]);
  ben.send({ room: o, message: 'let me in' });
  expect([await ben.end(), ben.closed?.reason]).toEqual([1008, 'Not subscribed to room']);
  expect((await anna.next()).room).toBe(r);
  expect(await heard(anna, r)).toEqual([]);
  anna.send({ message: 'to whom?' });
  expect([await anna.end(), anna.closed?.reason]).toEqual([1008, 'No room specified']);

  // GET /rooms/get_users_in_room/{room_id}
  const users = () => people.ask('GET', `/rooms/get_users_in_room/${id}`, { token: a.token });
  const both = await users();
  const user = ({ username }: { username: string }) => ({
    id: expect.any(Number),
    username,
    email: `${username}@example.com`,
    is_active: true,
    created_at: TIME,
  });
  expect([both.status, both.body]).toEqual([200, { users: [user(a), user(b)] }]);

  // DELETE /rooms/leave_room/{room_id}
  const left = await people.ask('DELETE', `/rooms/leave_room/${id}`, { token: b.token });
  expect([left.status, left.body]).toEqual([200, { message: `User '${b.username}' left room '${r}' successfully.` }]);
  expect((await users()).body).toEqual({ users: [user(a)] });
  const gone = await people.ask('DELETE', '/rooms/leave_room/999999999', { token: b.token });
  expect([gone.status, gone.body]).toEqual([404, { detail: 'Room not found for ID: 999999999' }]);

  // "messages: Stored chat messages"
  const history = await people.ask('GET', `/history?room_name=${r}`, { token: a.token });
  expect(history.body.history[0]).toEqual({
    type: 'chat',
    room: r,
    message: 'hi',
    n: 7,
    user: a.username,
    timestamp: TIME,
  });
});

/** Dialect 003: what its messages, groups and sockets refuse, in which words, and its limits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter, heard, People, type Person } from './003-people.js';
import { type Answered, type Client, type Frame, locs, openWorld, types, type World } from './world.js';

let world: World;
let anna: Person;
let ben: Person;
let carl: Person;
const people = new People(() => world);
const ask = people.ask.bind(people);
beforeAll(async () => {
  world = await openWorld();
  [anna, ben, carl] = await Promise.all([people.join('anna'), people.join('ben'), people.join('carl')]);
});
afterAll(() => world.close());

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
const contents = ({ body }: Answered): string[] => body.map(({ content }: Frame) => content);
const UNKNOWN = 999_999_999;

describe('dialect 003: direct messages', () => {
  const send = (body: unknown, token = anna.token) => ask('POST', '/messages/send', { token, body });
  const history = (user: unknown, query = '', token = anna.token) =>
    ask('GET', `/messages/chat/${user}${query}`, { token });

  it('[D4] takes 1 to 5,000 characters, by code points, as they are', async () => {
    const [longest, longer] = ['😀'.repeat(5_000), '😀'.repeat(5_001)];
    const long = await send({ recipient_id: ben.id, content: longest });
    expect([long.status, long.body.data.content]).toEqual([201, longest]);
    const refused = await send({ recipient_id: ben.id, content: longer });
    expect([refused.status, locs(refused), types(refused)]).toEqual([422, [['body', 'content']], ['string_too_long']]);
    expect(types(await send({ recipient_id: ben.id, content: '' }))).toEqual(['string_too_short']);
    const odd = ' \t<b>"%_\u202e\r\n ';
    expect((await send({ recipient_id: ben.id, content: odd })).body.data.content).toBe(odd);
    expect((await send({ recipient_id: ben.id, content: '  ' })).status).toBe(201);
    expect(contents(await history(ben.id))).toEqual([longest, odd, '  ']);
    for (const content of ['a\0b', '\ud800']) {
      expect(locs(await send({ recipient_id: ben.id, content }))).toEqual([['body', 'content']]);
    }
  });

  it('[D4] says all that is wrong, and to whom nothing can be sent', async () => {
    const nothing = await send({});
    expect([nothing.status, locs(nothing), types(nothing)]).toEqual([
      422,
      [
        ['body', 'recipient_id'],
        ['body', 'content'],
      ],
      ['missing', 'missing'],
    ]);
    const wrong = await send({ recipient_id: 'x', content: 5 });
    expect(types(wrong)).toEqual(['int_parsing', 'string_type']);
    expect(types(await send({ recipient_id: 1.5, content: 'x' }))).toEqual(['int_from_float']);
    expect(types(await send([1]))).toEqual(['model_attributes_type']);
    expect(locs(await send(undefined))).toEqual([['body']]);
    expect((await send({ recipient_id: String(ben.id), content: 'by a number in text' })).status).toBe(201);
    for (const id of [UNKNOWN, 0, -1, 2 ** 53]) {
      expect(said(await send({ recipient_id: id, content: 'x' })), `${id}`).toEqual([400, 'Recipient user not found']);
    }
    expect(said(await send({ recipient_id: anna.id, content: 'x' }))).toEqual([400, 'Cannot send message to yourself']);
  });

  it('[L5] opens one room for a pair, also when both write first at once', async () => {
    const [one, other] = await Promise.all([people.join('dora'), people.join('emil')]);
    const sent = await Promise.all([
      people.write(one, other, 'you first'),
      people.write(other, one, 'no, you'),
      people.write(one, other, 'well'),
    ]);
    expect(new Set(sent.map(({ chat_room_id }) => chat_room_id)).size).toBe(1);
    expect(contents(await history(other.id, '', one.token))).toHaveLength(3);
  });

  it('[D4] pages from the newest back, each page oldest first, within its limits', async () => {
    const [one, other] = await Promise.all([people.join('dora'), people.join('emil')]);
    for (let i = 1; i <= 5; i += 1) await people.write(one, other, `${i}`);
    const page = (query: string) => history(one.id, query, other.token);
    expect(contents(await page('?limit=2'))).toEqual(['4', '5']);
    expect(contents(await page('?limit=2&offset=2'))).toEqual(['2', '3']);
    expect(contents(await page('?limit=2&offset=4'))).toEqual(['1']);
    expect(contents(await page('?offset=5'))).toEqual([]);
    expect(contents(await page('?limit=100&offset=99999999999999999999'))).toEqual([]);
    const odd = await page('?limit=101&offset=-1');
    expect([odd.status, locs(odd), types(odd)]).toEqual([
      422,
      [
        ['query', 'limit'],
        ['query', 'offset'],
      ],
      ['less_than_equal', 'greater_than_equal'],
    ]);
    expect(types(await page('?limit=0'))).toEqual(['greater_than_equal']);
    expect(types(await page('?limit=x'))).toEqual(['int_parsing']);
    const user = await history('x', '', other.token);
    expect([user.status, locs(user)]).toEqual([422, [['path', 'other_user_id']]]);
  });

  it('[D4] opens nothing by looking, and lists no chat without a message', async () => {
    const [one, other] = await Promise.all([people.join('dora'), people.join('emil')]);
    const looked = await history(other.id, '', one.token);
    expect([looked.status, looked.body]).toEqual([200, []]);
    expect((await history(one.id, '', one.token)).body).toEqual([]);
    for (const id of [UNKNOWN, 0, -5]) expect(said(await history(id))).toEqual([404, 'User not found']);
    const opened = await world.native();
    const empty = await world.ask('POST', '/v1/directs', { token: opened.token, body: { user: one.id } });
    expect(empty.status).toBe(201);
    expect((await ask('GET', '/messages/chats', { token: one.token })).body).toEqual([]);
  });

  it('[M1] counts what is not read, by chat: reading a chat ends it, and tells the sender', async () => {
    const [one, two, reader] = await Promise.all([people.join('dora'), people.join('emil'), people.join('fritz')]);
    const chats = async (person: Person): Promise<[string, number][]> => {
      const { body } = await ask('GET', '/messages/chats', { token: person.token });
      return body.map((chat: Frame) => [chat.last_message, chat.unread_count]);
    };
    const read = async (person: Person, other: Person): Promise<[string, boolean][]> => {
      const { body } = await history(other.id, '', person.token);
      return body.map((message: Frame) => [message.content, message.is_read]);
    };
    await people.write(one, reader, 'a1');
    await people.write(two, reader, 'b1');
    await people.write(one, reader, 'a2');
    expect(await chats(reader)).toEqual([
      ['a2', 2],
      ['b1', 1],
    ]);
    expect(await read(one, reader)).toEqual([
      ['a1', false],
      ['a2', false],
    ]);
    // A page of it reads all of it, as there; the other chat stays as it was.
    expect((await history(one.id, '?limit=1&offset=1', reader.token)).body).toMatchObject([
      { content: 'a1', is_read: true },
    ]);
    expect(await chats(reader)).toEqual([
      ['a2', 0],
      ['b1', 1],
    ]);
    expect(await read(one, reader)).toEqual([
      ['a1', true],
      ['a2', true],
    ]);
    await people.write(one, reader, 'a3');
    expect(await chats(reader)).toEqual([
      ['a3', 1],
      ['b1', 1],
    ]);
    await people.write(reader, two, 'b2');
    expect((await chats(reader))[0]).toEqual(['b2', 0]);
    expect(await chats(two)).toEqual([['b2', 1]]);
  });
});

describe('dialect 003: groups', () => {
  const create = (body: unknown, token = anna.token) => ask('POST', '/groups/create', { token, body });
  const send = (group_id: unknown, token: string, content: unknown = 'hello') =>
    ask('POST', '/groups/send', { token, body: { group_id, content } });
  const add = (group: number, token: string, body: unknown) => ask('POST', `/groups/${group}/members`, { token, body });
  const remove = (group: number, token: string, user_id: unknown) =>
    ask('DELETE', `/groups/${group}/members`, { token, body: { user_id } });
  const groups = async ({ token }: Person): Promise<Frame[]> => (await ask('GET', '/groups/my-groups', { token })).body;

  it('[D4] is made of people who are there, and of its creator', async () => {
    const nothing = await create({});
    expect([nothing.status, locs(nothing)]).toEqual([
      422,
      [
        ['body', 'name'],
        ['body', 'member_ids'],
      ],
    ]);
    expect(types(await create({ name: '', member_ids: [] }))).toEqual(['string_too_short', 'too_short']);
    expect(types(await create({ name: 'x'.repeat(101), member_ids: 'x' }))).toEqual(['string_too_long', 'list_type']);
    expect(locs(await create({ name: 'x', member_ids: [ben.id, 'x', null, 1.5] }))).toEqual([
      ['body', 'member_ids', 1],
      ['body', 'member_ids', 2],
      ['body', 'member_ids', 3],
    ]);
    expect(locs(await create({ name: 'a\u202eb', member_ids: [ben.id] }))).toEqual([['body', 'name']]);
    for (const id of [UNKNOWN, 0, -1]) {
      expect(said(await create({ name: 'x', member_ids: [ben.id, id, UNKNOWN + 1] }))).toEqual([
        400,
        `User with ID ${id} not found`,
      ]);
    }
    const name = '字'.repeat(100);
    const made = await create({ name, member_ids: [ben.id, anna.id, ben.id] });
    expect([made.status, made.body.group]).toMatchObject([201, { name, member_count: 2, created_by: anna.id }]);
    const alone = await create({ name: 'Me', member_ids: [anna.id] });
    expect(alone.body.group.member_count).toBe(1);
    // Names of groups are free.
    expect((await create({ name, member_ids: [carl.id] })).status).toBe(201);
  });

  it('[A2] has one status for a group that is unknown and one that one is not in', async () => {
    const team = await people.group(anna, [ben]);
    const { token } = carl;
    for (const [group, known] of [
      [team, true],
      [UNKNOWN, false],
      [0, false],
      [-1, false],
      [carl.id, false],
    ] as const) {
      const word = (said: string): string => (known ? said : 'Group not found');
      expect(said(await send(group, token))).toEqual([400, word('You are not a member of this group')]);
      expect(said(await ask('GET', `/groups/${group}/messages`, { token }))).toEqual([
        403,
        'You are not a member of this group',
      ]);
      expect(said(await add(group, token, { user_ids: [carl.id] }))).toEqual([
        403,
        word('Only group creator can add members'),
      ]);
      expect(said(await remove(group, token, ben.id))).toEqual([403, word('Not authorized to remove this member')]);
      expect(said(await remove(group, token, carl.id))).toEqual([403, word('Member not found in group')]);
    }
    // Of rooms that other APIs made nobody learns here that they are there.
    const native = await world.native();
    const made = await world.ask('POST', '/v1/rooms', { token: native.token, body: { kind: 'group', name: 'Own' } });
    expect(said(await send(made.body.id, token))).toEqual([400, 'Group not found']);
    expect((await groups(anna)).map(({ id }) => id)).toContain(team);
    expect((await groups(carl)).map(({ id }) => id)).not.toContain(team);
  });

  it('[D4] holds what is sent to its limits, and takes no direct chat for a group', async () => {
    const team = await people.group(anna, [ben]);
    expect((await send(team, ben.token, 'x'.repeat(5_000))).status).toBe(201);
    expect(types(await send(team, ben.token, 'x'.repeat(5_001)))).toEqual(['string_too_long']);
    expect(types(await send(team, ben.token, ''))).toEqual(['string_too_short']);
    expect(types(await send('x', ben.token, null))).toEqual(['int_parsing', 'string_type']);
    const { chat_room_id: direct } = await people.write(anna, ben, 'just us');
    expect(said(await send(direct, anna.token))).toEqual([400, 'This is not a group chat']);
    expect(said(await add(direct, anna.token, { user_ids: [carl.id] }))).toEqual([403, 'Group not found']);
    expect(said(await remove(direct, anna.token, ben.id))).toEqual([403, 'Group not found']);
    expect((await groups(anna)).map(({ id }) => id)).not.toContain(direct);
    const page = (query: string) => ask('GET', `/groups/${team}/messages${query}`, { token: anna.token });
    await send(team, ben.token, 'newest');
    expect(contents(await page('?limit=1'))).toEqual(['newest']);
    expect((await page('?limit=1&offset=1')).body).toHaveLength(1);
    expect(locs(await page('?limit=101&offset=x'))).toEqual([
      ['query', 'limit'],
      ['query', 'offset'],
    ]);
    expect(locs(await ask('GET', '/groups/x/messages', { token: anna.token }))).toEqual([['path', 'group_id']]);
    // Looking at a group marks nothing as read.
    await ask('GET', `/groups/${team}/messages`, { token: ben.token });
    expect((await page('?limit=1')).body).toMatchObject([{ content: 'newest', is_read: false }]);
  });

  it('[D4] is changed by its creator, and left by anybody', async () => {
    const dora = await people.join('dora');
    const team = await people.group(anna, [ben]);
    expect(said(await add(team, ben.token, { user_ids: [UNKNOWN] }))).toEqual([
      403,
      'Only group creator can add members',
    ]);
    expect(types(await add(team, anna.token, { user_ids: [] }))).toEqual(['too_short']);
    expect(locs(await add(team, anna.token, {}))).toEqual([['body', 'user_ids']]);
    expect(said(await add(team, anna.token, { user_ids: [carl.id, UNKNOWN] }))).toEqual([
      403,
      `User with ID ${UNKNOWN} not found`,
    ]);
    const added = await add(team, anna.token, { user_ids: [carl.id, ben.id, dora.id, carl.id] });
    expect(added.body).toEqual({ message: 'Successfully added 2 members', members_added: 2 });
    expect((await add(team, anna.token, { user_ids: [carl.id] })).body.members_added).toBe(0);
    expect(said(await remove(team, carl.token, ben.id))).toEqual([403, 'Not authorized to remove this member']);
    expect(locs(await remove(team, anna.token, 'x'))).toEqual([['body', 'user_id']]);
    expect(locs(await ask('DELETE', `/groups/${team}/members`, { token: anna.token }))).toEqual([['body']]);
    expect((await remove(team, anna.token, dora.id)).body).toEqual({ message: 'Member removed successfully' });
    for (const id of [dora.id, UNKNOWN, 0, -1]) {
      expect(said(await remove(team, anna.token, id)), `${id}`).toEqual([403, 'Member not found in group']);
    }
    expect((await remove(team, carl.token, carl.id)).status).toBe(200);
    expect(said(await remove(team, carl.token, carl.id))).toEqual([403, 'Member not found in group']);
    // Who comes after a creator that leaves is the one who adds [A5].
    expect((await remove(team, anna.token, anna.id)).status).toBe(200);
    expect((await add(team, ben.token, { user_ids: [carl.id] })).body.members_added).toBe(1);
  });

  it('[D4] takes nobody who is deactivated, and says who that is', async () => {
    const bare = await openWorld();
    try {
      const own = new People(() => bare);
      const admin = await bare.native();
      const [one, gone] = await Promise.all([own.join('anna'), own.join('ben')]);
      const team = await own.group(one, [one]);
      await bare.ask('PUT', `/v1/users/${gone.id}/active`, { token: admin.token, body: { active: false } });
      const missing = `User with ID ${gone.id} not found`;
      const token = one.token;
      const members = await bare.ask('POST', `/groups/${team}/members`, { token, body: { user_ids: [gone.id] } });
      expect(said(members)).toEqual([403, missing]);
      const made = await bare.ask('POST', '/groups/create', { token, body: { name: 'x', member_ids: [gone.id] } });
      expect(said(made)).toEqual([400, missing]);
      const written = await bare.ask('POST', '/messages/send', {
        token,
        body: { recipient_id: gone.id, content: 'hello?' },
      });
      expect(said(written)).toEqual([400, 'Recipient user not found']);
    } finally {
      await bare.close();
    }
  });

  it('[D4] has never more than 100 members, whoever adds them at once', async () => {
    const others = (await world.crowd(120)).map(({ id }) => id);
    const full = [400, 'Group cannot have more than 100 members'];
    expect(said(await create({ name: 'Too many', member_ids: others.slice(0, 100) }))).toEqual(full);
    expect(
      said(await create({ name: 'Far too many', member_ids: Array.from({ length: 20_000 }, (_, i) => i) })),
    ).toEqual(full);
    const made = await create({ name: 'All', member_ids: others.slice(0, 90) });
    const team = made.body.group.id;
    expect(made.body.group.member_count).toBe(91);
    const answers = await Promise.all(others.slice(90, 110).map((id) => add(team, anna.token, { user_ids: [id] })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
    for (const refused of answers.filter(({ status }) => status !== 200)) expect(said(refused)).toEqual([403, full[1]]);
    expect(said(await add(team, anna.token, { user_ids: others }))).toEqual([403, full[1]]);
    expect((await groups(anna)).find(({ id }) => id === team)).toMatchObject({ member_count: 100 });
    const hundred = await create({ name: 'Exactly', member_ids: others.slice(0, 99) });
    expect(hundred.body.group.member_count).toBe(100);
  });
});

describe('dialect 003: sockets', () => {
  it('[D4] lets nobody in without a good token in the path', async () => {
    const [head, claims, seal] = anna.token.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const path of [
      '/ws/garbage',
      `/ws/${anna.refresh}`,
      `/ws/${anna.token}x`,
      `/ws/${none}.${claims}.`,
      `/ws/${head}.${Buffer.from('{"sub":"1"}').toString('base64url')}.${seal}`,
      '/ws/%00',
      '/ws/%E0%A4%A',
      '/ws/..%2f..%2fetc',
      `/ws/${'a'.repeat(8_000)}`,
      '/ws/online-users',
      `/ws/garbage?token=${anna.token}`,
    ]) {
      expect(await world.refusal(path), path.slice(0, 60)).toEqual({ status: 403, body: '' });
    }
    // Nor in the header: the path is what counts.
    expect((await world.refusal('/ws/garbage', { authorization: `Bearer ${anna.token}` })).status).toBe(403);
    expect((await world.refusal(`/ws/${anna.token}`)).status).toBe(101);
    expect((await world.refusal(`/ws/${anna.token}?anything=1`)).status).toBe(101);
    // Numbers and the one word are paths of other APIs.
    for (const path of ['/ws/1', '/ws/rooms', '/ws', '/ws/', `/ws/${anna.token}/x`]) {
      expect((await world.refusal(path)).status, path).not.toBe(101);
    }
  });

  it('[D4] tells errors to the sender alone, and stays', async () => {
    const team = await people.group(anna, [ben]);
    const socket = await people.inRoom(anna, team);
    const other = await people.inRoom(ben, team);
    await socket.frame('user_joined');
    const rows: [string | object, string][] = [
      ['{"type":', 'Invalid JSON format'],
      ['', 'Invalid JSON format'],
      ['[1]', 'Invalid message format'],
      ['null', 'Invalid message format'],
      ['"ping"', 'Invalid message format'],
      [{ type: 'message', room_id: team, content: 5 }, 'Invalid message format'],
      [{ type: 'message', room_id: team, content: { text: 'x' } }, 'Invalid message format'],
      [{ type: 'message', room_id: team, content: 'x'.repeat(5_001) }, 'String should have at most 5000 characters'],
      [{ type: 'message', room_id: team, content: 'a\0b' }, 'must not contain NUL'],
      [{ type: 'message', content: 'no room' }, 'You are not in this room'],
      [{ type: 'message', room_id: 'x', content: 'no room' }, 'You are not in this room'],
      [{ type: 'message', room_id: UNKNOWN, content: 'no room' }, 'You are not in this room'],
      [{ type: 'join_room' }, "You don't have access to this room"],
      [{ type: 'join_room', room_id: -1 }, "You don't have access to this room"],
      [{ type: 'join_room', room_id: 1e300 }, "You don't have access to this room"],
      [{ type: 'join_room', room_id: [team] }, "You don't have access to this room"],
      [{ type: 'join_room', room_id: UNKNOWN }, "You don't have access to this room"],
      [{ type: 'leave_room', room_id: {} }, "You don't have access to this room"],
      [{ type: 'dance' }, 'Unknown message type: dance'],
      [{ type: 7 }, 'Unknown message type: 7'],
      [{}, 'Unknown message type: None'],
      [{ type: null }, 'Unknown message type: None'],
      ['{"__proto__":{"type":"ping"}}', 'Unknown message type: None'],
    ];
    for (const [frame, message] of rows) {
      socket.send(frame);
      expect(await socket.next(), JSON.stringify(frame)).toEqual({ type: 'error', message });
    }
    // Blank ones are passed over without a word.
    for (const content of ['', ' \n\t ', null, undefined]) socket.send({ type: 'message', room_id: team, content });
    expect(await heard(socket)).toEqual([]);
    expect(await heard(other)).toEqual([]);
    socket.send({ type: 'message', room_id: team, content: ` ${'x'.repeat(4_999)}` });
    for (const each of [socket, other]) {
      expect((await each.frame('new_message')).content).toBe(` ${'x'.repeat(4_999)}`);
    }
  });

  it('[D4] closes on bytes, and on frames beyond the limit', async () => {
    const bytes = await people.connect(anna);
    bytes.ws.send(Buffer.from('{"type":"ping"}'));
    expect(await bytes.end()).toBe(1003);
    const large = await people.connect(anna);
    large.send({ type: 'message', room_id: 1, content: 'x'.repeat(70_000) });
    expect(await large.end()).toBe(1009);
  });

  it('[H2] hears what it says right behind joining, and everything in one order', async () => {
    const team = await people.group(anna, [ben]);
    const other = await people.inRoom(ben, team);
    const socket = await people.connect(anna);
    // Written without waiting for an answer, as a client may.
    socket.send({ type: 'join_room', room_id: team });
    for (let i = 1; i <= 20; i += 1) socket.send({ type: 'message', room_id: team, content: `${i}` });
    socket.send({ type: 'typing', room_id: team });
    socket.send({ type: 'ping' });
    expect(await socket.next()).toMatchObject({ type: 'room_joined', room_id: team });
    const expected = Array.from({ length: 20 }, (_, i) => `${i + 1}`);
    const take = async (client: Client): Promise<string[]> => {
      const told: string[] = [];
      while (told.length < 20) told.push((await client.frame('new_message')).content);
      return told;
    };
    expect(await take(socket)).toEqual(expected);
    expect(await take(other)).toEqual(expected);
  });

  it('[H2] does what it is asked in order, however fast: what it says before it leaves is heard, what comes behind is not', async () => {
    const team = await people.group(anna, [ben]);
    const other = await people.inRoom(ben, team);
    const socket = await people.connect(anna);
    socket.send({ type: 'join_room', room_id: team });
    socket.send({ type: 'message', room_id: team, content: 'before' });
    socket.send({ type: 'ping' });
    socket.send({ type: 'leave_room', room_id: team });
    socket.send({ type: 'message', room_id: team, content: 'behind' });
    socket.send({ type: 'join_room', room_id: team });
    const told: unknown[] = [];
    for (let i = 0; i < 5; i += 1) told.push((await socket.next()).type);
    expect(told).toEqual(['room_joined', 'new_message', 'pong', 'room_left', 'room_joined']);
    for (const type of ['user_joined', 'new_message', 'user_left']) expect((await other.next()).type).toBe(type);
    // It is in the room again, and was not while it said that.
    socket.send({ type: 'message', room_id: team, content: 'again' });
    expect(await socket.frame('new_message')).toMatchObject({ content: 'again' });
    expect(await heard(socket)).toEqual([]);
    const rest = [await other.next(), await other.next(), await other.next()];
    expect(rest.filter(({ type }) => type === 'new_message').map(({ content }) => content)).toEqual([
      'behind',
      'again',
    ]);
    expect(rest.filter(({ type }) => type === 'user_joined')).toHaveLength(1);
  });

  it('[D4] hears joined rooms alone, direct ones too, and of HTTP as of sockets', async () => {
    const team = await people.group(anna, [ben]);
    const { chat_room_id: direct } = await people.write(anna, ben, 'first');
    const socket = await people.inRoom(ben, direct);
    await ask('POST', '/groups/send', { token: anna.token, body: { group_id: team, content: 'not joined' } });
    await people.write(anna, ben, 'by HTTP');
    expect(await socket.next()).toMatchObject({ type: 'new_message', room_id: direct, content: 'by HTTP' });
    await enter(socket, team);
    await ask('POST', '/groups/send', { token: anna.token, body: { group_id: team, content: 'joined' } });
    expect(await socket.next()).toMatchObject({ type: 'new_message', room_id: team, content: 'joined' });
    // Whoever has not joined may send, and hears nothing of it.
    const silent = await people.connect(anna);
    silent.send({ type: 'message', room_id: direct, content: 'from outside' });
    expect(await socket.next()).toMatchObject({ room_id: direct, content: 'from outside' });
    expect(await heard(silent)).toEqual([]);
    // Joining again says so again, and nothing is told twice.
    await enter(socket, team);
    await ask('POST', '/groups/send', { token: anna.token, body: { group_id: team, content: 'once' } });
    expect(await socket.next()).toMatchObject({ content: 'once' });
    expect(await heard(socket)).toEqual([]);
  });

  it('[D4] tells of a user once, however many sockets they have in the room, and not of lost connections', async () => {
    const team = await people.group(anna, [ben]);
    const watching = await people.inRoom(anna, team);
    const first = await people.inRoom(ben, team);
    expect(await watching.next()).toMatchObject({ type: 'user_joined', user_id: ben.id });
    const second = await people.inRoom(ben, team);
    expect(await heard(first)).toEqual([]);
    for (const text of ['one', 'two']) first.send({ type: 'message', room_id: team, content: text });
    for (const socket of [first, second, watching]) {
      expect([(await socket.next()).content, (await socket.next()).content]).toEqual(['one', 'two']);
    }
    first.send({ type: 'leave_room', room_id: team });
    await first.frame('room_left');
    // Left once, left twice: it is said again, and nobody else is told.
    first.send({ type: 'leave_room', room_id: team });
    await first.frame('room_left');
    expect(await heard(watching)).toEqual([]);
    await second.close();
    const back = await people.inRoom(ben, team);
    expect(await watching.next()).toMatchObject({ type: 'user_joined', user_id: ben.id });
    back.send({ type: 'leave_room', room_id: team });
    expect(await watching.next()).toMatchObject({ type: 'user_left', user_id: ben.id });
  });

  it('[D4] goes on telling that somebody types, and believes only those who are in the room', async () => {
    const team = await people.group(anna, [ben, carl]);
    const watching = await people.inRoom(anna, team);
    const ben1 = await people.inRoom(ben, team);
    await watching.frame('user_joined');
    ben1.send({ type: 'typing', room_id: team });
    const frame = { type: 'user_typing', room_id: team, user_id: ben.id, username: ben.username };
    expect(await watching.next()).toEqual(frame);
    // While it goes on it is told again, once a second.
    const timer = setInterval(() => ben1.send({ type: 'typing', room_id: team }), 100);
    try {
      expect(await watching.next()).toEqual(frame);
    } finally {
      clearInterval(timer);
    }
    await heard(ben1);
    await heard(watching);
    const carl1 = await people.connect(carl);
    carl1.send({ type: 'typing', room_id: team });
    carl1.send({ type: 'typing', room_id: UNKNOWN });
    expect(await heard(carl1)).toEqual([]);
    expect((await heard(watching)).filter(({ user_id }) => user_id === carl.id)).toEqual([]);
  });

  it('[A1] lets a removed member hear nothing more on a socket that is open, until they are back', async () => {
    const team = await people.group(anna, [ben, carl]);
    const [removed, staying] = [await people.inRoom(ben, team), await people.inRoom(carl, team)];
    const members = (method: string, body: object) =>
      ask(method, `/groups/${team}/members`, { token: anna.token, body });
    expect((await members('DELETE', { user_id: ben.id })).status).toBe(200);
    await ask('POST', '/groups/send', { token: anna.token, body: { group_id: team, content: 'without him' } });
    await staying.frame('new_message');
    expect((await heard(removed)).filter(({ type }) => type === 'new_message')).toEqual([]);
    removed.send({ type: 'message', room_id: team, content: 'still here?' });
    expect(await removed.next()).toEqual({ type: 'error', message: 'You are not in this room' });
    removed.send({ type: 'typing', room_id: team });
    removed.send({ type: 'join_room', room_id: team });
    expect(await removed.next()).toEqual({ type: 'error', message: "You don't have access to this room" });
    expect((await heard(staying)).filter(({ user_id }) => user_id === ben.id)).toEqual([]);
    expect((await members('POST', { user_ids: [ben.id] })).body.members_added).toBe(1);
    await enter(removed, team);
    await ask('POST', '/groups/send', { token: anna.token, body: { group_id: team, content: 'welcome back' } });
    expect(await removed.frame('new_message')).toMatchObject({ content: 'welcome back' });
  });

  it('[D4] shows who is online, to anybody, until their last socket closes', async () => {
    const dora = await people.join('dora');
    const online = async (): Promise<boolean> => {
      const { status, body } = await ask('GET', '/ws/online-users');
      expect([status, body.count]).toEqual([200, body.online_users.length]);
      return body.online_users.includes(dora.id);
    };
    expect(await online()).toBe(false);
    const [first, second] = [await people.connect(dora), await people.connect(dora)];
    expect(await online()).toBe(true);
    await first.close();
    expect(await online()).toBe(true);
    await second.close();
    await expect.poll(online).toBe(false);
  });
});

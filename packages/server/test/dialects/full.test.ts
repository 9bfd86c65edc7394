/** Rooms at their limit of members, entered and filled by many at once, through every API: never one too many, and nobody for nothing. */
import type { RoomId, UserId } from '@natter/protocol';
import { nameRules } from '@natter/server/auth/names';
import type { DialectName } from '@natter/server/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, type Client, fresh, openWorld, type World } from './world.js';

const MAX = 100;
const COMING = 20;
const FREE = 10;

let world: World;
/** Accounts that nobody ever logged in to, so that no password need be hashed for them. */
let crowd: UserId[];
beforeAll(async () => {
  world = await openWorld({
    CHANNEL_MEMBERS_MAX: String(MAX),
    GROUP_MEMBERS_MAX: String(MAX),
    ROOMS_PER_USER_MAX: '50',
  });
  const { store, log } = world.app.parts;
  const first = await store.reserveStreams(MAX + COMING);
  crowd = await Promise.all(
    Array.from({ length: MAX + COMING }, async (_, index) => {
      const id = first + index;
      const name = fresh('crowd');
      const outcome = await log.append({
        actor: 0,
        at: Date.now(),
        drafts: [
          {
            stream: id,
            type: 'user.created',
            body: {
              name,
              nameKey: nameRules.key(name),
              email: null,
              fullName: '',
              role: index === 0 ? 'admin' : 'user',
            },
          },
        ],
        claims: nameRules.keys(name).map((value) => ({ space: 'user.name' as const, value, owner: id })),
      });
      expect(outcome.kind).toBe('committed');
      return id;
    }),
  );
});
afterAll(() => world.close());

const actor = (user: UserId) => ({ user, role: 'user' as const, session: null });

async function tokenOf(user: UserId, dialect: string): Promise<string> {
  const login = await world.app.parts.accounts.startSession(user, { address: '', agent: '', dialect });
  if (!login.ok) throw new Error(login.code);
  return login.value.accessToken;
}

/** A room of the first of the crowd, with so many in it. */
async function roomOf(
  kind: 'group' | 'channel',
  members: number,
  dialect: string,
): Promise<{ id: RoomId; name: string }> {
  const name = fresh('full ');
  const made = await world.app.parts.core.execute(
    actor(crowd[0] as UserId),
    {
      type: 'room.create',
      kind,
      name,
      members: crowd.slice(1, members),
      ...(kind === 'channel' ? { visibility: 'public' as const } : {}),
    },
    { dialect },
  );
  if (!made.ok) throw new Error(made.code);
  return { id: made.result.stream, name };
}

const membersOf = async (room: RoomId): Promise<UserId[]> =>
  (await world.app.parts.store.db.selectFrom('members').select('user_id').where('room', '=', room).execute()).map(
    (row) => row.user_id,
  );

interface Way {
  dialect: DialectName | '';
  name: string;
  /** True: in; false: refused, in the words of this API. */
  enter(room: { id: RoomId; name: string }, token: string): Promise<boolean>;
}

/** Refused is refused because it is full: that there is none, or that one may not, would be another answer. */
function isIn({ status, body }: Answered): boolean {
  if (status >= 200 && status < 300) return true;
  expect([400, 403, 409], JSON.stringify(body)).toContain(status);
  expect(JSON.stringify(body)).toMatch(/100 members|as many members as it may have/);
  return false;
}

async function isLetIn(path: string): Promise<boolean> {
  const { status, body } = await world.refusal(path);
  if (status !== 101) expect([status, body]).toEqual([403, '']);
  return status === 101;
}

const WAYS: Way[] = [
  {
    dialect: '000',
    name: 'join_room',
    enter: async ({ name }, token) =>
      isIn(await world.ask('POST', `/rooms/join_room?room_name=${encodeURIComponent(name)}`, { token })),
  },
  {
    dialect: '001',
    name: 'its socket',
    enter: ({ id }, token) => isLetIn(`/ws/${id}?token=${token}`),
  },
  {
    dialect: '001',
    name: 'its messages',
    enter: async ({ id }, token) => isIn(await world.ask('GET', `/api/chat/rooms/${id}/messages`, { token })),
  },
  {
    dialect: '004',
    name: 'its socket',
    enter: ({ id }, token) => isLetIn(`/api/v1/ws/${id}?token=${token}`),
  },
  {
    dialect: '004',
    name: 'its messages',
    enter: async ({ id }, token) => isIn(await world.ask('GET', `/api/v1/rooms/${id}/messages`, { token })),
  },
  {
    dialect: '',
    name: 'the native API',
    enter: async ({ id }, token) => isIn(await world.ask('PUT', `/v1/rooms/${id}/members/me`, { token })),
  },
];

describe('an open room', () => {
  it.each(WAYS)('[D4] takes as many as it has room for, when more come at once: $dialect by $name', async (way) => {
    const room = await roomOf('channel', MAX - FREE, way.dialect);
    const coming = crowd.slice(MAX - FREE, MAX - FREE + COMING);
    const tokens = await Promise.all(coming.map((user) => tokenOf(user, way.dialect)));
    const results = await Promise.all(tokens.map((token) => way.enter(room, token)));
    expect(results.filter(Boolean)).toHaveLength(FREE);
    const members = await membersOf(room.id);
    expect(members).toHaveLength(MAX);
    // Who was told so is in it, and nobody else.
    for (const [at, user] of coming.entries()) expect([user, members.includes(user)]).toEqual([user, results[at]]);
    // One who is in it comes again.
    const again = results.indexOf(true);
    expect(await way.enter(room, tokens[again] ?? '')).toBe(true);
    // The 101st takes the place of one who leaves.
    const left = await world.app.parts.core.execute(actor(coming[again] as UserId), {
      type: 'member.leave',
      room: room.id,
    });
    expect(left.ok).toBe(true);
    expect(await way.enter(room, tokens[results.indexOf(false)] ?? '')).toBe(true);
    expect(await membersOf(room.id)).toHaveLength(MAX);
  });

  it('[D4] takes as many as it has room for, when they come through all APIs at once', async () => {
    const room = await roomOf('channel', MAX - FREE, '000');
    const coming = crowd.slice(MAX - FREE, MAX - FREE + COMING);
    const results = await Promise.all(
      coming.map(async (user, at) => {
        const way = WAYS[at % WAYS.length] as Way;
        return way.enter(room, await tokenOf(user, way.dialect));
      }),
    );
    expect(results.filter(Boolean)).toHaveLength(FREE);
    expect(await membersOf(room.id)).toHaveLength(MAX);
  });

  it('[H2] tells all who came in what is said from then on, and those who did not nothing', async () => {
    const room = await roomOf('channel', MAX - FREE, '004');
    const coming = crowd.slice(MAX - FREE, MAX - FREE + COMING);
    const sockets: Client[] = [];
    await Promise.all(
      coming.map(async (user) => {
        const opened = world.socket(`/api/v1/ws/${room.id}?token=${await tokenOf(user, '004')}`);
        await opened.then((socket) => sockets.push(socket)).catch(() => {});
      }),
    );
    expect(sockets).toHaveLength(FREE);
    const sent: number[] = [];
    for (const socket of sockets) socket.send({ type: 'message', content: 'I am in' });
    while (sent.length < FREE) sent.push((await sockets[0]?.frame('message'))?.data.id);
    for (const socket of sockets.slice(1)) {
      const heard: number[] = [];
      while (heard.length < FREE) heard.push((await socket.frame('message')).data.id);
      expect(heard).toEqual(sent);
    }
  });
});

describe('a group', () => {
  const ADDING = [
    {
      dialect: '002',
      add: (room: RoomId, user: UserId, token: string) =>
        world.ask('POST', `/api/v1/chats/${room}/participants`, { token, body: { user_ids: [user] } }),
    },
    {
      dialect: '003',
      add: (room: RoomId, user: UserId, token: string) =>
        world.ask('POST', `/groups/${room}/members`, { token, body: { user_ids: [user] } }),
    },
    {
      dialect: '',
      add: (room: RoomId, user: UserId, token: string) =>
        world.ask('POST', `/v1/rooms/${room}/members`, { token, body: { users: [user] } }),
    },
  ];

  it('[D4] takes as many as it has room for, when they are added at once through all APIs', async () => {
    const room = await roomOf('group', MAX - FREE, '002');
    const coming = crowd.slice(MAX - FREE, MAX - FREE + COMING);
    const tokens = await Promise.all(ADDING.map(({ dialect }) => tokenOf(crowd[0] as UserId, dialect)));
    const results = await Promise.all(
      coming.map(async (user, at) => {
        const which = at % ADDING.length;
        return isIn((await ADDING[which]?.add(room.id, user, tokens[which] ?? '')) as Answered);
      }),
    );
    const members = await membersOf(room.id);
    expect(members).toHaveLength(MAX);
    expect(results.filter(Boolean)).toHaveLength(FREE);
    for (const [at, user] of coming.entries()) expect([user, members.includes(user)]).toEqual([user, results[at]]);
  });
});

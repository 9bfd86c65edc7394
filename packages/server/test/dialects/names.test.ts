/** All APIs side by side: whose names are their own, and whose are everybody's. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fresh, openWorld, type World } from './world.js';

let world: World;
let nora: { id: number; name: string; token: string };
let ben: { id: number; name: string; token: string };
beforeAll(async () => {
  world = await openWorld();
  // The first account is an admin, who may make rooms in all of them.
  nora = await world.native();
  ben = await world.native();
});
afterAll(() => world.close());

const post = (path: string, body: object) => world.ask('POST', path, { token: nora.token, body });

/** How each API makes a room that has a name, and what it answers when the name is taken; null: there it may be. */
const MAKERS: { api: string; make: (name: string) => ReturnType<typeof post>; status: number; taken: number | null }[] =
  [
    {
      api: 'native',
      make: (name) => post('/v1/rooms', { kind: 'channel', visibility: 'public', name }),
      status: 201,
      taken: 409,
    },
    { api: '000', make: (name) => post('/rooms/create_room', { name }), status: 200, taken: 400 },
    { api: '001', make: (name) => post('/api/chat/rooms', { name }), status: 201, taken: 400 },
    {
      api: '002',
      make: (name) => post('/api/v1/chats/', { chat_type: 'group', name, participant_ids: [ben.id] }),
      status: 201,
      taken: null,
    },
    {
      api: '003',
      make: (name) => post('/groups/create', { name, member_ids: [ben.id] }),
      status: 201,
      taken: null,
    },
    { api: '004', make: (name) => post('/api/v1/rooms/', { name }), status: 200, taken: 400 },
  ];

it('[D3] a name is there once among the public rooms of an API, and in each API again; groups share theirs', async () => {
  const name = fresh('General ');
  for (const { api, make, status } of MAKERS) expect((await make(name)).status, `first in ${api}`).toBe(status);
  for (const { api, make, status, taken } of MAKERS) {
    for (const again of [name, name.toUpperCase(), ` ${name}`]) {
      expect((await make(again)).status, `${again} again in ${api}`).toBe(taken ?? status);
    }
  }
});

it('[D3] the name of an account is there once, whichever API it was made through', async () => {
  const name = fresh('somebody');
  const email = (): string => `${fresh('mail')}@example.com`;
  const account = { username: name, password: 'correct horse', full_name: null };
  const register: [string, string, number, object][] = [
    ['000', '/users/create_user', 400, account],
    ['001', '/api/register', 400, account],
    ['002', '/api/v1/users/register', 400, account],
    ['003', '/auth/register', 400, account],
    ['004', '/api/v1/auth/register', 400, account],
    ['native', '/v1/users', 409, { name, password: account.password }],
  ];
  const withEmail = (api: string, body: object): object => (api === 'native' ? body : { ...body, email: email() });
  for (const [maker, path, , body] of register) {
    const own = `${name}${maker}`;
    const named = maker === 'native' ? { ...body, name: own } : { ...body, username: own };
    expect((await post(path, withEmail(maker, named))).status, `first in ${maker}`).toBeLessThan(300);
    for (const [api, other, taken, form] of register) {
      const again = api === 'native' ? { ...form, name: own } : { ...form, username: own.toUpperCase() };
      expect((await post(other, withEmail(api, again))).status, `${maker}'s again in ${api}`).toBe(taken);
    }
  }
});

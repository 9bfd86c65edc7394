/** Where two of the documented APIs can not both be right: how each conflict is settled, by path, token or setting. */
import { SYSTEM_ACTOR } from '@natter/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crowd } from './voices.js';
import { type Answered, fresh, openWorld, type World } from './world.js';

let world: World;
let people: ReturnType<typeof crowd>;
beforeAll(async () => {
  world = await openWorld();
  people = crowd(world);
});
afterAll(() => world.close());

const said = ({ status, body }: Answered): unknown[] => [status, body.detail];
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('bodies at the same path', () => {
  it('C1: a login of 000 gives a text at the documented path, an object at that of its code', async () => {
    const { username } = await people['000'].join('ann');
    const body = { username, password: 'secret123' };
    const documented = await world.ask('POST', '/users/login', { body });
    expect(documented.body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      jwt: documented.body.access_token,
    });
    const bare = await world.ask('POST', '/login', { body });
    expect(bare.body).toMatchObject({ access_token: { jwt: expect.any(String) }, token_type: 'bearer' });
    for (const token of [documented.body.access_token, bare.body.access_token.jwt]) {
      expect((await world.ask('GET', '/users/me', { token })).body.user_info.username).toBe(username);
    }
  });

  it('C2: `/` is a page to browsers, and to programs what 002 says', async () => {
    const page = await world.ask('GET', '/', { headers: { accept: 'text/html,application/xhtml+xml' } });
    expect([page.status, page.headers.get('content-type'), page.body]).toEqual([
      200,
      expect.stringContaining('text/html'),
      expect.stringContaining('<!doctype html>'),
    ]);
    for (const accept of ['*/*', 'application/json']) {
      const { status, body } = await world.ask('GET', '/', { headers: { accept } });
      expect([status, body]).toEqual([
        200,
        { message: 'Chat Service API', version: '1.0.0', status: 'running', docs: '/docs' },
      ]);
    }
  });

  it('C3: `/health` says what 002 and 003 say, and what 004 has beside it', async () => {
    const { status, body } = await world.ask('GET', '/health');
    expect([status, body]).toMatchObject([
      200,
      {
        status: 'healthy',
        mysql: 'connected',
        mongodb: 'connected',
        app_name: expect.any(String),
        environment: expect.any(String),
        debug: false,
      },
    ]);
    expect((await world.ask('GET', '/api/health')).body).toEqual({ status: 'ok', version: '1.0.0' });
  });

  it('C2, C3: one that is served alone says it in its own words', async () => {
    const of002 = { message: 'Chat Service API', version: '1.0.0', status: 'running', docs: '/docs' };
    for (const [dialect, root, health, nowhere] of [
      ['002', of002, 'healthy', '/api/v1/nowhere'],
      ['003', { message: 'Real-time Chat API', status: 'running', docs: '/docs' }, 'healthy', '/auth/nowhere'],
      ['004', { message: 'Welcome to the Simple Chat App!' }, 'ok', '/api/v1/nowhere'],
      ['001', null, undefined, '/api/nowhere'],
    ] as const) {
      const alone = await openWorld({ DIALECTS: dialect });
      try {
        const { body } = await alone.ask('GET', '/');
        if (root) expect(body).toEqual(root);
        else expect(body).toContain('<!doctype html>');
        expect((await alone.ask('GET', '/health')).body.status).toBe(health);
        expect(said(await alone.ask('GET', nowhere))).toEqual([404, 'Not Found']);
      } finally {
        await alone.close();
      }
    }
  });

  it('C4: one document shows all, grouped; that of 001 stands beside it, with 001 alone', async () => {
    const { body: all } = await world.ask('GET', '/openapi.json');
    const tagsOf = (document: { paths: Record<string, Record<string, { tags: string[] }>> }): Set<string> =>
      new Set(Object.values(document.paths).flatMap((methods) => Object.values(methods).flatMap(({ tags }) => tags)));
    const dialects = all.tags.map(({ name }: { name: string }) => name).filter((name: string) => /^dialect/.test(name));
    expect(dialects.map((name: string) => name.slice(8, 11))).toEqual(['000', '001', '002', '003', '004']);
    for (const name of dialects) expect(tagsOf(all)).toContain(name);
    const { body: one } = await world.ask('GET', '/api/openapi.json');
    expect([...tagsOf(one)]).toEqual([dialects[1]]);
    for (const path of ['/docs', '/redoc', '/api/docs', '/api/redoc']) {
      expect((await world.ask('GET', path)).status, path).toBe(200);
    }
  });
});

describe('sockets at the same path', () => {
  it('C5: the token says which API is spoken, on `/ws/{number}` and on `/api/v1/ws/{number}`', async () => {
    const [of001, of002, of003, of004] = [
      await people['001'].join('ann'),
      await people['002'].join('ben'),
      await people['003'].join('cid'),
      await people['004'].join('dan'),
    ];
    const nora = await world.native();
    const room = await people['001'].room(of001);
    for (const { token } of [of002, of003, of004, nora]) {
      // They come in, so that each may use the room through every API.
      expect((await world.ask('GET', `/api/chat/rooms/${room}/messages`, { token })).status).toBe(200);
    }
    /** What comes first, with what comes of a frame that each of the three understands otherwise. */
    const manner = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
      const client = await world.socket(path, headers);
      client.send({ type: 'ping', chat_id: room });
      client.send('?');
      const frames = [];
      do frames.push(await client.next());
      while (!/JSON/.test(JSON.stringify(frames.at(-1))));
      client.destroy();
      const types = frames.map((frame) => (typeof frame === 'string' ? 'line' : frame.type));
      const manners: Record<string, string> = {
        'system,line': '001',
        'pong,error': '002',
        'messages_history,error,error': '004',
      };
      return manners[types.join()] ?? types.join();
    };
    const rows = [
      [of001.token, '001', '002'],
      [of002.token, '001', '002'],
      [of003.token, '001', '002'],
      [of004.token, '004', '004'],
      [nora.token, '001', '002'],
    ] as const;
    for (const [token, short, long] of rows) {
      expect(await manner(`/ws/${room}?token=${token}`)).toBe(short);
      expect(await manner(`/api/v1/ws/${room}?token=${token}`)).toBe(long);
    }
    // Of a token of none of them: one in the header is a custom of 004, and rooms that 004 made are of its kind.
    const header = { authorization: `Bearer ${nora.token}` };
    expect(await manner(`/api/v1/ws/${room}`, header)).toBe('004');
    expect(await manner(`/api/v1/ws/${room}`, { authorization: `Bearer ${of002.token}` })).toBe('002');
    const { core, queries } = world.app.parts;
    const made = await core.execute(
      { user: nora.id, role: 'user', session: null },
      { type: 'room.create', kind: 'channel', visibility: 'public', name: fresh('kind') },
      { dialect: '004' },
    );
    if (!made.ok) throw new Error(made.code);
    expect(await queries.records.roomDialect(made.result.stream)).toBe('004');
    expect(await manner(`/api/v1/ws/${made.result.stream}?token=${nora.token}`)).toBe('004');
    // What is no number is a token of 003, and anything else is nothing.
    const direct = await world.socket(`/ws/${of001.token}`);
    expect(await direct.next()).toMatchObject({ type: 'connected', user_id: of001.id });
    for (const path of [`/ws/${of001.token}x`, '/ws/x', `/ws/1x?token=${of001.token}`, `/ws/-1?token=${of001.token}`]) {
      expect((await world.refusal(path)).status, path).toBe(403);
    }
    for (const path of ['/api/v1/ws/x', '/ws/1/2', '/wss']) {
      expect([403, 404], path).toContain((await world.refusal(`${path}?token=${of001.token}`)).status);
    }
  });
});

describe('sessions', () => {
  it('C6: a logout of 001 ends the access token, one of 003 the refresh token alone', async () => {
    const ann = await people['001'].join('ann');
    expect((await world.ask('POST', '/api/logout', { token: ann.token })).status).toBe(200);
    expect((await world.ask('GET', '/api/chat/rooms', { token: ann.token })).status).toBe(401);
    expect((await world.ask('GET', '/auth/me', { token: ann.token })).status).toBe(401);

    const cid = await people['003'].join('cid');
    const socket = await people['003'].connect(cid);
    const body = { refresh_token: cid.refresh };
    expect((await world.ask('POST', '/auth/logout', { body })).status).toBe(200);
    expect((await world.ask('POST', '/auth/refresh', { body })).status).toBe(401);
    expect((await world.ask('GET', '/auth/me', { token: cid.token })).status).toBe(200);
    expect((await world.ask('GET', '/api/chat/rooms', { token: cid.token })).status).toBe(200);
    socket.send({ type: 'ping' });
    expect(await socket.next()).toEqual({ type: 'pong' });
  });

  it('[S3] a refresh token is taken by the API that gave it, and by no other', async () => {
    const [cid, dan] = [await people['003'].join('cid'), await people['004'].join('dan')];
    const nora = await world.ask('POST', '/v1/sessions', {
      body: { name: (await world.native()).name, password: 'correct horse battery' },
    });
    const ask = (path: string, refresh_token: string) => world.ask('POST', path, { body: { refresh_token } });
    for (const token of [dan.refresh, nora.body.refreshToken]) {
      expect(said(await ask('/auth/refresh', token))).toEqual([401, 'Refresh token not found']);
      expect(said(await ask('/auth/logout', token))).toEqual([400, 'Invalid refresh token']);
    }
    for (const token of [cid.refresh, nora.body.refreshToken]) {
      const refused = await ask('/api/v1/auth/refresh', token);
      expect(said(refused)).toEqual([401, 'Could not validate refresh token']);
    }
    for (const refreshToken of [cid.refresh, dan.refresh]) {
      expect((await world.ask('POST', '/v1/sessions/refresh', { body: { refreshToken } })).status).toBe(401);
    }
    // Each is as good as before.
    expect((await ask('/auth/refresh', cid.refresh)).status).toBe(200);
    expect((await ask('/api/v1/auth/refresh', dan.refresh)).status).toBe(200);
    const { refreshToken } = nora.body;
    expect((await world.ask('POST', '/v1/sessions/refresh', { body: { refreshToken } })).status).toBe(200);
  });

  it('C13: tokens of 001 live a day, those of the others half an hour', async () => {
    const tokens = {
      '000': (await people['000'].join('ann')).token,
      '001': (await people['001'].join('ann')).token,
      '002': (await people['002'].join('ann')).token,
      '003': (await people['003'].join('ann')).token,
      '004': (await people['004'].join('ann')).token,
    };
    for (const [api, token] of Object.entries(tokens)) {
      const claims = claimsOf(token);
      expect([claims.api, (claims.exp - claims.iat) / 60]).toEqual([api, api === '001' ? 1_440 : 30]);
    }
  });
});

describe('names', () => {
  it('C7: accounts are one: a name or an address that is taken through one API is taken in all', async () => {
    const username = fresh('only');
    const email = `${username}@example.com`;
    const first = { username, email, password: 'abcdefgh' };
    expect((await world.ask('POST', '/api/v1/auth/register', { body: first })).status).toBe(200);
    const taken = [
      ['/users/create_user', 'User already exists'],
      ['/api/register', 'Username or email already registered'],
      ['/api/v1/users/register', 'Username already exists'],
      ['/auth/register', 'Username already taken'],
      ['/api/v1/auth/signup', /already exists/],
    ] as const;
    for (const [path, detail] of taken) {
      const refused = await world.ask('POST', path, { body: { ...first, email: `other-${email}` } });
      expect(said(refused), path).toEqual([400, detail instanceof RegExp ? expect.stringMatching(detail) : detail]);
      const byEmail = await world.ask('POST', path, { body: { ...first, username: fresh('other') } });
      expect(byEmail.status, path).toBe(400);
    }
    const logins = [
      ['/users/login', { body: { username, password: 'abcdefgh' } }],
      ['/api/login', { form: { username, password: 'abcdefgh' } }],
      ['/api/v1/users/login', { body: { username, password: 'abcdefgh' } }],
      ['/auth/login', { body: { username, password: 'abcdefgh' } }],
      ['/api/v1/auth/login', { body: { username, password: 'abcdefgh' } }],
    ] as const;
    for (const [path, ask] of logins) expect((await world.ask('POST', path, ask)).status, path).toBe(200);
    // Each has its own idea of how short a password may be; whoever has one may use it in all.
    const short = { username: fresh('short'), email: `${fresh('short')}@example.com`, password: 'abc' };
    expect((await world.ask('POST', '/api/register', { body: short })).status).toBe(422);
    expect((await world.ask('POST', '/api/v1/auth/register', { body: short })).status).toBe(200);
    expect(
      (await world.ask('POST', '/api/login', { form: { username: short.username, password: 'abc' } })).status,
    ).toBe(200);
  });

  it('C7: names of rooms are unique within their API, and lists show the rooms of their own, never private ones', async () => {
    const name = fresh('general');
    const nora = await world.native();
    const { core } = world.app.parts;
    const [ann, ben, dan] = [
      await people['000'].join('ann'),
      await people['001'].join('ben'),
      await people['004'].join('dan'),
    ];
    const system = { user: SYSTEM_ACTOR, role: 'system' as const, session: null };
    const promoted = await core.execute(system, { type: 'user.set_role', user: dan.id, role: 'admin' });
    expect(promoted).toMatchObject({ ok: true });
    const of000 = await people['000'].create(ann, name);
    const of001 = await people['001'].room(ben, name);
    const of004 = await people['004'].room(dan, name);
    const native = await world.ask('POST', '/v1/rooms', {
      token: nora.token,
      body: { kind: 'channel', visibility: 'public', name },
    });
    expect(native.status).toBe(201);
    const again = [
      await world.ask('POST', '/rooms/create_room', { token: ann.token, body: { name } }),
      await world.ask('POST', '/api/chat/rooms', { token: ann.token, body: { name } }),
      await world.ask('POST', '/api/v1/rooms/', { token: dan.token, body: { name } }),
    ];
    expect(again.map(({ status }) => status)).toEqual([400, 400, 400]);
    // 002 and 003 take a name as often as it is given.
    for (const _ of [1, 2]) {
      await people['002'].group(await people['002'].join('eve'), [ben], name);
      await people['003'].group(await people['003'].join('eve'), [ben], name);
    }
    const idsIn = async (path: string): Promise<number[]> => {
      const { body } = await world.ask('GET', path, { token: ben.token });
      return body.filter((room: { name: string }) => room.name === name).map(({ id }: { id: number }) => id);
    };
    expect(await idsIn('/api/chat/rooms?limit=1000')).toEqual([of001]);
    expect(await idsIn('/api/v1/rooms/')).toEqual([of004]);
    expect(of000).not.toBe(of001);
    // By id each of the open ones is there for everybody.
    for (const room of [of000, of001, of004, native.body.id]) {
      for (const path of [`/api/chat/rooms/${room}`, `/api/v1/rooms/${room}`]) {
        expect((await world.ask('GET', path, { token: ben.token })).body, path).toMatchObject({ id: room, name });
      }
    }
  });
});

describe('who may', () => {
  it('C8: 004 has an admin from the beginning: the first account, or whoever the operator names', async () => {
    const fresh004 = await openWorld({ DIALECTS: '004' });
    try {
      const crowd004 = crowd(fresh004)['004'];
      const [first, second] = [await crowd004.join('first'), await crowd004.join('second')];
      await crowd004.room(first);
      const refused = await crowd004.ask('POST', '/rooms/', { token: second.token, body: { name: 'x' } });
      expect(said(refused)).toEqual([403, "Insufficient permissions. Required roles: ['admin']"]);
    } finally {
      await fresh004.close();
    }
  });

  it('C9: without a token each says its own status, by path', async () => {
    for (const [path, status] of [
      ['/users/me', 401],
      ['/api/chat/rooms', 401],
      ['/api/v1/users/me', 403],
      ['/auth/me', 403],
      ['/api/v1/auth/me', 401],
    ] as const) {
      const refused = await world.ask('GET', path);
      expect(said(refused), path).toEqual([status, 'Not authenticated']);
      expect(refused.headers.get('www-authenticate'), path).toBe(status === 401 ? 'Bearer' : null);
    }
  });

  it('C10: a group of 002 has 100 members, whoever makes it among them', async () => {
    const eve = await people['002'].join('eve');
    const ids = Array.from({ length: 100 }, (_, i) => 1_000_000 + i);
    const make = (participant_ids: number[]) =>
      people['002'].ask('POST', '/chats/', { token: eve.token, body: { chat_type: 'group', participant_ids } });
    expect((await make(ids)).status).toBe(422);
    // 99 others are no reason to refuse: that nobody has these ids is.
    expect(said(await make(ids.slice(1)))).toEqual([400, 'One or more participants not found']);
  });

  it('C14: who is told whether a name exists, and what is said, stays as it is there', async () => {
    const wrong = { username: fresh('nobody'), password: 'whatever1' };
    for (const [path, status] of [
      ['/users/login', 404],
      ['/api/login', 404],
      ['/api/v1/users/login', 401],
      ['/auth/login', 401],
      ['/api/v1/auth/login', 401],
    ] as const) {
      expect((await world.ask('POST', path, { body: wrong })).status, path).toBe(status);
    }
    const ben = await people['001'].join('ben');
    const room = await people['001'].room(ben);
    const content = `<b onclick="x()">'; drop table messages; --</b> %00 \u202e`;
    expect((await people['001'].post(ben, room, content)).content).toBe(content);
    expect(await people['001'].contents(ben, room)).toEqual([content]);
  });
});

describe('pages of other origins', () => {
  const origin = 'http://localhost:3000';
  const preflight = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  };

  it('C11: may call every dialect where no origins are named, and never the native API', async () => {
    for (const path of ['/users/login', '/api/login', '/api/v1/users/login', '/auth/login', '/api/v1/auth/login']) {
      const before = await world.ask('OPTIONS', path, { headers: preflight });
      expect(before.status, path).toBe(200);
      expect(before.headers.get('access-control-allow-origin'), path).toBe(origin);
      expect(before.headers.get('access-control-allow-credentials'), path).toBe('true');
      expect(before.headers.get('access-control-allow-methods'), path).toContain('POST');
      expect(before.headers.get('access-control-allow-headers'), path).toBe('content-type');
      expect(before.headers.get('access-control-max-age'), path).toBe('600');
      const { headers } = await world.ask('POST', path, { headers: { origin }, body: {} });
      expect([headers.get('access-control-allow-origin'), headers.get('vary')], path).toEqual([
        origin,
        expect.stringMatching(/origin/i),
      ]);
    }
    for (const method of ['OPTIONS', 'GET']) {
      const { headers } = await world.ask(method, '/v1/server', { headers: preflight });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('C11: may call what the operator lets them where origins are named', async () => {
    const named = await openWorld({ CORS_ORIGINS: origin });
    try {
      for (const [from, allowed] of [
        [origin, origin],
        ['https://elsewhere.example', null],
      ] as const) {
        const { headers } = await named.ask('GET', '/api/health', { headers: { origin: from } });
        expect(headers.get('access-control-allow-origin')).toBe(allowed);
      }
    } finally {
      await named.close();
    }
  });
});

describe('times', () => {
  it('C12: say Z in all but 003, whose clients cut them after the seconds', async () => {
    const cid = await people['003'].join('cid');
    const me = (await world.ask('GET', '/auth/me', { token: cid.token })).body.created_at;
    expect(me).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/);
    for (const path of ['/api/v1/users/me', '/api/v1/auth/me', '/users/me']) {
      const { body } = await world.ask('GET', path, { token: cid.token });
      const { created_at } = body.user ?? body.user_info ?? body;
      expect([path, created_at]).toEqual([path, expect.stringMatching(/Z$/)]);
      // The same moment, whoever tells it.
      expect(Math.abs(Date.parse(created_at) - Date.parse(`${me}Z`))).toBeLessThan(1_000);
    }
  });
});

describe('[D5] what is off', () => {
  const rows = [
    ['000', 'GET', '/users/me', '/ws/rooms?token='],
    ['001', 'GET', '/api/chat/rooms', '/ws/1?token='],
    ['002', 'GET', '/api/v1/users/me', '/api/v1/ws/1?token='],
    ['003', 'GET', '/auth/me', '/ws/'],
    ['004', 'GET', '/api/v1/auth/me', '/api/v1/ws/1?token='],
  ] as const;

  it.each(rows)(
    '%s is not found, its sockets are refused, and the others are there',
    async (off, method, path, socket) => {
      const on = rows.map(([name]) => name).filter((name) => name !== off);
      const part = await openWorld({ DIALECTS: on.join(' ') });
      try {
        const nora = await part.native();
        const room = await part.ask('POST', '/v1/rooms', {
          token: nora.token,
          body: { kind: 'channel', visibility: 'public', name: 'open' },
        });
        const at = socket.replace('/1', `/${room.body.id}`);
        expect((await part.ask(method, path, { token: nora.token })).status).toBe(404);
        // 002 and 004 share a path, and 004 takes what 002 would have taken.
        const shared = off === '002' || off === '004';
        const answer = await part.refusal(`${at}${nora.token}`);
        if (!shared) expect([403, 404]).toContain(answer.status);
        for (const [name, , there] of rows) {
          if (name !== off) expect((await part.ask('GET', there, { token: nora.token })).status, there).toBe(200);
        }
        const { body } = await part.ask('GET', '/openapi.json');
        expect(JSON.stringify(body)).not.toContain(`dialect ${off}`);
        if (off === '001') expect((await part.ask('GET', '/api/docs')).status).toBe(404);
      } finally {
        await part.close();
      }
    },
  );
});

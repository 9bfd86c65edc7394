/** What the dialects share: bodies, fields, tokens and times as FastAPI has them, and reads by name. */
import { enter } from '@natter/server/dialects/entry';
import { Api, httpBearer, OAUTH2 } from '@natter/server/dialects/fastapi/api';
import { failureOf } from '@natter/server/dialects/fastapi/failure';
import { naive, zulu } from '@natter/server/dialects/fastapi/times';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { fastify } from 'fastify';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { House } from '../core/house.js';

/** Two routes that answer the body they were given; the token `good` is somebody's. */
async function site(rules = OAUTH2) {
  const app = fastify();
  app.decorateRequest('address', '');
  const accounts = {
    verifyAccess: async (token: string) =>
      token === 'good' ? { ok: true, value: { user: 1, role: 'user', session: 's', dialect: '' } } : { ok: false },
  };
  const context = {
    accounts,
    hub: { presence: { touch: () => {} } },
    limits: DEFAULT_LIMITS,
  } as unknown as ConstructorParameters<typeof Api>[1];
  const dialect = { name: '002', title: 'test' } as ConstructorParameters<typeof Api>[2];
  const api = new Api(app, context, dialect, rules);
  const body = Type.Object({
    username: Type.String({ minLength: 3 }),
    password: Type.String(),
    scope: Type.String({ default: '' }),
  });
  api.route({ method: 'POST', path: '/either', summary: '', open: true, form: true, body }, async (call) => call.body);
  api.route({ method: 'POST', path: '/json', summary: '', open: true, body }, async (call) => call.body);
  const email = Type.Optional(Type.Union([Type.String({ format: 'email' }), Type.Null()]));
  api.route(
    { method: 'POST', path: '/email', summary: '', open: true, body: Type.Object({ email }) },
    async (call) => call.body,
  );
  api.route({ method: 'GET', path: '/me', summary: '' }, async ({ actor }) => actor.user);
  const flag = Type.Boolean({ default: false });
  api.route(
    { method: 'POST', path: '/flag', summary: '', open: true, body: Type.Object({ flag }) },
    async (call) => call.body,
  );
  const fields = [{ path: '/name', message: 'is reserved' }];
  api.route({ method: 'POST', path: '/name', summary: '', open: true, body }, async () =>
    failureOf({ ok: false, code: 'invalid', fields }, {}, { name: 'username' }),
  );
  api.route(
    { method: 'GET', path: '/things/:id', summary: '', open: true, params: Type.Object({ id: Type.String() }) },
    async ({ params }) => params.id,
  );
  const post = async (url: string, payload: string | undefined, type?: string) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    const { statusCode, body: text } = await app.inject({
      method: 'POST',
      url,
      headers,
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: statusCode, body: JSON.parse(text) };
  };
  const get = async (authorization?: string) => {
    const {
      statusCode,
      headers,
      body: text,
    } = await app.inject({
      url: '/me',
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });
    return [statusCode, JSON.parse(text).detail, headers['www-authenticate'] ?? null];
  };
  const look = async (url: string) => (await app.inject({ url })).statusCode;
  return { post, get, look };
}

const FORM = 'application/x-www-form-urlencoded';
const where = (body: { detail: { type: string; loc: unknown[] }[] }): unknown[] =>
  body.detail.map(({ type, loc }) => [type, ...loc]);

describe('bodies', () => {
  it('are forms or JSON where a route takes both, and say the same of what is wrong', async () => {
    const { post } = await site();
    const good = { username: 'a b&c+é', password: 'p=1', scope: '' };
    expect((await post('/either', 'username=a+b%26c%2B%C3%A9&password=p%3D1', FORM)).body).toEqual(good);
    expect((await post('/either', JSON.stringify(good), 'application/json')).body).toEqual(good);
    expect(
      (await post('/either', 'username=one&username=two&password=x', `${FORM}; charset=utf-8`)).body.username,
    ).toBe('two');
    const missing = [
      ['missing', 'body', 'username'],
      ['missing', 'body', 'password'],
    ];
    for (const [payload, type] of [
      ['', FORM],
      ['username=&password=', FORM],
      [undefined, undefined],
      ['{}', 'application/json'],
      ['null', 'application/json'],
      ['username=x', 'text/plain'],
    ] as const) {
      const refused = await post('/either', payload, type);
      expect([refused.status, where(refused.body)], `${payload} as ${type}`).toEqual([422, missing]);
    }
    expect(where((await post('/either', 'username=ab&password=%00', FORM)).body)).toEqual([
      ['string_too_short', 'body', 'username'],
      ['value_error', 'body', 'password'],
    ]);
    expect(where((await post('/either', '[1]', 'application/json')).body)).toEqual([['model_attributes_type', 'body']]);
    expect(where((await post('/either', '{"username"', 'application/json')).body)).toEqual([
      ['json_invalid', 'body', 11],
    ]);
    // Members of a form are members like others: none of them reaches further.
    expect((await post('/either', '__proto__=x&constructor=y&username=abc&password=x', FORM)).body).toEqual({
      username: 'abc',
      password: 'x',
      scope: '',
    });
  });

  it('are nested no deeper than they may be, whatever member it is in, so that what is wrong can be said', async () => {
    const { post } = await site();
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const send = (depth: number) => post('/json', `{"username":${nested(depth)},"other":1}`, 'application/json');
    const { status, body } = await send(DEFAULT_LIMITS.JSON_DEPTH_MAX - 1);
    expect([status, where(body), JSON.stringify(body.detail[0].input)]).toEqual([
      422,
      [
        ['string_type', 'body', 'username'],
        ['missing', 'body', 'password'],
      ],
      nested(DEFAULT_LIMITS.JSON_DEPTH_MAX - 1),
    ]);
    const unreadable = { status: 400, body: { detail: 'There was an error parsing the body' } };
    for (const depth of [DEFAULT_LIMITS.JSON_DEPTH_MAX, 1_000, 100_000]) expect(await send(depth)).toEqual(unreadable);
    expect(await post('/json', nested(100_000), 'application/json')).toEqual(unreadable);
    expect(await post('/json', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, undefined)).toEqual(unreadable);
  });

  it('are texts to routes that take JSON alone when they are forms', async () => {
    const { post } = await site();
    const refused = await post('/json', 'username=abc&password=x', FORM);
    expect([refused.status, where(refused.body)]).toEqual([422, [['model_attributes_type', 'body']]]);
    expect(refused.body.detail[0].input).toBe('username=abc&password=x');
  });
});

/** A form of several parts, as browsers send it. */
const parts = (...fields: [head: string, value: string][]): string =>
  `${fields.map(([head, value]) => `--b-1\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`).join('')}--b-1--\r\n`;
const PARTS = 'multipart/form-data; boundary=b-1';

describe('forms of several parts', () => {
  it('are forms like others, with whatever stands in their members', async () => {
    const { post } = await site();
    const form = new FormData();
    form.set('username', 'a b&c+é\r\n--b');
    form.set('password', '--"\n;name="x"');
    const sent = new Request('http://localhost', { method: 'POST', body: form });
    const { status, body } = await post('/either', await sent.text(), sent.headers.get('content-type') ?? '');
    // Browsers make each end of a line one of the network's.
    expect([status, body]).toEqual([200, { username: 'a b&c+é\r\n--b', password: '--"\r\n;name="x"', scope: '' }]);
    const quoted = parts(['name="username"', 'one'], ['name="username"', 'two'], ['name="password"', 'x']);
    expect((await post('/either', quoted, PARTS.replace('b-1', '"b-1"'))).body.username).toBe('two');
    expect((await post('/either', `before\r\n${quoted}after`, `${PARTS}; charset=utf-8`)).body.username).toBe('two');
  });

  it('have no members where they are broken or empty, and files are none', async () => {
    const { post } = await site();
    const missing = [
      ['missing', 'body', 'username'],
      ['missing', 'body', 'password'],
    ];
    const whole = parts(['name="username"', 'abc'], ['name="password"', 'x']);
    for (const [payload, type] of [
      ['', PARTS],
      ['--b-1--', PARTS],
      [whole, 'multipart/form-data'],
      [whole, 'multipart/form-data; boundary=other'],
      [whole.replaceAll('\r\n\r\n', '\n'), PARTS],
      [whole.replaceAll('form-data; name', 'form-data; no'), PARTS],
      [parts(['name="username"', ''], ['name="password"; filename="x"', 'x']), PARTS],
      [parts(['name="username"; filename*=UTF-8\'\'x', 'abc']), PARTS],
    ]) {
      const refused = await post('/either', payload, type);
      expect([refused.status, where(refused.body)], payload).toEqual([422, missing]);
    }
    const text = await post('/json', whole, PARTS);
    expect([text.status, where(text.body), text.body.detail[0].input]).toEqual([
      422,
      [['model_attributes_type', 'body']],
      whole,
    ]);
  });

  it('take no longer to read than they are long, however they are made', async () => {
    const { post } = await site();
    for (const payload of [
      parts(...Array.from({ length: 3_000 }, (): [string, string] => ['name="a"', ''])),
      parts([' name='.repeat(30_000), 'x']),
      parts([';name="'.repeat(30_000), 'x']),
      `--b-1\r\n${'content-disposition:'.repeat(10_000)}\r\n\r\nx--b-1--`,
      '\r\n--b-'.repeat(30_000),
    ]) {
      const from = process.cpuUsage();
      expect((await post('/either', payload, PARTS)).status).toBe(422);
      expect(process.cpuUsage(from).user / 1_000).toBeLessThan(1_000);
    }
  });
});

describe('what core refuses', () => {
  it('is shown with what was given for it, like what the schema refuses', async () => {
    const { post } = await site();
    const given = { username: 'deleted', password: 'x' };
    expect(await post('/name', JSON.stringify(given), 'application/json')).toEqual({
      status: 422,
      body: {
        detail: [
          {
            type: 'value_error',
            loc: ['body', 'username'],
            msg: 'Value error, is reserved',
            input: 'deleted',
            ctx: { error: {} },
          },
        ],
      },
    });
  });
});

describe('input', () => {
  it('is true or false in the words and numbers of pydantic, and of no other kind', async () => {
    const { post } = await site();
    const send = (flag: unknown) => post('/flag', JSON.stringify({ flag }), 'application/json');
    for (const [given, is] of [
      [1, true],
      ['oFF', false],
      [0.0, false],
    ]) {
      expect((await send(given)).body).toEqual({ flag: is });
    }
    for (const given of [2, -1, '', 'maybe', '1.0']) {
      expect(where((await send(given)).body), `${given}`).toEqual([['bool_parsing', 'body', 'flag']]);
    }
    for (const given of [1.5, 1e21, null, [], {}]) {
      expect(where((await send(given)).body), `${given}`).toEqual([['bool_type', 'body', 'flag']]);
    }
  });

  it('may begin with a mark of byte order, and has none elsewhere', async () => {
    const { post } = await site();
    const good = '{"username":"abc","password":"\ufeff"}';
    expect((await post('/json', `\ufeff${good}`, 'application/json')).body).toMatchObject({ password: '\ufeff' });
    for (const odd of [`\ufeff\ufeff${good}`, `${good}\ufeff`]) {
      const refused = await post('/json', odd, 'application/json');
      expect([refused.status, refused.body.detail[0].type]).toEqual([422, 'json_invalid']);
    }
  });

  it('has no parameter without letters: where one would be, there is nothing', async () => {
    const { look } = await site();
    expect(await look('/things/x')).toBe(200);
    expect(await look('/things/%20/')).toBe(200);
    for (const path of ['/things/', '/things//', '/things']) expect(await look(path), path).toBe(404);
  });
});

describe('e-mail addresses', () => {
  it('need a domain that mail can reach, or are left out', async () => {
    const { post } = await site();
    const send = (email: unknown) => post('/email', JSON.stringify({ email }), 'application/json');
    for (const [given, kept] of [
      ['ann@example.com', 'ann@example.com'],
      ['Ann.Lee+x@Mail.Example.COM', 'Ann.Lee+x@mail.example.com'],
      ['  ann@example.org ', 'ann@example.org'],
      ['ann@münchen.example', 'ann@münchen.example'],
      ['ann@contest.com', 'ann@contest.com'],
      [null, null],
    ]) {
      const { status, body } = await send(given);
      expect([status, body.email], `${given}`).toEqual([200, kept]);
    }
    expect((await post('/email', '{}', 'application/json')).body).toEqual({});
    const odd = ['x', '', '@example.com', 'ann@', 'ann@example', 'ann@localhost', 'ann@x.test', 'ann@x.invalid'];
    for (const given of [...odd, 'ann@TEST', 'a b@example.com', 'ann@exa mple.com', 'a@b@example.com', 'ann@.com']) {
      const { status, body } = await send(given);
      expect([status, where(body)], given).toEqual([422, [['value_error', 'body', 'email']]]);
      const { msg, input, ctx } = body.detail[0];
      expect([msg, input], given).toEqual([`value is not a valid email address: ${ctx.reason}`, given]);
    }
    expect(where((await send(7)).body)).toEqual([['string_type', 'body', 'email']]);
  });
});

describe('tokens', () => {
  it('are asked for as OAuth2PasswordBearer does it, or as HTTPBearer', async () => {
    const oauth = await site(OAUTH2);
    const none = [401, 'Not authenticated', 'Bearer'];
    for (const header of [undefined, 'Basic good', 'good']) expect(await oauth.get(header), `${header}`).toEqual(none);
    expect(await oauth.get('Bearer bad')).toEqual([401, 'Could not validate credentials', 'Bearer']);
    expect((await oauth.get('bEARER good'))[0]).toBe(200);

    const http = await site(httpBearer('Invalid authentication credentials'));
    expect(await http.get()).toEqual([403, 'Not authenticated', null]);
    expect(await http.get('Basic good')).toEqual([403, 'Invalid authentication credentials', null]);
    expect(await http.get('Bearer bad')).toEqual([401, 'Invalid authentication credentials', 'Bearer']);
    expect((await http.get('bearer good'))[0]).toBe(200);
  });
});

describe('times', () => {
  it('say that they are UTC, or do not', () => {
    const at = Date.UTC(2026, 10, 20, 13, 30, 14, 12);
    expect(zulu(at)).toBe('2026-11-20T13:30:14.012Z');
    expect(naive(at)).toBe('2026-11-20T13:30:14.012000');
  });
});

describe('reads by name', () => {
  it('find people in any case, and rooms within the API that made them', async () => {
    const house = await House.open();
    const { records } = house.queries;
    const [ann, ben] = [await house.user('Ann.Lee'), await house.user('ben')];
    expect((await records.personNamed('ann.LEE'))?.id).toBe(ann);
    expect(await records.personNamed('nobody')).toBeNull();

    const channel = (dialect: string, visibility: 'public' | 'private' = 'public') =>
      house
        .done(ann, 'room.create', { kind: 'channel', visibility, name: 'General' }, { dialect })
        .then(({ stream }) => stream);
    const [one, other] = [await channel('001'), await channel('004')];
    await channel('000', 'private');
    const find = async (dialect: string, name: string) =>
      (await records.placeNamed(house.actor(ben), { dialect, name }))?.id ?? null;
    expect(await find('001', ' general ')).toBe(one);
    expect(await find('004', 'GENERAL')).toBe(other);
    expect(await find('', 'general')).toBeNull();
    expect(await find('000', 'general')).toBeNull();
    expect(await find('001', 'genera')).toBeNull();
    await house.done(ann, 'room.delete', { room: one });
    expect(await find('001', 'general')).toBeNull();
  });
});

describe('coming into a room', () => {
  it('[A2] joins where it is open, is nothing new to members, and finds nothing where it is not', async () => {
    const house = await House.open();
    const [ann, ben] = [await house.user(), await house.user()];
    const open = await house.channel([ann], 'kitchen');
    const closed = await house.room([ann]);
    const come = (room: number) => enter(house, house.actor(ben), room, '001');
    expect(await come(open)).toMatchObject({ ok: true, value: { id: open, role: 'member', memberCount: 2 } });
    const { seq } = await house.send(ben, open);
    expect(await come(open)).toMatchObject({ ok: true, value: { role: 'member' } });
    expect((await house.send(ben, open)).seq).toBe(seq + 1);
    for (const room of [closed, 0, 999_999]) expect(await come(room)).toMatchObject({ ok: false, code: 'not_found' });
    await house.done(ann, 'room.archive', { room: open });
    await house.done(ben, 'member.leave', { room: open });
    expect(await come(open)).toMatchObject({ ok: false, code: 'archived' });
  });
});

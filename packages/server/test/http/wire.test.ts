import { createConnection } from 'node:net';
import { ERRORS } from '@natter/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, openSite, type Person, type Site } from './site.js';

let site: Site;
let ada: Person;
let room: number;

beforeAll(async () => {
  site = await openSite({ BODY_BYTES_MAX: '65536', HEADERS_TIMEOUT_SECONDS: '1', REQUEST_TIMEOUT_SECONDS: '1' });
  ada = await site.join('ada');
  room = (await site.ask('POST', '/v1/rooms', { token: ada.token, body: { kind: 'channel', name: 'r' } })).body.id;
});
afterAll(() => site.close());

const send = (body: unknown, headers?: Record<string, string>) =>
  site.ask('POST', `/v1/rooms/${room}/messages`, { token: ada.token, body, ...(headers ? { headers } : {}) });

describe('refusals', () => {
  it.each<[string, string, string, Ask, number, string]>([
    ['no such path', 'GET', '/v1/nothing', {}, 404, 'not_found'],
    ['no such path at all', 'GET', '/wp-login.php', {}, 404, 'not_found'],
    ['a path that is not UTF-8', 'GET', '/v1/rooms/%ff', {}, 400, 'malformed'],
    ['a path parameter without end', 'GET', `/v1/rooms/${'9'.repeat(5_000)}`, {}, 404, 'not_found'],
    ['another method', 'DELETE', '/v1/rooms', {}, 405, 'method_not_allowed'],
    ['no token', 'GET', '/v1/rooms', {}, 401, 'unauthenticated'],
    ['an unknown token', 'GET', '/v1/rooms', { token: 'x' }, 401, 'unauthenticated'],
    [
      'no content type that is read',
      'POST',
      '/v1/sessions',
      { body: 'a=b', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_type',
    ],
    [
      'a form',
      'POST',
      '/v1/sessions',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_type',
    ],
    ['half of JSON', 'POST', '/v1/sessions', { body: '{"name":' }, 400, 'malformed'],
    ['JSON with __proto__', 'POST', '/v1/sessions', { body: '{"__proto__":{"a":1}}' }, 400, 'malformed'],
    [
      'bytes that are not UTF-8',
      'POST',
      '/v1/sessions',
      { body: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      'malformed',
    ],
    ['no body', 'POST', '/v1/sessions', { body: '' }, 422, 'invalid'],
    ['another shape', 'POST', '/v1/sessions', { body: [] }, 422, 'invalid'],
    ['too much', 'POST', '/v1/sessions', { body: { name: 'x'.repeat(70_000) } }, 413, 'too_large'],
    ['a plain request to the socket', 'GET', '/v1/socket', {}, 426, 'upgrade_required'],
  ])('%s', async (_what, method, path, ask, status, code) => {
    const { body, headers, ...answered } = await site.ask(method, path, ask);
    expect(answered.status).toBe(status);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const { title, retryable } = ERRORS[code as keyof typeof ERRORS];
    expect(body).toMatchObject({ type: `/docs/errors#${code}`, title, status, code, retryable });
  });

  it('say by JSON Pointer what is wrong, each once', async () => {
    const { body } = await site.ask('POST', '/v1/users', { body: { name: 7, extra: 1, fullName: 'x'.repeat(2_000) } });
    expect(body.fields).toEqual([
      { path: '/password', message: 'is missing' },
      { path: '/extra', message: 'is not known here' },
      { path: '/name', message: 'must be string' },
      { path: '/fullName', message: 'must not have more than 1024 characters' },
    ]);
    const query = await site.ask('GET', `/v1/rooms/${room}/messages?limit=0&befor=1`, { token: ada.token });
    expect(query.body.fields.map((field: { path: string }) => field.path)).toEqual(['/befor', '/limit']);
  });

  it('tell who asks without a token how to ask', async () => {
    const { headers } = await site.ask('GET', '/v1/me');
    expect(headers.get('www-authenticate')).toBe('Bearer realm="natter"');
  });

  it('of a known path with another method name those that it takes', async () => {
    const { headers } = await site.ask('DELETE', '/v1/rooms');
    expect(headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
    const options = await site.ask('OPTIONS', `/v1/rooms/${room}`);
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'DELETE, GET, HEAD, PATCH, OPTIONS']);
  });

  it('point to a page that explains their code', async () => {
    const { body } = await site.ask('GET', '/nothing');
    const [path, code] = body.type.split('#');
    expect((await site.ask('GET', path)).body).toContain(`id="${code}"`);
  });
});

describe('text', () => {
  it.each([
    ['NUL', '{"text":"a\\u0000b"}', '/text'],
    ['a lone high surrogate', '{"text":"a\\ud800b"}', '/text'],
    ['a lone low surrogate', '{"text":"\\udc00"}', '/text'],
    ['surrogates the wrong way round', '{"text":"\\udc00\\ud83d"}', '/text'],
    ['a lone surrogate far inside', '{"text":"x","more":[{"a/b":"\\uD800"}]}', '/more/0/a~1b'],
    ['a lone surrogate in a name', '{"text":"x","\\ud800":1}', ''],
  ])('with %s is refused', async (_what, body, path) => {
    const answered = await send(body);
    expect([answered.status, answered.body.code, answered.body.fields[0].path]).toEqual([422, 'invalid', path]);
  });

  it('with NUL in an address is refused', async () => {
    const { status, body } = await site.ask('GET', '/v1/users?q=a%00b', { token: ada.token });
    expect([status, body.fields]).toEqual([422, [{ path: '/q', message: 'must not contain NUL' }]]);
  });

  it.each([
    '<script>alert(1)</script>',
    '"; drop table messages; --',
    'a\r\nSet-Cookie: x=y',
    '\u202egnp.exe',
    `z${'\u0301'.repeat(9_000)}`,
    '{"__proto__":{"admin":true}}',
    '\u001b[31mred\u0007',
    '\ufeff\ufffe\uffff',
    '👩‍👩‍👧‍👦 𝒳 ﷽',
    '../../../etc/passwd %00 %s {{x}}',
    ' leading and trailing ',
  ])('is data: %j comes back as it was sent', async (text) => {
    const sent = await send({ text });
    expect([sent.status, sent.body.text]).toEqual([201, text]);
    const read = await site.ask('GET', `/v1/messages/${sent.body.id}`, { token: ada.token });
    expect(read.body.text).toBe(text);
    expect(read.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('nested as deep as a body can be is refused, and the server lives', async () => {
    for (const body of ['['.repeat(65_000), `${'['.repeat(32_000)}${']'.repeat(32_000)}`, '{"a":'.repeat(13_000)]) {
      const { status } = await send(body);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    expect((await send({ text: 'still here' })).status).toBe(201);
  });
});

describe('numbers', () => {
  it.each([
    '0',
    '-1',
    '1.5',
    '9007199254740992',
    '99999999999999999999',
    '1e3',
    '0x7',
    ' 7',
    '7 ',
    '٧',
    'NaN',
    '',
    'null',
    '07',
    '+7',
  ])('the id %j is refused in a path', async (id) => {
    const { status, body } = await site.ask('GET', `/v1/messages/${encodeURIComponent(id)}`, { token: ada.token });
    expect([404, 422]).toContain(status);
    expect(['not_found', 'invalid']).toContain(body.code);
  });

  it.each([0, -1, 1.5, 2 ** 53, 1e300, '7', null, true, [7], { id: 7 }])(
    'the id %j is refused in a body',
    async (user) => {
      const { status, body } = await site.ask('POST', '/v1/directs', { token: ada.token, body: { user } });
      expect([status, body.code]).toEqual([422, 'invalid']);
    },
  );
});

describe('headers', () => {
  it('are strict, and say what it is', async () => {
    const { headers } = await site.ask('GET', '/v1/me', { token: ada.token });
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'private, no-cache',
      vary: 'authorization',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('keep tokens out of every cache', async () => {
    const { headers } = await site.ask('POST', '/v1/sessions', { body: { name: 'ada', password: 'wrong' } });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('let a page that has not changed be asked for again without being sent', async () => {
    const path = `/v1/rooms/${room}/messages`;
    const first = await site.ask('GET', path, { token: ada.token });
    const etag = first.headers.get('etag') ?? '';
    for (const tag of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
      const again = await site.ask('GET', path, { token: ada.token, headers: { 'if-none-match': tag } });
      expect([tag, again.status, again.body]).toEqual([tag, 304, '']);
      expect(again.headers.get('etag')).toBe(etag);
    }
    await send({ text: 'something new' });
    const changed = await site.ask('GET', path, { token: ada.token, headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
    // Whoever may not read it any more is not told that it has not changed.
    const stranger = await site.join('stranger');
    expect((await site.ask('GET', path, { token: stranger.token, headers: { 'if-none-match': '*' } })).status).toBe(
      404,
    );
  });

  it('HEAD answers like GET, without a body', async () => {
    const { status, headers, body } = await site.ask('HEAD', '/v1/rooms', { token: ada.token });
    expect([status, body]).toEqual([200, '']);
    expect(headers.get('etag')).toMatch(/^W\//);
  });
});

describe('connections', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(site.url);
      let answer = '';
      const socket = createConnection(Number(port), hostname, () => socket.write(text));
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      400,
    ],
    [
      'length and chunks',
      'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    ['headers that never end', 'GET / HTTP/1.1\r\nHost: x\r\n', 408],
    [
      'a body that never ends',
      'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
      408,
    ],
  ])('with %s end with a problem', async (_what, text, status) => {
    const answer = await raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('"code":"malformed"');
  });
});

describe('logs', () => {
  it('hold no password, no token, no text, and no query', async () => {
    const secret = 'secret-word-in-a-search';
    await site.ask('GET', `/v1/users?q=${secret}`, { token: ada.token });
    await site.ask('GET', `/v1/nothing?access_token=${ada.token}`);
    await site.ask('POST', '/v1/sessions/refresh', { body: { refreshToken: ada.refreshToken } });
    await site.ask('POST', '/v1/sessions', { body: { name: 'ada', password: 'hunter2-hunter2' } });
    await site.ask('GET', `/v1/rooms/%ff?access_token=${ada.token}`);
    const logged = site.logged();
    expect(logged).toContain('"route":"/v1/users"');
    for (const hidden of [secret, ada.token, ada.refreshToken, 'hunter2', 'correct horse', 'something new']) {
      expect(logged).not.toContain(hidden);
    }
  });
});

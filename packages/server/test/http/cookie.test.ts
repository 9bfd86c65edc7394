/** Sessions of browsers: the refresh token as a cookie. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite, PASSWORD, type Site } from './site.js';

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

const OWN = { 'sec-fetch-site': 'same-origin' };

/** The cookie that an answer sets: its pair, and all that is said of it. */
function cookieOf(headers: Headers): { pair: string; value: string; attributes: string[] } {
  const [pair = '', ...attributes] = (headers.get('set-cookie') ?? '').split('; ');
  return { pair, value: pair.slice(pair.indexOf('=') + 1), attributes };
}

async function join(name: string) {
  const body = { name, password: PASSWORD, cookie: true };
  const made = await site.ask('POST', '/v1/users', { body, headers: OWN });
  expect(made.status).toBe(201);
  return { ...made, cookie: cookieOf(made.headers) };
}

const refresh = (pair: string, headers: Record<string, string> = OWN) =>
  site.ask('POST', '/v1/sessions/refresh', { body: { cookie: true }, headers: { ...headers, cookie: pair } });

describe('a refresh token as a cookie', () => {
  it('is no script’s, no other site’s, and goes to the routes of sessions alone', async () => {
    const { body, cookie } = await join('ada');
    expect(body.refreshToken).toBeUndefined();
    expect(cookie.pair).toMatch(/^natter_refresh_\d+=[\w.-]+$/);
    expect(cookie.attributes).toEqual(['Path=/v1/sessions', 'Max-Age=604800', 'HttpOnly', 'SameSite=Strict']);
    const login = await site.ask('POST', '/v1/sessions', {
      body: { name: 'ada', password: PASSWORD, cookie: true },
      headers: { origin: `https://${new URL(site.url).host}` },
    });
    expect(login.status).toBe(201);
    expect(cookieOf(login.headers).attributes).toContain('Secure');
    expect(login.body.refreshToken).toBeUndefined();
  });

  it('[S3] gives the next one, and the session ends when one from long ago is used', async () => {
    const { cookie } = await join('bob');
    const first = await refresh(cookie.pair);
    expect(first.status).toBe(200);
    expect((await site.ask('GET', '/v1/me', { token: first.body.accessToken })).status).toBe(200);
    const second = await refresh(cookieOf(first.headers).pair);
    expect(second.status).toBe(200);
    site.clock.ahead += 60_000;
    expect((await refresh(cookie.pair)).status).toBe(401);
    expect((await refresh(cookieOf(second.headers).pair)).status).toBe(401);
    site.clock.ahead = 0;
  });

  it('[S3] whose answer was lost is given again to the same browser, for ten seconds', async () => {
    const { cookie } = await join('cleo');
    const lost = await refresh(cookie.pair);
    const again = await refresh(cookie.pair);
    expect(again.status).toBe(200);
    expect(cookieOf(again.headers).value).toBe(cookieOf(lost.headers).value);
    site.clock.ahead += 11_000;
    expect((await refresh(cookie.pair)).status).toBe(401);
    expect((await refresh(cookieOf(lost.headers).pair)).status).toBe(401);
    site.clock.ahead = 0;
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbour on the same site', { 'sec-fetch-site': 'same-site' }],
    ['an address that was typed', { 'sec-fetch-site': 'none' }],
    ['another port, in a browser that says only its origin', { origin: 'http://127.0.0.1:1' }],
    ['no page at all', {}],
  ])('is not taken from %s, nor given to it', async (_, headers) => {
    const { cookie } = await join(`eve${Math.random().toString(36).slice(2)}`);
    const sent = headers as Record<string, string>;
    const answered = await refresh(cookie.pair, sent);
    expect([answered.status, answered.headers.get('set-cookie')]).toEqual([403, null]);
    const body = { name: 'ada', password: PASSWORD, cookie: true };
    expect((await site.ask('POST', '/v1/sessions', { body, headers: sent })).status).toBe(403);
    expect((await refresh(cookie.pair)).status).toBe(200);
  });

  it('opens no route by itself', async () => {
    const { cookie } = await join('fay');
    expect((await site.ask('GET', '/v1/sessions', { headers: { ...OWN, cookie: cookie.pair } })).status).toBe(401);
  });

  it('is taken back when one logs out', async () => {
    const { body, cookie } = await join('gus');
    const headers = { ...OWN, cookie: cookie.pair };
    const done = await site.ask('DELETE', `/v1/sessions/${body.session}`, { token: body.accessToken, headers });
    expect(done.status).toBe(200);
    expect(cookieOf(done.headers)).toMatchObject({ value: '', attributes: expect.arrayContaining(['Max-Age=0']) });
    expect((await refresh(cookie.pair)).status).toBe(401);
  });

  it('or a token in the body is asked for: one of them', async () => {
    const { cookie } = await join('hal');
    for (const body of [{}, { cookie: true, refreshToken: cookie.value }]) {
      const answered = await site.ask('POST', '/v1/sessions/refresh', {
        body,
        headers: { ...OWN, cookie: cookie.pair },
      });
      expect([answered.status, answered.body.code]).toEqual([422, 'invalid']);
    }
  });
});

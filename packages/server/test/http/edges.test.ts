import { request as httpRequest } from 'node:http';
import { clientAddress, isLocal, Networks } from '@natter/server/addresses';
import { describe, expect, it } from 'vitest';
import { ON_POSTGRES } from '../databases.js';
import { openSite, PASSWORD, type Site } from './site.js';

async function within(env: Record<string, string>, test: (site: Site) => Promise<void>): Promise<void> {
  const site = await openSite(env);
  try {
    await test(site);
  } finally {
    await site.close();
  }
}

/** As fetch, which may not send some of these headers. */
function ask(
  site: Site,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(site.url + path, { method, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('web origins', () => {
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };

  it('are none by default', () =>
    within({}, async (site) => {
      const origin = 'https://elsewhere.example';
      const { headers } = await ask(site, '/v1/server', { origin });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
      const before = await ask(site, '/v1/rooms', { origin, ...preflight }, 'OPTIONS');
      expect(before.headers).not.toHaveProperty('access-control-allow-origin');
    }));

  it('are those of the list, and no others', () =>
    within({ CORS_ORIGINS: 'https://chat.example http://localhost:5173' }, async (site) => {
      for (const origin of ['https://chat.example', 'http://localhost:5173']) {
        const { headers, status } = await ask(site, '/v1/rooms', { origin });
        expect([status, headers['access-control-allow-origin']]).toEqual([401, origin]);
        expect(String(headers.vary)).toMatch(/origin/i);
        expect(headers).not.toHaveProperty('access-control-allow-credentials');
        const before = await ask(site, '/v1/rooms', { origin, ...preflight }, 'OPTIONS');
        expect(before.status).toBe(204);
        expect(before.headers['access-control-allow-origin']).toBe(origin);
        expect(before.headers['access-control-allow-headers']).toContain('idempotency-key');
      }
      for (const origin of [
        'https://evil.example',
        'https://chat.example.evil.example',
        'null',
        'http://chat.example',
      ]) {
        const { headers } = await ask(site, '/v1/rooms', { origin });
        expect([origin, headers['access-control-allow-origin']]).not.toEqual([origin, origin]);
        expect(headers['access-control-allow-origin']).not.toBe('*');
      }
    }));

  it('may be all, and even then without credentials', () =>
    within({ CORS_ORIGINS: '*' }, async (site) => {
      const { headers } = await ask(site, '/v1/server', { origin: 'https://anybody.example' });
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }));
});

describe('addresses', () => {
  const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
    ({ socket: { remoteAddress }, headers }) as unknown as Parameters<typeof clientAddress>[0];

  it('come from X-Forwarded-For as far as proxies are trusted, and no further', () => {
    const none = new Networks([]);
    const some = new Networks(['10.0.0.0/8', '::1', '2001:db8::/32']);
    const forwarded = (list: string) => ({ 'x-forwarded-for': list });
    expect(clientAddress(from('10.0.0.1', forwarded('1.1.1.1')), none)).toBe('10.0.0.1');
    expect(clientAddress(from('9.9.9.9', forwarded('1.1.1.1')), some)).toBe('9.9.9.9');
    expect(clientAddress(from('10.0.0.1', forwarded('1.1.1.1')), some)).toBe('1.1.1.1');
    expect(clientAddress(from('::ffff:10.0.0.1', forwarded('6.6.6.6, 1.1.1.1, 10.0.0.2')), some)).toBe('1.1.1.1');
    expect(clientAddress(from('::1', forwarded('[2001:db9::5]:4711')), some)).toBe('2001:db9::5');
    expect(clientAddress(from('2001:db8::9', forwarded('1.1.1.1:80')), some)).toBe('1.1.1.1');
    expect(clientAddress(from('10.0.0.1', forwarded('<script>')), some)).toBe('10.0.0.1');
    expect(clientAddress(from('10.0.0.1', forwarded('')), some)).toBe('10.0.0.1');
    expect(clientAddress(from('10.0.0.1'), some)).toBe('10.0.0.1');
    expect(clientAddress(from('10.0.0.1', forwarded('10.0.0.2,10.0.0.3')), some)).toBe('10.0.0.2');
  });

  it('are local only when no proxy stands between', () => {
    expect(isLocal(from('127.0.0.1'))).toBe(true);
    expect(isLocal(from('::ffff:127.0.0.9'))).toBe(true);
    expect(isLocal(from('::1'))).toBe(true);
    expect(isLocal(from('10.0.0.1'))).toBe(false);
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      expect(isLocal(from('127.0.0.1', { [header]: '1.1.1.1' }))).toBe(false);
    }
  });

  it('that are not trusted can not pass a budget on to others', () =>
    within({ LIMITS: 'on', RATE_LOGIN_PER_ADDRESS: '3' }, async (site) => {
      const guess = (forwarded: string) =>
        site.ask('POST', '/v1/sessions', {
          body: { name: `nobody-${forwarded}`, password: PASSWORD },
          headers: { 'x-forwarded-for': forwarded },
        });
      for (let i = 0; i < 3; i += 1) expect((await guess(`1.1.1.${i}`)).status).toBe(401);
      const { status, body, headers } = await guess('1.1.1.9');
      expect([status, body.code]).toEqual([429, 'rate_limited']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(body.retryAfter).toBe(Number(headers.get('retry-after')));
    }));

  it('behind a trusted proxy have a budget each', () =>
    within({ LIMITS: 'on', RATE_LOGIN_PER_ADDRESS: '3', TRUSTED_PROXIES: '127.0.0.1' }, async (site) => {
      const guess = (address: string) =>
        site.ask('POST', '/v1/sessions', {
          body: { name: 'nobody', password: PASSWORD },
          headers: { 'x-forwarded-for': address },
        });
      for (let i = 0; i < 3; i += 1) expect((await guess('1.1.1.1')).status).toBe(401);
      expect((await guess('1.1.1.1')).status).toBe(429);
      expect((await guess('2.2.2.2')).status).toBe(401);
    }));
});

describe('budgets', () => {
  it('hold requests per address', () =>
    within({ LIMITS: 'on', RATE_REQUESTS_PER_ADDRESS: '20' }, async (site) => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => site.ask('GET', '/v1/server')));
      expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(9);
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(21);
    }));

  it('hold sends, commands and searches per user, whatever the address', () =>
    within(
      { LIMITS: 'on', RATE_SENDS_PER_USER: '3', RATE_COMMANDS_PER_USER: '4', RATE_SEARCHES_PER_USER: '2' },
      async (site) => {
        const ada = await site.join('ada');
        const bob = await site.join('bob');
        const { body: room } = await site.ask('POST', '/v1/rooms', {
          token: ada.token,
          body: { kind: 'group', name: 'r', members: [bob.id] },
        });
        const send = (token: string) =>
          site.ask('POST', `/v1/rooms/${room.id}/messages`, { token, body: { text: 'x' } });
        const statuses = [];
        for (let i = 0; i < 5; i += 1) statuses.push((await send(ada.token)).status);
        expect(statuses).toEqual([201, 201, 201, 429, 429]);
        expect((await send(bob.token)).status).toBe(201);
        const found = [];
        for (const path of ['/v1/search/rooms?q=r', '/v1/users?q=a', '/v1/search/messages?q=x', '/v1/users?q=a']) {
          found.push((await site.ask('GET', path, { token: ada.token })).status);
        }
        expect(found).toEqual([200, 200, 429, 429]);
        expect((await site.ask('GET', '/v1/usergroups?q=a', { token: ada.token })).status).toBe(429);
        expect((await site.ask('GET', '/v1/usergroups', { token: ada.token })).status).toBe(200);
      },
    ));
});

describe('for operators', () => {
  it('health says whether it is well, and what runs', () =>
    within({}, async (site) => {
      const { status, body } = await site.ask('GET', '/health');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        live: true,
        ready: true,
        checks: { store: 'ok' },
        versions: {
          node: process.version,
          ...(ON_POSTGRES ? { postgres: expect.stringMatching(/^1\d/) } : { sqlite: expect.stringMatching(/^3\./) }),
        },
      });
      expect((await site.ask('GET', '/health/live')).body).toEqual({ live: true });
      expect((await site.ask('GET', '/health/ready')).body).toEqual({ ready: true });
      await site.app.parts.store.close();
      expect((await site.ask('GET', '/health/ready')).status).toBe(503);
      expect((await site.ask('GET', '/health')).body.ready).toBe(false);
      expect((await site.ask('GET', '/health/live')).status).toBe(200);
    }));

  it('metrics are for this machine alone by default, and not through a proxy on it', () =>
    within({}, async (site) => {
      await site.join('ada');
      const { status, body } = await site.ask('GET', '/metrics');
      expect(status).toBe(200);
      for (const name of [
        'natter_commits_total',
        'natter_commit_entries_bucket',
        'natter_deliveries_total',
        'natter_sockets',
        'natter_nodejs_eventloop_lag_p99_seconds',
        'natter_http_request_seconds_count{route="/v1/users",status="201"} 1',
      ]) {
        expect(body).toContain(name);
      }
      const proxied = await site.ask('GET', '/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } });
      expect(proxied.status).toBe(403);
    }));

  it.each([
    ['off', {}, 403],
    ['all', { 'x-forwarded-for': '8.8.8.8' }, 200],
    ['192.168.0.0/16', {}, 403],
    ['127.0.0.0/8', {}, 200],
  ])('METRICS_ACCESS=%s holds', (access, headers, status) =>
    within({ METRICS_ACCESS: access }, async (site) => {
      expect((await site.ask('GET', '/metrics', { headers: headers as Record<string, string> })).status).toBe(status);
    }),
  );
});

describe('a server that stops', () => {
  it('answers what is under way, and does not wait for connections that would be kept open', async () => {
    const site = await openSite({});
    const name = 'ada';
    await site.join(name);
    // Passwords take a while to be hashed, and the connections would be kept for more.
    const asked = Array.from({ length: 8 }, () =>
      site.ask('POST', '/v1/sessions', { body: { name, password: PASSWORD } }),
    );
    await asked[0];
    const started = performance.now();
    await site.close();
    expect(performance.now() - started).toBeLessThan(9_000);
    for (const { status } of await Promise.all(asked)) expect([201, 503]).toContain(status);
  });
});

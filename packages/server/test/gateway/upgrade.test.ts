/** Requests to become a WebSocket: who is refused before there is one, and how. */
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { ANNA, openSite, type Site, until } from './fixtures.js';

let site: Site;
afterEach(() => site.close());

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** Asks for an upgrade; the status is 101 when it was granted. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      port: site.port,
      host: '127.0.0.1',
      path,
      method,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': `${'A'.repeat(22)}==`,
        ...headers,
      },
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    asked.on('response', (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

const SOCKET = '/v1/socket';

describe('an upgrade', () => {
  it('of another path is answered as not found, in problem details', async () => {
    site = await openSite();
    for (const path of ['/', '/v1/sockets', '/v1/socket/', '/../v1/socket', '//v1/socket']) {
      const { status, headers, body } = await ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(body)).toMatchObject({ status: 404, code: 'not_found', retryable: false });
    }
    expect((await ask(`${SOCKET}?v=1`)).status).toBe(101);
    expect(site.counted.filter((line) => line === 'refused 404')).toHaveLength(5);
  });

  it.each([
    ['no key', { 'Sec-WebSocket-Key': 'short' }, 'GET', 400],
    ['an unknown version', { 'Sec-WebSocket-Version': '99' }, 'GET', 400],
    ['another protocol', { Upgrade: 'h2c' }, 'GET', 400],
    ['another method', {}, 'PUT', 405],
  ])('with %s is refused', async (_, headers, method, status) => {
    site = await openSite();
    expect((await ask(SOCKET, headers as Record<string, string>, method)).status).toBe(status);
    expect((await ask(SOCKET)).status).toBe(101);
  });

  it('beyond the budget of its address is told when to come back', async () => {
    const asked: [string, string][] = [];
    site = await openSite(
      {},
      {
        address: () => '192.0.2.7',
        rates: {
          take: (name, subject) => {
            asked.push([name, subject]);
            return asked.length > 2 ? { ok: false, retryAfter: 17 } : { ok: true };
          },
        },
      },
    );
    expect([(await ask(SOCKET)).status, (await ask(SOCKET)).status]).toEqual([101, 101]);
    const { status, headers, body } = await ask(SOCKET);
    expect([status, headers['retry-after']]).toEqual([429, '17']);
    expect(JSON.parse(body)).toMatchObject({ code: 'rate_limited', retryable: true, retryAfter: 17 });
    expect(asked).toEqual(Array.from({ length: 3 }, () => ['RATE_HELLOS_PER_ADDRESS', '192.0.2.7']));
  });

  it('comes from any origin where none is named', async () => {
    site = await openSite();
    expect((await ask(SOCKET, { Origin: 'https://anywhere.example' })).status).toBe(101);
  });

  it('comes from the origins that are named, from the server’s own, and from what is no browser', async () => {
    site = await openSite({}, { origins: ['https://chat.example'] });
    const from = async (origin: string): Promise<number> => (await ask(SOCKET, { Origin: origin })).status;
    expect(await from('https://chat.example')).toBe(101);
    expect(await from(`http://127.0.0.1:${site.port}`)).toBe(101);
    expect((await ask(SOCKET)).status).toBe(101);
    for (const origin of [
      'https://evil.example',
      'https://chat.example.evil.example',
      'http://chat.example',
      'null',
      '',
    ]) {
      expect([origin, await from(origin)]).toEqual([origin, 403]);
    }
  });

  it('goes to the edge that serves its path', async () => {
    site = await openSite();
    const served: string[] = [];
    site.gateway.upgrades.route(/^\/ws\/./, (asked, socket) => {
      served.push(asked.url ?? '');
      socket.once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 418 I am a teapot\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    expect((await ask('/ws/room/7?token=x')).status).toBe(418);
    expect((await ask('/ws')).status).toBe(404);
    expect(served).toEqual(['/ws/room/7?token=x']);
  });

  it('does not take ordinary requests away from HTTP', async () => {
    site = await openSite();
    const response = await fetch(`http://127.0.0.1:${site.port}${SOCKET}`);
    expect(await response.text()).toBe('http');
  });

  it('does not keep the address that refuses to read its refusal', async () => {
    site = await openSite();
    await ask('/nowhere');
    await site.live(`${ANNA}.phone`);
    await until(() => site.gateway.size === 1);
    const open = await new Promise<number>((resolve, reject) => {
      site.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
    expect(open).toBe(1);
  });
});

/** Logging in, and tokens that renew themselves. */
import { logIn, NatterClient, NatterError, register, restoreLogIn } from '@natter/client';
import { Api } from '@natter/client/api';
import { Http } from '@natter/client/http';
import { memoryStorage } from '@natter/client/storage';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Answer, FakeServer, problem, type Script } from './fake-server.js';
import { QUICK } from './waiting.js';

let server: FakeServer;
/** Refresh tokens that were used, and the session's state [S3]. */
let used: string[];
let alive: boolean;
let issued: number;
let expiresIn: number;

const tokens = (): Answer => {
  issued += 1;
  server.tokens.set(`access-${issued}`, 1);
  const user = { id: 1, name: 'ada' };
  const body = { accessToken: `access-${issued}`, refreshToken: `refresh-${issued}`, expiresIn, session: 's', user };
  return { status: 201, body };
};

const script: Script['request'] = ({ method, path, body }) => {
  if (method === 'POST' && path === '/v1/users') return tokens();
  if (method === 'POST' && path === '/v1/sessions') {
    return body.password === 'right' ? tokens() : problem(401, 'bad_credentials');
  }
  if (path === '/v1/sessions/refresh') {
    const token = String(body.refreshToken);
    if (!alive || used.includes(token)) {
      alive = false;
      return problem(401, 'bad_refresh_token');
    }
    used.push(token);
    return tokens();
  }
  if (path === '/v1/sessions/s') alive = false;
  return path === '/v1/me' || path === '/v1/sessions/s' ? null : null;
};

beforeEach(async () => {
  server = await FakeServer.start();
  server.script.request = script;
  used = [];
  alive = true;
  issued = 0;
  expiresIn = 1_800;
});

afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

describe('credentials', () => {
  it('come from a log-in, and give the same token while it is good', async () => {
    const ada = await logIn(server.url, { name: 'ada', password: 'right' });
    expect([ada.user.name, ada.session]).toEqual(['ada', 's']);
    expect([await ada.token(), await ada.token()]).toEqual(['access-1', 'access-1']);
    expect(used).toEqual([]);
  });

  it('[S1] are refused with a wrong password', async () => {
    const error = await logIn(server.url, { name: 'ada', password: 'wrong' }).catch((thrown: NatterError) => thrown);
    expect(error).toBeInstanceOf(NatterError);
    expect(error).toMatchObject({ code: 'bad_credentials', status: 401, retryable: false });
  });

  it('[S3] renew themselves once for all who ask', async () => {
    const ada = await register(server.url, { name: 'ada', password: 'right' });
    const asked = await Promise.all([ada.token('access-1'), ada.token('access-1'), ada.token('access-1')]);
    expect(asked).toEqual(['access-2', 'access-2', 'access-2']);
    expect(used).toEqual(['refresh-1']);
    expect(await ada.token()).toBe('access-2');
  });

  it('renew themselves before the token ends', async () => {
    expiresIn = 29;
    const ada = await logIn(server.url, { name: 'ada', password: 'right' });
    expiresIn = 1_800;
    expect(await ada.token()).toBe('access-2');
  });

  it('are there again after a reload, where there is a storage', async () => {
    const storage = memoryStorage();
    const ada = await logIn(server.url, { name: 'ada', password: 'right' }, { storage });
    await ada.token('access-1');
    const again = await restoreLogIn(server.url, { storage });
    expect(again?.user.name).toBe('ada');
    expect(await again?.token()).toBe('access-2');
    expect(used).toEqual(['refresh-1']);
    expect(await restoreLogIn('http://elsewhere.example', { storage })).toBeNull();
    expect(await restoreLogIn(server.url, { storage: memoryStorage() })).toBeNull();
  });

  it('[S3] take what another tab got, and never use its refresh token a second time', async () => {
    const storage = memoryStorage();
    const ada = await logIn(server.url, { name: 'ada', password: 'right' }, { storage });
    const tab = await restoreLogIn(server.url, { storage });
    expect(await tab?.token('access-1')).toBe('access-2');
    expect(await ada.token('access-1')).toBe('access-2');
    // The other tab's token is refused too: renewed with the other tab's refresh token.
    expect(await ada.token('access-2')).toBe('access-3');
    expect(used).toEqual(['refresh-1', 'refresh-2']);
    expect(alive).toBe(true);
  });

  it('[S3] end when the session did, and are forgotten', async () => {
    const storage = memoryStorage();
    const ada = await logIn(server.url, { name: 'ada', password: 'right' }, { storage });
    alive = false;
    await expect(ada.token('access-1')).rejects.toMatchObject({ code: 'bad_refresh_token', retryable: false });
    expect(await restoreLogIn(server.url, { storage })).toBeNull();
  });

  it('stay when the server can’t be reached for the moment', async () => {
    const storage = memoryStorage();
    const ada = await logIn(server.url, { name: 'ada', password: 'right' }, { storage });
    server.script.request = () => problem(503, 'overloaded', { retryAfter: 2 });
    await expect(ada.token('access-1')).rejects.toMatchObject({ code: 'overloaded', retryable: true, retryAfter: 2 });
    server.script.request = script;
    expect(await ada.token('access-1')).toBe('access-2');
    expect(await restoreLogIn(server.url, { storage })).not.toBeNull();
  });

  it('log out here and there', async () => {
    const storage = memoryStorage();
    server.script.request = (request) =>
      request.method === 'DELETE' ? { status: 200, body: {} } : (script?.(request) ?? null);
    const ada = await logIn(server.url, { name: 'ada', password: 'right' }, { storage });
    await ada.logOut();
    expect(server.requests).toContain('DELETE /v1/sessions/s');
    expect(await restoreLogIn(server.url, { storage })).toBeNull();
  });

  it('carry a client over a token that the server does not take any more', async () => {
    const ada = await logIn(server.url, { name: 'ada', password: 'right' });
    server.tokens.delete('access-1');
    const client = new NatterClient({ url: server.url, token: ada.token, WebSocket, timing: QUICK, user: ada.user.id });
    await client.connect();
    client.close();
    expect(server.connections.map(({ heard: [hello] }) => hello?.token)).toEqual(['access-1', 'access-2']);
  });
});

describe('requests', () => {
  const http = (answerWithin?: number) =>
    new Http({ url: `${server.url}/`, token: async (refused) => (refused ? 'good' : 'old'), answerWithin });

  it('are asked again once with another token when the first is refused', async () => {
    const seen: string[] = [];
    server.script.request = ({ token }) => {
      seen.push(token);
      return token === 'good' ? { status: 200, body: { id: 1 } } : problem(401, 'unauthenticated');
    };
    expect(await new Api(http()).me()).toEqual({ id: 1 });
    expect(seen).toEqual(['old', 'good']);
    server.script.request = () => problem(401, 'unauthenticated');
    await expect(new Api(http()).me()).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('say what was wrong, as the problem document says it', async () => {
    const fields = [{ path: '/name', message: 'too long' }];
    server.script.request = () => problem(422, 'invalid', { detail: 'the name is too long', fields });
    const error = await new Api(http()).room(7).catch((thrown: NatterError) => thrown);
    expect(error).toMatchObject({ code: 'invalid', message: 'the name is too long', status: 422, fields });
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'invalid', fields });
  });

  it('judge a proxy’s page by its status', async () => {
    server.script.request = () => ({ status: 502, body: '<h1>Bad gateway</h1>', headers: { 'retry-after': '7' } });
    await expect(new Api(http()).room(7)).rejects.toMatchObject({ retryable: true, retryAfter: 7, status: 502 });
    server.script.request = () => ({ status: 418, body: 'teapot' });
    await expect(new Api(http()).room(7)).rejects.toMatchObject({ code: 'http_418', retryable: false });
    server.script.request = () => ({ status: 200, body: '<h1>Welcome to this hotel</h1>' });
    await expect(new Api(http()).room(7)).rejects.toMatchObject({ code: 'bad_answer' });
  });

  it('end when they take too long, when they are aborted, and when nobody is there', async () => {
    const never = new Promise(() => {});
    server.script.request = () => ({ status: 200, body: {}, after: never });
    await expect(http(20).request('GET', '/v1/me')).rejects.toMatchObject({ code: 'timeout', retryable: true });
    const abort = new AbortController();
    const asked = http().request('GET', '/v1/me', { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled', retryable: false });
    const nowhere = new Http({ url: 'http://127.0.0.1:1' });
    await expect(nowhere.request('GET', '/v1/me')).rejects.toMatchObject({ code: 'network', retryable: true });
  });

  it('carry key, body and query as the routes want them', async () => {
    const seen: object[] = [];
    server.script.request = ({ method, path, query, body }) => {
      seen.push([method, path, Object.fromEntries(query), body]);
      return { status: 200, body: {} };
    };
    const api = new Api(http());
    await api.createRoom({ kind: 'group', name: 'g' }, { key: 'k' });
    await api.react(5, '👍');
    await api.users({ ids: [1, 2], limit: 2 });
    await api.messages(7, { before: 10 });
    await api.changeMember(7, 2, { role: 'admin' });
    await api.endSessions({ keepCurrent: true });
    expect(seen).toEqual([
      ['POST', '/v1/rooms', {}, { kind: 'group', name: 'g' }],
      ['PUT', '/v1/messages/5/reactions/%F0%9F%91%8D', {}, {}],
      ['GET', '/v1/users', { ids: '1,2', limit: '2' }, {}],
      ['GET', '/v1/rooms/7/messages', { before: '10' }, {}],
      ['PATCH', '/v1/rooms/7/members/2', {}, { role: 'admin' }],
      ['DELETE', '/v1/sessions', { keepCurrent: 'true' }, {}],
    ]);
  });
});

/** The command line: everything away, and only when it is meant. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { isMeant } from '@natter/server/cli/reset';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { makePlace, type Place, type Server } from './natter.js';

const PASSWORD = 'correct horse battery';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.close());

async function ask(
  server: Server,
  method: string,
  path: string,
  { token, body }: { token?: string; body?: object } = {},
) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const reset = (...args: string[]) => place.natter(['reset', ...args]);

it('leaves nothing of what was, not in the search and not for tokens of before, and begins anew', async () => {
  const server = await place.serve();
  const made = await ask(server, 'POST', '/v1/users', { body: { name: 'ann', password: PASSWORD } });
  const token = made.body.accessToken;
  const room = await ask(server, 'POST', '/v1/rooms', {
    token,
    body: { kind: 'channel', visibility: 'public', name: 'x' },
  });
  await ask(server, 'POST', `/v1/rooms/${room.body.id}/messages`, { token, body: { text: 'wombat' } });
  const found = () => ask(server, 'GET', '/v1/search/messages?q=wombat', { token });
  await expect.poll(async () => (await found()).body.hits.length).toBe(1);

  const refused = await reset('--yes');
  expect([refused.code, refused.err]).toEqual([1, 'natter: a server runs on this data: stop it first\n']);
  expect((await found()).body.hits).toHaveLength(1);
  await server.end();

  const unasked = await reset();
  expect([unasked.code, unasked.out]).toEqual([2, '']);
  expect(unasked.err).toContain('--yes');
  expect((await place.natter(['user', 'list'])).out).toContain('ann');

  const done = await reset('--yes');
  expect([done.code, done.err]).toEqual([0, '']);
  expect(done.out).toBe(`Everything is deleted, and an empty database made: ${join(place.dir, 'data', 'natter.db')}\n`);
  expect(JSON.parse((await place.natter(['user', 'list', '--json'])).out)).toEqual([]);
  expect((await place.natter(['doctor'])).code).toBe(0);

  const again = await place.serve();
  expect((await ask(again, 'GET', '/v1/me', { token })).status).toBe(401);
  const other = await ask(again, 'POST', '/v1/users', { body: { name: 'ann', password: PASSWORD } });
  expect([other.status, other.body.user]).toMatchObject([201, { id: 1, role: 'admin' }]);
  const nothing = await ask(again, 'GET', '/v1/search/messages?q=wombat', { token: other.body.accessToken });
  expect(nothing.body.hits).toEqual([]);
  await again.end();
});

it('says where there is nothing to delete, and makes nothing there', async () => {
  const { code, err } = await reset('--yes');
  expect(code).toBe(1);
  expect(err).toContain('there is no database at');
  expect(existsSync(join(place.dir, 'data', 'natter.db'))).toBe(false);
});

it('asks on a terminal, and takes nothing but the word for a yes', async () => {
  const answer = async (typed: string): Promise<[boolean, string]> => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stderr = new PassThrough();
    stdin.write(typed);
    const session = { stdin, stderr, signal: new AbortController().signal } as unknown as Parameters<typeof isMeant>[0];
    return [await isMeant(session, '/data/natter.db (2.5 MB)', 'reset'), String(stderr.read())];
  };
  const [meant, asked] = await answer('reset\n');
  expect(meant).toBe(true);
  expect(asked).toContain('all accounts, rooms and messages in /data/natter.db (2.5 MB), for good.');
  expect((await answer(' RESET \n'))[0]).toBe(true);
  for (const typed of ['\n', 'y\n', 'yes\n', 'resets\n', 'no\n']) expect((await answer(typed))[0], typed).toBe(false);
});

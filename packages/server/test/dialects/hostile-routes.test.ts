/** Bad input to every route of every dialect: no failure of the server, no word of what is others', nothing lost. */
import { DIALECTS, type DialectName } from '@natter/server/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BODIES, ODD, SECRET, Siege } from './siege.js';
import { type Answered, openWorld, type World } from './world.js';

type Json = Record<string, unknown>;

interface Operation {
  dialect: DialectName;
  method: string;
  path: string;
  open: boolean;
  query: string[];
  /** Members of the body, each with a value that is allowed. */
  body: Json | undefined;
}

let siege: Siege;
let world: World;
let operations: Operation[];
beforeAll(async () => {
  siege = await Siege.open();
  ({ world } = siege);
  operations = operationsOf((await world.ask('GET', '/openapi.json')).body);
});
afterAll(() => siege.close());

function operationsOf(document: { paths: Record<string, Record<string, Json>> }): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const dialect = /^dialect ([0-9]{3})/.exec((operation.tags as string[])[0] ?? '')?.[1] as DialectName | undefined;
      if (!dialect) return [];
      const parameters = (operation.parameters ?? []) as { in: string; name: string }[];
      const content = (operation.requestBody as { content: Record<string, { schema: Json }> } | undefined)?.content;
      const schema = content?.['application/json']?.schema as { properties?: Record<string, Json> } | undefined;
      return [
        {
          dialect,
          method: method.toUpperCase(),
          path,
          open: Array.isArray(operation.security),
          query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
          body: schema && Object.fromEntries(Object.entries(schema.properties ?? {}).map(sampleOf)),
        },
      ];
    }),
  );
}

function sampleOf([name, schema]: [string, Json]): [string, unknown] {
  const one = ((schema.anyOf as Json[] | undefined)?.[0] ?? schema) as { type?: string; format?: string };
  const byType: Record<string, unknown> = { integer: 7, boolean: true, array: [7], object: {} };
  return [name, byType[one.type ?? ''] ?? (one.format === 'email' ? 'nobody@example.com' : 'some text')];
}

const NO_IDS = [
  '0',
  '-1',
  '1.5',
  '9007199254740993',
  '1e9',
  'abc',
  '%00',
  '%ED%9F%BF',
  '%F0%9F%98%80',
  '..%2F1',
  "'%20or%201=1",
  '%25',
  'null',
  '__proto__',
  'x'.repeat(1_100),
];

/** Refused or done, but never failed, in the shape of these APIs, and without a word of what is others'. */
function check(named: string, { status, headers, body }: Answered): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  expect(status, `${named}: ${text.slice(0, 300)}`).toBeLessThan(500);
  expect(text, named).not.toContain(SECRET);
  expect(text, named).not.toMatch(/node_modules|\.js:\d|SQLITE|sqlite_|select "/);
  if (status < 400) return;
  expect([named, headers.get('content-type')]).toEqual([named, expect.stringMatching(/^application\/json/)]);
  const { detail } = body as Json;
  expect([named, typeof detail === 'string' || Array.isArray(detail)]).toEqual([named, true]);
}

const fill = (path: string, value: string | number): string => path.replace(/\{[^}]*\}/g, String(value));

describe.each(DIALECTS)('every route of dialect %s', (dialect) => {
  const own = (): Operation[] => operations.filter((operation) => operation.dialect === dialect);

  it('tells a stranger nothing of rooms, messages and people that are others’, and changes nothing of theirs', async () => {
    expect(own().length).toBeGreaterThan(5);
    for (const { method, path, body, query } of own()) {
      const token = await siege.token(dialect);
      for (const [at, id] of siege.ids.entries()) {
        // By id, and by name where one is asked for by name.
        const name = siege.rooms[at % siege.rooms.length]?.name ?? '';
        const aim = ([key, value]: [string, unknown]): unknown => {
          if (Array.isArray(value)) return [id];
          if (typeof value === 'number') return id;
          // Never where it could be taken for a name of the stranger's own.
          return key.startsWith('room') ? name : value;
        };
        const aimed = body && Object.fromEntries(Object.entries(body).map((one) => [one[0], aim(one)]));
        const ask = aimed ? { token, body: aimed } : { token };
        const send = async (target: string): Promise<void> => {
          const sent = await world.ask(method, target, ask);
          check(`${method} ${target} ${JSON.stringify(aimed)}`, sent);
          // Its name may come back to who said it, and to nobody else.
          const others = siege.rooms.filter((room) => room.name !== '' && room.name !== name).map((room) => room.name);
          for (const other of others) expect(JSON.stringify(sent.body), `${method} ${target}`).not.toContain(other);
          if (!target.includes(encodeURIComponent(name)) && !JSON.stringify(aimed)?.includes(name)) {
            expect(JSON.stringify(sent.body), `${method} ${target}`).not.toContain(name);
          }
        };
        for (const value of query.length > 0 ? [id, encodeURIComponent(name)] : ['']) {
          await send(`${fill(path, id)}?${query.map((key) => `${key}=${value}`).join('&')}`);
        }
        if (path.includes('{')) await send(fill(path, encodeURIComponent(name)));
      }
    }
  });

  it('stands what is no id and no value of a query', async () => {
    for (const { method, path, body, query } of own()) {
      const token = await siege.token(dialect);
      if (path.includes('{')) {
        for (const id of NO_IDS) {
          const named = `${method} ${fill(path, id)}`;
          check(named, await world.ask(method, fill(path, id), { token, ...(body ? { body } : {}) }));
        }
      }
      for (const name of query) {
        for (const value of [...NO_IDS, '', '1&limit=2', '%ff', '99999999999999999999', '%5B%5D']) {
          const target = `${fill(path, siege.owner)}?${query.map((other) => `${other}=${other === name ? value : 1}`).join('&')}`;
          check(`${method} ${target}`, await world.ask(method, target, { token }));
        }
      }
    }
  });

  it('stands bodies of any other shape and kind', async () => {
    for (const { method, path, body, open } of own()) {
      const token = open ? undefined : await siege.token(dialect);
      const target = fill(path, siege.owner);
      const send = async (text: string | Uint8Array, headers: Record<string, string> = {}): Promise<void> => {
        const named = `${method} ${target} ${Buffer.from(text).toString().slice(0, 80)} ${JSON.stringify(headers)}`;
        check(named, await world.ask(method, target, { token, body: text, headers }));
      };
      if (!body || method === 'GET') continue;
      for (const text of BODIES) await send(text);
      for (const name of Object.keys(body)) {
        for (const value of ODD) {
          // Hashing a password takes long, and is not what is looked at here.
          if (/password/.test(name) === false && /password/.test(Object.keys(body).join()) && value !== null) continue;
          await send(JSON.stringify({ ...body, [name]: value }));
        }
      }
      const text = JSON.stringify(body);
      await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
      await send('x'.repeat(300_000));
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'multipart/form-data',
        'application/json; charset=utf-16',
        'application/xml',
        'nonsense',
        '',
      ]) {
        await send(text, { 'content-type': type });
      }
      await send('a=%ff&username=%00&password=%ED%A0%80&&==', { 'content-type': 'application/x-www-form-urlencoded' });
      await send(Buffer.from('1f8b0800', 'hex'), { 'content-encoding': 'gzip' });
    }
  });

  it('stands headers that are no tokens', async () => {
    for (const { method, path, open } of own()) {
      if (open) continue;
      for (const authorization of [
        '',
        'Bearer',
        'Bearer  ',
        'bearer a b',
        'Basic eDp5',
        'x'.repeat(4_000),
        'Bearer eyJ.eyJ.x',
        'Bearer \u00ff',
        ', Bearer x',
      ]) {
        const sent = await world.ask(method, fill(path, siege.owner), { headers: { authorization } });
        check(`${method} ${path} ${authorization.slice(0, 20)}`, sent);
        expect([401, 403], `${method} ${path} ${authorization.slice(0, 20)}`).toContain(sent.status);
      }
    }
  });
});

it('all is there afterwards, and nothing has failed', () => siege.expectUnharmed());

it('who asks too often is told so as each API tells it', async () => {
  const closed = await openWorld({ LIMITS: 'on', RATE_REQUESTS_PER_ADDRESS: '1' });
  try {
    await closed.ask('GET', '/openapi.json');
    for (const path of ['/users/me', '/api/chat/rooms', '/api/v1/chats/', '/auth/me', '/api/v1/rooms/']) {
      const response = await fetch(closed.url + path);
      expect([path, response.status, await response.json()]).toEqual([path, 429, { detail: 'Too Many Requests' }]);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  } finally {
    await closed.close();
  }
});

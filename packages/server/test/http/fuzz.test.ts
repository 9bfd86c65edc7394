/** Bad input to every route there is, found by the document that the server gives of itself. */
import { COMMAND_INPUTS, ERRORS } from '@natter/protocol';
import { buildHttp, type HttpOptions } from '@natter/server/http/http';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { makeLogger } from '@natter/server/logger';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite, type Person, type Site } from './site.js';

type Json = Record<string, unknown>;

interface Operation {
  method: string;
  path: string;
  open: boolean;
  query: string[];
  parameters: string[];
  /** A body that is allowed. */
  body: Json | undefined;
}

function operationsOf(document: { paths: Record<string, Record<string, Json>> }): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parameters = (operation.parameters ?? []) as { in: string; name: string }[];
      const body = operation.requestBody as { content: Record<string, { schema: Json; example?: Json }> } | undefined;
      const media = body?.content['application/json'];
      return {
        method: method.toUpperCase(),
        path,
        open: Array.isArray(operation.security),
        query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
        parameters: parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
        body: media?.example ?? (media?.schema.examples as Json[] | undefined)?.[0],
      };
    }),
  );
}

const fill = (path: string, value: string): string => path.replace(/\{[^}]*\}/g, encodeURIComponent(value));

let site: Site;
let ada: Person;
let operations: Operation[];

beforeAll(async () => {
  site = await openSite();
  ada = await site.join('ada');
  operations = operationsOf((await site.ask('GET', '/openapi.json')).body);
});
afterAll(() => site.close());

interface Sent {
  status: number;
  headers: Headers;
  body: Json | string;
}

/** A refusal as it must be: the client's fault, of the one shape, and silent about the inside. */
function checkRefusal(named: string, { status, headers, body }: Sent): void {
  expect([named, status]).toEqual([named, expect.any(Number)]);
  // What this server was not set up for is refused too, and nothing has failed.
  const asked = status === 501 && (body as Json).code === 'not_configured' ? 404 : status;
  expect(asked, `${named}: ${JSON.stringify(body)}`).toBeLessThan(500);
  if (status < 400) return;
  expect([named, headers.get('content-type')]).toEqual([named, expect.stringMatching(/^application\/problem\+json/)]);
  const problem = body as Json;
  expect(Object.keys(ERRORS), named).toContain(problem.code);
  expect([named, problem.status]).toEqual([named, status]);
  expect(JSON.stringify(problem), named).not.toMatch(/node_modules|\.js:|at [A-Z][a-z]+\.|SQLITE|sqlite|select |stack/);
}

describe('every route', () => {
  it('that asks who one is refuses those who do not say so, before it looks at anything else', async () => {
    expect(operations.length).toBeGreaterThan(50);
    for (const { method, path, open } of operations) {
      if (open) continue;
      const named = `${method} ${path}`;
      const none = await site.ask(method, fill(path, 'not an id'), method === 'GET' ? {} : { body: '{"broken' });
      expect([named, none.status, none.body.code]).toEqual([named, 401, 'unauthenticated']);
      for (const token of ['', 'x', 'a.b.c', `${ada.token}x`, ada.refreshToken, '\u00e9', 'x'.repeat(4_000)]) {
        const { status } = await site.ask(method, fill(path, '1'), { headers: { authorization: `Bearer ${token}` } });
        expect([named, token.slice(0, 20), status]).toEqual([named, token.slice(0, 20), 401]);
      }
    }
  });

  it('refuses what is no id in its path', async () => {
    const ids = [
      '0',
      '-1',
      '1.5',
      '9007199254740992',
      '1e9',
      'abc',
      '\u0000',
      '\ud7ff',
      "1' or '1'='1",
      '../1',
      '%',
      '𝟏',
    ];
    for (const { method, path, parameters, body } of operations) {
      if (!parameters.some((name) => !['session', 'emoji'].includes(name))) continue;
      for (const id of ids) {
        const sent = await site.ask(method, fill(path, id), { token: ada.token, ...(body ? { body } : {}) });
        checkRefusal(`${method} ${path} ${JSON.stringify(id)}`, sent);
        expect([404, 422]).toContain(sent.status);
      }
    }
  });

  it('refuses bodies of another shape', async () => {
    for (const { method, path, body } of operations) {
      if (!body) continue;
      const target = fill(path, '999999');
      const bad: unknown[] = [
        null,
        [],
        'text',
        7,
        true,
        { ...body, unknown: 1 },
        { ...body, constructor: {} },
        '"',
        '{',
      ];
      for (const name of Object.keys(body)) {
        for (const value of [
          null,
          { a: 1 },
          [[]],
          1.5,
          -1,
          2 ** 53,
          '',
          '\u0000',
          '\ud800',
          'x'.repeat(100_000),
          true,
        ]) {
          if (JSON.stringify(value) !== JSON.stringify(body[name])) bad.push({ ...body, [name]: value });
        }
      }
      for (const one of bad) {
        const text = typeof one === 'string' && one.length < 2 ? one : JSON.stringify(one);
        const sent = await site.ask(method, target, { token: ada.token, body: text });
        checkRefusal(`${method} ${path} ${text.slice(0, 100)}`, sent);
      }
    }
  });

  it('refuses queries that it does not know, and values that are none', async () => {
    const values = [
      '',
      '-1',
      '1.5',
      '9007199254740992',
      'abc',
      '%00',
      '%ff',
      '%ED%A0%80',
      '1&limit=2',
      '[]',
      '{}',
      'x'.repeat(3_000),
    ];
    for (const { method, path, query } of operations) {
      if (method !== 'GET') continue;
      const unknown = await site.ask(method, `${fill(path, '1')}?nothing=1`, { token: ada.token });
      if (query.length > 0) expect([path, unknown.status]).toEqual([path, 422]);
      for (const name of query) {
        for (const value of values) {
          const sent = await site.ask(method, `${fill(path, '1')}?${name}=${value}`, { token: ada.token });
          checkRefusal(`${method} ${path}?${name}=${value.slice(0, 40)}`, sent);
        }
      }
    }
  });

  it('stands whatever JSON there is, with whatever ids', async () => {
    const writes = operations.filter(({ body, path }) => body !== undefined && !path.includes('sessions'));
    const anything = fc.oneof(
      fc.json(),
      fc
        .dictionary(
          fc.constantFrom('text', 'name', 'room', 'user', 'users', 'seq', 'role', 'kind', '__proto__'),
          fc.anything(),
        )
        .map((value) => JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? String(one) : one))),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...writes), fc.nat(20), anything, async ({ method, path }, id, text) => {
        checkRefusal(
          `${method} ${path} ${text}`,
          await site.ask(method, fill(path, String(id)), { token: ada.token, body: text }),
        );
      }),
      { numRuns: 400 },
    );
    expect((await site.ask('GET', '/health')).body.ready).toBe(true);
  });
});

describe('the routes together', () => {
  it('reach every command, and hand on nothing that the command does not know', async () => {
    const seen = new Map<string, Json>();
    const options: HttpOptions = {
      core: {
        execute: async (_actor, command) => {
          const { type, ...input } = command;
          seen.set(type, input);
          return { ok: false, code: 'not_found' };
        },
      },
      queries: {} as HttpOptions['queries'],
      accounts: {
        ...({} as HttpOptions['accounts']),
        verifyAccess: async () => ({ ok: true, value: { user: 1, role: 'user', session: 's', dialect: '' } }),
      },
      search: async () => ({ ok: false, code: 'not_found' }),
      rates: { take: () => ({ ok: true }) },
      limits: DEFAULT_LIMITS,
      config: {
        corsOrigins: [],
        trustedProxies: [],
        metricsAccess: 'off',
        registration: 'open',
        refreshTokenSeconds: 604_800,
      },
      logger: makeLogger('silent'),
      metrics: site.app.parts.metrics,
      health: async () => ({ ready: true, checks: {} }),
      versions: {},
      followers: { open: async () => ({ ok: false, code: 'not_found' }) },
    };
    const app = await buildHttp(options);
    for (const { method, path, body, open } of operations) {
      if (open || method === 'GET' || path === '/v1/me/password') continue;
      for (const flipped of [true, false]) {
        const payload =
          body && 'active' in body ? { active: flipped } : body && 'archived' in body ? { archived: flipped } : body;
        const { statusCode } = await app.inject({
          method: method as 'POST',
          url: fill(path, '7'),
          headers: { authorization: 'Bearer x' },
          ...(payload ? { payload } : {}),
        });
        expect([method, path, statusCode]).toEqual([method, path, 404]);
      }
    }
    await app.close();
    expect([...seen.keys()].sort()).toEqual(Object.keys(COMMAND_INPUTS).sort());
    for (const [type, input] of seen) {
      const known = Object.keys(COMMAND_INPUTS[type as keyof typeof COMMAND_INPUTS].properties);
      expect(known, type).toEqual(expect.arrayContaining(Object.keys(input)));
    }
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMAND_INPUTS, ERRORS, EVENT_BODIES } from '@natter/protocol';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite, type Site } from './site.js';

type Json = Record<string, unknown>;

let site: Site;
let openapi: { openapi: string; paths: Record<string, Record<string, Json>>; components: { schemas: Json } };

beforeAll(async () => {
  site = await openSite();
  openapi = (await site.ask('GET', '/openapi.json')).body;
});
afterAll(() => site.close());

function* within(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Json;
  for (const one of Object.values(value)) yield* within(one);
}

const operations = () =>
  Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

function at(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (value, key) => (value as Json | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
      document,
    );
}

describe('the OpenAPI document', () => {
  it('is of version 3.1, and all of its references lead somewhere', () => {
    expect(openapi.openapi).toBe('3.1.0');
    const references = [...within(openapi)].flatMap((one) => (typeof one.$ref === 'string' ? [one.$ref] : []));
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((reference) => at(openapi, reference) === undefined)).toEqual([]);
  });

  it('describes every route: summary, tag, answers, refusals, and an id of its own', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations()) {
      const named = `${method} ${path}`;
      expect([named, operation.summary, operation.tags]).toEqual([named, expect.any(String), [expect.any(String)]]);
      if (!path.startsWith('/v1/')) continue;
      const responses = operation.responses as Json;
      expect([named, Object.keys(responses)]).toEqual([named, expect.arrayContaining(['429', '503'])]);
      if (operation.security === undefined) expect([named, responses]).toHaveProperty('1.401');
    }
  });

  it('gives an example for every body, which the body allows', () => {
    for (const { path, method, operation } of operations()) {
      const body = operation.requestBody as
        | { content: Record<string, { schema: Json; example?: unknown }> }
        | undefined;
      if (!body) continue;
      const { schema, example } = body.content['application/json'] ?? { schema: {} };
      const shown = example ?? (schema.examples as unknown[] | undefined)?.[0];
      expect([method, path, shown]).toEqual([method, path, expect.anything()]);
      expect([method, path, Compile(schema as never).Check(shown)]).toEqual([method, path, true]);
    }
  });
});

describe('the AsyncAPI document', () => {
  it('names every command and every event, and its references lead somewhere', async () => {
    const { body } = await site.ask('GET', '/asyncapi.json');
    const names = Object.keys(body.components.messages);
    for (const type of Object.keys(COMMAND_INPUTS)) expect(names).toContain(`in.${type}`);
    for (const type of Object.keys(EVENT_BODIES)) expect(names).toContain(`out.${type}`);
    const references = [...within(body)].flatMap((one) => (typeof one.$ref === 'string' ? [one.$ref] : []));
    expect(references.filter((reference) => at(body, reference) === undefined)).toEqual([]);
  });
});

describe('pages', () => {
  it.each(['/', '/docs', '/docs/', '/docs/errors', '/redoc'])('%s fetches nothing from elsewhere', async (path) => {
    const { status, headers, body } = await site.ask('GET', path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    expect(policy.match(/script-src ([^;]*)/)?.[1] ?? "'self'").toBe("'self'");
    for (const [, asset] of body.matchAll(/(?:src|href)="([^"#]+)"/g)) {
      const found = await site.ask('GET', new URL(asset, site.url + path).pathname);
      expect([asset, found.status]).toEqual([asset, 200]);
    }
  });

  it('ReDoc is served without the one picture that it would fetch from elsewhere', async () => {
    const { body, headers } = await site.ask('GET', '/redoc/redoc.standalone.js');
    expect(headers.get('content-type')).toMatch(/^text\/javascript/);
    expect(body).not.toContain('cdn.redoc.ly');
  });
});

describe('docs/protocol.md', () => {
  it('has every error as the table of errors has it', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../../docs/protocol.md', import.meta.url)), 'utf8');
    const rows = Object.entries(ERRORS).map(
      ([code, { status, retryable, title }]) => `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${title} |`,
    );
    const table = /<!-- errors -->\n.*\n.*\n([\s\S]*?)\n<!-- \/errors -->/.exec(text)?.[1];
    expect(table?.split('\n')).toEqual(rows);
  });
});

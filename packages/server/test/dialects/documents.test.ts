/** What the documents show of the dialects: all of their routes, grouped, each with examples that are true. */

import { DIALECTS } from '@natter/server/config';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fresh, openWorld, type World } from './world.js';

type Json = Record<string, unknown>;

interface Media {
  schema: Json;
  example?: unknown;
}

interface Operation extends Json {
  tags: string[];
  parameters?: { name: string; in: string; required: boolean; schema: Json }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}

interface Document extends Json {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

let world: World;
let all: Document;
beforeAll(async () => {
  world = await openWorld();
  all = (await world.ask('GET', '/openapi.json')).body;
});
afterAll(() => world.close());

const operationsOf = ({ paths }: Document, dialect?: string) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags[0]?.startsWith(`dialect ${dialect ?? ''}`))
      .map(([method, operation]) => ({ named: `${method.toUpperCase()} ${path}`, method, path, operation })),
  );

/** A schema by itself: what it refers to stands in it. */
function whole(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...rest } = value as Json;
  const own = Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, whole(one)]));
  if (typeof $ref !== 'string') return own;
  const schema = all.components.schemas[$ref.replace('#/components/schemas/', '')];
  expect(schema, $ref).toBeDefined();
  return { ...(whole(schema) as Json), ...own };
}

function exampleOf({ schema, example }: Media): unknown {
  const { examples = [] } = whole(schema) as { examples?: unknown[] };
  return example ?? examples[0];
}

it('validate as OpenAPI 3.1: those of all, and those of one dialect alone', async () => {
  const own = (await world.ask('GET', '/api/openapi.json')).body as Document;
  for (const document of [all, own]) {
    const result = await new Validator({ strict: false }).validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  }
  expect(operationsOf(own).length).toBe(Object.values(own.paths).flatMap((methods) => Object.keys(methods)).length);
  expect(operationsOf(own).map(({ named }) => named)).toEqual(operationsOf(all, '001').map(({ named }) => named));
});

describe.each(DIALECTS)('the documents of dialect %s', (dialect) => {
  const operations = () => operationsOf(all, dialect);

  it('are a group with a name and some sentences', () => {
    const groups = all.tags.filter(({ name }) => name.startsWith(`dialect ${dialect}`));
    expect(groups).toHaveLength(1);
    expect(groups[0]?.description.length).toBeGreaterThan(40);
    expect(operations().length).toBeGreaterThan(5);
    for (const { named, operation } of operations()) {
      expect([named, operation.tags, operation.summary]).toEqual([named, [groups[0]?.name], expect.any(String)]);
      expect([named, Object.keys(operation.responses)]).toEqual([named, expect.arrayContaining(['4XX'])]);
    }
  });

  it('ask for nothing that need not be given', () => {
    for (const { named, operation } of operations()) {
      for (const { name, schema, required } of operation.parameters ?? []) {
        expect([named, name, required && schema.default !== undefined]).toEqual([named, name, false]);
      }
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
        const { properties = {}, required = [] } = whole(schema) as { properties?: Json; required?: string[] };
        for (const name of required) expect([named, properties[name]]).not.toHaveProperty('1.default');
      }
    }
  });

  it('give an example of every body and every answer, which its schema allows', () => {
    for (const { named, operation } of operations()) {
      const bodies = Object.values(operation.requestBody?.content ?? {});
      const answers = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
        Object.values(content).map((media) => ({ status, media })),
      );
      expect([named, answers.some(({ status }) => status.startsWith('2'))]).toEqual([named, true]);
      for (const media of [...bodies, ...answers.map((answer) => answer.media)]) {
        const schema = whole(media.schema) as Json;
        expect([named, Object.keys(schema).length > 2 ? 'a schema' : schema]).toEqual([named, 'a schema']);
        const example = exampleOf(media);
        expect([named, example]).toEqual([named, expect.anything()]);
        expect([named, example, Compile(schema as never).Check(example)]).toEqual([named, example, true]);
      }
    }
  });

  it('give bodies that the routes take', async () => {
    for (const { named, method, path, operation } of operations()) {
      const media = operation.requestBody?.content['application/json'];
      if (!media) continue;
      const { token } = await world.native(fresh('reader'));
      const target = path.replace(/\{[^}]*\}/g, '999999999');
      const sent = await world.ask(method.toUpperCase(), target, { token, body: exampleOf(media) });
      expect([named, sent.status, sent.body]).not.toEqual([named, 422, expect.anything()]);
    }
  });
});

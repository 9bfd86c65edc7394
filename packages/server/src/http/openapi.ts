/** The OpenAPI document, made from the schemas that validate: routes describe themselves, and what has a title is a component. */
import swagger from '@fastify/swagger';
import type { App, GuestDocuments } from './edge.js';

const TAGS: [string, string][] = [
  ['accounts', 'Registering, logging in, sessions, and one’s own account'],
  ['rooms', 'Direct rooms, groups and channels, and what one has read in them'],
  ['members', 'Who is in a room, and as what'],
  ['messages', 'Sending, editing, deleting; history by pages; threads'],
  ['reactions and pins', 'What people put on messages'],
  ['users', 'The people of this server'],
  ['user groups', 'Named sets of people'],
  ['search', 'Finding messages and rooms'],
  ['administration', 'What needs power over others, and the record of it'],
  ['nats', 'Following rooms straight off NATS'],
  ['server', 'The server itself'],
];

const DESCRIPTION = `Queries and commands of Natter over HTTP. Live events come over the WebSocket at \`/v1/socket\`, which [/asyncapi.json](/asyncapi.json) describes.

**Tokens.** \`POST /v1/users\` registers and \`POST /v1/sessions\` logs in; both give an access token, to be sent as \`Authorization: Bearer …\`, and a refresh token for \`POST /v1/sessions/refresh\`.

**Refusals** are problem details (RFC 9457): \`code\` tells programs what happened, \`fields\` names wrong members by JSON Pointer. [All codes](/docs/errors).

**Sending again.** What makes something takes an \`Idempotency-Key\`: sent again with the same key, the first answer is given again, with no time limit.

**Caches.** Answers with an \`ETag\` can be asked for with \`If-None-Match\`, and are 304 while nothing has changed.

Ids are integers from 1 to 2^53 − 1; times are UTC, ISO 8601 with milliseconds.`;

/** Before the routes, which it listens to. */
export async function describeRoutes(app: App, version: string, more: [string, string][]): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Natter', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/', description: 'This server' }],
      tags: [...TAGS, ...more].map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token' },
        },
      },
      security: [{ token: [] }],
    },
    hideUntagged: true,
  });
}

type Json = Record<string, unknown>;

/** The document as it is served. */
export function openapiOf(app: App): Json {
  const { components, paths, ...rest } = app.swagger() as unknown as { components?: Json; paths: Record<string, Json> };
  const schemas: Json = {};
  const named = nameSchemas(paths, schemas) as Record<string, Record<string, Json>>;
  for (const [path, operations] of Object.entries(named)) {
    for (const [method, operation] of Object.entries(operations)) {
      operation.operationId ??= operationId(method, path);
      // Refusals have a content type of their own.
      for (const [status, answer] of Object.entries((operation.responses ?? {}) as Record<string, Json>)) {
        const content = answer.content as Json | undefined;
        if (Number(status) >= 400 && content && isProblem(content['application/json'])) {
          answer.content = { 'application/problem+json': content['application/json'] };
        }
      }
    }
  }
  return { ...rest, paths: named, components: { ...components, schemas } };
}

/** Of the document of all routes those of one guest, as a document of its own. */
export function openapiOfTag(all: Json, { tag, title, version, login }: GuestDocuments): Json {
  const { tags, paths, components } = all as {
    tags: { name: string; description: string }[];
    paths: Record<string, Record<string, Json>>;
    components: { schemas: Record<string, Json> };
  };
  const own: Record<string, Record<string, Json>> = {};
  for (const [path, operations] of Object.entries(paths)) {
    const tagged = Object.entries(operations).filter(([, { tags = [] }]) => (tags as string[]).includes(tag));
    if (tagged.length > 0) own[path] = Object.fromEntries(tagged);
  }
  const schemas: Record<string, Json> = {};
  const collect = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      const schema = components.schemas[name];
      if (!schema || schemas[name]) continue;
      schemas[name] = schema;
      collect(schema);
    }
  };
  collect(own);
  const security = { type: 'oauth2', flows: { password: { tokenUrl: login, scopes: {} } } };
  return {
    ...all,
    info: { title, version },
    tags: tags.filter(({ name }) => name === tag),
    paths: own,
    components: { schemas, securitySchemes: { OAuth2PasswordBearer: security } },
    security: [{ OAuth2PasswordBearer: [] }],
  };
}

function isProblem(media: unknown): boolean {
  return JSON.stringify(media ?? null).includes('#/components/schemas/Problem"');
}

/** `get /v1/rooms/{room}/messages` is `getRoomsByRoomMessages`. */
function operationId(method: string, path: string): string {
  const parts = path
    .split('/')
    .filter((part) => part !== '' && part !== 'v1')
    .map((part) => (part.startsWith('{') ? `By${capital(part.slice(1, -1))}` : capital(part)));
  return method + parts.join('');
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** What stands for itself, and is no schema. */
const PLAIN = new Set(['example', 'examples', 'default', 'enum', 'const']);

/** Schemas with a title become components, once each; where they stood a reference stays, with what is said of it there. */
function nameSchemas(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((one) => nameSchemas(one, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const { title, ...rest } = withPrefixItems(value as Json);
  const walked = Object.fromEntries(
    Object.entries(rest).map(([key, one]) => {
      if (key === 'properties') return [key, mapOf(one as Json, (member) => nameSchemas(member, schemas))];
      return [key, PLAIN.has(key) ? one : nameSchemas(one, schemas)];
    }),
  );
  if (typeof title !== 'string' || !('type' in rest)) return title === undefined ? walked : { ...walked, title };
  const { description, ...schema } = walked;
  schemas[title] ??= { ...schema, title };
  return { $ref: `#/components/schemas/${title}`, ...(description === undefined ? {} : { description }) };
}

function mapOf(map: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

/** A tuple as JSON Schema 2020-12 spells it, which OpenAPI 3.1 reads. */
function withPrefixItems(schema: Json): Json {
  if (!Array.isArray(schema.items)) return schema;
  const { items, additionalItems, ...rest } = schema;
  return { ...rest, prefixItems: items, items: additionalItems ?? true };
}

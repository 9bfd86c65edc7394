/** What a route of a dialect shows of itself in the documents: its schemas, an example of each body and answer, and how it refuses. */
import { type TObject, type TSchema, Type } from 'typebox';
import type { Dialect } from '../dialect.js';

const FORM = 'application/x-www-form-urlencoded';

const INVALID = Type.Object(
  {
    detail: Type.Array(
      Type.Object({
        type: Type.String(),
        loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
        msg: Type.String(),
        input: Type.Unknown(),
        ctx: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      }),
    ),
  },
  {
    title: 'HTTPValidationError',
    examples: [
      { detail: [{ type: 'missing', loc: ['body', 'username'], msg: 'Field required', input: { password: 'x' } }] },
    ],
  },
);

const REFUSED = Type.Object({ detail: Type.String() }, { title: 'HTTPError', examples: [{ detail: 'Not Found' }] });

/** What the documents show of a route. */
export interface Described {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  summary: string;
  description?: string;
  /** Of success. */
  status?: number;
  /** Anybody may ask. */
  open?: boolean;
  params?: TObject;
  query?: TObject;
  body?: TObject;
  /** The body may be a form, of either kind, as well as JSON; where there is none, or it is neither, it counts as an empty form. */
  form?: boolean;
  /** Of the answer. */
  answer?: TSchema;
}

export function describe(dialect: Dialect, route: Described, path: string): object {
  const { method, summary, description, status = 200, open, params, query, body, form, answer } = route;
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const takesInput = params || query || body;
  return {
    tags: [dialect.title],
    summary,
    ...(description === undefined ? {} : { description }),
    operationId: `dialect${dialect.name}_${method.toLowerCase()}_${words.join('_')}`,
    ...(open ? { security: [] } : {}),
    ...(params ? { params } : {}),
    ...(query ? { querystring: asked(query) } : {}),
    ...(body ? { body: withExample(asked(body)), consumes: [...(form ? [FORM] : []), 'application/json'] } : {}),
    response: {
      [status]: { description: 'Done', ...withExample(answer ?? Type.Unknown()) },
      '4xx': { ...REFUSED, description: 'Refused: `detail` says why' },
      ...(takesInput ? { 422: { ...INVALID, description: 'The input is wrong: `detail` says where' } } : {}),
    },
  };
}

/** A member with a default need not be given. */
function asked(schema: TObject): TSchema {
  const { properties = {}, required = [] } = schema as Schema;
  return { ...schema, required: required.filter((name) => properties[name]?.default === undefined) };
}

const withExample = (schema: TSchema): TSchema => ({ ...schema, examples: [exampleOf(schema as Schema)] });

interface Schema {
  type?: string;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  format?: string;
  default?: unknown;
  examples?: unknown[];
}

/** What members of these names hold in all of the APIs, where a schema gives no example of its own. */
const NAMED: Record<string, unknown> = {
  username: 'ada',
  email: 'ada@example.com',
  password: 'correct horse',
  full_name: 'Ada Lovelace',
  name: 'General',
  description: 'For everybody',
  chat_type: 'group',
  message_type: 'text',
  content: 'Hello, world!',
  last_message: 'Hello, world!',
  message: 'Done',
  access_token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl',
  refresh_token: 'gUo1tq2b.0.Jm9vYmFyYmF6',
  token_type: 'bearer',
  grant_type: 'password',
  room_id: 12,
  chat_id: 12,
  group_id: 12,
  total: 1,
  page: 1,
  limit: 20,
  pages: 1,
  count: 1,
  is_edited: false,
  is_deleted: false,
  is_read: false,
};

const TYPED: Record<string, unknown> = {
  string: 'text',
  boolean: true,
  integer: 7,
  number: 1.5,
  object: {},
  null: null,
};

/** The schema's own example, or one that is made of its members. */
function exampleOf(schema: Schema, name = ''): unknown {
  const [own] = schema.examples ?? schema.enum ?? [];
  if (own !== undefined) return own;
  if (schema.const !== undefined) return schema.const;
  if (schema.anyOf) return exampleOf(schema.anyOf.find(({ type }) => type !== 'null') ?? {}, name);
  if (schema.properties) {
    const members = Object.entries(schema.properties).map(([key, member]) => [key, exampleOf(member, key)]);
    return Object.fromEntries(members);
  }
  if (schema.type === 'array') return [exampleOf(schema.items ?? {}, name)];
  if (schema.format === 'date-time') return '2026-03-14T09:26:53.589Z';
  const word = /(?:username|password|count)$/.exec(name)?.[0] ?? name;
  if (Object.hasOwn(NAMED, word) && typeof NAMED[word] === typeof TYPED[schema.type ?? '']) return NAMED[word];
  if (schema.default !== undefined) return schema.default;
  if (schema.format === 'email') return NAMED.email;
  return TYPED[schema.type ?? ''] ?? null;
}

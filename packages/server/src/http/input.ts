/** Input before any rule sees it: JSON that is text, and the schemas of the wire held against body, path and query. */
import { isUtf8 } from 'node:buffer';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';
import type { App } from './edge.js';
import { RefusedError } from './problems.js';

/** Fields named in one refusal, at most. */
const FIELDS_MAX = 10;
const UNKNOWN = 'is not known here';

type Field = { path: string; message: string };

const pointer = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** Escapes by which NUL and surrogates can stand in JSON that is itself good UTF-8. */
const SUSPECT = /\\u(?:0000|[dD][89a-fA-F])/;

/** Where a value holds what is no text: NUL, or half of a surrogate pair. Without recursion, since nesting is the client's. */
function badText(value: unknown): Field | null {
  const waiting: { value: unknown; path: string }[] = [{ value, path: '' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value: one, path } = next;
    if (typeof one === 'string') {
      const message = textProblem(one);
      if (message !== null) return { path, message };
    } else if (typeof one === 'object' && one !== null) {
      for (const [key, member] of Object.entries(one)) {
        const message = textProblem(key);
        if (message !== null) return { path, message: `has a member whose name ${message}` };
        waiting.push({ value: member, path: path + pointer(key) });
      }
    }
  }
  return null;
}

function textProblem(text: string): string | null {
  if (text.includes('\0')) return 'must not contain NUL';
  return text.isWellFormed() ? null : 'must not contain lone surrogates';
}

/** JSON alone is read; an empty body is none. */
export function readJson(app: App): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined);
    if (!isUtf8(bytes)) return done(new RefusedError('malformed', { detail: 'the body is not UTF-8' }));
    const text = bytes.toString();
    return parse(request, text, (error, value) => {
      if (error) return done(new RefusedError('malformed', { detail: 'the body is not JSON' }));
      const field = SUSPECT.test(text) ? badText(value) : null;
      return field ? done(new RefusedError('invalid', { fields: [field] })) : done(null, value);
    });
  });
}

/** Numbers and booleans as they stand in an address; anything else stays text, and is refused by the schema. */
function fromText(schema: TSchema, text: unknown): unknown {
  if (typeof text !== 'string') return text;
  const { type } = schema as { type?: string };
  if (type === 'integer' && /^(?:0|-?[1-9][0-9]{0,15})$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** The schemas of routes, compiled: strict in the body, and in path and query once numbers are read. */
export const compileInput: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const properties = (schema as { properties?: Record<string, TSchema> }).properties ?? {};
  return (data: unknown) => {
    let value = data;
    if (httpPart !== 'body') {
      const given = Object.entries((data ?? {}) as Record<string, unknown>);
      const bad = given.find(([, text]) => typeof text === 'string' && textProblem(text) !== null);
      if (bad) return { error: invalid([{ path: pointer(bad[0]), message: 'must not contain NUL' }]) };
      value = Object.fromEntries(given.map(([name, text]) => [name, fromText(properties[name] ?? {}, text)]));
    }
    if (validator.Check(value)) return { value };
    return { error: invalid(fieldsOf(validator.Errors(value)[1])) };
  };
};

const invalid = (fields: Field[]): RefusedError => new RefusedError('invalid', { fields });

/** What is wrong, each at the member that it is about, and once. */
function fieldsOf(errors: ReturnType<ReturnType<typeof Compile>['Errors']>[1]): Field[] {
  const fields = new Map<string, Field>();
  const add = (path: string, message: string): void => {
    if (!fields.has(path) && fields.size < FIELDS_MAX) fields.set(path, { path, message });
  };
  for (const { keyword, instancePath, params, message } of errors) {
    const named = params as { requiredProperties?: string[]; additionalProperties?: string[] };
    if (keyword === 'required') {
      for (const name of named.requiredProperties ?? []) add(instancePath + pointer(name), 'is missing');
    } else if (keyword === 'additionalProperties') {
      for (const name of named.additionalProperties ?? []) add(instancePath + pointer(name), UNKNOWN);
    } else {
      // A member that is not in the schema is held against `false`.
      add(instancePath, keyword === 'boolean' ? UNKNOWN : message);
    }
  }
  return [...fields.values()];
}

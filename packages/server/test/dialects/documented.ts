/** Answers held against what the server's own document says of them: what it shows is so, and all that is there is shown. */
import { Compile, type Validator } from 'typebox/compile';

type Json = Record<string, unknown>;

interface Answer {
  status: number;
  body: unknown;
}

interface Route {
  method: string;
  path: RegExp;
  /** By status, or its class. */
  answers: Map<string, Validator>;
}

export class Documented {
  readonly #routes: Route[];

  constructor(document: { paths: Record<string, Record<string, Json>>; components: { schemas: Json } }) {
    const { schemas } = document.components;
    // A path without parameters goes before one that fits it too.
    const paths = Object.entries(document.paths).sort(([a], [b]) => a.split('{').length - b.split('{').length);
    this.#routes = paths.flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { tags }]) => String(tags).startsWith('dialect'))
        .map(([method, { responses }]) => ({
          method: method.toUpperCase(),
          path: new RegExp(`^${path.replace(/\/$/, '').replace(/\{[^}]*\}/g, '[^/]+')}/?$`),
          answers: answersOf(responses as Json, schemas),
        })),
    );
  }

  /** What is not as it is shown; null: all is, or nothing is shown of it. */
  problem(method: string, address: string, { status, body }: Answer): string | null {
    const [path = ''] = address.split('?', 1);
    const route = this.#routes.find((one) => one.method === method && one.path.test(path));
    if (!route || status >= 500 || status === 405) return null;
    const answer = route.answers.get(String(status)) ?? route.answers.get(`${String(status)[0]}XX`);
    const named = `${method} ${path} ${status}`;
    if (!answer) return `${named} is not documented`;
    if (answer.Check(body)) return null;
    const [error] = answer.Errors(body);
    return `${named} is documented otherwise: ${error?.instancePath} ${error?.message} in ${JSON.stringify(body)?.slice(0, 500)}`;
  }
}

function answersOf(responses: Json, schemas: Json): Map<string, Validator> {
  return new Map(
    Object.entries(responses).flatMap(([status, response]) => {
      const { content = {} } = response as { content?: Record<string, { schema: Json }> };
      const schema = content['application/json']?.schema;
      return schema ? [[status, Compile(strict(schema, schemas) as never)]] : [];
    }),
  );
}

/** A schema by itself, which allows no members but those that it names. */
function strict(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((one) => strict(one, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, examples: _, ...rest } = value as Json;
  if (typeof $ref === 'string') return strict(schemas[$ref.replace('#/components/schemas/', '')], schemas);
  const own = Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, strict(one, schemas)]));
  return own.type === 'object' && own.properties ? { additionalProperties: false, ...own } : own;
}

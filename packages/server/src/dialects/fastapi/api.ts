/**
 * Routes of a dialect as FastAPI would serve them. In this order: the body is read as JSON, then who asks, then all of path,
 * query and body, then the handler.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TObject, type TProperties, Type } from 'typebox';
import type { Origin, Recognised } from '../../auth/accounts.js';
import type { Dialect, DialectContext } from '../dialect.js';
import { BEARER, type BearerRules, httpBearer, OAUTH2 } from './bearer.js';
import { Form, readBodies } from './body.js';
import { type Described, describe } from './describe.js';
import { Failure, FailureError, fail, failureOf, type Problem, unprocessable, valueError } from './failure.js';
import { validate } from './validate.js';

export interface Operation<P extends TProperties, Q extends TProperties, B extends TProperties> extends Described {
  /** One path or several of the same meaning; each is served with a slash at its end and without, the first one is documented. */
  path: string | readonly string[];
  /** Refuses those who may not ask, before their input is looked at; null: they may. */
  allow?: (actor: Recognised) => Failure | null;
  params?: TObject<P>;
  query?: TObject<Q>;
  body?: TObject<B>;
  /** Asked when all fields are good: what is wrong with them together. */
  refine?: (body: Static<TObject<B>>) => Problem[];
}

/** One request whose input is good. */
export interface Call<P extends TProperties, Q extends TProperties, B extends TProperties> {
  /** Who asks; on open routes nobody does. */
  actor: Recognised;
  /** The access token that came. */
  token: string;
  params: Static<TObject<P>>;
  query: Static<TObject<Q>>;
  body: Static<TObject<B>>;
  origin: Origin;
  request: FastifyRequest;
  reply: FastifyReply;
}

const NOTHING = Type.Object({});
type None = Record<never, never>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks a dialect, with the token by which. */
    recognised: { actor: Recognised; token: string } | null;
  }
}

export class Api {
  readonly #app: FastifyInstance;
  readonly #context: DialectContext;
  readonly #dialect: Dialect;
  readonly #bearer: BearerRules;

  constructor(app: FastifyInstance, context: DialectContext, dialect: Dialect, bearer: BearerRules) {
    this.#app = app;
    this.#context = context;
    this.#dialect = dialect;
    this.#bearer = bearer;
    app.decorateRequest('recognised', null);
    // Input is held against its schemas all at once, and by other rules than the native ones.
    app.setValidatorCompiler(() => (value) => ({ value }));
    readBodies(app, context.limits.JSON_DEPTH_MAX);
    app.setErrorHandler((error, _request, reply) => {
      if (error instanceof FailureError) return error.failure.send(reply);
      throw error;
    });
  }

  /** What the handler answers is sent as it is; a Failure as a refusal. */
  route<P extends TProperties = None, Q extends TProperties = None, B extends TProperties = None>(
    operation: Operation<P, Q, B>,
    handler: (call: Call<P, Q, B>) => Promise<unknown>,
  ): void {
    const { method, path, open = false, allow, status = 200 } = operation;
    const run = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const input = read(operation, request);
      if (input instanceof Failure) return input.send(reply);
      const answer = await handler({
        ...input,
        actor: (request.recognised?.actor ?? null) as Recognised,
        token: request.recognised?.token ?? '',
        origin: {
          address: request.address,
          agent: request.headers['user-agent'] ?? '',
          dialect: this.#dialect.name,
        },
        request,
        reply,
      });
      if (reply.sent) return reply;
      if (answer instanceof Failure) return answer.of(input.body).send(reply);
      return reply.code(status).send(answer);
    };
    for (const [index, alias] of [path].flat().entries()) {
      const twin = alias.endsWith('/') ? alias.slice(0, -1) : `${alias}/`;
      for (const url of [alias, twin]) {
        const schema = index === 0 && url === alias ? describe(this.#dialect, operation, alias) : { hide: true };
        this.#app.route({
          method,
          url,
          schema,
          onRequest: refuseEmpty,
          ...(open ? {} : { preValidation: (request, reply) => this.#recognise(request, reply, allow) }),
          handler: run,
        });
      }
    }
  }

  async #recognise(
    request: FastifyRequest,
    reply: FastifyReply,
    allow?: (actor: Recognised) => Failure | null,
  ): Promise<FastifyReply | undefined> {
    const { accounts, hub } = this.#context;
    const { missing, otherScheme, bad, inactive } = this.#bearer;
    const header = request.headers.authorization ?? '';
    const [scheme = '', token = ''] = header.trim().split(/ +/, 2);
    if (scheme === '' || token === '') return missing.send(reply);
    if (scheme.toLowerCase() !== 'bearer') return otherScheme.send(reply);
    // The tokens of all APIs of this server stand for the same accounts.
    const known = await accounts.verifyAccess(token);
    if (!known.ok) return (inactive && (await this.#isInactive(token)) ? inactive : bad).send(reply);
    hub.presence.touch(known.value.user);
    request.recognised = { actor: known.value, token };
    return allow?.(known.value)?.send(reply);
  }

  /** Is it a good token, of an account that was deactivated since? */
  async #isInactive(token: string): Promise<boolean> {
    const { accounts, queries } = this.#context;
    const identity = accounts.identify(token);
    if (!identity) return false;
    const people = await queries.records.persons([identity.user]);
    return people.get(identity.user)?.status === 'deactivated';
  }
}

function read<P extends TProperties, Q extends TProperties, B extends TProperties>(
  { params, query, body, form, refine }: Operation<P, Q, B>,
  request: FastifyRequest,
): Failure | Pick<Call<P, Q, B>, 'params' | 'query' | 'body'> {
  const problems: Problem[] = [];
  const take = (schema: TObject | undefined, input: unknown, place: string): object => {
    const checked = validate(schema ?? NOTHING, input, [place]);
    if ('value' in checked) return checked.value;
    problems.push(...checked);
    return {};
  };
  const inPath = take(params, request.params ?? {}, 'path');
  const inQuery = take(query, lastOnes(request.query), 'query');
  const inBody = body ? takeBody(body, bodyOf(request, form), take, problems) : {};
  if (problems.length === 0 && body && refine) problems.push(...refine(inBody as Static<TObject<B>>));
  if (problems.length > 0) return unprocessable(...problems);
  return {
    params: inPath as Static<TObject<P>>,
    query: inQuery as Static<TObject<Q>>,
    body: inBody as Static<TObject<B>>,
  };
}

function takeBody(
  schema: TObject,
  given: unknown,
  take: (schema: TObject, input: unknown, place: string) => object,
  problems: Problem[],
): object {
  if (given === undefined || given === null) {
    problems.push({ type: 'missing', loc: ['body'], msg: 'Field required', input: null });
    return {};
  }
  return take(schema, given, 'body');
}

/** No path of FastAPI has a parameter of no letters: where one would be, there is nothing. */
async function refuseEmpty({ params }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  if (!Object.values((params ?? {}) as object).includes('')) return undefined;
  reply.callNotFound();
  return reply;
}

/** A route that takes forms sees one in whatever is no JSON; to the others a form is a text like any. */
function bodyOf({ body }: FastifyRequest, form = false): unknown {
  if (!form) return body instanceof Form ? body.text : body;
  if (body instanceof Form) return body.members;
  return body === undefined || body === null || typeof body === 'string' ? {} : body;
}

/** Of a parameter that is repeated the last one counts. */
function lastOnes(query: unknown): Record<string, unknown> {
  const given = Object.entries((query ?? {}) as Record<string, unknown>);
  return Object.fromEntries(given.map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value]));
}

export { BEARER, Failure, fail, failureOf, httpBearer, OAUTH2, valueError };

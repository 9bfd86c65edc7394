/** Refusals in the shape of FastAPI: `{"detail": …}`, which is a sentence or a list of what is wrong where. */
import { ERRORS, type ErrorCode } from '@natter/protocol';
import type { FastifyReply } from 'fastify';
import type { Refusal } from '../../core/actor.js';

/** One thing that is wrong with the input, as pydantic says it. */
export interface Problem {
  type: string;
  loc: readonly (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
}

/** An answer that is none. */
export class Failure {
  constructor(
    readonly status: number,
    readonly detail: string | readonly Problem[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** The same, where core said what is wrong and not of what: that is in the body. */
  of(body: object): Failure {
    if (typeof this.detail === 'string') return this;
    const given = new Map<unknown, unknown>(Object.entries(body));
    const detail = this.detail.map((problem) => {
      const [place, member] = problem.loc;
      const isBare = problem.type === 'value_error' && problem.input === null && place === 'body';
      return isBare && given.has(member) ? { ...problem, input: given.get(member) } : problem;
    });
    return new Failure(this.status, detail, this.headers);
  }

  send(reply: FastifyReply): FastifyReply {
    return reply.code(this.status).headers(this.headers).send({ detail: this.detail });
  }
}

export const fail = (status: number, detail: string, headers?: Record<string, string>): Failure =>
  new Failure(status, detail, headers);

export const unprocessable = (...problems: Problem[]): Failure => new Failure(422, problems);

/** What a rule of Natter's own refuses, as a validator of the original would have. */
export const valueError = (loc: Problem['loc'], text: string, input: unknown): Problem => ({
  type: 'value_error',
  loc,
  msg: `Value error, ${text}`,
  input,
  ctx: { error: {} },
});

/** Thrown where no answer can be given yet. */
export class FailureError extends Error {
  constructor(readonly failure: Failure) {
    super(`refused with ${failure.status}`);
    this.name = 'FailureError';
  }
}

/** Statuses whose words Starlette takes from HTTP. */
const WORDS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/**
 * A refusal as this API says it: by its own table where it has words for the code, else by status. `fields` says what the
 * API calls a member that core names otherwise.
 */
export function failureOf(
  refusal: Refusal,
  table: Partial<Record<ErrorCode, Failure>> = {},
  fields: Readonly<Record<string, string>> = {},
): Failure {
  const { code, retryAfter } = refusal;
  const own = table[code];
  if (own) return own;
  if (code === 'invalid') {
    const named = (refusal.fields ?? []).map(({ path, message }) => {
      const name = path.slice(1);
      return valueError(name === '' ? ['body'] : ['body', fields[name] ?? name], message, null);
    });
    return unprocessable(...(named.length > 0 ? named : [valueError(['body'], refusal.detail ?? 'invalid', null)]));
  }
  const { status, title } = ERRORS[code];
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter)) };
  return fail(status, WORDS[status] ?? title, headers);
}

/** Refusals as problem details (RFC 9457): one shape, one table, one place where errors become answers. */
import { ERRORS, type ErrorCode, type ErrorDetail, type Problem } from '@natter/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../core/actor.js';

/** The path of the page that explains the codes. */
export const ERRORS_PATH = '/docs/errors';

export function problem(code: ErrorCode, { detail, fields, retryAfter }: ErrorDetail = {}): Problem {
  const { status, title, retryable } = ERRORS[code];
  return {
    type: `${ERRORS_PATH}#${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    retryable,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** Headers that belong to a refusal, beside its content type. */
function problemHeaders({ code, retryAfter }: { code: string; retryAfter?: number }): Record<string, string> {
  return {
    'cache-control': 'no-store',
    // RFC 9110: a 401 says how to ask instead.
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer realm="natter"' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter)) }),
  };
}

export function refuseWith(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const shape = reply.request.refusalShape;
  if (shape) return shape(reply, refusal);
  const { ok: _, code, ...detail } = refusal;
  const answer = problem(code, detail);
  return reply.code(answer.status).headers(problemHeaders(answer)).type('application/problem+json').send(answer);
}

/** What the framework throws, by its codes; whatever else it blames on the client is `malformed`. */
const FRAMEWORK: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_type',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  FST_ERR_NOT_FOUND: 'not_found',
};

/** An error that is a refusal: thrown where no answer can be given yet. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(ERRORS[code].title);
    this.name = 'RefusedError';
    this.refusal = { ok: false, code, ...detail };
  }
}

function toRefusal(error: FastifyError | Error): Refusal | null {
  if (error instanceof RefusedError) return error.refusal;
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  const known = FRAMEWORK[code];
  if (known !== undefined) return { ok: false, code: known };
  if (statusCode >= 400 && statusCode < 500) {
    return { ok: false, code: 'malformed' };
  }
  return null;
}

/** The one error handler. What is not a refusal is a bug: it is logged whole, and told without a word about its cause. */
export function handleError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = toRefusal(error);
  if (refusal) return refuseWith(reply, refusal);
  request.log.error({ err: error, req: request }, 'a request failed');
  return refuseWith(reply, { ok: false, code: 'internal' });
}

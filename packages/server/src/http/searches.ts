/** The budget of searches: one for each user, over all routes that search. */
import type { FastifyRequest } from 'fastify';
import type { Refusal } from '../core/actor.js';
import type { HttpOptions } from './edge.js';
import { actorOf } from './replies.js';

export function takeSearch({ rates }: Pick<HttpOptions, 'rates'>, request: FastifyRequest): Refusal | null {
  const taken = rates.take('RATE_SEARCHES_PER_USER', String(actorOf(request).user));
  return taken.ok ? null : { ok: false, code: 'rate_limited', retryAfter: taken.retryAfter };
}

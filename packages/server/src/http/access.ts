/** Who asks, from where, and how often: what every request passes before its route. */
import type { FastifyRequest } from 'fastify';
import { clientAddress, isLocal, Networks } from '../addresses.js';
import type { Access } from '../config.js';
import type { App, Guests, HttpOptions, RefusalShape } from './edge.js';
import { refuseWith } from './problems.js';

const BEARER = /^Bearer +([^\s]+) *$/i;

/** How refusals look at this address; null: as problem details. */
export function refusalShapeAt(url: string, guests: Guests | undefined): RefusalShape | null {
  return guests?.refusalsAt(url.split('?', 1)[0] ?? '') ?? null;
}

/** Notes the address, holds the budget of addresses, and recognises the actor where the route asks for one. */
export function guard(app: App, { accounts, rates, config, guests }: HttpOptions): void {
  const proxies = new Networks(config.trustedProxies);
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.decorateRequest('address', '');
  app.decorateRequest('actor', null);
  app.decorateRequest('refusalShape', null);

  app.addHook('onRequest', async (request, reply) => {
    request.address = clientAddress(request.raw, proxies);
    request.refusalShape = refusalShapeAt(request.url, guests);
    reply.header('x-request-id', request.id);
    if (closing) {
      return refuseWith(reply.header('connection', 'close'), { ok: false, code: 'shutting_down', retryAfter: 1 });
    }
    const taken = rates.take('RATE_REQUESTS_PER_ADDRESS', request.address);
    if (!taken.ok) return refuseWith(reply, { ok: false, code: 'rate_limited', retryAfter: taken.retryAfter });
    return undefined;
  });

  /** Before the body is read: who has no token need not send one. */
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 || request.routeOptions.config.open || !request.routeOptions.url?.startsWith('/v1/'))
      return undefined;
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const known = token === undefined ? null : await accounts.verifyAccess(token);
    // Tokens of another API are for its own routes.
    if (!known?.ok || known.value.dialect !== '') {
      return refuseWith(reply, known?.ok === false ? known : { ok: false, code: 'unauthenticated' });
    }
    const { user, role, session } = known.value;
    request.actor = { user, role, session };
    return undefined;
  });
}

/** Is this request among those who may read? */
export function grants(access: Access): (request: FastifyRequest) => boolean {
  switch (access) {
    case 'off':
      return () => false;
    case 'all':
      return () => true;
    case 'local':
      return (request) => isLocal(request.raw);
    default: {
      const networks = new Networks(access);
      return (request) => networks.has(request.address);
    }
  }
}

/** The HTTP edge: one Fastify app with the native routes, the documents, and what operators ask. It listens nowhere by itself. */
import { randomUUID } from 'node:crypto';
import { createServer, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify';
import { guard, refusalShapeAt } from './access.js';
import { revalidate } from './caching.js';
import { documentRoutes } from './docs.js';
import type { App, Guests, HttpOptions } from './edge.js';
import { compileInput, readJson } from './input.js';
import { answerUnknown } from './methods.js';
import { describeRoutes } from './openapi.js';
import { operationRoutes } from './operations.js';
import { handleError, problem } from './problems.js';
import { accountRoutes } from './routes/accounts.js';
import { administrationRoutes } from './routes/administration.js';
import { followerRoutes } from './routes/followers.js';
import { markRoutes, messageRoutes } from './routes/messages.js';
import { memberRoutes, roomRoutes } from './routes/rooms.js';
import { searchRoutes, serverRoutes } from './routes/search.js';
import { usergroupRoutes, userRoutes } from './routes/users.js';
import { webRoutes } from './web.js';

export type { App, HttpOptions } from './edge.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** A browser asks again after this. */
const PREFLIGHT_SECONDS = 600;

/** The longest emoji, percent-encoded, is shorter than this. */
const PARAMETER_MAX = 1_024;

export async function buildHttp(options: HttpOptions): Promise<App> {
  const { config, limits, logger } = options;
  const app: App = fastify({
    serverFactory: (handler) => createServer(serverOptions(options), handler),
    clientErrorHandler: refuseSocket,
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.BODY_BYTES_MAX,
    // Given here, since the library would load its own compilers before it hears of others; that takes a tenth of the start.
    schemaController: {
      compilersFactory: {
        buildValidator: () => compileInput as never,
        // What is sent is made by queries, whose types are the schemas; these document it.
        buildSerializer: () => () => (data) => JSON.stringify(data),
      },
    },
    routerOptions: { maxParamLength: PARAMETER_MAX, caseSensitive: true },
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      // It comes before the hooks, which would have noted it.
      request.refusalShape = refusalShapeAt(request.url, options.guests);
      handleError(error, request as never, reply as never);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setErrorHandler(handleError);
  readJson(app);
  answerUnknown(app);

  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Whoever ends TLS before this server knows whether all of the domain has it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  const originsAreNamed = config.corsOrigins === '*' || config.corsOrigins.length > 0;
  if (originsAreNamed) {
    await app.register(cors, {
      origin: config.corsOrigins === '*' ? '*' : [...config.corsOrigins],
      // Tokens are sent by hand, never by cookie.
      credentials: false,
      strictPreflight: false,
      methods: METHODS,
      allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-none-match'],
      exposedHeaders: ['etag', 'location', 'retry-after', 'idempotent-replayed', 'x-request-id'],
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  guard(app, options);
  app.addHook('onSend', revalidate);
  measure(app, options);

  const version = options.versions.natter ?? '';
  await describeRoutes(app, version, options.guests?.tags ?? []);
  await documentRoutes(app, version, options.guests, await webRoutes(app));
  operationRoutes(app, options);
  await app.register(
    async (v1) => {
      const routes = v1.withTypeProvider<TypeBoxTypeProvider>();
      accountRoutes(routes, options);
      userRoutes(routes, options);
      roomRoutes(routes, options);
      memberRoutes(routes, options);
      messageRoutes(routes, options);
      markRoutes(routes, options);
      usergroupRoutes(routes, options);
      searchRoutes(routes, options);
      administrationRoutes(routes, options);
      followerRoutes(routes, options);
      serverRoutes(routes, options);
    },
    { prefix: '/v1' },
  );
  const { guests } = options;
  if (guests) {
    await app.register(async (own) => {
      if (!originsAreNamed) await answerAllOrigins(own as unknown as FastifyInstance, guests);
      await guests.routes(own as unknown as FastifyInstance);
    });
  }
  letGo(app, options);
  await app.ready();
  return app;
}

/** The originals of the guests answer pages of every origin, and so do they where no origins are named: none of them reads a cookie. */
async function answerAllOrigins(app: FastifyInstance, guests: Guests): Promise<void> {
  await app.register(cors, {
    delegator: async (request: FastifyRequest) => ({
      // The route for preflights is one for all paths.
      origin: guests.refusalsAt(request.url.split('?', 1)[0] ?? '') !== null,
      credentials: true,
      strictPreflight: false,
      optionsSuccessStatus: 200,
      methods: METHODS,
      exposedHeaders: ['retry-after', 'x-request-id'],
      maxAge: PREFLIGHT_SECONDS,
    }),
  });
}

function serverOptions({ limits }: HttpOptions): ServerOptions {
  return {
    requestTimeout: limits.REQUEST_TIMEOUT_SECONDS * 1_000,
    headersTimeout: limits.HEADERS_TIMEOUT_SECONDS * 1_000,
    // Often enough that the limits above mean what they say.
    connectionsCheckingInterval: 1_000,
    // Longer than proxies keep theirs, so that it is they who close.
    keepAliveTimeout: 72_000,
  };
}

/** At the end connections go that are answered: Node would keep those open for more that were busy when it began. */
function letGo(app: App, { limits }: HttpOptions): void {
  app.addHook('preClose', async () => {
    const idle = setInterval(() => app.server.closeIdleConnections(), 50);
    const late = setTimeout(() => app.server.closeAllConnections(), limits.SHUTDOWN_SECONDS * 1_000);
    app.server.once('close', () => {
      clearInterval(idle);
      clearTimeout(late);
    });
  });
}

/** One line for each request, of which nothing is secret, and one measure, by the pattern of its path. */
function measure(app: App, { metrics }: HttpOptions): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    const { statusCode: status, elapsedTime } = reply;
    metrics.httpRequest(route, status, elapsedTime / 1_000);
    const line = { method: request.method, route, status, milliseconds: Math.round(elapsedTime * 10) / 10 };
    request.log[status >= 500 ? 'warn' : 'debug']({ ...line, address: request.address }, 'request');
  });
}

/** What Node's parser refuses never becomes a request: too slow, too large, or no HTTP. */
function refuseSocket(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const large = error.code === 'HPE_HEADER_OVERFLOW';
  const status = late ? '408 Request Timeout' : large ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify({ ...problem('malformed'), status: Number(status.slice(0, 3)) });
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

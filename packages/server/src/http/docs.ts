/** The documents that every server carries: OpenAPI with two ways to read it, AsyncAPI, the errors, and a front door. */
import { readFile } from 'node:fs/promises';
import swaggerUi from '@fastify/swagger-ui';
import { PACKAGE } from '../places.js';
import { asyncapi } from './asyncapi.js';
import type { App, GuestDocuments, Guests } from './edge.js';
import { openapiOf, openapiOfTag } from './openapi.js';
import { DOCS_POLICY, errorsPage, homePage, LOGO, PAGE_POLICY, redocPage } from './pages.js';
import { ERRORS_PATH, refuseWith } from './problems.js';
import type { WebApp } from './web.js';

const REDOC_FILE = new URL('assets/redoc/redoc.standalone.js', PACKAGE);
/** The one thing that ReDoc would fetch from elsewhere: the logo beside its name. */
const REDOC_LOGO = /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini\.svg/g;
const NO_PICTURE = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';

const HOUR = 'public, max-age=3600';

export async function documentRoutes(
  app: App,
  version: string,
  guests: Guests | undefined,
  web: WebApp | null,
): Promise<void> {
  // Made once, when all routes are known.
  let openapi: string | undefined;
  const openapiText = (): string => {
    openapi ??= JSON.stringify(openapiOf(app));
    return openapi;
  };
  const guestTexts = new Map<GuestDocuments, string>();
  const guestText = (guest: GuestDocuments): string => {
    const text = guestTexts.get(guest) ?? JSON.stringify(openapiOfTag(JSON.parse(openapiText()), guest));
    guestTexts.set(guest, text);
    return text;
  };
  const asyncapiText = JSON.stringify(asyncapi(version));
  let redoc: Promise<string> | undefined;

  const hidden = { schema: { hide: true } } as const;
  const page = (url: string, html: string, policy: string): void => {
    app.get(url, hidden, (_request, reply) =>
      reply
        .headers({ 'content-security-policy': policy, 'cache-control': 'no-cache' })
        .type('text/html; charset=utf-8')
        .send(html),
    );
  };

  const root = guests?.shared?.root;
  const home = homePage(version);
  app.get('/', hidden, (request, reply) => {
    reply.headers({ 'cache-control': 'no-cache', vary: 'accept' });
    // Programs that ask other APIs who is there take anything; browsers ask for a page.
    if (root && !/text\/html/i.test(request.headers.accept ?? '')) return reply.send(root);
    if (web) return web.page(reply);
    return reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(home);
  });
  page(ERRORS_PATH, errorsPage(), PAGE_POLICY);

  app.get('/favicon.ico', hidden, (_request, reply) =>
    reply.header('cache-control', HOUR).type('image/svg+xml').send(LOGO),
  );
  app.get('/asyncapi.json', { ...hidden, config: { etag: true } }, (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(asyncapiText),
  );
  app.get('/redoc/redoc.standalone.js', hidden, async (request, reply) => {
    redoc ??= readFile(REDOC_FILE, 'utf8').then((text) => text.replace(REDOC_LOGO, NO_PICTURE));
    try {
      return reply
        .header('cache-control', HOUR)
        .type('text/javascript; charset=utf-8')
        .send(await redoc);
    } catch (error) {
      redoc = undefined;
      request.log.warn({ err: error }, 'ReDoc is not installed: npm run build fetches it');
      return refuseWith(reply, { ok: false, code: 'not_found', detail: 'ReDoc is not installed on this server' });
    }
  });

  /** One OpenAPI document, and the two ways to read it. */
  const openapiRoutes = async (at: string, title: string, text: () => string): Promise<void> => {
    page(`${at}/redoc`, redocPage(title, `${at}/openapi.json`), DOCS_POLICY);
    app.get(`${at}/openapi.json`, { ...hidden, config: { etag: true } }, (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(text()),
    );
    // It decorates the app that it is registered with, so each has one of its own.
    await app.register(async (own) =>
      own.register(swaggerUi, {
        routePrefix: `${at}/docs`,
        staticCSP: DOCS_POLICY,
        logo: { type: 'image/svg+xml', content: LOGO, href: '/' },
        theme: {
          title,
          favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: LOGO }],
        },
        uiConfig: { docExpansion: 'list', deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true },
        validatorUrl: false,
        transformSpecificationClone: false,
        transformSpecification: () => JSON.parse(text()) as Record<string, unknown>,
      }),
    );
  };

  await openapiRoutes('', 'Natter: API', openapiText);
  for (const guest of guests?.documents ?? []) {
    await openapiRoutes(guest.at, guest.title, () => guestText(guest));
  }
}

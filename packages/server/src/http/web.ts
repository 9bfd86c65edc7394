/** The web app: built files that never change under their names, and one page for all of its addresses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyReply } from 'fastify';
import { PACKAGE } from '../places.js';
import type { App } from './edge.js';

const DIST = fileURLToPath(new URL('../web/dist', PACKAGE));

/** What stands at the root beside the page is asked for anew each time: these, under any name. */
const LOOSE = /^(?!addresses\.)[^.]+\.(?:js|png|webmanifest)$/;

/** What the app may do: run its own files, and speak to this server. Nothing inline, nothing from elsewhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "manifest-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // The one that names the service worker.
  'trusted-types natter',
].join('; ');

/** The service worker may fetch what it keeps, and nothing else of all that. */
const LOOSE_POLICY = "default-src 'none'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

export interface WebApp {
  page(reply: FastifyReply): FastifyReply;
}

/** Null where it was not built. */
export async function webRoutes(app: App): Promise<WebApp | null> {
  const file = join(DIST, 'index.html');
  if (!existsSync(file)) return null;
  const html = readFileSync(file, 'utf8');
  const page = (reply: FastifyReply) =>
    reply
      .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(html);

  const hidden = { schema: { hide: true } } as const;
  // For who reloads or is sent a link; no dialect has any of them. The service worker knows the same list.
  const addresses = JSON.parse(readFileSync(join(DIST, 'addresses.json'), 'utf8')) as string[];
  for (const address of addresses.filter((one) => one !== '/'))
    app.get(address, hidden, (_request, reply) => page(reply));
  await app.register(fastifyStatic, {
    root: DIST,
    serve: false,
    preCompressed: true,
    cacheControl: false,
    etag: false,
    lastModified: false,
  });
  // Hashed names: whatever stands under one stands there for ever.
  app.get<{ Params: { '*': string } }>('/assets/*', hidden, (request, reply) =>
    reply.header('cache-control', 'public, max-age=31536000, immutable').sendFile(`assets/${request.params['*']}`),
  );
  for (const name of readdirSync(DIST).filter((file) => LOOSE.test(file))) {
    app.get(`/${name}`, hidden, (_request, reply) =>
      reply.headers({ 'cache-control': 'no-cache', 'content-security-policy': LOOSE_POLICY }).sendFile(name),
    );
  }
  return { page };
}

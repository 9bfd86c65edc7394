/** What people reach with a browser: their chat is the web app at `/`, and what there is to know of the server its documents. */
import type { FastifyInstance } from 'fastify';
import type { DialectContext } from '../dialect.js';

const PAGES = { '/chat': '/', '/messages': '/', '/about': '/docs' };

export function pageRoutes(app: FastifyInstance, { ready }: DialectContext): void {
  const hidden = { schema: { hide: true } };
  for (const [from, to] of Object.entries(PAGES)) app.get(from, hidden, (_request, reply) => reply.redirect(to));

  app.get('/test-db', hidden, async () => ({
    message: (await ready()) ? 'Database connection successful!' : 'Database connection failed.',
  }));
}

/** What dialects have at paths that are the server's own too. */

/** `GET /` of 002, for those who want no page. */
export const ROOT = { message: 'Chat Service API', version: '1.0.0', status: 'running', docs: '/docs' };

/** `GET /health` of 002 with what 004 has beside it, and beside what the native one says. */
export const HEALTH = {
  status: 'healthy',
  mysql: 'connected',
  mongodb: 'connected',
  app_name: 'Natter',
  environment: 'production',
  debug: false,
};

/** The same when it is not well. */
export const UNHEALTHY = { status: 'unhealthy', detail: 'Service unhealthy' };

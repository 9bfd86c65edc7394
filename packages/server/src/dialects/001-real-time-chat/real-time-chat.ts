/** Dialect 001, Real-Time Chat Application: rooms open to all, search, a logout that revokes the token, one socket for each room. */
import { Type } from 'typebox';
import type { Dialect } from '../dialect.js';
import { Api, fail, OAUTH2 } from '../fastapi/api.js';
import { accountRoutes } from './accounts.js';
import { roomRoutes } from './rooms.js';
import { NAME } from './shapes.js';
import { socketRoute } from './sockets.js';

const VERSION = '1.0.0';

export const realTimeChat: Dialect = {
  name: NAME,
  title: 'dialect 001: Real-Time Chat',
  description:
    'Rooms open to all over `/api/register`, `login`, `logout`, `chat`; one socket for each room at `/ws/{room_id}`',
  prefixes: ['/api'],
  documents: { at: '/api', title: 'Real-Time Chat Application', version: VERSION, login: '/api/login' },
  open(context) {
    return {
      sockets: [socketRoute(context)],
      routes(app) {
        const api = new Api(app, context, realTimeChat, OAUTH2);
        accountRoutes(api, context);
        roomRoutes(api, context);

        const answer = Type.Object(
          { status: Type.String(), version: Type.String() },
          { examples: [{ status: 'ok', version: VERSION }] },
        );
        api.route({ method: 'GET', path: '/api/health', summary: 'Health check', open: true, answer }, async () =>
          (await context.ready()) ? { status: 'ok', version: VERSION } : fail(503, 'Service unhealthy'),
        );
      },
    };
  },
};

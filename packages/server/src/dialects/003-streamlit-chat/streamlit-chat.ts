/** Dialect 003, Real-Time Chat (Streamlit): direct messages and groups by HTTP, one socket that joins the rooms it asks for. */
import { Type } from 'typebox';
import type { Dialect } from '../dialect.js';
import { Api, httpBearer } from '../fastapi/api.js';
import { authRoutes } from './auth.js';
import { groupRoutes } from './groups.js';
import { messageRoutes } from './messages.js';
import { NAME } from './shapes.js';
import { socketRoute } from './sockets.js';

export const streamlitChat: Dialect = {
  name: NAME,
  title: 'dialect 003: Real-Time Chat (Streamlit)',
  description:
    'Direct messages and groups over `/auth`, `/messages`, `/groups`; one socket at `/ws/{token}`, which joins rooms',
  prefixes: ['/auth', '/messages', '/groups', '/ws'],
  shared: {
    root: { message: 'Real-time Chat API', status: 'running', docs: '/docs' },
    health: { status: 'healthy' },
  },
  open(context) {
    return {
      sockets: [socketRoute(context)],
      routes(app) {
        const api = new Api(app, context, streamlitChat, httpBearer('Invalid authentication credentials'));
        authRoutes(api, context);
        messageRoutes(api, context);
        groupRoutes(api, context);

        api.route(
          {
            method: 'GET',
            path: '/ws/online-users',
            summary: 'Get Online Users',
            description: 'Everybody who has an open socket, of whichever API, on all nodes.',
            open: true,
            answer: Type.Object({ online_users: Type.Array(Type.Integer()), count: Type.Integer() }),
          },
          async () => {
            const online_users = context.hub.presence.users();
            return { online_users, count: online_users.length };
          },
        );
      },
    };
  },
};

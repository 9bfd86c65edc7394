/** Dialect 000, Mul-Chat: rooms by name, one socket for all of them, and whatever JSON its clients send each other. */
import type { Dialect } from '../dialect.js';
import { Api, OAUTH2 } from '../fastapi/api.js';
import { NAME } from './messages.js';
import { pageRoutes } from './pages.js';
import { roomRoutes } from './rooms.js';
import { socketRoute } from './sockets.js';
import { userRoutes } from './users.js';

export const mulChat: Dialect = {
  name: NAME,
  title: 'dialect 000: Mul-Chat',
  description: 'Rooms by name over `/users` and `/rooms`; one socket for all rooms of a user at `/ws/rooms`',
  prefixes: [
    '/users',
    '/rooms',
    '/create_user',
    '/login',
    '/me',
    '/create_room',
    '/join_room',
    '/get_users_in_room',
    '/leave_room',
    '/history',
    '/test-db',
    '/ws',
  ],
  open(context) {
    return {
      sockets: [socketRoute(context)],
      routes(app) {
        const api = new Api(app, context, mulChat, OAUTH2);
        userRoutes(api, context);
        roomRoutes(api, context);
        pageRoutes(app, context);
      },
    };
  },
};

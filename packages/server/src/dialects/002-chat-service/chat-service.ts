/** Dialect 002, Chat Service API: direct and group chats with admins, pages, edit and delete, one socket for each chat. */
import { Type } from 'typebox';
import { DEFAULT_LIMITS, type Limits } from '../../limits.js';
import type { Dialect } from '../dialect.js';
import { Api, fail, httpBearer } from '../fastapi/api.js';
import type { BearerRules } from '../fastapi/bearer.js';
import { chatRoutes } from './chats.js';
import { messageRoutes } from './messages.js';
import { CONTENT_MAX, NAME } from './shapes.js';
import { socketRoute } from './sockets.js';
import { userRoutes } from './users.js';

const BEARER_RULES: BearerRules = { ...httpBearer(), inactive: fail(400, 'Inactive user') };

const infoOf = ({ GROUP_MEMBERS_MAX, MESSAGE_TEXT_MAX }: Limits) => ({
  name: 'Chat Service API',
  version: '1.0.0',
  features: {
    direct_chat: true,
    group_chat: true,
    real_time_messaging: true,
    message_history: true,
    typing_indicators: true,
    online_status: true,
  },
  limits: { max_group_members: GROUP_MEMBERS_MAX, max_message_length: Math.min(CONTENT_MAX, MESSAGE_TEXT_MAX) },
});

const Info = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    features: Type.Record(Type.String(), Type.Boolean()),
    limits: Type.Record(Type.String(), Type.Integer()),
  },
  { examples: [infoOf(DEFAULT_LIMITS)] },
);

const Online = Type.Object({
  chat_id: Type.Integer(),
  online_users: Type.Array(
    Type.Object({
      id: Type.Integer(),
      username: Type.String(),
      full_name: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  count: Type.Integer(),
});

export const chatService: Dialect = {
  name: NAME,
  title: 'dialect 002: Chat Service',
  description:
    'Direct and group chats over `/api/v1/users`, `chats`, `messages`; one socket for each chat at `/api/v1/ws/{chat_id}`',
  prefixes: ['/api/v1'],
  shared: {
    root: { message: 'Chat Service API', version: '1.0.0', status: 'running', docs: '/docs' },
    health: { status: 'healthy', mysql: 'connected', mongodb: 'connected' },
  },
  open(context) {
    const { presence, rosters } = context.hub;
    const info = infoOf(context.limits);
    const roster = rosters.of(NAME);
    return {
      sockets: [socketRoute(context, roster)],
      routes(app) {
        const api = new Api(app, context, chatService, BEARER_RULES);
        userRoutes(api, context);
        chatRoutes(api, context);
        messageRoutes(api, context);

        api.route(
          { method: 'GET', path: '/api/v1/info', summary: 'API information', open: true, answer: Info },
          async () => info,
        );

        api.route(
          {
            method: 'GET',
            path: '/api/v1/ws/stats',
            summary: 'Get WebSocket statistics',
            description: 'Of this API’s sockets, on all nodes.',
            open: true,
            answer: Type.Object({ online_users: Type.Integer(), total_connections: Type.Integer() }),
          },
          async () => ({ online_users: roster.userCount, total_connections: roster.seatCount }),
        );

        api.route(
          {
            method: 'GET',
            path: '/api/v1/ws/chat/:chat_id/online',
            summary: 'Get online users in chat',
            description: 'Participants who are connected to the chat, or online through another API.',
            params: Type.Object({ chat_id: Type.Integer() }),
            answer: Online,
          },
          async ({ actor, params: { chat_id: room } }) => {
            const members = await context.queries.records.placeMembers(actor, room);
            if (!members) return fail(404, 'Chat not found or access denied');
            const online_users = members
              .filter(({ person: { id } }) => roster.has(room, id) || (!roster.hasUser(id) && presence.isOnline(id)))
              .map(({ person }) => ({
                id: person.id,
                username: person.name,
                full_name: person.fullName === '' ? null : person.fullName,
              }));
            return { chat_id: room, online_users, count: online_users.length };
          },
        );
      },
    };
  },
};

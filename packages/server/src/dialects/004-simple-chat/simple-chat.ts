/** Dialect 004, Simple Chat: rooms that admins make and everybody may enter, with history by cursor over HTTP and the socket. */
import { Type } from 'typebox';
import type { Dialect } from '../dialect.js';
import { Api, OAUTH2 } from '../fastapi/api.js';
import { peopleRoutes } from './people.js';
import { PAGE, roomRoutes } from './rooms.js';
import { NAME } from './shapes.js';
import { socketRoutes } from './sockets.js';

const ENDPOINT = '/api/v1/ws/{room_id}';

/** What a client is told of the sockets; `origin` is the server as the client asked it. */
function socketInfo(origin: string) {
  const address = `${origin}/api/v1/ws/1?token=your_jwt_token`;
  return {
    websocket_endpoint: ENDPOINT,
    authentication: {
      method: 'JWT Token',
      query_parameter: '?token=your_jwt_token',
      header: 'Authorization: Bearer your_jwt_token',
    },
    connection_example: {
      javascript: `new WebSocket('${address}')`,
      python: `import websockets; websockets.connect('${address}')`,
    },
    message_formats: {
      send_message: { type: 'message', content: 'Hello, world!' },
      fetch_history: { type: 'fetch_messages', cursor: 123, limit: PAGE.default },
    },
    response_formats: {
      new_message: {
        type: 'message',
        data: {
          id: 1,
          content: 'Hello, world!',
          user_id: 1,
          username: 'john_doe',
          room_id: 1,
          created_at: '2025-08-04T10:30:00.000Z',
        },
      },
      message_history: {
        type: 'messages_history',
        data: { messages: 'Array of message objects, oldest first', has_more: true, next_cursor: 100 },
      },
      error: { type: 'error', message: 'Error description' },
    },
    room_info: {
      description: 'Replace {room_id} with the id of the room',
      example: '/api/v1/ws/1 for the room with id 1',
    },
  };
}

const anything = Type.Record(Type.String(), Type.Unknown());
const SocketInfo = Type.Object(
  {
    websocket_endpoint: Type.String(),
    authentication: anything,
    connection_example: anything,
    message_formats: anything,
    response_formats: anything,
    room_info: anything,
  },
  { examples: [socketInfo('ws://localhost:8000')] },
);

export const simpleChat: Dialect = {
  name: NAME,
  title: 'dialect 004: Simple Chat',
  description:
    'Rooms that admins make and everybody may enter, over `/api/v1/auth`, `user`, `rooms`; one socket for each room at `/api/v1/ws/{room_id}`',
  prefixes: ['/api/v1'],
  shared: {
    root: { message: 'Welcome to the Simple Chat App!' },
    health: { status: 'ok', app_name: 'Natter', environment: 'production', debug: false },
  },
  open(context) {
    return {
      sockets: socketRoutes(context),
      routes(app) {
        const api = new Api(app, context, simpleChat, OAUTH2);
        peopleRoutes(api, context);
        roomRoutes(api, context);

        api.route(
          {
            method: 'GET',
            path: '/api/v1/chat/websocket-info',
            summary: 'Get WebSocket connection information',
            answer: SocketInfo,
          },
          async ({ request }) => {
            const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'wss' : 'ws';
            return socketInfo(`${scheme}://${request.host}`);
          },
        );
      },
    };
  },
};

/** Routes of admins: which rooms there are, and how the server does. What they do to people is with people. */
import { AdminRoomPage, FigurePage } from '@natter/protocol';
import { Type } from 'typebox';
import type { App, HttpOptions } from '../edge.js';
import { actorOf, answer } from '../replies.js';
import { afterId, answers, exactly, limit, said } from '../schemas.js';

export function administrationRoutes(app: App, { queries }: HttpOptions): void {
  app.get(
    '/admin/rooms',
    {
      schema: {
        tags: ['administration'],
        summary: 'List all groups and channels',
        description:
          'Admins alone: names, sizes and times, never what is said. Direct rooms are their two members’ alone.',
        querystring: exactly({
          q: Type.Optional(said(Type.String({ maxLength: 200 }), 'Part of a name', 'kitchen')),
          after: Type.Optional(afterId),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: AdminRoomPage }, 'unauthenticated', 'invalid', 'forbidden'),
      },
    },
    async (request, reply) => answer(reply, await queries.adminRooms(actorOf(request), request.query)),
  );

  app.get(
    '/admin/figures',
    {
      schema: {
        tags: ['administration'],
        summary: 'How the server does',
        description:
          'Admins alone: what the node that is asked noted every FIGURE_SECONDS, of `--workers` all together (other nodes are not asked), and how much all nodes hold together. For machines there is /metrics.',
        querystring: exactly({
          since: Type.Optional(
            said(Type.String({ format: 'date-time' }), '`at` of the last that is known', '2026-11-20T08:00:05.000Z'),
          ),
        }),
        response: answers({ 200: FigurePage }, 'unauthenticated', 'invalid', 'forbidden'),
      },
    },
    async (request, reply) => answer(reply, await queries.figures(actorOf(request), request.query)),
  );
}

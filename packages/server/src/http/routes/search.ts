/** Routes that search messages and rooms, the audit, and what a client may know of the server. */
import { AuditPage, RoomPage, SearchPage } from '@natter/protocol';
import { Type } from 'typebox';
import type { App, HttpOptions } from '../edge.js';
import { refuseWith } from '../problems.js';
import { actorOf, answer } from '../replies.js';
import { afterId, answers, exactly, Id, Instant, limit, millisecondsOf, said } from '../schemas.js';
import { takeSearch } from '../searches.js';

export function searchRoutes(app: App, options: HttpOptions): void {
  app.get(
    '/search/messages',
    {
      schema: {
        tags: ['search'],
        summary: 'Search messages',
        description:
          'In the rooms that I am in, newest first: words and "phrases" that all occur. What matched is given as ranges of the text, never as markup.',
        querystring: exactly({
          q: said(Type.String({ minLength: 1, maxLength: 500 }), 'Words and "phrases"', 'release "next week"'),
          mode: Type.Optional(
            said(
              Type.Enum(['auto', 'words', 'substring', 'fuzzy']),
              'Whole words, parts of words, or words spelt nearly so; `auto`: the first of them that finds anything',
            ),
          ),
          room: Type.Optional(said(Id, 'In this room alone', 7)),
          from: Type.Optional(said(Id, 'What this user wrote', 3)),
          before: Type.Optional(said(Instant, 'Said before this time', '2026-11-20T00:00:00.000Z')),
          after: Type.Optional(said(Instant, 'Said at this time or later')),
          limit: Type.Optional(limit),
          next: Type.Optional(said(Type.String({ maxLength: 500 }), '`next` of the page before')),
        }),
        response: answers({ 200: SearchPage }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => {
      const { before, after, ...input } = request.query;
      return answer(
        reply,
        await options.search(actorOf(request), {
          ...input,
          before: millisecondsOf(before),
          after: millisecondsOf(after),
        }),
      );
    },
  );

  app.get(
    '/search/rooms',
    {
      schema: {
        tags: ['search'],
        summary: 'Find rooms',
        description: 'Public channels, and the groups and channels that I am in. All of them, where `q` is not given.',
        querystring: exactly({
          q: Type.Optional(
            said(
              Type.String({ maxLength: 200 }),
              'Part of a name or topic, or a name spelt nearly so; best match first',
              'ubuntu',
            ),
          ),
          after: Type.Optional(afterId),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: RoomPage }, 'unauthenticated', 'invalid'),
      },
    },
    async (request, reply) => {
      const refused = takeSearch(options, request);
      if (refused) return refuseWith(reply, refused);
      return answer(reply, await options.queries.searchRooms(actorOf(request), { ...request.query, dialect: '' }));
    },
  );

  app.get(
    '/audit',
    {
      schema: {
        tags: ['administration'],
        summary: 'What was done with power over others',
        description:
          'Newest first. Of people and user groups: admins of the server. Of a room: its owners. Never what was said.',
        querystring: exactly({
          room: Type.Optional(said(Id, 'What was done in this room', 7)),
          before: Type.Optional(said(Id, '`next` of the page before')),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: AuditPage }, 'unauthenticated', 'invalid', 'forbidden', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await options.queries.audit(actorOf(request), request.query)),
  );
}

const ServerInfo = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    registration: Type.Enum(['open', 'closed']),
    /** Limits that a client does well to know. */
    limits: Type.Record(Type.String(), Type.Integer()),
  },
  { title: 'ServerInfo' },
);

export function serverRoutes(app: App, { config, limits, versions }: HttpOptions): void {
  const { MESSAGE_TEXT_MAX, NAME_MAX, TOPIC_MAX, PASSWORD_MIN, PAGE_MAX, FRAME_BYTES_MAX, BODY_BYTES_MAX } = limits;

  app.get(
    '/server',
    {
      config: { open: true, etag: true },
      schema: {
        tags: ['server'],
        summary: 'What this server is',
        security: [],
        response: answers({ 200: ServerInfo }),
      },
    },
    () => ({
      name: 'Natter',
      version: versions.natter ?? '',
      registration: config.registration,
      limits: { MESSAGE_TEXT_MAX, NAME_MAX, TOPIC_MAX, PASSWORD_MIN, PAGE_MAX, FRAME_BYTES_MAX, BODY_BYTES_MAX },
    }),
  );

  app.get(
    '/socket',
    {
      config: { open: true },
      schema: {
        tags: ['server'],
        summary: 'The WebSocket',
        description: 'Commands, live events and signals. Its frames are described at /asyncapi.json.',
        security: [],
        response: answers({ 101: { type: 'null', description: 'A WebSocket from here on' } }, 'upgrade_required'),
      },
    },
    (_request, reply) =>
      refuseWith(reply.headers({ upgrade: 'websocket', connection: 'upgrade' }), {
        ok: false,
        code: 'upgrade_required',
      }),
  );
}

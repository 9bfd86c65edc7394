/** Routes of messages: pages of history, send, edit, delete, threads, reactions, pins. */
import { CommandResult, Message, MessagePage, PinList, ReaderPage, VersionList } from '@natter/protocol';
import { Type } from 'typebox';
import type { App, HttpOptions } from '../edge.js';
import { refuseWith } from '../problems.js';
import { actorOf, answer, answerCommand, answerResource, carryOut } from '../replies.js';
import {
  afterId,
  answers,
  bodyOf,
  exactly,
  Id,
  Instant,
  KeyHeader,
  limit,
  MessagePath,
  millisecondsOf,
  RoomPath,
  Seq,
  said,
  shown,
} from '../schemas.js';

export function messageRoutes(app: App, options: HttpOptions): void {
  const { queries } = options;

  app.get(
    '/rooms/:room/messages',
    {
      config: { etag: true },
      schema: {
        tags: ['messages'],
        summary: 'A page of a room’s messages',
        description:
          'In rising seq. The newest page when neither `before`, `after`, `around` nor `at` is given; `head` and `epoch` say from where to follow the room live.',
        params: RoomPath,
        querystring: exactly({
          before: Type.Optional(said(Seq, 'Those with a lower seq, nearest first in the log', 120)),
          after: Type.Optional(said(Seq, 'Those with a higher seq', 41)),
          around: Type.Optional(said(Seq, 'Those on both sides of this seq, itself among them', 80)),
          at: Type.Optional(said(Instant, 'Those on both sides of the first one of this time or later')),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: MessagePage }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => {
      const { before, after, around, at, limit: size } = request.query;
      const asked = [before, after, around, at].filter((one) => one !== undefined);
      if (asked.length > 1) {
        const message = 'only one of before, after, around and at can be asked for';
        return refuseWith(reply, { ok: false, code: 'invalid', fields: [{ path: '', message }] });
      }
      const range = { ...request.params, before, after, around, at: millisecondsOf(at), limit: size };
      return answer(reply, await queries.messagePage(actorOf(request), range));
    },
  );

  app.post(
    '/rooms/:room/messages',
    {
      schema: {
        tags: ['messages'],
        summary: 'Send a message',
        description:
          'Answered once it is committed. With an Idempotency-Key it can be sent again safely. `@name`, `@group`, `@room` and `@all` in the text call people.',
        params: RoomPath,
        headers: KeyHeader,
        body: shown(bodyOf('message.send', 'room'), { text: 'Soup, @bob?' }),
        response: answers(
          { 201: Message },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'key_conflict',
          'archived',
          'message_deleted',
          'too_large',
        ),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'message.send', ...request.params, ...request.body }),
        ({ id }) => queries.message(actorOf(request), id ?? 0),
        ({ id }) => `/v1/messages/${id}`,
      ),
  );

  app.get(
    '/messages/:message',
    {
      config: { etag: true },
      schema: {
        tags: ['messages'],
        summary: 'A message',
        params: MessagePath,
        response: answers({ 200: Message }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await queries.message(actorOf(request), request.params.message)),
  );

  app.patch(
    '/messages/:message',
    {
      schema: {
        tags: ['messages'],
        summary: 'Edit a message',
        description: 'Its author. The former texts can be read at `versions`.',
        params: MessagePath,
        body: shown(bodyOf('message.edit', 'message'), { text: 'Soup or salad, @bob?' }),
        response: answers(
          { 200: Message },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'archived',
          'message_deleted',
        ),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'message.edit', ...request.params, ...request.body }),
        () => queries.message(actorOf(request), request.params.message),
      ),
  );

  app.delete(
    '/messages/:message',
    {
      schema: {
        tags: ['messages'],
        summary: 'Delete a message',
        description: 'Its author, and whoever moderates the room. The text is nowhere afterwards; its place stays.',
        params: MessagePath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'message.delete', ...request.params }),
  );

  app.get(
    '/messages/:message/thread',
    {
      config: { etag: true },
      schema: {
        tags: ['messages'],
        summary: 'The replies of a thread',
        description: 'Of the thread that the message began, or that it belongs to, in rising seq.',
        params: MessagePath,
        querystring: exactly({
          after: Type.Optional(said(Seq, '`after` of the page before')),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: MessagePage }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) =>
      answer(reply, await queries.thread(actorOf(request), { ...request.params, ...request.query })),
  );

  app.get(
    '/messages/:message/versions',
    {
      config: { etag: true },
      schema: {
        tags: ['messages'],
        summary: 'What a message said',
        description: 'Oldest first; the last is what it says now.',
        params: MessagePath,
        response: answers({ 200: VersionList }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await queries.versions(actorOf(request), request.params.message)),
  );

  app.get(
    '/messages/:message/readers',
    {
      config: { etag: true },
      schema: {
        tags: ['messages'],
        summary: 'Who has read a message',
        description: 'Members whose marker is at or beyond it, its author aside.',
        params: MessagePath,
        querystring: exactly({ after: Type.Optional(afterId), limit: Type.Optional(limit) }),
        response: answers({ 200: ReaderPage }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) =>
      answer(reply, await queries.readers(actorOf(request), { ...request.params, ...request.query })),
  );
}

export function markRoutes(app: App, options: HttpOptions): void {
  const { queries } = options;
  const ReactionPath = exactly({
    message: said(Id, 'Id of the message', 1_001),
    emoji: said(Type.String({ minLength: 1, maxLength: 64 }), 'One emoji, or its short name; percent-encoded', '👍'),
  });

  app.put(
    '/messages/:message/reactions/:emoji',
    {
      schema: {
        tags: ['reactions and pins'],
        summary: 'React to a message',
        params: ReactionPath,
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'not_found',
          'archived',
          'message_deleted',
          'limit_reached',
        ),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'reaction.add', ...request.params }),
  );

  app.delete(
    '/messages/:message/reactions/:emoji',
    {
      schema: {
        tags: ['reactions and pins'],
        summary: 'Take my reaction back',
        params: ReactionPath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'not_found', 'archived'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'reaction.remove', ...request.params }),
  );

  app.put(
    '/messages/:message/pin',
    {
      schema: {
        tags: ['reactions and pins'],
        summary: 'Pin a message',
        params: MessagePath,
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'archived',
          'message_deleted',
          'limit_reached',
        ),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'pin.add', ...request.params }),
  );

  app.delete(
    '/messages/:message/pin',
    {
      schema: {
        tags: ['reactions and pins'],
        summary: 'Unpin a message',
        params: MessagePath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found', 'archived'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'pin.remove', ...request.params }),
  );

  app.get(
    '/rooms/:room/pins',
    {
      config: { etag: true },
      schema: {
        tags: ['reactions and pins'],
        summary: 'The pinned messages of a room',
        params: RoomPath,
        response: answers({ 200: PinList }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await queries.pinned(actorOf(request), request.params.room)),
  );
}

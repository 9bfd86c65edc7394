/** Routes of rooms, their members, and what one has read in them. */
import { CommandResult, MemberPage, Room, RoomList, RoomRow } from '@natter/protocol';
import { Type } from 'typebox';
import type { App, HttpOptions } from '../edge.js';
import { actorOf, answer, answerCommand, answerResource, carryOut } from '../replies.js';
import { afterId, answers, bodyOf, exactly, Id, KeyHeader, limit, RoomPath, said, shown } from '../schemas.js';

export function roomRoutes(app: App, options: HttpOptions): void {
  const { queries } = options;

  app.get(
    '/rooms',
    {
      config: { etag: true },
      schema: {
        tags: ['rooms'],
        summary: 'My rooms',
        description: 'All rooms that I am in, each with its head, my marker, and what I have not read.',
        response: answers({ 200: RoomList }, 'unauthenticated'),
      },
    },
    async (request, reply) => answer(reply, await queries.myRooms(actorOf(request))),
  );

  app.post(
    '/rooms',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Make a group or a channel',
        description: 'Whoever makes it is its owner. Public channels can be found and joined by everybody.',
        headers: KeyHeader,
        body: shown(bodyOf('room.create'), {
          kind: 'channel',
          name: 'kitchen',
          topic: 'What to cook',
          visibility: 'public',
        }),
        response: answers(
          { 201: RoomRow },
          'unauthenticated',
          'invalid',
          'not_found',
          'name_taken',
          'key_conflict',
          'room_full',
          'limit_reached',
          'user_unavailable',
        ),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'room.create', ...request.body }),
        ({ stream }) => queries.room(actorOf(request), stream),
        ({ stream }) => `/v1/rooms/${stream}`,
      ),
  );

  app.post(
    '/directs',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Open the direct room with somebody',
        description: 'One for each pair, whoever opens it: made when there is none yet (201), else given (200).',
        headers: KeyHeader,
        body: shown(bodyOf('room.open'), { user: 3 }),
        response: answers(
          { 200: RoomRow, 201: RoomRow },
          'unauthenticated',
          'invalid',
          'not_found',
          'key_conflict',
          'limit_reached',
          'user_unavailable',
        ),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'room.open', ...request.body }),
        ({ stream }) => queries.room(actorOf(request), stream),
        ({ stream }) => `/v1/rooms/${stream}`,
      ),
  );

  app.get(
    '/rooms/:room',
    {
      config: { etag: true },
      schema: {
        tags: ['rooms'],
        summary: 'A room',
        description: 'One of mine, with what I have not read; or a public channel, without.',
        params: RoomPath,
        response: answers({ 200: Type.Union([RoomRow, Room]) }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await queries.room(actorOf(request), request.params.room)),
  );

  app.patch(
    '/rooms/:room',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Change a room',
        description: 'Its owners and admins.',
        params: RoomPath,
        body: shown(bodyOf('room.change', 'room'), { topic: 'What to eat' }),
        response: answers(
          { 200: RoomRow },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'name_taken',
          'wrong_room_kind',
          'archived',
        ),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'room.change', ...request.params, ...request.body }),
        () => queries.room(actorOf(request), request.params.room),
      ),
  );

  app.put(
    '/rooms/:room/archived',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Archive a room, or bring it back',
        description: 'An archived room can be read, and nothing is said in it. Its owners and admins.',
        params: RoomPath,
        body: shown(exactly({ archived: Type.Boolean() }), { archived: true }),
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'wrong_room_kind',
        ),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, {
        type: request.body.archived ? 'room.archive' : 'room.unarchive',
        ...request.params,
      }),
  );

  app.delete(
    '/rooms/:room',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Delete a room',
        description: 'With everything that was said in it, for good. Its owners.',
        params: RoomPath,
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'wrong_room_kind',
        ),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'room.delete', ...request.params }),
  );

  app.put(
    '/rooms/:room/read',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Move my read marker',
        description: 'Everything up to this seq is read, on all of my devices. It never moves back.',
        params: RoomPath,
        body: shown(bodyOf('read.move', 'room'), { seq: 41 }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'read.move', ...request.params, ...request.body }),
  );

  app.put(
    '/rooms/:room/unread',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Mark unread from here',
        description: 'Everything from this seq on counts as unread until my marker is moved again.',
        params: RoomPath,
        body: shown(bodyOf('read.unmark', 'room'), { seq: 38 }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'read.unmark', ...request.params, ...request.body }),
  );
}

export function memberRoutes(app: App, options: HttpOptions): void {
  const { queries } = options;
  const MemberPath = exactly({ ...RoomPath.properties, user: said(Id, 'Id of the user', 3) });

  app.get(
    '/rooms/:room/members',
    {
      config: { etag: true },
      schema: {
        tags: ['members'],
        summary: 'Who is in a room',
        params: RoomPath,
        querystring: exactly({ after: Type.Optional(afterId), limit: Type.Optional(limit) }),
        response: answers({ 200: MemberPage }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) =>
      answer(reply, await queries.roomMembers(actorOf(request), { ...request.params, ...request.query })),
  );

  app.post(
    '/rooms/:room/members',
    {
      schema: {
        tags: ['members'],
        summary: 'Bring people into a room',
        description:
          'By themselves, or all who are in user groups. Owners and admins; in public channels, all members.',
        params: RoomPath,
        headers: KeyHeader,
        body: shown(bodyOf('member.add', 'room'), { users: [3, 12] }),
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'key_conflict',
          'archived',
          'wrong_room_kind',
          'room_full',
          'limit_reached',
          'user_unavailable',
        ),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'member.add', ...request.params, ...request.body }),
  );

  app.put(
    '/rooms/:room/members/me',
    {
      schema: {
        tags: ['members'],
        summary: 'Join a public channel',
        params: RoomPath,
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'not_found',
          'archived',
          'room_full',
          'limit_reached',
        ),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'member.join', ...request.params }),
  );

  app.delete(
    '/rooms/:room/members/me',
    {
      schema: {
        tags: ['members'],
        summary: 'Leave a room',
        description: 'When the last owner leaves, the longest-standing admin, else member, becomes owner.',
        params: RoomPath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'not_found', 'wrong_room_kind'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'member.leave', ...request.params }),
  );

  app.patch(
    '/rooms/:room/members/:user',
    {
      schema: {
        tags: ['members'],
        summary: 'Change a member’s role',
        description: 'Owners. The last owner can’t step down.',
        params: MemberPath,
        body: shown(bodyOf('member.change', 'room', 'user'), { role: 'admin' }),
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'last_owner',
          'wrong_room_kind',
        ),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'member.change', ...request.params, ...request.body }),
  );

  app.delete(
    '/rooms/:room/members/:user',
    {
      schema: {
        tags: ['members'],
        summary: 'Remove somebody from a room',
        description: 'Those who stand above them. They receive nothing later of the room.',
        params: MemberPath,
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'wrong_room_kind',
        ),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'member.remove', ...request.params }),
  );
}

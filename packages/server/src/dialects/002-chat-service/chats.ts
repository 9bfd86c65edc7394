/** Chats in this API: direct rooms, and groups whose admins are owners and admins of the room. */
import { Type } from 'typebox';
import type { Actor } from '../../core/actor.js';
import type { Place } from '../../core/queries.js';
import type { DialectContext } from '../dialect.js';
import { type Api, Failure, fail, failureOf, valueError } from '../fastapi/api.js';
import { pageOf, skipOf } from '../fastapi/paging.js';
import {
  Chat,
  ChatRow,
  isAdmin,
  NAME,
  Participant,
  pageOf as pageSchema,
  Said,
  toChat,
  toChatRow,
  toParticipant,
  toUser,
} from './shapes.js';

const NO_CHAT = fail(404, "Chat not found or you don't have access");
const ADDED = { message: 'Participants added successfully' };
const REMOVED = { message: 'Participant removed successfully' };

const ChatPath = Type.Object({ chat_id: Type.Integer() });
const name = Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Null()]));
export const PageQuery = Type.Object({
  page: Type.Integer({ minimum: 1, default: 1 }),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
});

export function chatRoutes(api: Api, { core, queries, hub, limits }: DialectContext): void {
  const { records } = queries;
  const groupMax = limits.GROUP_MEMBERS_MAX;
  const full = `Group chat cannot have more than ${groupMax} members`;

  /** A chat that the actor takes part in. */
  const mine = async (actor: Actor, id: number): Promise<Place | null> => {
    const place = await records.place(actor, id);
    return place?.role ? place : null;
  };

  const show = async (actor: Actor, id: number): Promise<object> => {
    const [place, members] = await Promise.all([mine(actor, id), records.placeMembers(actor, id)]);
    if (!place || !members) return NO_CHAT;
    return toChat(
      place,
      members.map(({ person }) => toUser(person, hub.presence.lastSeen(person.id))),
    );
  };

  api.route(
    {
      method: 'POST',
      path: '/api/v1/chats/',
      summary: 'Create a new chat',
      description: 'A direct chat that exists already is given as it is.',
      status: 201,
      body: Type.Object({
        name,
        chat_type: Type.String({ pattern: '^(direct|group)$' }),
        participant_ids: Type.Array(Type.Integer(), { minItems: 1 }),
      }),
      refine: ({ chat_type, participant_ids: ids }) => {
        const loc = ['body', 'participant_ids'];
        if (chat_type === 'direct' && ids.length !== 1) {
          return [valueError(loc, 'Direct chat must have exactly 1 other participant', ids)];
        }
        return ids.length >= groupMax ? [valueError(loc, full, ids)] : [];
      },
      answer: Chat,
    },
    async ({ actor, body }) => {
      const { chat_type, participant_ids: ids, name: title } = body;
      const missing = fail(400, 'One or more participants not found');
      if (ids.includes(actor.user) || ids.some((id) => id < 1) || new Set(ids).size < ids.length) return missing;
      const [first = 0] = ids;
      const done =
        chat_type === 'direct'
          ? await core.execute(actor, { type: 'room.open', user: first }, { dialect: NAME })
          : await core.execute(
              actor,
              { type: 'room.create', kind: 'group', name: title ?? '', members: ids },
              { dialect: NAME },
            );
      if (!done.ok) {
        return failureOf(done, { not_found: missing, user_unavailable: missing, room_full: fail(400, full) });
      }
      return show(actor, done.result.stream);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/chats/',
      summary: "Get user's chats",
      description: 'Chats made through this API, and all direct ones; the one with the newest event first.',
      query: PageQuery,
      answer: pageSchema(ChatRow),
    },
    async ({ actor, query: { page, limit } }) => {
      const { places, total } = await records.places(actor, {
        of: 'mine',
        dialect: NAME,
        alsoDirect: true,
        order: 'updated',
        skip: skipOf(page, limit),
        limit,
      });
      const last = await records.lastLines(
        actor,
        places.map(({ id }) => id),
      );
      return pageOf(
        places.map((place) => toChatRow(place, last.get(place.id))),
        total,
        page,
        limit,
      );
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/chats/:chat_id',
      summary: 'Get chat details',
      params: ChatPath,
      answer: Chat,
    },
    ({ actor, params }) => show(actor, params.chat_id),
  );

  api.route(
    {
      method: 'PUT',
      path: '/api/v1/chats/:chat_id',
      summary: 'Update chat (group chats only)',
      params: ChatPath,
      body: Type.Object({ name }),
      answer: Chat,
    },
    async ({ actor, params: { chat_id: room }, body }) => {
      const place = await mine(actor, room);
      if (!place) return NO_CHAT;
      if (place.kind === 'direct') return fail(400, 'Can only update group chats');
      const forbidden = fail(403, 'Only admins can update chat details');
      if (place.role === 'member') return forbidden;
      if (body.name == null) return show(actor, room);
      const done = await core.execute(actor, { type: 'room.change', room, name: body.name }, { dialect: NAME });
      return done.ok ? show(actor, room) : failureOf(done, { forbidden, not_found: NO_CHAT });
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/v1/chats/:chat_id/participants',
      summary: 'Add participants',
      description: 'Ids that are unknown or in the chat already are passed over.',
      params: ChatPath,
      body: Type.Object({ user_ids: Type.Array(Type.Integer(), { minItems: 1 }) }),
      answer: Said,
    },
    async ({ actor, params: { chat_id: room }, body }) => {
      const forbidden = fail(400, 'Only admins can add participants');
      const place = await mine(actor, room);
      if (!place?.role || !isAdmin(place, actor.user, place.role)) return forbidden;
      if (place.kind === 'direct') return fail(400, 'Can only add participants to group chats');
      const known = await records.persons(body.user_ids.filter((id) => id > 0));
      const users = [...known.values()].filter(({ status }) => status === 'active').map(({ id }) => id);
      if (users.length === 0) return ADDED;
      const done = await core.execute(actor, { type: 'member.add', room, users }, { dialect: NAME });
      if (done.ok) return ADDED;
      return failureOf(done, {
        forbidden,
        not_found: forbidden,
        room_full: fail(400, `Cannot exceed ${groupMax} members in group chat`),
      });
    },
  );

  api.route(
    {
      method: 'DELETE',
      path: '/api/v1/chats/:chat_id/participants',
      summary: 'Remove participant',
      description: 'Admins remove anybody, and everybody oneself.',
      params: ChatPath,
      body: Type.Object({ user_id: Type.Integer() }),
      answer: Said,
    },
    async ({ actor, params: { chat_id: room }, body: { user_id: user } }) => {
      if (user === actor.user) {
        const left = await leave(actor, room);
        return left instanceof Failure ? left : REMOVED;
      }
      const forbidden = fail(400, 'Only admins can remove other participants');
      const place = await mine(actor, room);
      if (!place?.role || place.role === 'member') return forbidden;
      if (user < 1) return REMOVED;
      const done = await core.execute(actor, { type: 'member.remove', room, user }, { dialect: NAME });
      // Who is not in it is removed already.
      if (done.ok || done.code === 'not_found') return REMOVED;
      return failureOf(done, { forbidden });
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/chats/:chat_id/participants',
      summary: 'Get chat participants',
      params: ChatPath,
      answer: Type.Array(Participant),
    },
    async ({ actor, params: { chat_id: room } }) => {
      const [place, members] = await Promise.all([mine(actor, room), records.placeMembers(actor, room)]);
      return place && members ? members.map((member) => toParticipant(place, member)) : NO_CHAT;
    },
  );

  api.route(
    {
      method: 'DELETE',
      path: '/api/v1/chats/:chat_id',
      summary: 'Leave chat',
      params: ChatPath,
      answer: Said,
    },
    async ({ actor, params }) => {
      const left = await leave(actor, params.chat_id);
      return left instanceof Failure ? left : { message: 'Left chat successfully' };
    },
  );

  /** Also of a chat that one is not in: one has left it already. */
  async function leave(actor: Actor, room: number): Promise<Failure | null> {
    if (room < 1) return null;
    const done = await core.execute(actor, { type: 'member.leave', room }, { dialect: NAME, mayLeaveDirect: true });
    return done.ok || done.code === 'not_found' ? null : failureOf(done);
  }
}

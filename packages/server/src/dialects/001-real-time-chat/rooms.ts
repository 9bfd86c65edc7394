/** Rooms and messages in this API. Rooms are public channels: everybody sees them, and whoever reads or writes in one joins it. */
import { Type } from 'typebox';
import type { Actor, Refusal } from '../../core/actor.js';
import type { DialectContext } from '../dialect.js';
import { enter } from '../entry.js';
import { type Api, fail, failureOf } from '../fastapi/api.js';
import { Message, NAME, Room, RoomDetail, toMessage, toRoom } from './shapes.js';

/** What core calls otherwise. */
const FIELDS = { text: 'content' };
const NO_ROOM = fail(404, 'Chat room not found');

const RoomPath = Type.Object({ room_id: Type.Integer() });

export function roomRoutes(api: Api, context: DialectContext): void {
  const { core, queries, limits, rates } = context;
  const { records } = queries;

  const ListQuery = Type.Object({
    skip: Type.Integer({ minimum: 0, default: 0 }),
    limit: Type.Integer({ minimum: 0, default: 100 }),
    search: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  });

  /** What a list is asked for: no text is no search. */
  const pageOf = ({ skip, limit, search }: { skip: number; limit: number; search?: string | null }) => ({
    skip,
    limit: Math.min(limit, limits.DIALECT_PAGE_MAX),
    ...(search ? { text: search } : {}),
  });

  /** Looking for parts of texts reads all of them: it has a budget. */
  const mayFind = (actor: Actor, { text }: { text?: string }): Refusal | null => {
    if (text === undefined) return null;
    const taken = rates.take('RATE_SEARCHES_PER_USER', String(actor.user));
    return taken.ok ? null : { ok: false, code: 'rate_limited', retryAfter: taken.retryAfter };
  };

  api.route(
    {
      method: 'GET',
      path: '/api/chat/rooms',
      summary: 'Retrieve all available chat rooms',
      description: 'Rooms that were made through this API, oldest first. `search`: a part of the name, in any case.',
      query: ListQuery,
      answer: Type.Array(Room),
    },
    async ({ actor, query }) => {
      const page = pageOf(query);
      const refused = mayFind(actor, page);
      if (refused) return failureOf(refused);
      const { places } = await records.places(actor, { of: 'public', dialect: NAME, order: 'created', ...page });
      return places.map(toRoom);
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/chat/rooms',
      summary: 'Create a new chat room',
      status: 201,
      body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }) }),
      answer: Room,
    },
    async ({ actor, body: { name } }) => {
      const done = await core.execute(
        actor,
        { type: 'room.create', kind: 'channel', visibility: 'public', name },
        { dialect: NAME },
      );
      if (!done.ok) return failureOf(done, { name_taken: fail(400, 'Chat room name already exists') });
      const place = await records.place(actor, done.result.stream);
      return place ? toRoom(place) : NO_ROOM;
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/chat/rooms/:room_id',
      summary: 'Get details of a specific chat room',
      params: RoomPath,
      answer: RoomDetail,
    },
    async ({ actor, params: { room_id: room } }) => {
      const [place, count] = await Promise.all([records.place(actor, room), records.messageCount(actor, room)]);
      if (!place) return NO_ROOM;
      const creator = (await records.persons([place.createdBy])).get(place.createdBy);
      return { ...toRoom(place), creator_username: creator?.name ?? null, message_count: count ?? 0 };
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/chat/rooms/:room_id/messages',
      summary: 'Retrieve messages from a chat room',
      description: 'Newest first. `search`: a part of the text, in any case.',
      params: RoomPath,
      query: ListQuery,
      answer: Type.Array(Message),
    },
    async ({ actor, params: { room_id: room }, query }) => {
      const page = pageOf(query);
      const refused = mayFind(actor, page);
      if (refused) return failureOf(refused);
      const read = () => records.history(actor, { room, ...page });
      let history = await read();
      if (!history) {
        const entered = await enter(context, actor, room, NAME);
        if (!entered.ok) return failureOf(entered, { not_found: NO_ROOM });
        history = await read();
      }
      return history ? history.lines.map(toMessage) : NO_ROOM;
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/chat/rooms/:room_id/messages',
      summary: 'Post a new message to a chat room',
      description: 'Everybody who is connected to the room hears it too.',
      status: 201,
      params: RoomPath,
      body: Type.Object({ content: Type.String({ minLength: 1, maxLength: limits.MESSAGE_TEXT_MAX }) }),
      answer: Message,
    },
    async ({ actor, params: { room_id: room }, body: { content: text } }) => {
      if (room < 1) return NO_ROOM;
      const send = () => core.execute(actor, { type: 'message.send', room, text }, { dialect: NAME });
      let done = await send();
      if (!done.ok && done.code === 'not_found') {
        const entered = await enter(context, actor, room, NAME);
        if (!entered.ok) return failureOf(entered, { not_found: NO_ROOM });
        done = await send();
      }
      if (!done.ok) return failureOf(done, { not_found: NO_ROOM }, FIELDS);
      const line = await records.line(actor, done.result.id ?? 0);
      return line ? toMessage(line) : NO_ROOM;
    },
  );
}

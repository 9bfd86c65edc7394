/** Rooms in this API: public channels that admins make, open to whoever is logged in. */
import { Type } from 'typebox';
import { onOneLine } from '../../text.js';
import type { DialectContext } from '../dialect.js';
import { enter } from '../entry.js';
import { type Api, fail, failureOf } from '../fastapi/api.js';
import { adminOnly } from './people.js';
import { Message, NAME, Room, toMessage, toRoom } from './shapes.js';

/** Messages in a page. */
export const PAGE = { default: 50, max: 100 };

/** What core calls otherwise. */
const FIELDS = { topic: 'description' };
const RoomPath = Type.Object({ room_id: Type.Integer() });

export function roomRoutes(api: Api, context: DialectContext): void {
  const { core, queries } = context;
  const { records } = queries;
  const unknown = (id: number) => fail(404, `Room with ID ${id} not found`);

  api.route(
    {
      method: 'GET',
      path: '/api/v1/rooms/',
      summary: 'Get all active rooms',
      description: 'Those that were made through this API.',
      answer: Type.Array(Room),
    },
    async ({ actor }) => {
      const { places } = await records.places(actor, {
        of: 'public',
        dialect: NAME,
        order: 'created',
        skip: 0,
        limit: Number.MAX_SAFE_INTEGER,
      });
      return places.filter(({ archived }) => !archived).map(toRoom);
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/v1/rooms/',
      summary: 'Create a room',
      description: 'For admins.',
      allow: adminOnly,
      body: Type.Object({
        name: Type.String(),
        description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      }),
      answer: Room,
    },
    async ({ actor, body: { name, description } }) => {
      const done = await core.execute(
        actor,
        { type: 'room.create', kind: 'channel', visibility: 'public', name, topic: onOneLine(description ?? '') },
        { dialect: NAME },
      );
      if (!done.ok) {
        return failureOf(done, { name_taken: fail(400, `Room with name '${name}' already exists`) }, FIELDS);
      }
      const place = await records.place(actor, done.result.stream);
      return place ? toRoom(place) : unknown(done.result.stream);
    },
  );

  api.route(
    { method: 'GET', path: '/api/v1/rooms/:room_id', summary: 'Get a room by ID', params: RoomPath, answer: Room },
    async ({ actor, params: { room_id: id } }) => {
      const place = await records.place(actor, id);
      return place && !place.archived ? toRoom(place) : unknown(id);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/rooms/:room_id/messages',
      summary: 'Get messages of a room',
      description:
        'Oldest first: the newest ones, or with `cursor` those before the message of that id. ' +
        `Never more than ${PAGE.max}. Whoever reads an open room has come into it.`,
      params: RoomPath,
      query: Type.Object({
        limit: Type.Integer({ minimum: 1, default: PAGE.default }),
        cursor: Type.Optional(Type.Integer()),
      }),
      answer: Type.Array(Message),
    },
    async ({ actor, params: { room_id: room }, query: { limit, cursor } }) => {
      const entered = await enter(context, actor, room, NAME);
      if (!entered.ok) return failureOf(entered, { not_found: unknown(room), archived: unknown(room) });
      if (entered.value.archived) return unknown(room);
      const history = await records.history(actor, {
        room,
        before: cursor || undefined,
        skip: 0,
        limit: Math.min(limit, PAGE.max),
      });
      if (!history) return unknown(room);
      const authors = await records.persons(history.lines.map(({ author }) => author));
      return history.lines.reverse().map((line) => toMessage(line, authors.get(line.author)));
    },
  );
}

/** Rooms in this API: public channels, that whoever knows the name may join. */
import type { RoomId } from '@natter/protocol';
import { type Static, Type } from 'typebox';
import type { Actor } from '../../core/actor.js';
import type { Place } from '../../core/queries.js';
import { onOneLine } from '../../text.js';
import type { DialectContext } from '../dialect.js';
import { enter } from '../entry.js';
import { type Api, Failure, fail, failureOf } from '../fastapi/api.js';
import { Form } from '../fastapi/body.js';
import { type Problem, unprocessable } from '../fastapi/failure.js';
import { zulu } from '../fastapi/times.js';
import { validate } from '../fastapi/validate.js';
import { labelOf, NAME, toFrame } from './messages.js';

const FIELDS = { topic: 'description' };

const Said = Type.Object({ message: Type.String() }, { title: 'Dialect000Said' });
const RoomPath = Type.Object({ room_id: Type.String() });
/** One of these names the room that is joined. */
const Wanted = Type.Object({
  room_name: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  room_id: Type.Optional(Type.Integer()),
});

const unknownName = (name: string): Failure => fail(404, `Room not found for name: ${name}`);
const unknownId = (id: string | number): Failure => fail(404, `Room not found for ID: ${id}`);

export function roomRoutes(api: Api, context: DialectContext): void {
  const { core, queries, people, limits } = context;
  const { records } = queries;

  const placeNamed = (actor: Actor, name: string): Promise<Place | null> =>
    records.placeNamed(actor, { dialect: NAME, name });

  /** By its id or by its name. Rooms of this API go before others, whose id may be the name of one. */
  async function find(actor: Actor, wanted: string): Promise<Place | null> {
    const id = /^[0-9]{1,15}$/.test(wanted) ? Number(wanted) : 0;
    const byId = id > 0 ? await records.place(actor, id) : null;
    return byId?.dialect === NAME ? byId : ((await placeNamed(actor, wanted)) ?? byId);
  }

  async function nameOf({ user }: Actor): Promise<string> {
    await people.users.prepare([user]);
    return people.users.get(user)?.name ?? '';
  }

  api.route(
    {
      method: 'POST',
      path: ['/rooms/create_room', '/create_room'],
      summary: 'Create a new chat room',
      description: '`is_public` changes nothing: whoever knows a room’s name may join it.',
      body: Type.Object({
        name: Type.String(),
        is_public: Type.Boolean({ default: false }),
        description: Type.String({ default: '' }),
      }),
      answer: Type.Object({
        message: Type.String(),
        room_id: Type.Integer(),
        room: Type.Object({
          id: Type.Integer(),
          name: Type.String(),
          subject_prefix: Type.String(),
          description: Type.String(),
          is_public: Type.Boolean(),
          created_at: Type.String({ format: 'date-time' }),
        }),
      }),
    },
    async ({ actor, body: { name, is_public, description } }) => {
      const done = await core.execute(
        actor,
        {
          type: 'room.create',
          kind: 'channel',
          visibility: 'public',
          name,
          topic: onOneLine(description),
        },
        { dialect: NAME },
      );
      if (!done.ok) return failureOf(done, { name_taken: fail(400, 'Room already exists') }, FIELDS);
      const place = await records.place(actor, done.result.stream);
      if (!place) return unknownId(done.result.stream);
      return {
        message: `Room '${place.name}' created successfully.`,
        room_id: place.id,
        room: {
          id: place.id,
          name: place.name,
          subject_prefix: 'room',
          description: place.topic,
          is_public,
          created_at: zulu(place.createdAt),
        },
      };
    },
  );

  api.route(
    {
      method: 'POST',
      path: ['/rooms/join_room', '/join_room'],
      summary: 'Join an existing room',
      description: 'Named in the query, or in a JSON body as `room_name`, `name` or `room_id`.',
      query: Type.Object({ room_name: Type.Optional(Type.String()) }),
      answer: Said,
    },
    async ({ actor, query, request }) => {
      const wanted = wantedRoom(query.room_name, request.body);
      if (wanted instanceof Failure) return wanted;
      const missing = typeof wanted === 'string' ? unknownName(wanted) : unknownId(wanted);
      const room = typeof wanted === 'string' ? (await placeNamed(actor, wanted))?.id : wanted;
      if (room === undefined || room < 1) return missing;
      const entered = await enter(context, actor, room, NAME);
      if (!entered.ok) return failureOf(entered, { not_found: missing });
      return { message: `User '${await nameOf(actor)}' joined room '${entered.value.name}' successfully.` };
    },
  );

  api.route(
    {
      method: 'GET',
      path: ['/rooms/get_users_in_room/:room_id', '/get_users_in_room/:room_id'],
      summary: 'Get users in a room',
      description: 'For those who are in it. The room’s name does as well as its id.',
      params: RoomPath,
      answer: Type.Object({
        users: Type.Array(
          Type.Object({
            id: Type.Integer(),
            username: Type.String(),
            email: Type.String(),
            is_active: Type.Boolean(),
            created_at: Type.String({ format: 'date-time' }),
          }),
        ),
      }),
    },
    async ({ actor, params: { room_id: wanted } }) => {
      const place = await find(actor, wanted);
      const members = place && (await records.placeMembers(actor, place.id));
      if (!members) return unknownId(wanted);
      return {
        users: members.map(({ person }) => ({
          id: person.id,
          username: person.name,
          email: person.email ?? '',
          is_active: person.status === 'active',
          created_at: zulu(person.createdAt),
        })),
      };
    },
  );

  api.route(
    {
      method: 'DELETE',
      path: ['/rooms/leave_room/:room_id', '/leave_room/:room_id'],
      summary: 'Leave a room',
      description: 'The room’s name does as well as its id. Who is not in it has left it already.',
      params: RoomPath,
      answer: Said,
    },
    async ({ actor, params: { room_id: wanted } }) => {
      const place = await find(actor, wanted);
      if (!place) return unknownId(wanted);
      const done = await core.execute(actor, { type: 'member.leave', room: place.id }, { dialect: NAME });
      if (!done.ok && done.code !== 'not_found') return failureOf(done);
      return { message: `User '${await nameOf(actor)}' left room '${place.name}' successfully.` };
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/history',
      summary: 'Newest messages of a room, oldest of them first',
      description: 'As they came over the socket; deleted ones are left out.',
      query: Type.Object({ room_name: Type.String() }),
      answer: Type.Object({ history: Type.Array(Frame) }),
    },
    async ({ actor, query: { room_name: wanted } }) => {
      const place = await find(actor, wanted);
      const found = place && (await records.history(actor, { room: place.id, skip: 0, limit: limits.PAGE_MAX }));
      if (!place || !found || found.lines.length === 0) return fail(404, 'No history found for this room');
      const history = found.lines
        .reverse()
        .map((line) => toFrame(labelOf(place.id, place), line.authorName, { ...line, edited: line.editedAt !== null }));
      return { history };
    },
  );
}

/** What a client has sent, with what the server says of it. */
const Frame = Type.Object(
  {
    room: Type.Union([Type.String(), Type.Integer()]),
    user: Type.String(),
    timestamp: Type.String({ format: 'date-time' }),
  },
  {
    additionalProperties: true,
    examples: [
      { type: 'chat', message: 'Hello, world!', room: 'general', user: 'ada', timestamp: '2026-03-14T09:26:53.589Z' },
    ],
  },
);

/** A name, or an id. */
function wantedRoom(inQuery: string | undefined, body: unknown): string | RoomId | Failure {
  if (inQuery !== undefined) return inQuery;
  const missing: Problem = { type: 'missing', loc: ['query', 'room_name'], msg: 'Field required', input: null };
  if (body === undefined || body === null) return unprocessable(missing);
  const checked = validate(Wanted, body instanceof Form ? body.members : body, ['body']);
  if (!('value' in checked)) return unprocessable(...checked);
  const { room_name, name, room_id } = checked.value as Static<typeof Wanted>;
  return room_name ?? name ?? room_id ?? unprocessable(missing);
}

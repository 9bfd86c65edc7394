/** Groups in this API: whoever owns the room is its creator, and changes who is in it. */
import { Type } from 'typebox';
import type { Actor } from '../../core/actor.js';
import type { Place } from '../../core/queries.js';
import type { DialectContext } from '../dialect.js';
import { type Api, type Failure, fail, failureOf } from '../fastapi/api.js';
import { content, FIELDS, toSent } from './messages.js';
import { Group, GroupRow, Message, NAME, PageQuery, Said, Sent, toGroup, toGroupRow, toMessage } from './shapes.js';

const UNKNOWN = 'Group not found';
const NO_MEMBER = 'You are not a member of this group';
const NOT_IN_IT = fail(403, 'Member not found in group');

const GroupPath = Type.Object({ group_id: Type.Integer() });

export function groupRoutes(api: Api, { core, queries, limits }: DialectContext): void {
  const { records } = queries;
  const full = `Group cannot have more than ${limits.GROUP_MEMBERS_MAX} members`;

  /** Why somebody who is not in it gets no further: only of groups of its own does this API say that they are there. */
  const stranger = async (room: number, known: Failure): Promise<Failure> =>
    (await records.roomDialect(room)) === NAME ? known : fail(known.status, UNKNOWN);

  /** The first of these who can't be in a group; null: all can. */
  const missing = async (ids: readonly number[], may: (status: string) => boolean): Promise<string | null> => {
    const people = await records.persons(ids.filter((id) => id > 0));
    const id = ids.find((one) => !may(people.get(one)?.status ?? 'deleted'));
    return id === undefined ? null : `User with ID ${id} not found`;
  };

  const mine = async (actor: Actor, room: number): Promise<Place | null> => {
    const place = await records.place(actor, room);
    return place?.role ? place : null;
  };

  api.route(
    {
      method: 'POST',
      path: '/groups/create',
      summary: 'Create Group',
      description: 'Whoever makes it is in it too.',
      status: 201,
      body: Type.Object({
        name: Type.String({ minLength: 1, maxLength: 100 }),
        member_ids: Type.Array(Type.Integer(), { minItems: 1 }),
      }),
      answer: Type.Object({ message: Type.String(), group: Group }),
    },
    async ({ actor, body: { name, member_ids } }) => {
      const members = [...new Set(member_ids)].filter((id) => id !== actor.user);
      if (members.length >= limits.GROUP_MEMBERS_MAX) return fail(400, full);
      const absent = await missing(members, (status) => status === 'active');
      if (absent !== null) return fail(400, absent);
      const done = await core.execute(actor, { type: 'room.create', kind: 'group', name, members }, { dialect: NAME });
      if (!done.ok) {
        const gone = fail(400, 'User not found');
        return failureOf(done, { not_found: gone, user_unavailable: gone, room_full: fail(400, full) });
      }
      const place = await mine(actor, done.result.stream);
      return place ? { message: 'Group created successfully', group: toGroup(place) } : fail(400, UNKNOWN);
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/groups/send',
      summary: 'Send Group Message',
      description: 'Those who have joined the room on a socket hear it too.',
      status: 201,
      body: Type.Object({ group_id: Type.Integer(), content }),
      answer: Sent,
    },
    async ({ actor, body: { group_id: room, content: text } }) => {
      const place = await mine(actor, room);
      if (!place) return stranger(room, fail(400, NO_MEMBER));
      if (place.kind === 'direct') return fail(400, 'This is not a group chat');
      const done = await core.execute(actor, { type: 'message.send', room, text }, { dialect: NAME });
      return done.ok ? toSent(actor, text, done.result) : failureOf(done, { not_found: fail(400, NO_MEMBER) }, FIELDS);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/groups/:group_id/messages',
      summary: 'Get Group Messages',
      description: 'The newest messages after those that are skipped, oldest first.',
      params: GroupPath,
      query: PageQuery,
      answer: Type.Array(Message),
    },
    async ({ actor, params: { group_id: room }, query: { limit, offset } }) => {
      const [history, marks] = await Promise.all([
        records.history(actor, { room, skip: offset, limit }),
        records.readMarks(actor, room),
      ]);
      if (!history || !marks) return fail(403, NO_MEMBER);
      return history.lines.toReversed().map((line) => toMessage(line, marks.readByOthers(line)));
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/groups/my-groups',
      summary: 'Get My Groups',
      description: 'Groups that were made through this API.',
      answer: Type.Array(GroupRow),
    },
    async ({ actor }) => {
      const { places } = await records.places(actor, {
        of: 'mine',
        dialect: NAME,
        kind: 'group',
        order: 'created',
        skip: 0,
        limit: limits.ROOMS_PER_USER_MAX,
      });
      const last = await records.lastLines(
        actor,
        places.map(({ id }) => id),
      );
      return places.map((place) => toGroupRow(place, last.get(place.id)));
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/groups/:group_id/members',
      summary: 'Add Group Members',
      description: 'Those who are in it already are passed over.',
      params: GroupPath,
      body: Type.Object({ user_ids: Type.Array(Type.Integer(), { minItems: 1 }) }),
      answer: Type.Object({ message: Type.String(), members_added: Type.Integer() }),
    },
    async ({ actor, params: { group_id: room }, body: { user_ids } }) => {
      const forbidden = fail(403, 'Only group creator can add members');
      const place = await mine(actor, room);
      if (!place) return stranger(room, forbidden);
      if (place.kind === 'direct') return fail(403, UNKNOWN);
      if (place.role === 'member') return forbidden;
      const users = [...new Set(user_ids)];
      if (users.length > limits.GROUP_MEMBERS_MAX) return fail(403, full);
      const unknown = await missing(users, (status) => status !== 'deleted');
      if (unknown !== null) return fail(403, unknown);
      const done = await core.execute(actor, { type: 'member.add', room, users }, { dialect: NAME });
      if (done.ok) {
        const added = done.events.filter(({ type }) => type === 'member.joined').length;
        return { message: `Successfully added ${added} members`, members_added: added };
      }
      const gone = done.code === 'user_unavailable' ? await missing(users, (status) => status === 'active') : null;
      return failureOf(done, {
        forbidden,
        not_found: fail(403, UNKNOWN),
        user_unavailable: fail(403, gone ?? 'User not found'),
        room_full: fail(403, full),
      });
    },
  );

  api.route(
    {
      method: 'DELETE',
      path: '/groups/:group_id/members',
      summary: 'Remove Group Member',
      description: 'The creator removes anybody, and everybody oneself.',
      params: GroupPath,
      body: Type.Object({ user_id: Type.Integer() }),
      answer: Said,
    },
    async ({ actor, params: { group_id: room }, body: { user_id: user } }) => {
      const forbidden = fail(403, 'Not authorized to remove this member');
      const place = await mine(actor, room);
      if (!place) return stranger(room, user === actor.user ? NOT_IN_IT : forbidden);
      if (place.kind === 'direct') return fail(403, UNKNOWN);
      if (place.role === 'member' && user !== actor.user) return forbidden;
      if (user < 1) return NOT_IN_IT;
      const done = await core.execute(actor, { type: 'member.remove', room, user }, { dialect: NAME });
      if (done.ok) return { message: 'Member removed successfully' };
      return failureOf(done, { forbidden, not_found: NOT_IN_IT });
    },
  );
}

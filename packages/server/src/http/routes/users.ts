/** Routes of people and user groups. */
import { Account, CommandResult, SessionList, User, UserGroup, UserGroupPage, UserPage } from '@natter/protocol';
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
  KeyHeader,
  limit,
  said,
  shown,
  UserGroupPath,
  UserPath,
} from '../schemas.js';
import { takeSearch } from '../searches.js';

export function userRoutes(app: App, options: HttpOptions): void {
  const { queries } = options;

  app.get(
    '/users',
    {
      config: { etag: true },
      schema: {
        tags: ['users'],
        summary: 'List or find people',
        querystring: exactly({
          q: Type.Optional(
            said(Type.String({ maxLength: 200 }), 'Part of a name, or a name spelt nearly so; best match first', 'ada'),
          ),
          ids: Type.Optional(
            said(
              Type.String({ pattern: '^[1-9][0-9]{0,15}(,[1-9][0-9]{0,15}){0,999}$' }),
              'These alone, separated by commas, in whatever state they are',
              '3,7,12',
            ),
          ),
          room: Type.Optional(
            said(
              Id,
              'A room that one is in: those in it first, and then without a next page; `members` says who they are',
              7,
            ),
          ),
          after: Type.Optional(afterId),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: UserPage }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => {
      const { ids: list, ...search } = request.query;
      const refused = search.q === undefined ? null : takeSearch(options, request);
      if (refused) return refuseWith(reply, refused);
      const ids = list?.split(',').map(Number);
      if (ids?.some((one) => !Number.isSafeInteger(one))) {
        return refuseWith(reply, { ok: false, code: 'invalid', fields: [{ path: '/ids', message: 'must be ids' }] });
      }
      return answer(reply, await queries.searchUsers(actorOf(request), { ...search, ids }));
    },
  );

  app.get(
    '/users/:user',
    {
      config: { etag: true },
      schema: {
        tags: ['users'],
        summary: 'A user',
        description: 'With the e-mail address for the user themselves and for admins.',
        params: UserPath,
        response: answers({ 200: Type.Union([Account, User]) }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await queries.user(actorOf(request), request.params.user)),
  );

  app.delete(
    '/users/:user',
    {
      schema: {
        tags: ['administration'],
        summary: 'Delete an account',
        description: 'Admins, and oneself.',
        params: UserPath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found', 'last_admin'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'user.delete', ...request.params }),
  );

  app.put(
    '/users/:user/active',
    {
      schema: {
        tags: ['administration'],
        summary: 'Deactivate or reactivate an account',
        description: 'Deactivating ends all of its sessions. Admins, and oneself to deactivate.',
        params: UserPath,
        body: shown(exactly({ active: Type.Boolean() }), { active: false }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found', 'last_admin'),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, {
        type: request.body.active ? 'user.reactivate' : 'user.deactivate',
        ...request.params,
      }),
  );

  app.put(
    '/users/:user/role',
    {
      schema: {
        tags: ['administration'],
        summary: 'Set the role of an account',
        description: 'Admins alone.',
        params: UserPath,
        body: shown(bodyOf('user.set_role', 'user'), { role: 'admin' }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found', 'last_admin'),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'user.set_role', ...request.params, ...request.body }),
  );

  app.put(
    '/users/:user/verified',
    {
      schema: {
        tags: ['administration'],
        summary: 'Say that an account is verified, or not',
        description: 'Admins alone.',
        params: UserPath,
        body: shown(bodyOf('user.verify', 'user'), { verified: true }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found'),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'user.verify', ...request.params, ...request.body }),
  );

  app.get(
    '/users/:user/sessions',
    {
      schema: {
        tags: ['administration'],
        summary: 'List the sessions of an account',
        description: 'Admins, and oneself.',
        params: UserPath,
        response: answers({ 200: SessionList }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => {
      const found = await queries.sessions(actorOf(request), request.params.user);
      return found.ok ? { sessions: found.value } : refuseWith(reply, found);
    },
  );

  app.delete(
    '/users/:user/sessions',
    {
      schema: {
        tags: ['administration'],
        summary: 'End all sessions of an account',
        description: 'Admins, and oneself.',
        params: UserPath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'session.end_all', ...request.params }),
  );
}

export function usergroupRoutes(app: App, options: HttpOptions): void {
  const { queries } = options;

  app.get(
    '/usergroups',
    {
      config: { etag: true },
      schema: {
        tags: ['user groups'],
        summary: 'List or find user groups',
        querystring: exactly({
          q: Type.Optional(said(Type.String({ maxLength: 200 }), 'Part of a name; best match first', 'cooks')),
          after: Type.Optional(afterId),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: UserGroupPage }, 'unauthenticated', 'invalid'),
      },
    },
    async (request, reply) => {
      const refused = request.query.q === undefined ? null : takeSearch(options, request);
      if (refused) return refuseWith(reply, refused);
      return answer(reply, await queries.usergroups(actorOf(request), request.query));
    },
  );

  app.post(
    '/usergroups',
    {
      schema: {
        tags: ['user groups'],
        summary: 'Make a user group',
        description: 'A named set of people, who can be added to rooms and called together.',
        headers: KeyHeader,
        body: shown(bodyOf('usergroup.create'), { name: 'cooks', description: 'Ask them what to eat', members: [3] }),
        response: answers(
          { 201: UserGroup },
          'unauthenticated',
          'invalid',
          'not_found',
          'name_taken',
          'key_conflict',
          'limit_reached',
          'user_unavailable',
        ),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'usergroup.create', ...request.body }),
        ({ stream }) => queries.usergroup(actorOf(request), stream),
        ({ stream }) => `/v1/usergroups/${stream}`,
      ),
  );

  app.get(
    '/usergroups/:usergroup',
    {
      config: { etag: true },
      schema: {
        tags: ['user groups'],
        summary: 'A user group',
        params: UserGroupPath,
        response: answers({ 200: UserGroup }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    async (request, reply) => answer(reply, await queries.usergroup(actorOf(request), request.params.usergroup)),
  );

  app.patch(
    '/usergroups/:usergroup',
    {
      schema: {
        tags: ['user groups'],
        summary: 'Change a user group',
        description: 'Who made it, and admins.',
        params: UserGroupPath,
        body: shown(bodyOf('usergroup.change', 'usergroup'), { description: 'Ask them first' }),
        response: answers({ 200: UserGroup }, 'unauthenticated', 'invalid', 'forbidden', 'not_found', 'name_taken'),
      },
    },
    async (request, reply) =>
      answerResource(
        reply,
        await carryOut(options, request, { type: 'usergroup.change', ...request.params, ...request.body }),
        () => queries.usergroup(actorOf(request), request.params.usergroup),
      ),
  );

  app.delete(
    '/usergroups/:usergroup',
    {
      schema: {
        tags: ['user groups'],
        summary: 'Delete a user group',
        description: 'Who made it, and admins.',
        params: UserGroupPath,
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'usergroup.delete', ...request.params }),
  );

  app.post(
    '/usergroups/:usergroup/members',
    {
      schema: {
        tags: ['user groups'],
        summary: 'Add people to a user group',
        description: 'Who made it, and admins.',
        params: UserGroupPath,
        headers: KeyHeader,
        body: shown(bodyOf('usergroup.add_members', 'usergroup'), { users: [3, 12] }),
        response: answers(
          { 200: CommandResult },
          'unauthenticated',
          'invalid',
          'forbidden',
          'not_found',
          'key_conflict',
          'limit_reached',
          'user_unavailable',
        ),
      },
    },
    (request, reply) =>
      answerCommand(options, request, reply, { type: 'usergroup.add_members', ...request.params, ...request.body }),
  );

  app.delete(
    '/usergroups/:usergroup/members/:user',
    {
      schema: {
        tags: ['user groups'],
        summary: 'Take somebody out of a user group',
        description: 'Who made it, and admins.',
        params: exactly({ ...UserGroupPath.properties, user: Id }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'forbidden', 'not_found'),
      },
    },
    (request, reply) => {
      const { usergroup, user } = request.params;
      return answerCommand(options, request, reply, { type: 'usergroup.remove_members', usergroup, users: [user] });
    },
  );
}

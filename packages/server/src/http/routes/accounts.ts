/** Routes of accounts and sessions: register, log in, refresh, oneself. */
import { Account, CommandResult, MessageList, SessionList, Tokens } from '@natter/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Login } from '../../auth/accounts.js';
import { type Answer, refuse } from '../../core/actor.js';
import { clearRefreshCookie, isOwnPage, readRefreshCookie, setRefreshCookie } from '../cookie.js';
import type { App, HttpOptions } from '../edge.js';
import { refuseWith } from '../problems.js';
import { actorOf, answer, answerCommand, answerResource, carryOut, originOf } from '../replies.js';
import { answers, bodyOf, exactly, Id, limit, Nothing, said, shown } from '../schemas.js';

/** Beyond any name, address or password that may be; what is allowed is auth's to say. */
const text = (description: string) => said(Type.String({ maxLength: 1_024 }), description);
const cookie = Type.Optional(
  said(
    Type.Literal(true),
    'For pages of this server: the refresh token comes and goes as a cookie that no script can read, not in the body',
  ),
);
const password = said(Type.String({ maxLength: 4_096, format: 'password' }), 'At least PASSWORD_MIN characters');

export function accountRoutes(app: App, options: HttpOptions): void {
  const { accounts, queries, config } = options;

  async function withAccount(login: Answer<Login>): Promise<Answer<Tokens>> {
    if (!login.ok) return login;
    const { user, session, accessToken, expiresIn, refreshToken } = login.value;
    const account = await queries.account({ user, role: 'user', session });
    if (!account.ok) return account;
    return { ok: true, value: { accessToken, expiresIn, refreshToken, session, user: account.value } };
  }

  const ofAnotherPage = () => refuse('forbidden', { detail: 'cookies are for pages of this server alone' });

  /** The answer of a log-in, its refresh token in the body or as a cookie. */
  function answerLogin(request: FastifyRequest, reply: FastifyReply, made: Answer<Tokens>, asCookie: boolean) {
    if (!made.ok || !asCookie) return answer(reply, made);
    const { refreshToken = '', ...rest } = made.value;
    setRefreshCookie(request, reply, refreshToken, config.refreshTokenSeconds);
    return reply.send(rest);
  }

  app.post(
    '/users',
    {
      config: { open: true },
      schema: {
        tags: ['accounts'],
        summary: 'Register',
        description: 'Makes an account and logs in to it. The first account of a server becomes its admin.',
        security: [],
        body: shown(
          exactly({
            name: text('Unique; letters and digits of one script, with . _ - between them'),
            password,
            email: Type.Optional(Type.Union([text('Unique'), Type.Null()])),
            fullName: Type.Optional(text('As others see it')),
            cookie,
          }),
          { name: 'ada', password: 'correct horse battery', email: 'ada@example.org', fullName: 'Ada Lovelace' },
        ),
        response: answers({ 201: Tokens }, 'invalid', 'name_taken', 'email_taken', 'registration_closed', 'forbidden'),
      },
    },
    async (request, reply) => {
      const { cookie: asCookie = false, ...input } = request.body;
      if (asCookie && !isOwnPage(request)) return refuseWith(reply, ofAnotherPage());
      const made = await withAccount(await accounts.register(input, originOf(request)));
      if (made.ok) reply.code(201).header('location', `/v1/users/${made.value.user.id}`);
      return answerLogin(request, reply, made, asCookie);
    },
  );

  app.post(
    '/sessions',
    {
      config: { open: true },
      schema: {
        tags: ['accounts'],
        summary: 'Log in',
        description: 'An unknown name and a wrong password are answered alike.',
        security: [],
        body: shown(exactly({ name: text('Name or e-mail address'), password, cookie }), {
          name: 'ada',
          password: 'correct horse battery',
        }),
        response: answers({ 201: Tokens }, 'invalid', 'bad_credentials', 'account_deactivated', 'forbidden'),
      },
    },
    async (request, reply) => {
      const { cookie: asCookie = false, ...input } = request.body;
      if (asCookie && !isOwnPage(request)) return refuseWith(reply, ofAnotherPage());
      const made = await withAccount(await accounts.logIn(input, originOf(request)));
      if (made.ok) reply.code(201).header('location', `/v1/sessions/${made.value.session}`);
      return answerLogin(request, reply, made, asCookie);
    },
  );

  app.post(
    '/sessions/refresh',
    {
      config: { open: true },
      schema: {
        tags: ['accounts'],
        summary: 'Get the next tokens',
        description: 'A refresh token works once. The use of one that was used before ends the session.',
        security: [],
        body: shown(exactly({ refreshToken: Type.Optional(Type.String({ maxLength: 1_024 })), cookie }), {
          refreshToken: 'Zk3…',
        }),
        response: answers({ 200: Tokens }, 'invalid', 'bad_refresh_token', 'forbidden'),
      },
    },
    async (request, reply) => {
      const { refreshToken, cookie: asCookie = false } = request.body;
      if ((refreshToken !== undefined) === asCookie) {
        const fields = [{ path: '/refreshToken', message: 'must be given, or else `cookie`' }];
        return refuseWith(reply, refuse('invalid', { fields }));
      }
      if (asCookie && !isOwnPage(request)) return refuseWith(reply, ofAnotherPage());
      const presented = refreshToken ?? readRefreshCookie(request) ?? '';
      const found = await accounts.refresh(presented, originOf(request), { again: asCookie });
      return answerLogin(request, reply, await withAccount(found), asCookie);
    },
  );

  app.get(
    '/sessions',
    {
      schema: {
        tags: ['accounts'],
        summary: 'List my sessions',
        response: answers({ 200: SessionList }, 'unauthenticated'),
      },
    },
    async (request, reply) => {
      const found = await queries.sessions(actorOf(request));
      return found.ok ? { sessions: found.value } : refuseWith(reply, found);
    },
  );

  app.delete(
    '/sessions',
    {
      schema: {
        tags: ['accounts'],
        summary: 'End all my sessions',
        querystring: exactly({
          keepCurrent: Type.Optional(said(Type.Boolean(), 'Keep the session of this request')),
        }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid'),
      },
    },
    (request, reply) => {
      const { keepCurrent = false } = request.query;
      if (!keepCurrent) clearRefreshCookie(request, reply);
      return answerCommand(options, request, reply, { type: 'session.end_all', keepCurrent });
    },
  );

  app.delete(
    '/sessions/:session',
    {
      schema: {
        tags: ['accounts'],
        summary: 'End a session',
        description: 'Its sockets close at once. Ending the session of this request is logging out.',
        params: exactly({ session: Type.String({ minLength: 1, maxLength: 64 }) }),
        response: answers({ 200: CommandResult }, 'unauthenticated', 'invalid', 'not_found'),
      },
    },
    (request, reply) => {
      const { session } = request.params;
      if (session === actorOf(request).session) clearRefreshCookie(request, reply);
      return answerCommand(options, request, reply, { type: 'session.end', session });
    },
  );

  app.get(
    '/me',
    {
      config: { etag: true },
      schema: { tags: ['accounts'], summary: 'My account', response: answers({ 200: Account }, 'unauthenticated') },
    },
    async (request, reply) => answer(reply, await queries.account(actorOf(request))),
  );

  app.patch(
    '/me',
    {
      schema: {
        tags: ['accounts'],
        summary: 'Change my profile',
        body: shown(bodyOf('user.change'), { fullName: 'Ada Lovelace', about: 'Analyst and metaphysician' }),
        response: answers({ 200: Account }, 'unauthenticated', 'invalid', 'email_taken'),
      },
    },
    async (request, reply) =>
      answerResource(reply, await carryOut(options, request, { type: 'user.change', ...request.body }), () =>
        queries.account(actorOf(request)),
      ),
  );

  app.delete(
    '/me',
    {
      schema: {
        tags: ['accounts'],
        summary: 'Delete my account',
        description: 'My messages stay and show "Deleted User"; memberships, sessions, name and address go.',
        response: answers({ 200: CommandResult }, 'unauthenticated', 'last_admin'),
      },
    },
    (request, reply) => answerCommand(options, request, reply, { type: 'user.delete', user: actorOf(request).user }),
  );

  app.put(
    '/me/password',
    {
      schema: {
        tags: ['accounts'],
        summary: 'Change my password',
        description: 'All my other sessions end.',
        body: shown(exactly({ password, newPassword: password }), {
          password: 'correct horse battery',
          newPassword: 'staple correct battery',
        }),
        response: answers({ 204: Nothing }, 'unauthenticated', 'invalid', 'bad_credentials'),
      },
    },
    async (request, reply) => {
      const done = await accounts.changePassword(actorOf(request), request.body);
      return done.ok ? reply.code(204).send() : refuseWith(reply, done);
    },
  );

  app.get(
    '/me/mentions',
    {
      config: { etag: true },
      schema: {
        tags: ['messages'],
        summary: 'Messages that call me',
        description: 'By name, with a user group, or with everybody in a room; newest first.',
        querystring: exactly({
          before: Type.Optional(said(Id, '`next` of the page before')),
          limit: Type.Optional(limit),
        }),
        response: answers({ 200: MessageList }, 'unauthenticated', 'invalid'),
      },
    },
    async (request, reply) => answer(reply, await queries.mentionsOfMe(actorOf(request), request.query)),
  );
}

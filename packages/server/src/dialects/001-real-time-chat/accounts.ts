/** Accounts and sessions in this API: a log-in by form, and a logout that ends the session it was asked with. */
import { Type } from 'typebox';
import type { DialectContext } from '../dialect.js';
import { type Api, fail, failureOf, OAUTH2 } from '../fastapi/api.js';
import { NAME, Said, Token, toUser, User } from './shapes.js';

/** What accounts call otherwise. */
const FIELDS = { name: 'username' };

export function accountRoutes(api: Api, { accounts, core, queries }: DialectContext): void {
  const { records } = queries;

  api.route(
    {
      method: 'POST',
      path: '/api/register',
      summary: 'Register a new user',
      status: 201,
      open: true,
      body: Type.Object({
        username: Type.String({ minLength: 3, maxLength: 50 }),
        email: Type.Optional(Type.Union([Type.String({ format: 'email' }), Type.Null()])),
        password: Type.String({ minLength: 6 }),
      }),
      answer: User,
    },
    async ({ body, origin }) => {
      const { username: name, password, email = null } = body;
      const made = await accounts.enrol({ name, password, email }, origin, { passwordMin: 6 });
      if (!made.ok) {
        const taken = fail(400, 'Username or email already registered');
        return failureOf(made, { name_taken: taken, email_taken: taken }, FIELDS);
      }
      const person = (await records.persons([made.value])).get(made.value);
      return person ? toUser(person) : fail(404, 'User not found');
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/login',
      summary: 'Authenticate a user and create a JWT',
      description: 'As a form, or as JSON.',
      open: true,
      form: true,
      body: Type.Object({
        grant_type: Type.Optional(Type.Union([Type.String({ pattern: '^password$' }), Type.Null()])),
        username: Type.String(),
        password: Type.String(),
      }),
      answer: Token,
    },
    async ({ body: { username, password }, origin }) => {
      const login = await accounts.logIn({ name: username, password }, origin);
      if (login.ok) return { access_token: login.value.accessToken, token_type: 'bearer' };
      // This API tells a name that nobody has from a wrong password.
      if (login.code === 'bad_credentials' && !(await records.personNamed(username)))
        return fail(404, 'User not found');
      return failureOf(login, {
        bad_credentials: fail(401, 'Incorrect password'),
        account_deactivated: fail(403, 'User is deactivated'),
      });
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/logout',
      summary: 'End a user session (revoke JWT)',
      description:
        'The token opens nothing more, and the sockets that it opened close. Other sessions of the user stay.',
      answer: Said,
    },
    async ({ actor }) => {
      const done = await core.execute(actor, { type: 'session.end', session: actor.session }, { dialect: NAME });
      // Whoever comes second finds it ended.
      return done.ok ? { message: 'Successfully logged out' } : failureOf(done, { not_found: OAUTH2.bad });
    },
  );
}

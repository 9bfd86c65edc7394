/** Accounts and people in this API. */
import { Type } from 'typebox';
import type { Person } from '../../core/queries.js';
import type { DialectContext } from '../dialect.js';
import { type Api, BEARER, fail, failureOf } from '../fastapi/api.js';
import { NAME, toUser, User } from './shapes.js';

/** What core and accounts call otherwise. */
export const FIELDS = { name: 'username', fullName: 'full_name', text: 'content' };
/** Passwords of six characters are enough here, and any text is an address. */
const RULES = { passwordMin: 6, anyEmail: true };

const fullName = Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Null()]));

export function userRoutes(api: Api, { accounts, core, queries, hub, rates }: DialectContext): void {
  const { records } = queries;
  const show = (person: Person): object => toUser(person, hub.presence.lastSeen(person.id));
  const find = async (id: number): Promise<Person | undefined> => (await records.persons([id])).get(id);

  api.route(
    {
      method: 'POST',
      path: '/api/v1/users/register',
      summary: 'Register a new user',
      status: 201,
      open: true,
      body: Type.Object({
        username: Type.String({ minLength: 3, maxLength: 50 }),
        email: Type.String({ maxLength: 100 }),
        full_name: fullName,
        password: Type.String({ minLength: 6, maxLength: 100 }),
      }),
      answer: User,
    },
    async ({ body, origin }) => {
      const { username: name, password, email, full_name } = body;
      const made = await accounts.enrol(
        { name, password, email: email === '' ? null : email, fullName: full_name ?? '' },
        origin,
        RULES,
      );
      if (!made.ok) {
        return failureOf(
          made,
          { name_taken: fail(400, 'Username already exists'), email_taken: fail(400, 'Email already exists') },
          FIELDS,
        );
      }
      const person = await find(made.value);
      return person ? show(person) : fail(404, 'User not found');
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/v1/users/login',
      summary: 'Login and get access token',
      open: true,
      body: Type.Object({ username: Type.String(), password: Type.String() }),
      answer: Type.Object({ access_token: Type.String(), token_type: Type.String() }),
    },
    async ({ body, origin }) => {
      const login = await accounts.logIn({ name: body.username, password: body.password }, origin);
      if (login.ok) return { access_token: login.value.accessToken, token_type: 'bearer' };
      return failureOf(login, {
        bad_credentials: fail(401, 'Incorrect username or password', BEARER),
        account_deactivated: fail(400, 'Inactive user'),
      });
    },
  );

  api.route(
    { method: 'GET', path: '/api/v1/users/me', summary: 'Get current user info', answer: User },
    async ({ actor }) => {
      const person = await find(actor.user);
      return person ? show(person) : fail(404, 'User not found');
    },
  );

  api.route(
    {
      method: 'PUT',
      path: '/api/v1/users/me',
      summary: 'Update current user',
      body: Type.Object({
        full_name: fullName,
        email: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Null()])),
      }),
      answer: User,
    },
    async ({ actor, body: { full_name, email } }) => {
      const done = await core.execute(
        actor,
        {
          type: 'user.change',
          ...(full_name == null ? {} : { fullName: full_name }),
          ...(email == null ? {} : { email: email === '' ? null : email }),
        },
        { dialect: NAME, anyEmail: true },
      );
      if (!done.ok) return failureOf(done, { email_taken: fail(400, 'Email already registered') }, FIELDS);
      const person = await find(actor.user);
      return person ? show(person) : fail(404, 'User not found');
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/users/search',
      summary: 'Search users',
      description: 'By a part of the username or the full name, in any case.',
      query: Type.Object({ q: Type.String(), limit: Type.Integer({ default: 10 }) }),
      answer: Type.Array(User),
    },
    async ({ actor, query }) => {
      const text = query.q.trim();
      if ([...text].length < 2) return fail(400, 'Search query must be at least 2 characters long');
      const taken = rates.take('RATE_SEARCHES_PER_USER', String(actor.user));
      if (!taken.ok) return failureOf({ ok: false, code: 'rate_limited', retryAfter: taken.retryAfter });
      const found = await records.findPersons({ text, skip: 0, limit: Math.min(query.limit, 50) });
      return found.map(show);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/users/:user_id',
      summary: 'Get user by ID',
      params: Type.Object({ user_id: Type.Integer() }),
      answer: User,
    },
    async ({ params }) => {
      const person = await find(params.user_id);
      return person ? show(person) : fail(404, 'User not found');
    },
  );
}

/** Accounts and people in this API. */
import { Type } from 'typebox';
import type { Person } from '../../core/queries.js';
import type { DialectContext } from '../dialect.js';
import { type Api, BEARER, fail, failureOf } from '../fastapi/api.js';
import { Account, toAccount, toUser, User } from './shapes.js';

/** What accounts call otherwise. */
const FIELDS = { name: 'username' };
/** Passwords may be as short as one likes; an empty one could not be sent by the form. Taken addresses are told of before taken names. */
const RULES = { passwordMin: 1, emailFirst: true };

const NO_RENEWAL = fail(401, 'Could not validate refresh token', BEARER);
const INACTIVE = fail(401, 'User not found or inactive', BEARER);

/** Held before the input is looked at. */
export const adminOnly = ({ role }: { role: string }) =>
  role === 'admin' ? null : fail(403, "Insufficient permissions. Required roles: ['admin']");

export function peopleRoutes(api: Api, { accounts, queries }: DialectContext): void {
  const { records } = queries;
  const find = async (id: number): Promise<Person | undefined> => (await records.persons([id])).get(id);
  const unknown = (id: number) => fail(404, `User with ID ${id} not found.`);

  api.route(
    {
      method: 'POST',
      path: ['/api/v1/auth/register', '/api/v1/auth/signup'],
      summary: 'Register a new user',
      description: 'Also at `/api/v1/auth/signup`.',
      open: true,
      body: Type.Object({
        username: Type.String(),
        email: Type.String({ format: 'email' }),
        password: Type.String(),
      }),
      answer: Type.Object({
        message: Type.String({ examples: ['User ada@example.com signed up successfully'] }),
        user: Account,
      }),
    },
    async ({ body: { username: name, email, password }, origin }) => {
      const made = await accounts.enrol({ name, email, password }, origin, RULES);
      if (!made.ok) {
        return failureOf(
          made,
          {
            email_taken: fail(400, 'User with this email already exists'),
            name_taken: fail(400, 'User with this username already exists'),
          },
          FIELDS,
        );
      }
      const person = await find(made.value);
      if (!person) return unknown(made.value);
      return { message: `User ${email} signed up successfully`, user: toAccount(person) };
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/v1/auth/login',
      summary: 'Login to get JWT tokens',
      description: 'As JSON or as a form; `username` may be the e-mail address.',
      open: true,
      form: true,
      body: Type.Object({
        username: Type.String(),
        password: Type.String(),
        grant_type: Type.Optional(Type.Union([Type.String({ pattern: '^password$' }), Type.Null()])),
      }),
      answer: Type.Object({
        access_token: Type.String(),
        refresh_token: Type.String(),
        token_type: Type.String(),
        user: Account,
      }),
    },
    async ({ body: { username: name, password }, origin }) => {
      const login = await accounts.logIn({ name, password }, origin);
      if (!login.ok) {
        return failureOf(login, {
          bad_credentials: fail(401, 'Invalid credentials', BEARER),
          account_deactivated: fail(401, 'User account is deactivated', BEARER),
        });
      }
      const person = await find(login.value.user);
      if (!person) return unknown(login.value.user);
      const { accessToken, refreshToken } = login.value;
      return {
        access_token: accessToken,
        refresh_token: refreshToken,
        token_type: 'bearer',
        user: toAccount(person),
      };
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/api/v1/auth/refresh',
      summary: 'Get another access token',
      description: 'The refresh token stays good, and lives on.',
      open: true,
      body: Type.Object({ refresh_token: Type.String() }),
      answer: Type.Object({ access_token: Type.String(), token_type: Type.String() }),
    },
    async ({ body, origin }) => {
      const renewed = await accounts.renew(body.refresh_token, origin);
      if (renewed.ok) return { access_token: renewed.value.accessToken, token_type: 'bearer' };
      if ('why' in renewed) return renewed.why === 'inactive' ? INACTIVE : NO_RENEWAL;
      return failureOf(renewed);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/auth/me',
      summary: 'Get current user information',
      answer: Type.Object({ user: User }),
    },
    async ({ actor }) => {
      const person = await find(actor.user);
      return person ? { user: toUser(person) } : unknown(actor.user);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/user/',
      summary: 'Get all users',
      description: 'For admins; those whose account is deactivated are among them.',
      allow: adminOnly,
      answer: Type.Array(User),
    },
    async () => (await records.findPersons({ inactiveToo: true, skip: 0, limit: Number.MAX_SAFE_INTEGER })).map(toUser),
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/user/:user_id',
      summary: 'Get user by ID',
      params: Type.Object({ user_id: Type.Integer() }),
      answer: User,
    },
    async ({ params: { user_id: id } }) => {
      const person = await find(id);
      return person ? toUser(person) : unknown(id);
    },
  );
}

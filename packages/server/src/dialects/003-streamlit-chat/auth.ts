/** Accounts and sessions in this API: refresh tokens stay the same, and are given up one by one or all at once. */
import { Type } from 'typebox';
import type { Login, RenewalRefusal } from '../../auth/accounts.js';
import type { DialectContext } from '../dialect.js';
import { type Api, BEARER, type Failure, fail, failureOf } from '../fastapi/api.js';
import { NAME, Said, Tokens, toUser, User } from './shapes.js';

/** What core and accounts call otherwise. */
const FIELDS = { name: 'username', fullName: 'full_name', newPassword: 'new_password', password: 'password' };
const RULES = { passwordMin: 8 };

const password = Type.String({ minLength: RULES.passwordMin, maxLength: 100 });
const Refresh = Type.Object({ refresh_token: Type.String() });
const LoggedIn = Type.Object({ message: Type.String(), user: User, tokens: Tokens });

const NO_USER = fail(401, 'User not found or inactive');
/** Why a refresh token is not taken. */
const RENEWALS: Record<RenewalRefusal['why'], Failure> = {
  unknown: fail(401, 'Invalid refresh token'),
  ended: fail(401, 'Refresh token not found'),
  expired: fail(401, 'Refresh token expired'),
  inactive: NO_USER,
};

const toTokens = ({ accessToken, refreshToken }: Login): object => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'bearer',
});

export function authRoutes(api: Api, { accounts, core, queries }: DialectContext): void {
  const find = async (id: number) => (await queries.records.persons([id])).get(id);

  const welcome = async (message: string, login: Login): Promise<object> => {
    const user = await find(login.user);
    return user ? { message, user: toUser(user), tokens: toTokens(login) } : NO_USER;
  };

  api.route(
    {
      method: 'POST',
      path: '/auth/register',
      summary: 'Register',
      status: 201,
      open: true,
      body: Type.Object({
        username: Type.String({ minLength: 3, maxLength: 50 }),
        email: Type.String({ format: 'email' }),
        password,
        full_name: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Null()])),
      }),
      answer: LoggedIn,
    },
    async ({ body, origin }) => {
      const { username: name, email, full_name } = body;
      const made = await accounts.register(
        { name, email, password: body.password, fullName: full_name ?? '' },
        origin,
        RULES,
      );
      if (made.ok) return welcome('User registered successfully', made.value);
      return failureOf(
        made,
        { name_taken: fail(400, 'Username already taken'), email_taken: fail(400, 'Email already registered') },
        FIELDS,
      );
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/auth/login',
      summary: 'Login',
      description: 'By name or by e-mail address.',
      open: true,
      body: Type.Object({ username: Type.String(), password: Type.String() }),
      answer: LoggedIn,
    },
    async ({ body, origin }) => {
      const login = await accounts.logIn({ name: body.username, password: body.password }, origin);
      if (login.ok) return welcome('Login successful', login.value);
      return failureOf(login, {
        bad_credentials: fail(401, 'Invalid username or password', BEARER),
        account_deactivated: fail(401, 'Account is inactive', BEARER),
      });
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/auth/refresh',
      summary: 'Refresh Token',
      description: 'Another access token; the refresh token stays the same.',
      open: true,
      body: Refresh,
      answer: Tokens,
    },
    async ({ body, origin }) => {
      const renewed = await accounts.renew(body.refresh_token, origin);
      if (renewed.ok) return toTokens(renewed.value);
      return 'why' in renewed ? RENEWALS[renewed.why] : failureOf(renewed, { account_deactivated: NO_USER });
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/auth/logout',
      summary: 'Logout',
      description:
        'Gives up the refresh token. The access tokens that it gave, and their sockets, live on until those expire.',
      open: true,
      body: Refresh,
      answer: Said,
    },
    async ({ body, origin }) => {
      const given = await accounts.giveUp(body.refresh_token, origin);
      return given.ok ? { message: 'Logout successful' } : fail(400, 'Invalid refresh token');
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/auth/logout-all',
      summary: 'Logout All Devices',
      description: 'Ends all sessions of the user, with their access tokens and open sockets.',
      answer: Type.Object({ message: Type.String(), sessions_terminated: Type.Integer() }),
    },
    async ({ actor }) => {
      const sessions = await accounts.refreshable(actor.user);
      const done = await core.execute(actor, { type: 'session.end_all' }, { dialect: NAME });
      if (!done.ok) return failureOf(done);
      return { message: 'Logged out from all devices', sessions_terminated: sessions };
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/auth/change-password',
      summary: 'Change Password',
      description: 'Ends all sessions of the user, with their access tokens and open sockets.',
      body: Type.Object({ old_password: Type.String(), new_password: password }),
      answer: Said,
    },
    async ({ actor, body }) => {
      // Without a session to keep, the one that asks ends with the others.
      const asker = { ...actor, session: null };
      const input = { password: body.old_password, newPassword: body.new_password };
      const done = await accounts.changePassword(asker, input, RULES);
      if (done.ok) return { message: 'Password changed successfully. Please login again.' };
      return failureOf(done, { bad_credentials: fail(400, 'Current password is incorrect') }, FIELDS);
    },
  );

  api.route({ method: 'GET', path: '/auth/me', summary: 'Get Current User Info', answer: User }, async ({ actor }) => {
    const user = await find(actor.user);
    return user ? toUser(user) : NO_USER;
  });
}

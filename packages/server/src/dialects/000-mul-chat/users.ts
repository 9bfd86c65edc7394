/** Accounts in this API. */
import { Type } from 'typebox';
import type { Origin } from '../../auth/accounts.js';
import type { DialectContext } from '../dialect.js';
import { type Api, Failure, fail, failureOf } from '../fastapi/api.js';
import { zulu } from '../fastapi/times.js';
import { subjectOf } from './messages.js';

const FIELDS = { name: 'username' };
/** Any text is a password and an address here. */
const RULES = { passwordMin: 0, anyEmail: true };

const Credentials = Type.Object({ username: Type.String(), password: Type.String() });

export function userRoutes(api: Api, { accounts, queries, limits }: DialectContext): void {
  const { records } = queries;

  /** An access token, or why there is none: this API tells an unknown name from a wrong password. */
  async function logIn({ username, password }: { username: string; password: string }, origin: Origin) {
    const login = await accounts.logIn({ name: username, password }, origin);
    if (login.ok) return login.value.accessToken;
    if (login.code === 'bad_credentials' && !(await records.personNamed(username))) {
      return fail(404, `User ${username} not found`);
    }
    return failureOf(login, {
      bad_credentials: fail(401, 'Incorrect password'),
      account_deactivated: fail(403, 'User is deactivated'),
    });
  }

  api.route(
    {
      method: 'POST',
      path: ['/users/create_user', '/create_user'],
      summary: 'Register a new user',
      open: true,
      body: Type.Object({ username: Type.String(), email: Type.String(), password: Type.String() }),
      answer: Type.Object({ message: Type.String(), jwt: Type.String() }),
    },
    async ({ body: { username: name, email, password }, origin }) => {
      const made = await accounts.register({ name, password, email: email === '' ? null : email }, origin, RULES);
      if (made.ok) return { message: 'User created successfully', jwt: made.value.accessToken };
      return failureOf(
        made,
        { name_taken: fail(400, 'User already exists'), email_taken: fail(400, 'Email already exists') },
        FIELDS,
      );
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/users/login',
      summary: 'Authenticate and get a token',
      open: true,
      body: Credentials,
      answer: Type.Object({ access_token: Type.String(), token_type: Type.String(), jwt: Type.String() }),
    },
    async ({ body, origin }) => {
      const token = await logIn(body, origin);
      return token instanceof Failure ? token : { access_token: token, token_type: 'bearer', jwt: token };
    },
  );

  api.route(
    {
      method: 'POST',
      path: '/login',
      summary: 'Authenticate and get a token, as the code of Mul-Chat answers it',
      open: true,
      body: Credentials,
      answer: Type.Object({ access_token: Type.Object({ jwt: Type.String() }), token_type: Type.String() }),
    },
    async ({ body, origin }) => {
      const token = await logIn(body, origin);
      return token instanceof Failure ? token : { access_token: { jwt: token }, token_type: 'bearer' };
    },
  );

  const orNull = Type.Union([Type.String(), Type.Null()]);
  api.route(
    {
      method: 'GET',
      path: ['/users/me', '/me'],
      summary: 'Get current user info',
      description: '`permissions` are the subjects of one’s rooms.',
      answer: Type.Object({
        user_info: Type.Object({
          username: Type.String(),
          email: Type.String(),
          nats_account: orNull,
          permissions: Type.Array(Type.String()),
          created_at: Type.String({ format: 'date-time' }),
          nats_expires_at: orNull,
          nats_expired_at: orNull,
        }),
      }),
    },
    async ({ actor }) => {
      const [people, { places }] = await Promise.all([
        records.persons([actor.user]),
        records.places(actor, { of: 'mine', order: 'created', skip: 0, limit: limits.ROOMS_PER_USER_MAX }),
      ]);
      const person = people.get(actor.user);
      if (!person) return fail(404, 'User not found');
      return {
        user_info: {
          username: person.name,
          email: person.email ?? '',
          nats_account: 'chat-app',
          permissions: places.map((place) => subjectOf(place.id, place)),
          created_at: zulu(person.createdAt),
          nats_expires_at: null,
          nats_expired_at: null,
        },
      };
    },
  );
}

/** Accounts and sessions: register, log in, refresh, change the password, and who a token stands for. */
import type { EventBody, SessionId, UserId, UserRole } from '@natter/protocol';
import { type Actor, type Answer, type Refusal, refuse } from '../core/actor.js';
import type { Clock } from '../core/ports.js';
import { OverloadedError } from '../log/committer.js';
import type { Log } from '../log/log.js';
import type { RateLimiter } from '../rate-limiter.js';
import type { Draft, Entry, Outcome } from '../store/store.js';
import { LivingSessions } from './living.js';
import { PASSWORD_BYTES_MAX, PasswordsBusyError } from './passwords.js';
import {
  type AccountRules,
  type GivenAccount,
  type NewAccount,
  Registration,
  type RegistrationOptions,
} from './registration.js';
import type { Tokens } from './tokens.js';

/** Where a request came from. */
export interface Origin {
  address: string;
  agent: string;
  /** The API that it came through; '' is the native one. */
  dialect: string;
}

export interface Login {
  user: UserId;
  session: SessionId;
  accessToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
  refreshToken: string;
}

/** Whom a token stands for, and the API that made it. */
export interface Recognised extends Actor {
  session: SessionId;
  dialect: string;
}

/** Why a refresh token that can be used again and again is not taken. */
export type RenewalRefusal = {
  ok: false;
  code: 'bad_refresh_token';
  why: 'unknown' | 'ended' | 'expired' | 'inactive';
};

export interface AccountsOptions extends RegistrationOptions {
  log: Log;
  tokens: Tokens;
  rates: RateLimiter;
  clock: Clock;
  refreshTokenSeconds: number;
  registration: 'open' | 'closed';
}

/** Two devices' worth of the same refresh at once is no theft: within this the loser is only refused. */
const RACE_MS = 10_000;
/** Sessions whose last refresh token is remembered. */
const HANDED_MAX = 50_000;
/** Stands where the hash of a refresh token was that was given up: nothing hashes to it. */
const GIVEN_UP = '-1.given-up';
/** Another log-in may end the oldest session first. */
const ATTEMPTS = 5;

/** A refresh token that a browser was given just now. */
interface Handed {
  token: string;
  generation: number;
  at: number;
}

export class Accounts {
  readonly #options: AccountsOptions;
  readonly #living: LivingSessions;
  readonly #registration: Registration;
  /** In the order of `at`. */
  readonly #handed = new Map<SessionId, Handed>();

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#living = new LivingSessions(options.store);
    this.#registration = new Registration(options, (entry) => this.#append(entry));
    options.log.onCommit((events) => this.#living.hear(events));
  }

  /** Makes an account and its first session. */
  async register(input: NewAccount, origin: Origin, rules: AccountRules = {}): Promise<Answer<Login>> {
    const made = await this.enrol(input, origin, rules);
    return made.ok ? this.startSession(made.value, origin) : made;
  }

  /** Makes an account, to which its owner has yet to log in. */
  async enrol(input: NewAccount, origin: Origin, rules: AccountRules = {}): Promise<Answer<UserId>> {
    const { rates, registration } = this.#options;
    if (registration === 'closed') return refuse('registration_closed');
    const budget = rates.take('RATE_REGISTER_PER_ADDRESS', origin.address);
    if (!budget.ok) return refuse('rate_limited', { retryAfter: budget.retryAfter });
    return this.#registration.create(input, 'user', rules);
  }

  /** Makes an account for whom an operator names. */
  create(input: GivenAccount, role: UserRole): Promise<Answer<UserId>> {
    return this.#registration.create(input, role);
  }

  /** `name` may be an e-mail address. Unknown and wrong answer alike [S1]. */
  async logIn(input: { name: string; password: string }, origin: Origin): Promise<Answer<Login>> {
    const { rates, store, passwords } = this.#options;
    const account = await this.#find(input.name);
    // Guesses are paid for in advance, so that many at once can't outrun the count; a right one is paid back.
    const subject = `${account?.id ?? this.#options.names.key(input.name.slice(0, 254))}\n${origin.address}`;
    const byAccount = rates.take('RATE_LOGIN_PER_ACCOUNT', subject);
    if (!byAccount.ok) return refuse('rate_limited', { retryAfter: byAccount.retryAfter });
    const byAddress = rates.take('RATE_LOGIN_PER_ADDRESS', origin.address);
    if (!byAddress.ok) return refuse('rate_limited', { retryAfter: byAddress.retryAfter });
    const stored = account
      ? await store.db
          .selectFrom('credentials')
          .select(['password_hash', 'changed_at'])
          .where('user_id', '=', account.id)
          .executeTakeFirst()
      : undefined;
    let fits: boolean;
    try {
      const bounded = Buffer.byteLength(input.password) <= PASSWORD_BYTES_MAX;
      fits = (await passwords.verify(stored?.password_hash ?? null, bounded ? input.password : '')) && bounded;
    } catch (error) {
      if (error instanceof PasswordsBusyError) return refuse('overloaded', { retryAfter: 5 });
      throw error;
    }
    if (!fits || !account) return refuse('bad_credentials');
    rates.take('RATE_LOGIN_PER_ACCOUNT', subject, -1);
    rates.take('RATE_LOGIN_PER_ADDRESS', origin.address, -1);
    // Only who knows the password learns this.
    if (account.status !== 'active') return refuse('account_deactivated');
    return this.startSession(account.id, origin, stored?.changed_at);
  }

  /**
   * The next pair of tokens. A refresh token works once; one that was used before ends the session [S3]. `again`: who was
   * beaten just now is given what the winner was given, since a browser's reload may have cut off that answer.
   */
  async refresh(refreshToken: string, origin: Origin, { again = false } = {}): Promise<Answer<Login>> {
    const { rates, store, tokens, clock, refreshTokenSeconds } = this.#options;
    const budget = rates.take('RATE_REFRESH_PER_ADDRESS', origin.address);
    if (!budget.ok) return refuse('rate_limited', { retryAfter: budget.retryAfter });
    const claims = tokens.readRefresh(refreshToken);
    if (!claims) return refuse('bad_refresh_token');
    const now = clock.now();
    const row = await store.db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['sessions.user_id', 'refresh_hash', 'expires_at', 'last_used_at', 'dialect', 'users.status'])
      .where('sessions.id', '=', claims.session)
      .executeTakeFirst();
    // Those of other APIs are used again and again, and renewed there [D2].
    if (!row || row.expires_at <= now || row.status !== 'active' || row.dialect !== '') {
      return refuse('bad_refresh_token');
    }
    const presented = tokens.refreshHash(refreshToken, claims.generation);
    const next = { session: claims.session, generation: claims.generation + 1 };
    const token = tokens.refresh(next);
    const expiresAt = now + refreshTokenSeconds * 1_000;
    const fresh = tokens.refreshHash(token, next.generation);
    const rotated =
      presented === row.refresh_hash && (await store.rotateSession(claims.session, presented, fresh, now, expiresAt));
    if (!rotated) {
      const current = Number.parseInt(row.refresh_hash, 10);
      // Beaten just now, here or a moment before the row was read: no theft yet. Anything older is.
      const raced =
        presented === row.refresh_hash || (claims.generation === current - 1 && now - row.last_used_at < RACE_MS);
      if (!raced) await this.#endSession(row.user_id, claims.session);
      const handed = again && raced ? this.#handed.get(claims.session) : undefined;
      if (handed?.generation !== next.generation || now - handed.at >= RACE_MS) return refuse('bad_refresh_token');
      return this.#login(row.user_id, claims.session, handed.token, row.dialect);
    }
    if (again) this.#hand(claims.session, { token, generation: next.generation, at: now });
    return this.#login(row.user_id, claims.session, token, row.dialect);
  }

  #hand(session: SessionId, handed: Handed): void {
    this.#handed.delete(session);
    this.#handed.set(session, handed);
    for (const [old, { at }] of this.#handed) {
      if (handed.at - at < RACE_MS && this.#handed.size <= HANDED_MAX) break;
      this.#handed.delete(old);
    }
  }

  /** For APIs whose refresh tokens are used again and again: another access token, and the session lives on. */
  async renew(refreshToken: string, origin: Origin): Promise<Answer<Login> | RenewalRefusal> {
    const { rates, clock, refreshTokenSeconds, store } = this.#options;
    const budget = rates.take('RATE_REFRESH_PER_ADDRESS', origin.address);
    if (!budget.ok) return refuse('rate_limited', { retryAfter: budget.retryAfter });
    const { dialect } = origin;
    const known = await this.#presented(refreshToken, dialect);
    if (typeof known === 'string') return { ok: false, code: 'bad_refresh_token', why: known };
    const now = clock.now();
    const { session, user, hash } = known;
    await store.rotateSession(session, hash, hash, now, now + refreshTokenSeconds * 1_000);
    return this.#login(user, session, refreshToken, dialect);
  }

  /** Gives up a refresh token: what was opened with it lives on for as long as an access token does. */
  async giveUp(
    refreshToken: string,
    { dialect }: Pick<Origin, 'dialect'>,
  ): Promise<{ ok: true; value: null } | RenewalRefusal> {
    const known = await this.#presented(refreshToken, dialect);
    if (typeof known === 'string') return { ok: false, code: 'bad_refresh_token', why: known };
    const { clock, store, tokens } = this.#options;
    const now = clock.now();
    const given = await store.rotateSession(
      known.session,
      known.hash,
      GIVEN_UP,
      now,
      now + tokens.accessSeconds(dialect) * 1_000,
    );
    return given ? { ok: true, value: null } : { ok: false, code: 'bad_refresh_token', why: 'ended' };
  }

  /** How many sessions of a user can still be refreshed. */
  async refreshable(user: UserId): Promise<number> {
    const row = await this.#options.store.db
      .selectFrom('sessions')
      .select((is) => is.fn.countAll<number>().as('count'))
      .where('user_id', '=', user)
      .where('refresh_hash', '<>', GIVEN_UP)
      .where('expires_at', '>', this.#options.clock.now())
      .executeTakeFirst();
    return Number(row?.count ?? 0);
  }

  /** Each API renews the tokens that it gave, and no others [S3]. */
  async #presented(
    refreshToken: string,
    dialect: string,
  ): Promise<{ session: SessionId; user: UserId; hash: string } | RenewalRefusal['why']> {
    const { tokens, store, clock } = this.#options;
    const claims = tokens.readRefresh(refreshToken);
    if (!claims) return 'unknown';
    const row = await store.db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['sessions.user_id', 'refresh_hash', 'expires_at', 'dialect', 'users.status'])
      .where('sessions.id', '=', claims.session)
      .executeTakeFirst();
    const hash = tokens.refreshHash(refreshToken, claims.generation);
    if (!row || row.refresh_hash !== hash || row.dialect !== dialect) return 'ended';
    if (row.expires_at <= clock.now()) return 'expired';
    if (row.status !== 'active') return 'inactive';
    return { session: claims.session, user: row.user_id, hash };
  }

  /** Sets another password and ends all other sessions, in one commit [S4]. */
  async changePassword(
    actor: Actor,
    input: { password: string; newPassword: string },
    rules: AccountRules = {},
  ): Promise<Answer<null>> {
    const { store, rates, passwords } = this.#options;
    const problem = this.#registration.passwordProblem(input.newPassword, rules);
    if (problem) return refuse('invalid', { fields: [{ path: '/newPassword', message: problem }] });
    const subject = `${actor.user}\npassword`;
    const budget = rates.take('RATE_LOGIN_PER_ACCOUNT', subject);
    if (!budget.ok) return refuse('rate_limited', { retryAfter: budget.retryAfter });
    const stored = await store.db
      .selectFrom('credentials')
      .select('password_hash')
      .where('user_id', '=', actor.user)
      .executeTakeFirst();
    try {
      if (!(await passwords.verify(stored?.password_hash ?? null, input.password))) return refuse('bad_credentials');
      rates.take('RATE_LOGIN_PER_ACCOUNT', subject, -1);
      return await this.setPassword(actor.user, input.newPassword, actor.session, rules);
    } catch (error) {
      if (error instanceof PasswordsBusyError) return refuse('overloaded', { retryAfter: 5 });
      throw error;
    }
  }

  /** For who may without the old one: the command line. Ends all sessions but `kept`. */
  async setPassword(
    user: UserId,
    password: string,
    kept: SessionId | null,
    rules: AccountRules = {},
  ): Promise<Answer<null>> {
    const { store, passwords } = this.#options;
    const problem = this.#registration.passwordProblem(password, rules);
    if (problem) return refuse('invalid', { fields: [{ path: '/password', message: problem }] });
    const passwordHash = await passwords.hash(password);
    const seen = (await store.heads([user])).get(user)?.seq ?? 0;
    const rows = await store.db.selectFrom('sessions').select('id').where('user_id', '=', user).execute();
    const sessions = rows.map((row) => row.id).filter((session) => session !== kept);
    const drafts: Draft[] = [{ stream: user, type: 'password.changed', body: {}, secret: { passwordHash } }];
    if (sessions.length > 0) drafts.push({ stream: user, type: 'session.ended', body: { sessions } });
    const outcome = await this.#append({ actor: user, drafts });
    if (!('kind' in outcome)) return outcome;
    if (outcome.kind !== 'committed') throw new Error(`a password was answered with ${outcome.kind}`);
    await this.#endStartedBetween(user, seen, outcome.events[0]?.seq ?? 0);
    return { ok: true, value: null };
  }

  /** Who logged in with the old password while it was being changed has a session that the change did not see. */
  async #endStartedBetween(user: UserId, after: number, before: number): Promise<void> {
    const between = await this.#options.store.events(user, after, Math.max(0, before - after - 1));
    for (const { type, body } of between) {
      if (type !== 'session.started') continue;
      await this.#endSession(user, (JSON.parse(body) as EventBody<'session.started'>).session);
    }
  }

  /** Ends the sessions that were not refreshed in time, as an event like any other end: their sockets close by it. Answers how many. */
  async endExpired(): Promise<number> {
    const { store, clock } = this.#options;
    const rows = await store.db
      .selectFrom('sessions')
      .select(['id', 'user_id'])
      .where('expires_at', '<=', clock.now())
      .execute();
    await Promise.all(rows.map((row) => this.#endSession(row.user_id, row.id)));
    return rows.length;
  }

  /** Whom an access token stands for: it is believed only while its session lives and the account is active [S2]. */
  async verifyAccess(token: string): Promise<Answer<Recognised>> {
    const { tokens, clock } = this.#options;
    const now = clock.now();
    const claims = tokens.readAccess(token, now);
    if (!claims) return refuse('unauthenticated');
    const living = await this.#living.get(claims.session, now);
    if (!living || living.user !== claims.user || living.expiresAt <= now) return refuse('unauthenticated');
    return {
      ok: true,
      value: { user: living.user, role: living.role, session: claims.session, dialect: claims.dialect },
    };
  }

  /** What an access token says, if it is one of ours and of now. Whether its session lives is not asked: `confirm` does. */
  identify(token: string): { user: UserId; session: SessionId; dialect: string } | null {
    return this.#options.tokens.readAccess(token, this.#options.clock.now());
  }

  /** The actor, if the session lives and the account is active as committed at a moment after the call: nothing remembered counts. */
  async confirm(identity: { user: UserId; session: SessionId }): Promise<Actor | null> {
    const now = this.#options.clock.now();
    const living = await this.#living.read(identity.session, now);
    if (!living || living.user !== identity.user || living.expiresAt <= now) return null;
    return { user: living.user, role: living.role, session: identity.session };
  }

  /** A session for whom the caller has recognised; `passwordOf`: by the password that was set then, which must still be it. */
  async startSession(user: UserId, origin: Origin, passwordOf?: number): Promise<Answer<Login>> {
    const { store, tokens, clock, limits, refreshTokenSeconds } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const now = clock.now();
      const session = tokens.newSession();
      const refreshToken = tokens.refresh({ session, generation: 0 });
      const expiresAt = now + refreshTokenSeconds * 1_000;
      const state = await store.db
        .selectFrom('users')
        .innerJoin('streams', 'streams.id', 'users.id')
        .leftJoin('credentials', 'credentials.user_id', 'users.id')
        .select(['users.status', 'streams.version', 'credentials.changed_at'])
        .where('users.id', '=', user)
        .executeTakeFirst();
      if (state?.status !== 'active') return refuse('account_deactivated');
      if (passwordOf !== undefined && state.changed_at !== passwordOf) return refuse('bad_credentials');
      const rows = await store.db
        .selectFrom('sessions')
        .select('id')
        .where('user_id', '=', user)
        .orderBy('last_used_at')
        .execute();
      const ended = rows.slice(0, Math.max(0, rows.length + 1 - limits.SESSIONS_PER_USER_MAX)).map((row) => row.id);
      const drafts: Draft[] = [
        {
          stream: user,
          type: 'session.started',
          body: { session, agent: agentOf(origin), expiresAt: new Date(expiresAt).toISOString() },
          secret: {
            session: {
              refreshHash: tokens.refreshHash(refreshToken, 0),
              expiresAt,
              address: origin.address,
              dialect: origin.dialect,
            },
          },
        },
      ];
      if (ended.length > 0) drafts.push({ stream: user, type: 'session.ended', body: { sessions: ended } });
      // No session begins for an account that was deactivated, or by a password that was changed, a moment ago.
      const outcome = await this.#append({ actor: user, drafts, expect: [[user, state.version]] });
      if (!('kind' in outcome)) return outcome;
      if (outcome.kind === 'committed') return this.#login(user, session, refreshToken, origin.dialect);
    }
    return refuse('conflict');
  }

  async #login(user: UserId, session: SessionId, refreshToken: string, dialect: string): Promise<Answer<Login>> {
    const { tokens, clock } = this.#options;
    const accessToken = tokens.access({ user, session, dialect }, clock.now());
    return { ok: true, value: { user, session, accessToken, expiresIn: tokens.accessSeconds(dialect), refreshToken } };
  }

  async #endSession(user: UserId, session: SessionId): Promise<void> {
    await this.#append({
      actor: user,
      drafts: [{ stream: user, type: 'session.ended', body: { sessions: [session] } }],
    });
  }

  async #find(nameOrEmail: string): Promise<{ id: UserId; status: string } | undefined> {
    if (nameOrEmail.length > 1_000 || !nameOrEmail.isWellFormed()) return undefined;
    const { store, names } = this.#options;
    const [space, value] = nameOrEmail.includes('@')
      ? (['user.email', names.emailKey(nameOrEmail)] as const)
      : (['user.name', names.key(nameOrEmail)] as const);
    return store.db
      .selectFrom('claims')
      .innerJoin('users', 'users.id', 'claims.owner')
      .select(['users.id', 'users.status'])
      .where('space', '=', space)
      .where('value', '=', value)
      .executeTakeFirst();
  }

  async #append(entry: Omit<Entry, 'at'>): Promise<Outcome | Refusal> {
    try {
      return await this.#options.log.append({ ...entry, at: this.#options.clock.now() });
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
      return refuse(error.reason === 'draining' ? 'shutting_down' : 'overloaded', { retryAfter: 1 });
    }
  }
}

/** A browser's line is long, and only its beginning is shown. */
function agentOf({ agent }: Origin): string {
  return agent.toWellFormed().replaceAll('\0', '').slice(0, 200);
}

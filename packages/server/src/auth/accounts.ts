/** Accounts and sessions: register, log in, refresh, change the password, and who a token stands for. */
import type { EventBody, SessionId, UserId, UserRole } from '@natter/protocol';
import { type Actor, type Answer, type Refusal, refuse } from '../core/actor.js';
import type { Clock, NameRules } from '../core/ports.js';
import type { Limits } from '../limits.js';
import { OverloadedError } from '../log/committer.js';
import type { Log } from '../log/log.js';
import type { RateLimiter } from '../rate-limiter.js';
import type { Claim, Draft, Entry, Outcome, Store, StoredEvent } from '../store/store.js';
import { codePoints, lineProblem, textProblem } from '../text.js';
import { PASSWORD_BYTES_MAX, type Passwords, PasswordsBusyError } from './passwords.js';
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

export interface NewAccount {
  name: string;
  password: string;
  email?: string | null | undefined;
  fullName?: string | undefined;
}

/** What another API asks of those who register through it, where that differs. Names are alike in all of them. */
export interface AccountRules {
  /** Shortest password, in code points. */
  passwordMin?: number;
  /** Any text is taken as an address. */
  anyEmail?: boolean;
  /** Of a name and an address that are both taken the address is told of. */
  emailFirst?: boolean;
}

/** Why a refresh token that can be used again and again is not taken. */
export type RenewalRefusal = {
  ok: false;
  code: 'bad_refresh_token';
  why: 'unknown' | 'ended' | 'expired' | 'inactive';
};

export interface AccountsOptions {
  store: Store;
  log: Log;
  tokens: Tokens;
  passwords: Passwords;
  rates: RateLimiter;
  names: NameRules;
  clock: Clock;
  limits: Limits;
  refreshTokenSeconds: number;
  registration: 'open' | 'closed';
  firstUserIsAdmin: boolean;
}

/** A session is looked up again after this long, though nothing was heard of it: other nodes may have ended it. */
const RECHECK_MS = 1_000;
/** Two devices' worth of the same refresh at once is no theft: within this the loser is only refused. */
const RACE_MS = 10_000;
/** Sessions remembered as living. */
const CACHE_MAX = 50_000;
/** Longest text that is taken as an address. */
const EMAIL_MAX = 254;
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

interface Living {
  user: UserId;
  role: UserRole;
  expiresAt: number;
  checkedAt: number;
}

export class Accounts {
  readonly #options: AccountsOptions;
  readonly #living = new Map<SessionId, Living>();
  /** In the order of `at`. */
  readonly #handed = new Map<SessionId, Handed>();
  /** Rises when something ended: what was read before that may be no longer so, and is not kept. */
  #endings = 0;

  constructor(options: AccountsOptions) {
    this.#options = options;
    options.log.onCommit((events) => this.#forget(events));
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
    return this.create(input, 'user', rules);
  }

  /** Makes an account, for registration and for the command line. A null password: nobody can log in until one is set. */
  async create(
    input: Omit<NewAccount, 'password'> & { password: string | null },
    role: UserRole,
    rules: AccountRules = {},
  ): Promise<Answer<UserId>> {
    const { store, names, limits, passwords, firstUserIsAdmin } = this.#options;
    const name = input.name.normalize('NFC');
    const email = input.email ?? null;
    const fullName = input.fullName ?? '';
    const fields = [
      { path: '/name', message: names.problem(name, limits.NAME_MAX) },
      { path: '/email', message: email === null ? null : this.#emailProblem(email, rules) },
      { path: '/fullName', message: lineProblem(fullName, limits.NAME_MAX * 2) },
      { path: '/password', message: input.password === null ? null : this.#passwordProblem(input.password, rules) },
    ].filter((field): field is { path: string; message: string } => field.message !== null);
    if (fields.length > 0) return refuse('invalid', { fields });

    const taken = await this.#alreadyTaken(name, email, rules);
    if (taken) return taken;
    let passwordHash: string | null;
    try {
      passwordHash = input.password === null ? null : await passwords.hash(input.password);
    } catch (error) {
      if (error instanceof PasswordsBusyError) return refuse('overloaded', { retryAfter: 5 });
      throw error;
    }
    const user = await store.reserveStreams(1);
    const claims: Claim[] = names.keys(name).map((value) => ({ space: 'user.name', value, owner: user }));
    if (email !== null) claims.push({ space: 'user.email', value: names.emailKey(email), owner: user });
    const first: Claim = { space: 'server.first_user', value: '', owner: user };
    // Whether this is the first account is decided in the commit; whoever comes second is a plain user. The claim is made
    // whatever the setting says: setting it later must make nobody an admin.
    for (const asFirst of [true, false]) {
      const body: EventBody<'user.created'> = {
        name,
        nameKey: names.key(name),
        email,
        fullName,
        role: asFirst && firstUserIsAdmin ? 'admin' : role,
      };
      const draft: Draft = {
        stream: user,
        type: 'user.created',
        body,
        ...(passwordHash === null ? {} : { secret: { passwordHash } }),
      };
      const outcome = await this.#append({
        actor: user,
        drafts: [draft],
        claims: asFirst ? [...claims, first] : claims,
      });
      if (!('kind' in outcome)) return outcome;
      if (outcome.kind === 'committed') return { ok: true, value: user };
      if (outcome.kind !== 'taken') throw new Error(`an account was answered with ${outcome.kind}`);
      if (outcome.claim.space === 'server.first_user') continue;
      return refuse(outcome.claim.space === 'user.email' ? 'email_taken' : 'name_taken');
    }
    throw new Error('an account was neither made nor refused');
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
      if (handed.at - at < RACE_MS && this.#handed.size <= CACHE_MAX) break;
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
    const problem = this.#passwordProblem(input.newPassword, rules);
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
    const problem = this.#passwordProblem(password, rules);
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
    const claims = await tokens.readAccess(token, now);
    if (!claims) return refuse('unauthenticated');
    const living = await this.#session(claims.session, now);
    if (!living || living.user !== claims.user || living.expiresAt <= now) return refuse('unauthenticated');
    return {
      ok: true,
      value: { user: living.user, role: living.role, session: claims.session, dialect: claims.dialect },
    };
  }

  /** What an access token says, if it is one of ours and of now. Whether its session lives is not asked: `confirm` does. */
  identify(token: string): Promise<{ user: UserId; session: SessionId; dialect: string } | null> {
    return this.#options.tokens.readAccess(token, this.#options.clock.now());
  }

  /** The actor, if the session lives and the account is active as committed at a moment after the call: nothing remembered counts. */
  async confirm(identity: { user: UserId; session: SessionId }): Promise<Actor | null> {
    const now = this.#options.clock.now();
    const living = await this.#readSession(identity.session, now);
    if (!living || living.user !== identity.user || living.expiresAt <= now) return null;
    return { user: living.user, role: living.role, session: identity.session };
  }

  async #session(session: SessionId, now: number): Promise<Living | null> {
    const known = this.#living.get(session);
    if (known && now - known.checkedAt < RECHECK_MS && now >= known.checkedAt) return known;
    const endings = this.#endings;
    const living = await this.#readSession(session, now);
    this.#living.delete(session);
    if (living === null || endings !== this.#endings) return living;
    if (this.#living.size >= CACHE_MAX) {
      const oldest = this.#living.keys().next();
      if (!oldest.done) this.#living.delete(oldest.value);
    }
    this.#living.set(session, living);
    return living;
  }

  /** Null: it does not live, or the account is not active. */
  async #readSession(session: SessionId, now: number): Promise<Living | null> {
    const row = await this.#options.store.db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['sessions.user_id', 'sessions.expires_at', 'users.role', 'users.status'])
      .where('sessions.id', '=', session)
      .executeTakeFirst();
    if (row?.status !== 'active') return null;
    return { user: row.user_id, role: row.role, expiresAt: row.expires_at, checkedAt: now };
  }

  /** What ends sessions or changes roles is believed at once. */
  #forget(events: readonly StoredEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'session.ended': {
          this.#endings += 1;
          const { sessions } = JSON.parse(event.body) as EventBody<'session.ended'>;
          for (const session of sessions) this.#living.delete(session);
          break;
        }
        case 'user.changed':
        case 'user.deactivated':
        case 'user.deleted':
          this.#endings += 1;
          for (const [session, living] of this.#living) {
            if (living.user === event.stream) this.#living.delete(session);
          }
          break;
        default:
      }
    }
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
    const accessToken = await tokens.access({ user, session, dialect }, clock.now());
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

  /** Looked at before a password is hashed, since that costs; the commit decides all the same. */
  async #alreadyTaken(
    name: string,
    email: string | null,
    { emailFirst = false }: AccountRules,
  ): Promise<Refusal | null> {
    const { store, names } = this.#options;
    const rows = await store.db
      .selectFrom('claims')
      .select(['space'])
      .where((is) =>
        is.or([
          is.and([is('space', '=', 'user.name'), is('value', 'in', names.keys(name))]),
          ...(email === null
            ? []
            : [is.and([is('space', '=', 'user.email'), is('value', '=', names.emailKey(email))])]),
        ]),
      )
      .execute();
    const spaces = new Set(rows.map(({ space }) => space));
    if (spaces.size === 0) return null;
    const byName = spaces.has('user.name') && !(emailFirst && spaces.has('user.email'));
    return refuse(byName ? 'name_taken' : 'email_taken');
  }

  #emailProblem(email: string, { anyEmail }: AccountRules): string | null {
    return anyEmail ? textProblem(email, EMAIL_MAX) : this.#options.names.emailProblem(email);
  }

  #passwordProblem(password: string, { passwordMin }: AccountRules = {}): string | null {
    const min = passwordMin ?? this.#options.limits.PASSWORD_MIN;
    if (!password.isWellFormed()) return 'must not contain lone surrogates';
    if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return `must be at most ${PASSWORD_BYTES_MAX} bytes`;
    return codePoints(password) < min ? `must be at least ${min} characters` : null;
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

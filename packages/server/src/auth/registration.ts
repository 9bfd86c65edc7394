/** What it takes to make an account: a name and an address that nobody has, a password, and one commit that decides. */
import type { EventBody, UserId, UserRole } from '@natter/protocol';
import { type Answer, type Refusal, refuse } from '../core/actor.js';
import type { NameRules } from '../core/ports.js';
import type { Limits } from '../limits.js';
import type { Claim, Draft, Entry, Outcome, Store } from '../store/store.js';
import { codePoints, lineProblem, textProblem } from '../text.js';
import { PASSWORD_BYTES_MAX, type Passwords, PasswordsBusyError } from './passwords.js';

export interface NewAccount {
  name: string;
  password: string;
  email?: string | null | undefined;
  fullName?: string | undefined;
}

/** A null password: nobody can log in until one is set. */
export type GivenAccount = Omit<NewAccount, 'password'> & { password: string | null };

/** What another API asks of those who register through it, where that differs. Names are alike in all of them. */
export interface AccountRules {
  /** Shortest password, in code points. */
  passwordMin?: number;
  /** Any text is taken as an address. */
  anyEmail?: boolean;
  /** Of a name and an address that are both taken the address is told of. */
  emailFirst?: boolean;
}

export interface RegistrationOptions {
  store: Store;
  passwords: Passwords;
  names: NameRules;
  limits: Limits;
  firstUserIsAdmin: boolean;
}

/** Longest text that is taken as an address. */
const EMAIL_MAX = 254;

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #append: (entry: Omit<Entry, 'at'>) => Promise<Outcome | Refusal>;

  constructor(options: RegistrationOptions, append: (entry: Omit<Entry, 'at'>) => Promise<Outcome | Refusal>) {
    this.#options = options;
    this.#append = append;
  }

  /** Names and addresses that are taken are refused; the very first account becomes admin where the settings say so. */
  async create(input: GivenAccount, role: UserRole, rules: AccountRules = {}): Promise<Answer<UserId>> {
    const { store, names, limits, passwords, firstUserIsAdmin } = this.#options;
    const name = input.name.normalize('NFC');
    const email = input.email ?? null;
    const fullName = input.fullName ?? '';
    const fields = [
      { path: '/name', message: names.problem(name, limits.NAME_MAX) },
      { path: '/email', message: email === null ? null : this.#emailProblem(email, rules) },
      { path: '/fullName', message: lineProblem(fullName, limits.NAME_MAX * 2) },
      { path: '/password', message: input.password === null ? null : this.passwordProblem(input.password, rules) },
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

  /** Null where it may be one. */
  passwordProblem(password: string, { passwordMin }: AccountRules = {}): string | null {
    const min = passwordMin ?? this.#options.limits.PASSWORD_MIN;
    if (!password.isWellFormed()) return 'must not contain lone surrogates';
    if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return `must be at most ${PASSWORD_BYTES_MAX} bytes`;
    return codePoints(password) < min ? `must be at least ${min} characters` : null;
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
}

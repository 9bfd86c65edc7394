/** Accounts for the authors of an import who have none here: nobody can log in to them, and they keep the names of their source. */
import { SYSTEM_ACTOR, type UserId } from '@natter/protocol';
import type { Clock, NameRules } from '../core/ports.js';
import type { Log } from '../log/log.js';
import type { Store } from '../store/store.js';

export interface PlaceholderOptions {
  store: Store;
  log: Log;
  names: NameRules;
  clock: Clock;
  /** Longest name, in code points. */
  nameMax: number;
}

/** Names that are taken are tried with 2, 3, … behind them. */
const ATTEMPTS = 1_000;

export class Placeholders {
  readonly #options: PlaceholderOptions;
  /** Where the authors come from: begins the value of their claims. */
  readonly #source: string;
  readonly #users: Map<string, UserId>;
  /** Those who have an account, or will have one. */
  readonly #asked: Set<string>;
  #made = 0;

  private constructor(options: PlaceholderOptions, source: string, users: Map<string, UserId>) {
    this.#options = options;
    this.#source = source;
    this.#users = users;
    this.#asked = new Set(users.keys());
  }

  /** With the authors that former runs have made. */
  static async open(options: PlaceholderOptions, source: string): Promise<Placeholders> {
    const rows = await options.store.db
      .selectFrom('claims')
      .select(['value', 'owner'])
      .where('space', '=', 'import')
      .where('value', '>=', `${source}:`)
      .where('value', '<', `${source};`)
      .execute();
    return new Placeholders(
      options,
      source,
      new Map(rows.map((row) => [row.value.slice(source.length + 1), row.owner])),
    );
  }

  /** How many this run has made. */
  get made(): number {
    return this.#made;
  }

  get(author: string): UserId | undefined {
    return this.#users.get(author);
  }

  /**
   * Makes accounts for those who have none and for whom none is being made. The same name of the source is the same account,
   * in every run.
   */
  async add(authors: readonly string[]): Promise<void> {
    const wanted = [...new Set(authors)].filter((author) => !this.#asked.has(author));
    if (wanted.length === 0) return;
    for (const author of wanted) this.#asked.add(author);
    const first = await this.#options.store.reserveStreams(wanted.length);
    await Promise.all(wanted.map((author, index) => this.#make(author, first + index)));
  }

  async #make(author: string, user: UserId): Promise<void> {
    const { log, names, clock, nameMax } = this.#options;
    const plain = visible(author, nameMax);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const name = attempt === 1 ? plain : `${plain}-${attempt}`;
      const outcome = await log.append({
        actor: SYSTEM_ACTOR,
        at: clock.now(),
        drafts: [
          {
            stream: user,
            type: 'user.created',
            body: { name, nameKey: names.key(name), email: null, fullName: plain, role: 'user', placeholder: true },
          },
        ],
        claims: [
          { space: 'import', value: `${this.#source}:${author}`, owner: user },
          ...names.keys(name).map((value) => ({ space: 'user.name' as const, value, owner: user })),
        ],
      });
      if (outcome.kind === 'committed') {
        this.#users.set(author, user);
        this.#made += 1;
        return;
      }
      if (outcome.kind !== 'taken') throw new Error(`a placeholder was answered with ${outcome.kind}`);
      if (outcome.claim.space === 'import') throw new Error(`two imports make ${author} at once`);
    }
    throw new Error(`no name is free for ${author}`);
  }
}

/** A name of the source as it can be shown: what is never seen, or can't be stored, stands as U+FFFD. */
function visible(author: string, max: number): string {
  const shown = author.replace(/[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').trim();
  return [...shown].slice(0, max).join('') || '\ufffd';
}

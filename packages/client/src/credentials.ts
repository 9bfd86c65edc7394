/** Somebody who is logged in: an access token that renews itself, once for all who ask and for all tabs. */
import type { Account, Tokens } from '@natter/protocol';
import { localError, NatterError } from './errors.js';
import { baseUrl, type Fetch, Http, parseJson } from './http.js';
import { type Storage, withLock } from './storage.js';

export interface CredentialsOptions {
  /** Keeps the log-in over reloads. */
  storage?: Storage | undefined;
  fetch?: Fetch | undefined;
}

/** What a storage keeps. `until`: when the access token ends, in milliseconds since 1970 by this clock. */
interface Saved {
  tokens: Tokens;
  until: number;
}

/** A token is renewed this long before its end. */
const EARLY = 30_000;

export class Credentials {
  readonly url: string;
  readonly #http: Http;
  readonly #storage: Storage | undefined;
  readonly #fetch: Fetch | undefined;
  #saved: Saved;
  #renewal: Promise<string> | null = null;

  constructor(url: string, saved: Saved, options: CredentialsOptions) {
    this.url = baseUrl(url);
    this.#http = new Http({ url, fetch: options.fetch });
    this.#storage = options.storage;
    this.#fetch = options.fetch;
    this.#saved = saved;
  }

  /** As of the log-in. */
  get user(): Account {
    return this.#saved.tokens.user;
  }

  get session(): string {
    return this.#saved.tokens.session;
  }

  /** A token that is good now; another one than `refused`. Give this function to `NatterClient`. */
  readonly token = (refused?: string): Promise<string> => {
    if (this.#isGood(this.#saved, refused)) return Promise.resolve(this.#saved.tokens.accessToken);
    this.#renewal ??= withLock(`${storageKey(this.url)}:renew`, () => this.#renew(refused)).finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  };

  /** Ends the session on the server, and forgets it here even when the server can't be reached. */
  async logOut(): Promise<void> {
    const { accessToken } = this.#saved.tokens;
    await this.#storage?.remove(storageKey(this.url));
    const http = new Http({ url: this.url, token: async () => accessToken, fetch: this.#fetch });
    await http.request('DELETE', `/v1/sessions/${this.session}`);
  }

  #isGood({ tokens, until }: Saved, refused: string | undefined): boolean {
    return tokens.accessToken !== refused && Date.now() < until - EARLY;
  }

  /** A refresh token works once [S3]: another tab may have used ours, and saved what it got. */
  async #renew(refused: string | undefined): Promise<string> {
    const other = await load(this.url, this.#storage);
    if (other?.tokens.session === this.session && this.#isGood(other, refused)) {
      this.#saved = other;
      return other.tokens.accessToken;
    }
    const { refreshToken } = other?.tokens.session === this.session ? other.tokens : this.#saved.tokens;
    try {
      const tokens = await this.#http.request<Tokens>('POST', '/v1/sessions/refresh', { body: { refreshToken } });
      this.#saved = await save(this.url, tokens, this.#storage);
    } catch (error) {
      if (!(error instanceof NatterError) || error.status !== 401) throw error;
      // Another tab may have been faster: what it saved is seen here only after a moment, locks or not.
      for (let tries = 0; this.#storage && tries < 5; tries += 1) {
        const faster = await load(this.url, this.#storage);
        if (faster && faster.tokens.refreshToken !== refreshToken) {
          this.#saved = faster;
          return faster.tokens.accessToken;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await this.#storage?.remove(storageKey(this.url));
      throw error;
    }
    return this.#saved.tokens.accessToken;
  }
}

export async function logIn(
  url: string,
  input: { name: string; password: string },
  options: CredentialsOptions = {},
): Promise<Credentials> {
  return open(url, '/v1/sessions', input, options);
}

/** Makes an account and logs in to it. */
export async function register(
  url: string,
  input: { name: string; password: string; email?: string; fullName?: string },
  options: CredentialsOptions = {},
): Promise<Credentials> {
  return open(url, '/v1/users', input, options);
}

/** The log-in that a storage holds from before a reload; null when it holds none. */
export async function restoreLogIn(
  url: string,
  options: CredentialsOptions & { storage: Storage },
): Promise<Credentials | null> {
  const saved = await load(url, options.storage);
  return saved && new Credentials(url, saved, options);
}

async function open(url: string, path: string, body: object, options: CredentialsOptions): Promise<Credentials> {
  const tokens = await new Http({ url, fetch: options.fetch }).request<Tokens>('POST', path, { body });
  if (!tokens?.accessToken) throw localError('bad_answer', 'the server answered without tokens');
  return new Credentials(url, await save(url, tokens, options.storage), options);
}

function storageKey(url: string): string {
  return `natter:log-in:${baseUrl(url)}`;
}

async function load(url: string, storage: Storage | undefined): Promise<Saved | null> {
  return (parseJson((await storage?.get(storageKey(url))) ?? '') ?? null) as Saved | null;
}

async function save(url: string, tokens: Tokens, storage: Storage | undefined): Promise<Saved> {
  const saved = { tokens, until: Date.now() + tokens.expiresIn * 1_000 };
  await storage?.set(storageKey(url), JSON.stringify(saved));
  return saved;
}

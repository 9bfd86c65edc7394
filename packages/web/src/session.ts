/**
 * Who is logged in here. The refresh token is a cookie that no script can read; the access token is in memory alone, and
 * is asked for anew after a reload.
 */
import { Http, NatterError } from '@natter/client';
import { View } from '@natter/client/emitter';
import { withLock } from '@natter/client/storage';
import type { Account, Tokens } from '@natter/protocol';

export type SessionState =
  | { readonly is: 'unknown' }
  | { readonly is: 'out'; readonly ended: boolean }
  | { readonly is: 'in'; readonly user: Account; readonly session: string };

/** Nothing secret: says that asking for a token is worth a request. */
const MARK = 'natter:logged-in';
/** A token is renewed this long before its end. */
const EARLY = 30_000;
/** Another tab may have been faster, and the cookie that it got is there a moment later. */
const AGAIN = 400;

export class Session {
  readonly url: string;
  readonly view: View<SessionState> = new View(() => this.#state);
  readonly #http: Http;
  #state: SessionState = { is: 'unknown' };
  #token: { text: string; until: number } | null = null;
  #renewal: Promise<string> | null = null;

  constructor(url: string) {
    this.url = url;
    this.#http = new Http({ url });
    addEventListener('storage', ({ key, newValue }) => {
      // Another tab logged in: so did this one.
      if (key === MARK && newValue !== null && this.#state.is === 'out') void this.restore();
    });
  }

  /** Whether somebody is logged in since before this page was opened. Tries until the server answers. */
  async restore(): Promise<void> {
    if (localStorage.getItem(MARK) === null) return this.#set({ is: 'out', ended: false });
    try {
      await this.token();
    } catch (error) {
      if (error instanceof NatterError && !error.retryable) this.#set({ is: 'out', ended: false });
      else setTimeout(() => void this.restore(), 2_000);
    }
  }

  async logIn(name: string, password: string): Promise<void> {
    this.#take(await this.#ask('/v1/sessions', { name, password }));
  }

  async register(name: string, password: string, fullName: string): Promise<void> {
    this.#take(await this.#ask('/v1/users', { name, password, ...(fullName ? { fullName } : {}) }));
  }

  /** A token that is good now; another one than `refused`. */
  readonly token = (refused?: string): Promise<string> => {
    const held = this.#token;
    if (held && held.text !== refused && Date.now() < held.until - EARLY) return Promise.resolve(held.text);
    this.#renewal ??= withLock('natter:session', () => this.#renew()).finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  };

  /** Ends the session, or all sessions of the account, on the server; here it is over even when that can't be reached. */
  async logOut(everywhere = false): Promise<void> {
    const { session } = this.#state as { session: string };
    const http = new Http({ url: this.url, token: this.token });
    try {
      await http.request('DELETE', everywhere ? '/v1/sessions' : `/v1/sessions/${session}`);
    } finally {
      this.over(false);
    }
  }

  /** The server ended it. */
  over(ended: boolean): void {
    this.#token = null;
    localStorage.removeItem(MARK);
    this.#set({ is: 'out', ended });
  }

  /** The account as it is after a change of the profile. */
  changed(user: Account): void {
    if (this.#state.is === 'in') this.#set({ ...this.#state, user });
  }

  async #renew(): Promise<string> {
    let tokens: Tokens;
    try {
      tokens = await this.#ask('/v1/sessions/refresh', {});
    } catch (error) {
      if (!(error instanceof NatterError) || error.status !== 401) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
      try {
        tokens = await this.#ask('/v1/sessions/refresh', {});
      } catch (again) {
        if (again instanceof NatterError && again.status === 401) this.over(this.#state.is === 'in');
        throw again;
      }
    }
    this.#take(tokens);
    return tokens.accessToken;
  }

  #ask(path: string, body: object): Promise<Tokens> {
    return this.#http.request('POST', path, { body: { ...body, cookie: true } });
  }

  #take({ accessToken, expiresIn, session, user }: Tokens): void {
    this.#token = { text: accessToken, until: Date.now() + expiresIn * 1_000 };
    localStorage.setItem(MARK, '1');
    const { user: before } = this.#state as { user?: Account };
    if (this.#state.is !== 'in' || before?.id !== user.id || this.#state.session !== session) {
      this.#set({ is: 'in', user, session });
    }
  }

  #set(state: SessionState): void {
    this.#state = state;
    this.view.touch();
  }
}

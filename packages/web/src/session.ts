/**
 * Who is logged in here. The refresh token is a cookie that no script can read; the access token is in memory alone, and
 * is asked for anew after a reload: of the other tabs first. All tabs are in together, and out together.
 */
import { Http, NatterError } from '@natter/client';
import { View } from '@natter/client/emitter';
import { localError } from '@natter/client/errors';
import { withLock } from '@natter/client/storage';
import type { Account, Tokens } from '@natter/protocol';
import { leave } from './leaving.js';

export type SessionState =
  | { readonly is: 'unknown' }
  | { readonly is: 'out'; readonly ended: boolean }
  | { readonly is: 'in'; readonly user: Account; readonly session: string };

/** Nothing secret, the same in all tabs: who is logged in, so that a start need not wait for the network. */
const MARK = 'natter:logged-in';
type Mark = { readonly user: Account; readonly session: string } | { readonly ended: true };

/** A token is renewed this long before its end. */
const EARLY = 30_000;
/** Another tab may have been faster, and the cookie that it got is there a moment later. */
const AGAIN = 400;
/** A renewal that takes longer (a tab that hangs may hold the lock) is given up by those who wait for it. */
const RENEWED_WITHIN = 60_000;
/** Another tab that has a good token says so within this many milliseconds. */
const ANSWER_WITHIN = 100;

interface Token {
  readonly text: string;
  /** Milliseconds since 1970 by the clock of this device. */
  readonly until: number;
  readonly session: string;
}

/** What tabs say to each other. */
type Word = { readonly ask: true; readonly refused: string | undefined } | { readonly token: Token };

export class Session {
  readonly url: string;
  readonly view: View<SessionState> = new View(() => this.#state);
  readonly #http: Http;
  readonly #tabs = new BroadcastChannel('natter:session');
  #state: SessionState = { is: 'unknown' };
  #token: Token | null = null;
  #renewal: Promise<string> | null = null;
  /** Somebody asked for a token, and hears when another tab has told one. */
  #told: (() => void) | null = null;

  constructor(url: string) {
    this.url = url;
    this.#http = new Http({ url });
    this.#tabs.onmessage = ({ data }: MessageEvent<Word>) => this.#hear(data);
    addEventListener('storage', ({ key }) => {
      // All of them are told at once where everything was cleared.
      if (key === MARK || key === null) this.#follow();
    });
  }

  /** Whether somebody is logged in since before this page was opened. Where it isn't known who, it tries until the server answers. */
  async restore(): Promise<void> {
    const mark = readMark();
    if (mark === null || (mark && 'ended' in mark)) return this.#set({ is: 'out', ended: false });
    if (mark) return this.#set({ is: 'in', ...mark });
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
    const held = this.#good(refused);
    if (held) return Promise.resolve(held);
    if (this.#renewal) return this.#renewal;
    let late: ReturnType<typeof setTimeout> | undefined;
    const given = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(localError('timeout', 'no token came in time')), RENEWED_WITHIN);
    });
    this.#renewal = Promise.race([withLock('natter:session', () => this.#renew(refused)), given]).finally(() => {
      clearTimeout(late);
      this.#renewal = null;
    });
    return this.#renewal;
  };

  /** Is this session the one that all tabs are in? */
  isCurrent(): boolean {
    const mark = readMark();
    return this.#state.is === 'in' && !!mark && 'session' in mark && mark.session === this.#state.session;
  }

  /** Here it is over at once; on the server too, or as soon as that can be reached. */
  logOut(): Promise<void> {
    const { session } = this.#state as { session: string };
    const token = this.#good(undefined);
    this.over(false);
    return leave(session, token);
  }

  /** Ends all sessions of the account; where the server does not say that it has, nothing is over. */
  async logOutEverywhere(): Promise<void> {
    await new Http({ url: this.url, token: this.token }).request('DELETE', '/v1/sessions');
    this.over(false);
  }

  /** The server ended it (`ended`), or its owner did. */
  over(ended: boolean): void {
    const current = this.isCurrent();
    this.#token = null;
    if (current && ended) localStorage.setItem(MARK, JSON.stringify({ ended } satisfies Mark));
    else if (current) localStorage.removeItem(MARK);
    this.#set({ is: 'out', ended });
  }

  /** The account as it is after a change of the profile. */
  changed(user: Account): void {
    if (this.#state.is !== 'in') return;
    this.#mark(user, this.#state.session);
    this.#set({ ...this.#state, user });
  }

  #good(refused: string | undefined): string | null {
    const held = this.#token;
    return held && held.text !== refused && Date.now() < held.until - EARLY ? held.text : null;
  }

  /** Another tab logged in, or out, or in as somebody else: so did this one. */
  #follow(): void {
    const mark = readMark();
    const { is } = this.#state;
    if (mark === undefined || is === 'unknown') return;
    if (mark === null || 'ended' in mark) {
      this.#token = null;
      if (is === 'in') this.#set({ is: 'out', ended: mark !== null });
      return;
    }
    if (is === 'in' && this.#state.session === mark.session) {
      this.#set({ is, ...mark });
      return;
    }
    this.#token = null;
    this.#set({ is: 'in', ...mark });
  }

  #hear(word: Word): void {
    if ('ask' in word) {
      if (this.#good(word.refused) && this.#token) this.#tabs.postMessage({ token: this.#token } satisfies Word);
      return;
    }
    if (this.#state.is !== 'in' || word.token.session !== this.#state.session) return;
    if (!this.#token || word.token.until > this.#token.until) this.#token = word.token;
    this.#told?.();
  }

  /** One tab at a time. */
  async #renew(refused: string | undefined): Promise<string> {
    const told = this.#good(refused) ?? (await this.#askTabs(refused));
    if (told) return told;
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
    // Who left meanwhile is not let in again by an answer that comes late.
    if (this.#state.is === 'out') {
      throw new NatterError({ code: 'unauthenticated', message: 'logged out', retryable: false, status: 401 });
    }
    this.#take(tokens);
    return tokens.accessToken;
  }

  async #askTabs(refused: string | undefined): Promise<string | null> {
    await new Promise<void>((resolve) => {
      this.#told = resolve;
      setTimeout(resolve, ANSWER_WITHIN);
      this.#tabs.postMessage({ ask: true, refused } satisfies Word);
    });
    this.#told = null;
    return this.#good(refused);
  }

  #ask(path: string, body: object): Promise<Tokens> {
    return this.#http.request('POST', path, { body: { ...body, cookie: true } });
  }

  #take({ accessToken, expiresIn, session, user }: Tokens): void {
    this.#token = { text: accessToken, until: Date.now() + expiresIn * 1_000, session };
    this.#mark(user, session);
    const { user: before } = this.#state as { user?: Account };
    if (this.#state.is !== 'in' || before?.id !== user.id || this.#state.session !== session) {
      this.#set({ is: 'in', user, session });
    }
    this.#tabs.postMessage({ token: this.#token } satisfies Word);
  }

  #mark(user: Account, session: string): void {
    localStorage.setItem(MARK, JSON.stringify({ user, session } satisfies Mark));
  }

  #set(state: SessionState): void {
    this.#state = state;
    this.view.touch();
  }
}

/** Null: nobody is logged in. Undefined: somebody is, and who can't be read. */
function readMark(): Mark | null | undefined {
  const text = localStorage.getItem(MARK);
  if (text === null) return null;
  try {
    const mark = JSON.parse(text) as Partial<{ user: Account; session: string; ended: true }> | null;
    if (mark?.ended) return { ended: true };
    const { user, session } = mark ?? {};
    return typeof user?.id === 'number' && typeof session === 'string' ? { user, session } : undefined;
  } catch {
    return undefined;
  }
}

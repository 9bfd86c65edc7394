/**
 * Sessions that were left while the server could not be reached: they are ended there as soon as it can, since their cookie
 * stays until then.
 */
import { Http, NatterError } from '@natter/client';
import { withLock } from '@natter/client/storage';
import type { Tokens } from '@natter/protocol';

/** Ids of the sessions, the same in all tabs. */
const KEY = 'natter:leaving';
/** Most that are remembered. */
const MAX = 8;
/** Milliseconds between two tries. */
const EVERY = 5_000;

let timer: ReturnType<typeof setTimeout> | undefined;

function left(): string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

function keep(ids: readonly string[]): void {
  if (ids.length === 0) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, JSON.stringify(ids.slice(-MAX)));
}

/** Ends it on the server: now, if a token is at hand, else as soon as the server is reached, be it after the next start. */
export async function leave(session: string, token: string | null): Promise<void> {
  // Remembered first: a reload may cut the request off.
  keep([...left(), session]);
  if (token === null) return endLeft(EVERY);
  try {
    await endWith(token, session);
    forget(session);
  } catch (error) {
    if (!(error instanceof NatterError)) throw error;
    endLeft(EVERY);
  }
}

/** Ends what was left, if there is any. Under the lock of those who renew: a refresh token works once. */
export function endLeft(after = 0): void {
  clearTimeout(timer);
  if (left().length > 0) timer = setTimeout(() => void withLock('natter:session', end), after);
}

async function end(): Promise<void> {
  const [session] = left();
  if (session === undefined) return;
  const http = new Http({ url: location.origin });
  try {
    const tokens = await http.request<Tokens>('POST', '/v1/sessions/refresh', { body: { cookie: true } });
    await endWith(tokens.accessToken, session);
  } catch (error) {
    if (!(error instanceof NatterError)) throw error;
    if (error.retryable) return endLeft(EVERY);
    // Refused for good: the cookie is gone or somebody else's, and nobody can come back by it.
  }
  forget(session);
  endLeft();
}

async function endWith(token: string, session: string): Promise<void> {
  const http = new Http({ url: location.origin });
  await http.request('DELETE', `/v1/sessions/${encodeURIComponent(session)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

function forget(session: string): void {
  keep(left().filter((id) => id !== session));
}

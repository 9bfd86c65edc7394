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

/** Ends it on the server when that is there again, be it after the next start. */
export function endSoon(session: string): void {
  keep([...left(), session]);
  endLeft(EVERY);
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
    const headers = { authorization: `Bearer ${tokens.accessToken}` };
    await http.request('DELETE', `/v1/sessions/${encodeURIComponent(session)}`, { headers });
  } catch (error) {
    if (!(error instanceof NatterError)) throw error;
    if (error.retryable) return endLeft(EVERY);
    // Refused for good: the cookie is gone or somebody else's, and nobody can come back by it.
  }
  keep(left().filter((id) => id !== session));
  endLeft();
}

/**
 * The refresh token of a browser's session: a cookie that no script can read, that no other site's page makes the browser
 * send, and that goes nowhere but to the routes of sessions.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';

const PATH = '/v1/sessions';
/** What a refresh token is made of, and nothing that would end a cookie. */
const VALUE = /^[A-Za-z0-9._-]{1,1024}$/;

/** Browsers keep the cookies of a host together whatever the port: two servers on one host must not take each other's. */
function nameOf({ headers }: FastifyRequest): string {
  const port = /:([0-9]{1,5})$/.exec(headers.host ?? '')?.[1];
  return port === undefined ? 'natter_refresh' : `natter_refresh_${port}`;
}

/**
 * Was this asked by a page of this very server? A cookie alone does not say so: pages of another port or of a neighbouring
 * subdomain count as the same site. Browsers tell, and a page can't make them lie.
 */
export function isOwnPage({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

export function readRefreshCookie(request: FastifyRequest): string | null {
  const name = nameOf(request);
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    const value = pair.slice(at + 1).trim();
    if (at > 0 && pair.slice(0, at).trim() === name && VALUE.test(value)) return value;
  }
  return null;
}

export function setRefreshCookie(request: FastifyRequest, reply: FastifyReply, token: string, seconds: number): void {
  // The page's own address says whether there is TLS, whoever ends it before this server.
  const secure = request.headers.origin?.startsWith('https:') ? '; Secure' : '';
  reply.header(
    'set-cookie',
    `${nameOf(request)}=${token}; Path=${PATH}; Max-Age=${Math.round(seconds)}; HttpOnly; SameSite=Strict${secure}`,
  );
}

/** Takes the cookie back, where there is one. */
export function clearRefreshCookie(request: FastifyRequest, reply: FastifyReply): void {
  if (readRefreshCookie(request) !== null) setRefreshCookie(request, reply, '', 0);
}

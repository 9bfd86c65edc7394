/** Tokens: short access tokens that name a session (JWT, HS256), and refresh tokens that work once and tell reuse from garbage. */
import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { SessionId, UserId } from '@natter/protocol';

const ISSUER = 'natter';
const AUDIENCE = 'natter';
/** The same for all access tokens (RFC 7515, RFC 9068). */
const HEADER = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'at+jwt' })).toString('base64url');
/** Longer than any that we make. */
const TOKEN_MAX = 2_048;
const SESSION = /^[A-Za-z0-9_-]{22}$/;
const REFRESH = /^(([A-Za-z0-9_-]{22})\.(0|[1-9][0-9]{0,14})\.[A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** What an access token says. The role is not among it: that is asked of the store. */
export interface AccessClaims {
  user: UserId;
  session: SessionId;
  /** The API that the session belongs to; '' is the native one. */
  dialect: string;
}

/** What is in a token with our signature, before it is looked at. */
type AnyClaims = Partial<Record<'sub' | 'sid' | 'api' | 'iss' | 'aud' | 'iat' | 'exp' | 'nbf', unknown>>;

/** What a refresh token says: how often its session was refreshed before it. */
export interface RefreshClaims {
  session: SessionId;
  generation: number;
}

export class Tokens {
  readonly #accessKey: KeyObject;
  readonly #refreshKey: KeyObject;
  readonly #accessSeconds: number;
  readonly #dialectSeconds: Readonly<Record<string, number>>;

  /** `dialectSeconds`: how long access tokens of single dialects live, where that differs. */
  constructor(options: {
    secretKey: string;
    accessSeconds: number;
    dialectSeconds?: Readonly<Record<string, number>>;
  }) {
    this.#accessKey = derive(options.secretKey, 'access tokens');
    this.#refreshKey = derive(options.secretKey, 'refresh tokens');
    this.#accessSeconds = options.accessSeconds;
    this.#dialectSeconds = options.dialectSeconds ?? {};
  }

  /** How long an access token lives. */
  accessSeconds(dialect: string): number {
    return this.#dialectSeconds[dialect] ?? this.#accessSeconds;
  }

  newSession(): SessionId {
    return randomBytes(16).toString('base64url');
  }

  /** `now` in milliseconds since 1970. */
  access({ user, session, dialect }: AccessClaims, now: number): string {
    const issued = Math.floor(now / 1_000);
    const claims = {
      sid: session,
      api: dialect,
      sub: String(user),
      iss: ISSUER,
      aud: AUDIENCE,
      iat: issued,
      exp: issued + this.accessSeconds(dialect),
      // Its own id makes two of one second two: whoever renews a token gets another one.
      jti: randomBytes(9).toString('base64url'),
    };
    const signed = `${HEADER}.${encode(claims)}`;
    return `${signed}.${hmac(this.#accessKey, signed)}`;
  }

  /**
   * Null for anything that is not an access token of ours that holds now. Nothing that a token says chooses a key or a way
   * to check it: its header is ours to the letter, or it is none of ours.
   */
  readAccess(token: string, now: number): AccessClaims | null {
    const end = token.lastIndexOf('.');
    const signed = token.slice(0, Math.max(0, end));
    if (token.length > TOKEN_MAX || !signed.startsWith(`${HEADER}.`)) return null;
    if (!same(token.slice(end + 1), hmac(this.#accessKey, signed))) return null;
    // From here on it is one that we made, or that somebody made who has our key.
    const claims = JSON.parse(Buffer.from(signed.slice(HEADER.length + 1), 'base64url').toString()) as AnyClaims;
    const { sub, sid, api, iss, aud, iat, exp, nbf } = claims;
    if (iss !== ISSUER || aud !== AUDIENCE || nbf !== undefined) return null;
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp <= Math.floor(now / 1_000)) return null;
    if (typeof sub !== 'string' || typeof sid !== 'string' || typeof api !== 'string' || !SESSION.test(sid))
      return null;
    const user = Number(sub);
    return Number.isSafeInteger(user) && user > 0 ? { user, session: sid, dialect: api } : null;
  }

  /** It bears a seal, so that one that was used can be told from one that never was. */
  refresh({ session, generation }: RefreshClaims): string {
    const sealed = `${session}.${generation}.${randomBytes(32).toString('base64url')}`;
    return `${sealed}.${hmac(this.#refreshKey, sealed)}`;
  }

  /** Null for anything that we did not make. */
  readRefresh(token: string): RefreshClaims | null {
    const [, sealed, session, generation, seal] = REFRESH.exec(token) ?? [];
    if (sealed === undefined || session === undefined || seal === undefined) return null;
    return same(seal, hmac(this.#refreshKey, sealed)) ? { session, generation: Number(generation) } : null;
  }

  /** What the store keeps: the generation can be read of it, and the token can't. */
  refreshHash(token: string, generation: number): string {
    return `${generation}.${createHash('sha256').update(token).digest('base64url')}`;
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Synchronous: handing so little to another thread costs many times what it takes here. */
const hmac = (key: KeyObject, text: string): string => createHmac('sha256', key).update(text).digest('base64url');

/** Compared as they are spelt: several spellings would decode to the same bytes. */
function same(found: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(found), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function derive(secretKey: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secretKey, '', `natter ${purpose}`, 32)));
}

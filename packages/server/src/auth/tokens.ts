/** Tokens: short access tokens that name a session (JWT, HS256), and refresh tokens that work once and tell reuse from garbage. */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionId, UserId } from '@natter/protocol';
import { createSigner, createVerifier, TokenError } from 'fast-jwt';

const ISSUER = 'natter';
const AUDIENCE = 'natter';
const TYPE = 'at+jwt';
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

/** What a refresh token says: how often its session was refreshed before it. */
export interface RefreshClaims {
  session: SessionId;
  generation: number;
}

export class Tokens {
  readonly #sign: (claims: Record<string, unknown>) => string;
  readonly #verify: (token: string) => Record<string, unknown>;
  readonly #refreshKey: Buffer;
  readonly #accessSeconds: number;
  readonly #dialectSeconds: Readonly<Record<string, number>>;

  /** `dialectSeconds`: how long access tokens of single dialects live, where that differs. */
  constructor(options: {
    secretKey: string;
    accessSeconds: number;
    dialectSeconds?: Readonly<Record<string, number>>;
  }) {
    const key = derive(options.secretKey, 'access tokens');
    this.#sign = createSigner({
      key,
      algorithm: 'HS256',
      header: { alg: 'HS256', typ: TYPE },
      iss: ISSUER,
      aud: AUDIENCE,
    });
    this.#verify = createVerifier({
      key,
      algorithms: ['HS256'],
      checkTyp: TYPE,
      allowedIss: ISSUER,
      allowedAud: AUDIENCE,
      requiredClaims: ['iss', 'aud', 'sub', 'sid', 'api', 'exp', 'iat'],
      // By our own clock, below: the library has one for all its life.
      ignoreExpiration: true,
      ignoreNotBefore: true,
      cache: false,
    });
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
    const iat = Math.floor(now / 1_000);
    const exp = iat + this.accessSeconds(dialect);
    // Its own id makes two of one second two: whoever renews a token gets another one.
    return this.#sign({
      sid: session,
      api: dialect,
      sub: String(user),
      iat,
      exp,
      jti: randomBytes(9).toString('base64url'),
    });
  }

  /** Null for anything that is not an access token of ours that holds now. Nothing that a token says chooses a key or a way to check it. */
  readAccess(token: string, now: number): AccessClaims | null {
    if (token.length > TOKEN_MAX) return null;
    try {
      const { sub, sid, api, exp, nbf = 0 } = this.#verify(token);
      const seconds = now / 1_000;
      if (typeof exp !== 'number' || exp <= seconds || typeof nbf !== 'number' || nbf > seconds) return null;
      if (typeof sid !== 'string' || typeof api !== 'string' || !SESSION.test(sid)) return null;
      const user = Number(sub);
      return Number.isSafeInteger(user) && user > 0 ? { user, session: sid, dialect: api } : null;
    } catch (error) {
      if (error instanceof TokenError) return null;
      throw error;
    }
  }

  /** It bears a seal, so that one that was used can be told from one that never was. */
  refresh({ session, generation }: RefreshClaims): string {
    const sealed = `${session}.${generation}.${randomBytes(32).toString('base64url')}`;
    return `${sealed}.${this.#seal(sealed)}`;
  }

  /** Null for anything that we did not make. */
  readRefresh(token: string): RefreshClaims | null {
    const [, sealed, session, generation, seal] = REFRESH.exec(token) ?? [];
    if (sealed === undefined || session === undefined || seal === undefined) return null;
    // Compared as it is spelt: several spellings would decode to the same bytes.
    return timingSafeEqual(Buffer.from(seal), Buffer.from(this.#seal(sealed)))
      ? { session, generation: Number(generation) }
      : null;
  }

  /** What the store keeps: the generation can be read of it, and the token can't. */
  refreshHash(token: string, generation: number): string {
    return `${generation}.${createHash('sha256').update(token).digest('base64url')}`;
  }

  #seal(text: string): string {
    return createHmac('sha256', this.#refreshKey).update(text).digest('base64url');
  }
}

function derive(secretKey: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `natter ${purpose}`, 32));
}

/** JWTs as NATS has them: claims of accounts and users, signed with the key of whoever stands above them. */
import { createHash } from 'node:crypto';
import { fromPublic, fromSeed, type KeyPair } from '@nats-io/nkeys';

export interface Claims {
  /** Whom it is about: a public key. */
  subject: string;
  name: string;
  /** Seconds since 1970; 0: it does not end. */
  expires: number;
  nats: { type: 'operator' | 'account' | 'user'; [claim: string]: unknown };
}

const HEADER = Buffer.from(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' })).toString('base64url');

/** `now` in seconds since 1970. */
export function writeJwt({ subject, name, expires, nats }: Claims, issuer: KeyPair, now: number): string {
  const claims = {
    iat: now,
    iss: issuer.getPublicKey(),
    name,
    sub: subject,
    ...(expires > 0 ? { exp: expires } : {}),
    nats: { ...nats, version: 2 },
  };
  const id = createHash('sha512-256').update(JSON.stringify(claims)).digest('hex');
  const body = Buffer.from(JSON.stringify({ jti: id, ...claims })).toString('base64url');
  const signed = `${HEADER}.${body}`;
  const signature = Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url');
  return `${signed}.${signature}`;
}

/** Kinds of keys, by their first letter. */
type Kind = 'O' | 'A' | 'U';

/** Is this the public part of such a key, with its checksum? */
export function isPublicKey(text: string, kind: Kind): boolean {
  if (!new RegExp(`^${kind}[A-Z2-7]{55}$`).test(text)) return false;
  try {
    return fromPublic(text).getPublicKey() === text;
  } catch {
    return false;
  }
}

/** The pair of a seed; null when this is no seed of such a key. */
export function readSeed(text: string, kind: Kind): KeyPair | null {
  if (!new RegExp(`^S${kind}[A-Z2-7]{56}$`).test(text)) return null;
  try {
    return fromSeed(new TextEncoder().encode(text));
  } catch {
    return null;
  }
}

export const seedOf = (pair: KeyPair): string => new TextDecoder().decode(pair.getSeed());

/** What client libraries read from a credentials file. */
export function credentialsFile(jwt: string, seed: string): string {
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
}

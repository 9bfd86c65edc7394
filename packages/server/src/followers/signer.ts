/** The key by which this installation speaks for its account on NATS: signs what lets a follower in, and no more than in. */
import { readFileSync } from 'node:fs';
import { createUser, type KeyPair } from '@nats-io/nkeys';
import { isPublicKey, readSeed, seedOf, writeJwt } from './jwt.js';

export interface SignerOptions {
  /** Holds the seed of the account, or of a signing key of it. */
  seedFile: string;
  /** Public key of the account, where the seed is a signing key's. */
  account: string | undefined;
  /** By which nodes are let in: what they say is heard in their own account alone. */
  nodesFile: string | undefined;
}

/** What a follower is given. */
export interface Pass {
  jwt: string;
  publicKey: string;
  /** Null: the follower made its key itself. */
  seed: string | null;
}

export class Signer {
  readonly #key: KeyPair;
  readonly #account: string | undefined;

  /** Throws an error that says what to do, and never what is in the file. */
  constructor({ seedFile, account, nodesFile }: SignerOptions) {
    let text: string;
    try {
      text = readFileSync(seedFile, 'utf8');
    } catch (error) {
      throw new Error(`NATS_SIGNING_SEED_FILE can't be read: ${(error as Error).message}`);
    }
    const key = readSeed(text.trim(), 'A');
    if (!key) throw new Error('NATS_SIGNING_SEED_FILE holds no seed of an account (one line that begins with SA)');
    if (account !== undefined && !isPublicKey(account, 'A')) {
      throw new Error('NATS_ACCOUNT is no public key of an account (56 characters that begin with A)');
    }
    const ours = account ?? key.getPublicKey();
    const theirs = nodesFile === undefined ? ours : accountOf(nodesFile);
    if (theirs !== null && theirs !== ours) {
      throw new Error(
        `NATS_CREDENTIALS_FILE is of the account ${theirs}, and followers would be let in to ${ours}, where they hear nothing: NATS_ACCOUNT must be the account of the nodes`,
      );
    }
    this.#key = key;
    this.#account = account === key.getPublicKey() ? undefined : account;
  }

  /** Lets one in to hear these subjects, and to say nothing. Times in milliseconds since 1970. */
  sign(name: string, subjects: readonly string[], publicKey: string | undefined, now: number, expiresAt: number): Pass {
    const own = publicKey === undefined ? createUser() : null;
    const subject = own?.getPublicKey() ?? publicKey ?? '';
    const jwt = writeJwt(
      {
        subject,
        name,
        expires: Math.ceil(expiresAt / 1_000),
        nats: {
          type: 'user',
          pub: { deny: ['>'] },
          sub: { allow: subjects },
          subs: -1,
          data: -1,
          payload: -1,
          ...(this.#account === undefined ? {} : { issuer_account: this.#account }),
        },
      },
      this.#key,
      Math.floor(now / 1_000),
    );
    return { jwt, publicKey: subject, seed: own ? seedOf(own) : null };
  }
}

/** The account that a file of credentials lets in to; null where that can't be read: NATS will say. */
function accountOf(credentialsFile: string): string | null {
  try {
    const jwt = /-+BEGIN NATS USER JWT-+\s+(\S+)/.exec(readFileSync(credentialsFile, 'utf8'))?.[1] ?? '';
    const { iss, nats } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    return String(nats.issuer_account ?? iss);
  } catch {
    return null;
  }
}

/**
 * Who follows rooms straight off NATS: gives out credentials that let one in to subjects of its own, and says there what
 * the user's rooms tell, for as long as the credentials, the session and the membership last [A1].
 */
import { randomBytes } from 'node:crypto';
import type { NatsCredentials, RoomRow, SessionId, UserId } from '@natter/protocol';
import type { Clock, Timer } from '../clock.js';
import { type Actor, type Answer, refuse } from '../core/actor.js';
import type { RateLimits } from '../core/ports.js';
import type { Hub } from '../hub/hub.js';
import { Subscriber } from '../hub/subscriber.js';
import type { Limits } from '../limits.js';
import { followerEncoding } from './encoding.js';
import { Follower, type FollowerHost } from './follower.js';
import { credentialsFile, isPublicKey } from './jwt.js';
import type { Signer } from './signer.js';

export interface FollowersOptions {
  hub: Hub;
  signer: Signer;
  rates: RateLimits;
  limits: Limits;
  clock: Clock;
  /** First tokens of all subjects. */
  prefix: string;
  /** Where followers find NATS. */
  servers: readonly string[];
  auth: { confirm(identity: { user: UserId; session: SessionId }): Promise<Actor | null> };
  roomRows(user: UserId): Promise<readonly RoomRow[]>;
  say(subject: string, bytes: Uint8Array): void;
}

/** Where rooms stand is said so often. */
const BEAT_MS = 1_000;

export class Followers {
  readonly #options: FollowersOptions;
  readonly #host: FollowerHost;
  readonly #all = new Set<Follower>();
  readonly #timer: Timer;
  #closed = false;

  constructor(options: FollowersOptions) {
    this.#options = options;
    this.#host = {
      say: options.say,
      left: (follower) => {
        this.#all.delete(follower);
        options.hub.leave(follower.subscriber);
      },
    };
    this.#timer = options.clock.every(BEAT_MS, () => this.#beat());
  }

  get size(): number {
    return this.#all.size;
  }

  /** Begins to follow. With a public key the caller keeps the other half to itself. */
  async open(actor: Actor, publicKey: string | undefined): Promise<Answer<NatsCredentials>> {
    const { hub, signer, rates, limits, clock, prefix, servers, auth, roomRows } = this.#options;
    const { user, session } = actor;
    if (session === null) return refuse('unauthenticated');
    if (publicKey !== undefined && !isPublicKey(publicKey, 'U')) {
      const fields = [{ path: '/publicKey', message: 'must be a public nkey of a user: 56 characters, U first' }];
      return refuse('invalid', { fields });
    }
    const taken = rates.take('RATE_COMMANDS_PER_USER', String(user));
    if (!taken.ok) return refuse('rate_limited', { retryAfter: taken.retryAfter });
    if (this.#closed) return refuse('shutting_down', { retryAfter: 1 });
    if (hub.connectionsOf(user) >= limits.SOCKETS_PER_USER_MAX) {
      return refuse('limit_reached', `at most ${limits.SOCKETS_PER_USER_MAX} connections at once`);
    }
    const now = clock.now();
    const expiresAt = now + limits.NATS_CREDENTIALS_SECONDS * 1_000;
    const root = `${prefix}.followers.${randomBytes(16).toString('hex')}`;
    const follower = new Follower(this.#host, root, user, expiresAt);
    const subscriber = new Subscriber(user, session, followerEncoding, follower);
    follower.subscriber = subscriber;
    this.#all.add(follower);
    try {
      // As for sockets: first the ear for the session's end, then the question whether it lives [A1].
      const inbox = await hub.enter(subscriber);
      const confirmed = await auth.confirm({ user, session });
      if (!confirmed || follower.over) {
        follower.leave('unauthenticated');
        return refuse('unauthenticated');
      }
      const rows = await roomRows(user);
      if (follower.over) return refuse(this.#closed ? 'shutting_down' : 'unauthenticated');
      hub.start(subscriber, {
        inbox,
        rooms: rows.map(({ id, head, fromSeq }) => ({ stream: id, head, fromSeq })),
        cursors: new Map(),
        epoch: undefined,
      });
      const { jwt, seed, ...key } = signer.sign(`user ${user}`, follower.subjects, publicKey, now, expiresAt);
      return {
        ok: true,
        value: {
          jwt,
          publicKey: key.publicKey,
          ...(seed === null ? {} : { seed, credentials: credentialsFile(jwt, seed) }),
          servers: [...servers],
          subjects: { room: `${root}.rooms.<room>`, rooms: `${root}.rooms.*`, status: `${root}.status` },
          epoch: hub.epoch,
          rooms: rows.map(({ id, head }) => ({ id, subject: `${root}.rooms.${id}`, seq: head })),
          expiresAt: new Date(expiresAt).toISOString(),
          expiresIn: limits.NATS_CREDENTIALS_SECONDS,
        },
      };
    } catch (error) {
      follower.leave('internal_error');
      throw error;
    }
  }

  /** All are sent to other nodes. */
  close(): void {
    this.#closed = true;
    this.#timer.close();
    for (const follower of [...this.#all]) follower.leave('going_away');
  }

  #beat(): void {
    const now = this.#options.clock.now();
    for (const follower of [...this.#all]) {
      if (now >= follower.expiresAt) follower.leave(null);
      else if (follower.subscriber.present) follower.beat();
    }
  }
}

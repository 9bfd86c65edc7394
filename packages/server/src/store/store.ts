/** The store port: one transaction for a batch of decided entries, and reads. Drivers: sqlite, postgres. */
import type { Epoch, EventBody, EventId, EventType, MessageId, Seq, StreamId, UserId } from '@natter/protocol';
import type { Kysely } from 'kysely';
import type { Row } from './steps.js';
import type { Tables } from './tables.js';

/** What a rule wants to become an event. Its seq and id are given inside the commit [L2]. */
export type Draft = {
  [T in EventType]: {
    stream: StreamId;
    type: T;
    body: EventBody<T>;
    /** What the projection needs and the log must never hold: hashes of passwords and refresh tokens. */
    secret?: Secret;
    /**
     * The message that a `message.sent` answers, by the key under which it was sent. It is looked up in the commit, so
     * that both may be of one batch: an import need not wait for the id of one before it sends the next.
     */
    answers?: { author: UserId; key: string };
  };
}[EventType];

export interface Secret {
  passwordHash?: string;
  session?: SessionSecret;
}

/** The row of a session that its event does not tell. */
export interface SessionSecret {
  refreshHash: string;
  expiresAt: number;
  address: string;
  /** The API that the session was opened through; '' is the native one. */
  dialect: string;
}

/** Something that only one may have: a name, an address, a pair's direct room. Decided in the commit. */
export interface Claim {
  space:
    | 'user.name'
    | 'user.email'
    | 'room.direct'
    | `room.name:${string}`
    | 'usergroup.name'
    | 'server.first_user'
    | 'import';
  value: string;
  /** Who has it from now on. */
  owner: StreamId;
}

export interface IdempotencyKey {
  key: string;
  /** Whose key it is, where not the actor's: an import keeps all of its keys together, which halves what its commits write. */
  author?: UserId;
  /** Fingerprint of the command: the same key with another one is a conflict. */
  hash: string;
}

/** One decided command: all of its drafts are committed, or none. It is plain data, which goes from thread to thread as JSON. */
export interface Entry {
  actor: UserId;
  /** Milliseconds since 1970. */
  at: number;
  drafts: readonly Draft[];
  key?: IdempotencyKey;
  /** Comes into the log behind the entry that was sent under this key, or not at all: without it, this one is stale. */
  follows?: { author: UserId; key: string };
  /** Versions of the stream states that the decision was made on; another one in the commit makes the entry stale. */
  expect?: readonly (readonly [StreamId, number])[];
  /** Versions of the messages that the decision was made on. */
  expectMessages?: readonly (readonly [MessageId, number])[];
  /** Read markers, by room and user, that the decision moves to a seq: one that stands beyond it makes the entry stale [M2]. */
  expectMarkers?: readonly (readonly [StreamId, UserId, Seq])[];
  claims?: readonly Claim[];
  /** Claims that are given up, by space and value; only the owner's own are. */
  releases?: readonly Claim[];
}

export interface StoredEvent {
  id: EventId;
  stream: StreamId;
  seq: Seq;
  type: EventType;
  actor: UserId;
  at: number;
  /** JSON of the body, as it is stored: encoders splice it in without parsing. */
  body: string;
}

export type Outcome =
  | { kind: 'committed'; events: readonly StoredEvent[] }
  /** The key was known: the first event of the first time [L3]. */
  | { kind: 'replayed'; event: StoredEvent }
  /** The key was known with another fingerprint. */
  | { kind: 'key_conflict' }
  /** Decided on a state that is no longer so. */
  | { kind: 'stale' }
  | { kind: 'taken'; claim: Claim };

export interface Head {
  seq: Seq;
  version: number;
}

export interface Store {
  readonly driver: 'sqlite' | 'postgres';
  readonly epoch: Epoch;
  /** Are commits that are asked for while another one runs carried out, and answered, in the order in which they were asked for? */
  readonly commitsInOrder: boolean;
  /** Resolves once another life of the log has begun while this node was cut off from it: nothing is read or written any more. */
  readonly outlived: Promise<void>;
  /** Reads, and nothing else: every write goes through `commit` or a named method here. */
  readonly db: Kysely<Tables>;
  /**
   * Commits a batch in one transaction and answers each entry in order. When it resolves, everything committed is
   * durable; when it rejects, nothing was committed, unless `StoreError.unknown` says that this can't be told.
   */
  commit(batch: readonly Entry[]): Promise<Outcome[]>;
  /** Events of one stream with seq > after, rising, at most `limit`. */
  events(stream: StreamId, after: Seq, limit: number): Promise<StoredEvent[]>;
  /** Heads of streams; those that do not exist are absent. */
  heads(streams: readonly StreamId[]): Promise<Map<StreamId, Head>>;
  /** Ids for streams to be made; never given twice, may leave gaps. Rising. */
  reserveStreams(count: number): Promise<StreamId>;
  /** Swaps a session's refresh hash; false when `from` is no longer the current one. Not a fact of a stream. */
  rotateSession(session: string, from: string, to: string, at: number, expiresAt: number): Promise<boolean>;
  /** Notes when users were last seen; coalesced by the caller. Not a fact of a stream. */
  touchUsers(rows: readonly { user: UserId; at: number }[]): Promise<void>;
  /** Jobs that are due, oldest first: no job of these is anybody's before it is held. */
  dueJobs(now: number, limit: number): Promise<Job[]>;
  /** Puts a job off until then, if it is due at `due` or before; false when somebody else has done so. Whoever did, has it. */
  holdJob(id: number, due: number, until: number): Promise<boolean>;
  /** Carries out one slice of a purge job; true when nothing is left of it. */
  purgeRoom(room: StreamId, limit: number): Promise<boolean>;
  finishJob(id: number): Promise<void>;
  retryJob(id: number, runAt: number): Promise<void>;
  /** Throws when the store can't commit or read now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Job {
  id: number;
  kind: 'purge_room' | 'forget_user';
  /** The room or user that it is about. */
  subject: StreamId;
  attempts: number;
}

export class StoreError extends Error {
  constructor(
    message: string,
    /** True when the transaction may have been committed all the same. */
    readonly unknown: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StoreError';
  }
}

/** Does an event of this type change what decisions are made on? */
export function changesState(type: EventType): boolean {
  switch (type) {
    case 'message.sent':
    case 'message.edited':
    case 'message.deleted':
    case 'reaction.added':
    case 'reaction.removed':
    case 'pin.added':
    case 'pin.removed':
    case 'session.started':
    case 'session.ended':
    case 'membership.added':
    case 'membership.removed':
    case 'read.moved':
    case 'read.unmarked':
      return false;
    default:
      return true;
  }
}

/** A row of the table of events, as any driver reads it. */
export function toEvent(row: Row): StoredEvent {
  return {
    id: Number(row.id),
    stream: Number(row.stream),
    seq: Number(row.seq),
    type: row.type as EventType,
    actor: Number(row.actor),
    at: Number(row.at),
    body: String(row.body),
  };
}

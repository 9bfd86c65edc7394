/**
 * The bus port: how hubs of several nodes tell each other what they heard, and the driver for one node alone.
 * Everything on it is a hint [H3]: a driver may lose, repeat and reorder, and must never be waited for.
 */
import type { Seq, StreamId, UserId } from '@natter/protocol';
import type { Spent } from '../rate-limiter.js';
import type { StoredEvent } from '../store/store.js';

/** Never stored, may be lost: what is told to those who follow a stream right now. */
export type Signal =
  | { type: 'typing'; user: UserId; active: boolean }
  /** A connection of one API came into a room or left it, as those who speak that API are told. */
  | ({ type: 'visit' } & Visit);

export interface Visit {
  dialect: string;
  user: UserId;
  name: string;
  entered: boolean;
  /** Milliseconds since 1970. */
  at: number;
  /** Are the user's own connections told too? */
  toSelf: boolean;
}

/** What is told to every node; `node` names the one that speaks. */
export type NodeMessage = RollMessage | SpentMessage;

/** Who is where on that node. A word is a place and a user. */
export type RollMessage =
  | { type: 'roll.change'; node: string; came: string[]; went: string[] }
  /** So many words are on the list, and so they sum up: said again and again, as a lease. */
  | { type: 'roll.lease'; node: string; count: number; sum: number }
  /** Whose list is wanted; null: everybody's. */
  | { type: 'roll.ask'; node: string; of: string | null }
  /** The whole list, in parts from 1 on. */
  | { type: 'roll.all'; node: string; part: number; parts: number; words: string[] };

/** What somebody spent of a rate limit there since it was last told; below 0: was given back. */
export type SpentMessage = { type: 'rates.spent'; node: string } & Spent;

export interface BusListener {
  event(event: StoredEvent): void;
  /** The log of this stream goes up to there at least: the event itself was too large to be told. */
  behind(stream: StreamId, seq: Seq): void;
  signal(stream: StreamId, signal: Signal): void;
  message(message: NodeMessage): void;
  /** From now on hints of these streams are heard; what was said before may have been missed. */
  followed(streams: readonly StreamId[]): void;
  /** `trouble` began, or is over. */
  troubled(): void;
}

/**
 * A driver for several nodes has one subject for each stream (rooms, inboxes, user groups), scoped by the log's epoch,
 * and one for all nodes. A node hears only the streams that it follows, and never what it said itself.
 */
export interface Bus {
  /** Are there other nodes? Where there are none, nobody needs to gather what only they would hear. */
  readonly shared: boolean;
  /** Why hints may be missing now, for operators; null: they arrive, as far as can be told. */
  readonly trouble: string | null;
  /** Set once, before anything is followed. */
  listen(listener: BusListener): void;
  /** From now on hints of this stream are heard; may take effect late, which costs latency alone. */
  follow(stream: StreamId): void;
  unfollow(stream: StreamId): void;
  /** Events that were committed here, in commit order. */
  publish(events: readonly StoredEvent[]): void;
  signal(stream: StreamId, signal: Signal): void;
  broadcast(message: NodeMessage): void;
  close(): Promise<void>;
}

/** The bus of a node that is alone: nobody to tell, nobody to hear. */
export class LocalBus implements Bus {
  readonly shared = false;
  readonly trouble = null;
  listen(): void {}
  follow(): void {}
  unfollow(): void {}
  publish(): void {}
  signal(): void {}
  broadcast(): void {}
  async close(): Promise<void> {}
}

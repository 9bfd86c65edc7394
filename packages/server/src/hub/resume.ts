/**
 * How a connection gets from where it stands to live: after hello, after being added to a room, and after it read too
 * slowly. The log is read in shared pages until the ring covers the rest; then ring and live set in one tick [H2].
 */
import type { RoomId, Seq, StreamId, UserId } from '@natter/protocol';
import type { Pages } from './pages.js';
import { CHUNK_BYTES, type RoomFeed } from './room-feed.js';
import type { Subscriber } from './subscriber.js';

/** A user's part of a room, as one query reads it. */
export interface Membership {
  /** Head of the room for which this is so. */
  head: Seq;
  /** First seq that the user may read. */
  fromSeq: Seq;
  /** Seq of the event by which the user joined. */
  joinedSeq: Seq;
}

/** Null: not a member. */
export type Memberships = (user: UserId, room: RoomId) => Promise<Membership | null>;

export interface Task {
  feed: RoomFeed;
  /** The connection has everything up to here. */
  at: Seq;
  /** Up to here it is known that the user may hear the stream; beyond, the user's own removal is looked for. */
  valid: Seq;
  fromSeq: Seq;
  /** Where it stands can't be gone on from: it begins anew at the head [H4]. */
  reset: boolean;
  /** The user was added to the room: of use only to a connection that has no place in it yet, or lost the one it had. */
  joins: boolean;
  /** It no longer wants to follow it. */
  abandoned?: boolean;
  /** Told once, when it is over: is the connection live in the stream? */
  settled?(live: boolean): void;
}

/** What catching up needs of the hub. */
export interface CatchUpHost {
  readonly pages: Pages;
  readonly memberships: Memberships;
  readonly resumeEventsMax: number;
  readonly socketBytesMax: number;
  ticks(): number;
  /** Gives bytes to a connection, which leave with the next flush. */
  send(subscriber: Subscriber, frames: Buffer | null): void;
  /** Nothing is left to catch up with, or the connection is gone. */
  caughtUp(subscriber: Subscriber): void;
  resumed(outcome: Outcome): void;
  failed(error: unknown): void;
}

export type Outcome = 'live' | 'reset' | 'gone';

export class CatchUp {
  readonly #subscriber: Subscriber;
  readonly #host: CatchUpHost;
  readonly #tasks: Task[] = [];
  /** Live since this began; in it twice when it fell behind meanwhile. */
  readonly #joined: RoomFeed[] = [];
  #running = false;

  constructor(subscriber: Subscriber, host: CatchUpHost) {
    this.#subscriber = subscriber;
    this.#host = host;
  }

  add(task: Task): void {
    task.feed.pins += 1;
    this.#tasks.push(task);
  }

  /** Is this stream among those that are to become live? */
  waitsFor(stream: StreamId): boolean {
    return this.#tasks.some((task) => task.feed.stream === stream && !task.abandoned);
  }

  /** Not this stream after all. */
  abandon(stream: StreamId): void {
    for (const task of this.#tasks) if (task.feed.stream === stream) task.abandoned = true;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#run()
      .catch((error: unknown) => {
        this.#host.failed(error);
        this.#subscriber.outlet.failed(error);
      })
      .finally(() => {
        for (const task of this.#tasks) {
          task.feed.pins -= 1;
          task.settled?.(false);
        }
      });
  }

  async #run(): Promise<void> {
    // It may have been started by a feed that is telling, which must have ended before anybody joins.
    await Promise.resolve();
    try {
      while (!this.#subscriber.closed) {
        const task = this.#tasks[0];
        if (task) {
          const done = this.#joinAtOnce(task) || (await this.#follow(task));
          this.#tasks.shift();
          if (done) {
            task.feed.pins -= 1;
            task.settled?.(task.feed.has(this.#subscriber));
          } else {
            this.#tasks.push(task);
          }
        } else if (this.#announce()) {
          return;
        }
      }
    } finally {
      this.#host.caughtUp(this.#subscriber);
    }
  }

  /** Says where the new live streams stand. False when that was too much for the connection, which fell behind again. */
  #announce(): boolean {
    for (const feed of this.#joined) feed.tell();
    if (this.#tasks.length > 0) return false;
    const cursors = new Map<StreamId, Seq>();
    for (const feed of this.#joined) if (feed.has(this.#subscriber)) cursors.set(feed.stream, feed.told);
    // Grown in place it has room for twice as many; with thousands of connections that counts.
    this.#subscriber.feeds = this.#subscriber.feeds.slice();
    if (cursors.size > 0) {
      this.#host.send(this.#subscriber, this.#subscriber.encoding.live(cursors));
      this.#subscriber.outlet.live?.(cursors);
    }
    return true;
  }

  /** One who lacks nothing of a stream, as nearly all do in nearly all of theirs, is live in it without a promise. */
  #joinAtOnce({ feed, at, valid, fromSeq, reset, joins, abandoned }: Task): boolean {
    const subscriber = this.#subscriber;
    if (feed.opening || reset || joins || abandoned || at !== feed.head || valid > feed.head) return false;
    if (feed.has(subscriber)) return true;
    feed.tell();
    // Told of something by that, it may have been cut off.
    if (subscriber.closed || !feed.ring.covers(at) || subscriber.outlet.blocked) return false;
    this.#join(feed, fromSeq);
    return true;
  }

  #join(feed: RoomFeed, fromSeq: Seq): void {
    feed.add(this.#subscriber, fromSeq);
    this.#joined.push(feed);
    this.#host.resumed('live');
  }

  /** Ends with the connection live in the stream, taken out of it, or closed. False: another task comes first. */
  async #follow(task: Task): Promise<boolean> {
    const { feed } = task;
    const { pages, resumeEventsMax } = this.#host;
    const subscriber = this.#subscriber;
    if (feed.opening) await feed.opening;
    // A node that is behind what the client or the membership has seen is pulled forward first: told twice otherwise.
    const known = Math.max(task.at, task.valid);
    if (known > feed.head) await feed.heal(known);
    if (task.at > feed.head) {
      task.reset = true;
      task.at = 0;
    }
    while (!subscriber.closed && !task.abandoned && !feed.has(subscriber)) {
      if (task.joins && this.#tasks.some((other) => other.feed === feed && !other.joins)) return false;
      if (task.reset || feed.head - task.at > resumeEventsMax) {
        if (!(await this.#reset(task))) return true;
        continue;
      }
      if (subscriber.outlet.blocked || subscriber.pendingBytes > this.#chunkBytes) {
        await this.#drain();
        continue;
      }
      feed.tell();
      const run = feed.ring.covers(task.at) ? feed.ring : await pages.read(feed.stream, task.at);
      if (subscriber.closed || task.abandoned) return true;
      const upTo = Math.min(run.reach(task.at, this.#chunkBytes), feed.head);
      const departure = run.departure(subscriber.user, Math.max(task.at, task.valid), upTo);
      const end = departure ?? upTo;
      const prepared = subscriber.encoding.prepare?.(run.between(task.at, end));
      if (prepared) {
        await prepared;
        continue;
      }
      if (end > task.at) {
        this.#host.send(subscriber, run.join(subscriber.encoding, task.fromSeq, task.at, end));
        task.at = end;
      }
      if (departure !== null) {
        this.#leave(feed);
        return true;
      }
      if (run === feed.ring && end === feed.head) {
        this.#join(feed, task.fromSeq);
      }
    }
    return true;
  }

  get #chunkBytes(): number {
    return Math.min(CHUNK_BYTES, this.#host.socketBytesMax / 2);
  }

  /** Begins anew where the user is known to be a member; false when that is nowhere. */
  async #reset(task: Task): Promise<boolean> {
    const { feed } = task;
    const subscriber = this.#subscriber;
    if (feed.stream === subscriber.user) {
      task.at = feed.head;
    } else {
      // What was read at hello may be long ago by now.
      if (task.valid <= task.at || feed.head - task.valid > this.#host.resumeEventsMax) {
        const membership = await this.#host.memberships(subscriber.user, feed.stream);
        if (!membership) {
          this.#leave(feed);
          return false;
        }
        task.valid = membership.head;
        task.fromSeq = membership.fromSeq;
        await feed.heal(membership.head);
      }
      task.at = task.valid;
    }
    task.reset = false;
    this.#host.send(subscriber, subscriber.encoding.reset(feed.stream, task.at));
    subscriber.outlet.behind?.(feed.stream);
    this.#host.resumed('reset');
    return true;
  }

  #leave(feed: RoomFeed): void {
    this.#host.send(this.#subscriber, this.#subscriber.encoding.gone(feed.stream));
    this.#host.resumed('gone');
  }

  /** Waits until the network has taken what was written [G1]. */
  async #drain(): Promise<void> {
    const subscriber = this.#subscriber;
    subscriber.flush();
    if (!subscriber.outlet.blocked) return;
    subscriber.stalledSince = this.#host.ticks();
    await new Promise<void>((resolve) => subscriber.outlet.onDrain(resolve));
    subscriber.stalledSince = null;
  }
}

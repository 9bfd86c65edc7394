/** One stream as this node follows it: its head, its newest events, who hears it live, and how gaps heal. */
import type { EventId, Seq, StreamId, UserId } from '@natter/protocol';
import type { Endings, Head } from '../log/log.js';
import type { Encoding, StoredEvent } from './encoding.js';
import type { EventReader } from './pages.js';
import { Entry, EVERYBODY, NOBODY, Run } from './run.js';
import type { Followed, Subscriber } from './subscriber.js';

/** Events that are read at once to close a gap. */
const HEAL_EVENTS = 256;
/** Frames that leave as one shared buffer, roughly: whoever can't take this much more catches up from the log. */
export const CHUNK_BYTES = 131_072;

export interface FeedLog extends EventReader {
  heads(streams: readonly StreamId[]): Promise<Map<StreamId, Head>>;
  endings(after: EventId | null): Promise<Endings>;
}

/** What a feed needs of the hub. */
export interface FeedHost {
  readonly log: FeedLog;
  readonly ringEvents: number;
  readonly ringBytes: number;
  /** Gives bytes to a live subscriber; false when they would be too much for it. */
  push(subscriber: Subscriber, frames: Buffer): boolean;
  /** It reads too slowly: out of all live sets, to catch up from the log [G2]. */
  detach(subscriber: Subscriber): void;
  /** It was taken out of this stream, and hears no more of it. */
  evicted(subscriber: Subscriber, stream: StreamId): void;
  subscribersOf(user: UserId): readonly Subscriber[];
  /** Something waits to be told with the next flush. */
  dirty(feed: RoomFeed): void;
  /** An event whose meaning concerns connections themselves: sessions, accounts, memberships. */
  inboxEvent(event: StoredEvent): void;
  /** What was read of this stream is of no use any more: content was deleted, or nobody follows it. */
  forget(stream: StreamId): void;
  failed(error: unknown): void;
  told(events: number, subscribers: number): void;
  healed(events: number): void;
}

/** Those who hear the stream in one encoding. */
interface Lane {
  readonly encoding: Encoding;
  /** They may read all of it. */
  readonly open: Set<Subscriber>;
  /** They joined later and see nothing of before [A3]: by the first seq that is theirs. */
  restricted: Map<Subscriber, Seq> | null;
}

export class RoomFeed implements Followed {
  readonly stream: StreamId;
  /** The newest event that this node has. */
  head: Seq = 0;
  /** All live subscribers have everything up to here, and nothing beyond. */
  told: Seq = 0;
  /** The newest events, among them all that were not told yet. */
  readonly ring = new Run(1);
  /** Until the head is known. */
  opening: Promise<void> | null;
  /** Connections that are about to join. */
  pins = 0;
  isDirty = false;
  /** When the last one left, in the clock's ticks; null while somebody follows. */
  idleSince: number | null = null;
  readonly #host: FeedHost;
  #lanes: Lane[] = [];
  #live = 0;
  /** The highest seq that was heard of before the head was known. */
  #heard: Seq = 0;
  #untoldBytes = 0;
  #goal: Seq = 0;
  #healing: Promise<void> | null = null;

  /** It exists before its head is read, so that no commit in between is missed. */
  constructor(stream: StreamId, host: FeedHost, head: Promise<Seq>) {
    this.stream = stream;
    this.#host = host;
    this.opening = head.then((seq) => {
      this.head = this.told = seq;
      this.ring.clear(seq + 1);
      this.opening = null;
      if (this.#heard > seq) this.#healInBackground(this.#heard);
    });
  }

  get live(): number {
    return this.#live;
  }

  /** The one line at which events enter, from the commit here as from the bus [H2][H3]. */
  accept(event: StoredEvent): void {
    if (this.opening) {
      if (event.seq > this.#heard) this.#heard = event.seq;
    } else if (event.seq > this.head) {
      if (event.seq === this.head + 1 && !this.#prepare([event])) this.#advance(event);
      else this.#healInBackground(event.seq);
    }
  }

  /** The log goes up to there, it is said: what is missing is read. */
  behind(seq: Seq): void {
    if (!this.opening) this.#healInBackground(seq);
    else if (seq > this.#heard) this.#heard = seq;
  }

  /** Until what the encodings of those who hear live must know of these events is known; nothing when it is. */
  #prepare(events: readonly StoredEvent[]): Promise<unknown> | undefined {
    let waits: Promise<void>[] | undefined;
    for (const { encoding, open, restricted } of this.#lanes) {
      if (!encoding.prepare || (open.size === 0 && (restricted?.size ?? 0) === 0)) continue;
      const wait = encoding.prepare(events);
      if (wait) {
        waits ??= [];
        waits.push(wait);
      }
    }
    if (!waits) return undefined;
    const all = Promise.all(waits);
    // Whoever heals waits for the same again, and is told when it fails.
    all.catch(() => {});
    return all;
  }

  /** The log may be ahead of this node: reads it up to `goal`, or to its end when that comes first. */
  heal(goal: Seq): Promise<void> {
    if (this.head >= goal) return Promise.resolve();
    if (goal > this.#goal) this.#goal = goal;
    this.#healing ??= this.#heal();
    return this.#healing;
  }

  #healInBackground(goal: Seq): void {
    this.heal(goal).catch((error: unknown) => this.#host.failed(error));
  }

  async #heal(): Promise<void> {
    const { log, ringEvents } = this.#host;
    // What follows ends after this call has returned, whatever happens in it.
    await Promise.resolve();
    try {
      while (this.head < this.#goal) {
        const goal = this.#goal;
        if (this.#live === 0 && goal - this.head > ringEvents && (await this.#skip())) continue;
        const events = await log.events(this.stream, this.head, HEAL_EVENTS);
        // Somebody may come live while others are waited for: until nobody lacks anything.
        for (let wait = this.#prepare(events); wait; wait = this.#prepare(events)) await wait;
        const before = this.head;
        for (const event of events) if (event.seq === this.head + 1) this.#advance(event);
        this.#host.healed(this.head - before);
        // The log has no more: the hint was false, unless another one came while it was read.
        if (events.length === 0 && this.#goal === goal) break;
        if (this.head === before && (events.at(-1)?.seq ?? 0) > this.head) {
          throw new Error(`the log of stream ${this.stream} has a hole after ${this.head}`);
        }
      }
    } finally {
      // Both at once: whoever asks between the two would wait for what is over.
      this.#goal = 0;
      this.#healing = null;
    }
  }

  /** Nobody hears what lies between: goes on at the log's head. */
  async #skip(): Promise<boolean> {
    const seq = (await this.#host.log.heads([this.stream])).get(this.stream)?.seq ?? 0;
    if (this.#live > 0 || seq - this.head <= this.#host.ringEvents) return false;
    this.head = this.told = seq;
    this.ring.clear(seq + 1);
    this.#untoldBytes = 0;
    return true;
  }

  #advance(event: StoredEvent): void {
    const entry = new Entry(event);
    this.ring.push(entry);
    this.head = event.seq;
    this.#untoldBytes += entry.bytes;
    this.#host.dirty(this);
    if (entry.leaver !== NOBODY) this.#evict(entry.leaver);
    switch (event.type) {
      case 'room.deleted':
        this.#forgetUpTo(event.seq);
        break;
      case 'message.deleted':
        this.#forgetMessage(entry);
        break;
      case 'membership.added':
      case 'membership.removed':
      case 'session.ended':
      case 'user.changed':
      case 'user.deactivated':
      case 'user.deleted':
        this.tell();
        this.#host.inboxEvent(event);
        break;
      default:
        if (this.#untoldBytes > CHUNK_BYTES) this.tell();
    }
  }

  /** Gives what was not told yet to those who hear live: joined once for each encoding, however many they are. */
  tell(): void {
    const { ring } = this;
    while (this.told < this.head) {
      if (this.#live === 0) {
        this.told = this.head;
        break;
      }
      const upTo = ring.reach(this.told, CHUNK_BYTES);
      this.#host.told(upTo - this.told, this.#live);
      for (const lane of this.#lanes) this.#tellLane(lane, upTo);
      this.told = upTo;
    }
    this.#untoldBytes = 0;
    ring.trim(this.#host.ringEvents, this.#host.ringBytes);
  }

  #tellLane({ encoding, open, restricted }: Lane, upTo: Seq): void {
    const host = this.#host;
    if (open.size > 0) {
      const frames = this.ring.join(encoding, 1, this.told, upTo);
      if (frames) for (const subscriber of open) if (!host.push(subscriber, frames)) host.detach(subscriber);
    }
    if (restricted === null) return;
    for (const [subscriber, fromSeq] of restricted) {
      const frames = this.ring.join(encoding, fromSeq, this.told, upTo);
      if (frames && !host.push(subscriber, frames)) host.detach(subscriber);
    }
  }

  /** [A1] They get the event that takes them out, and nothing behind it, whatever is in the same batch. */
  #evict(leaver: UserId): void {
    this.tell();
    if (leaver !== EVERYBODY) {
      for (const subscriber of [...this.#host.subscribersOf(leaver)]) this.#drop(subscriber);
      return;
    }
    for (const { open, restricted } of this.#lanes) {
      for (const subscriber of [...open, ...(restricted?.keys() ?? [])]) this.#drop(subscriber);
    }
  }

  #drop(subscriber: Subscriber): void {
    if (!this.has(subscriber)) return;
    this.remove(subscriber);
    subscriber.feeds.splice(subscriber.feeds.indexOf(this), 1);
    this.#host.evicted(subscriber, this.stream);
  }

  /** [L6] Whoever comes back from here on gets the message as the log has it now: without its text. */
  #forgetMessage(deletion: Entry): void {
    this.tell();
    const { ring } = this;
    for (let i = ring.entries.length - 1; i >= 0; i -= 1) {
      const { event, about } = ring.entries[i] as Entry;
      if (event.seq === deletion.about || (about === deletion.about && event.type === 'message.edited')) {
        this.#forgetUpTo(event.seq);
        return;
      }
    }
    this.#host.forget(this.stream);
  }

  #forgetUpTo(seq: Seq): void {
    this.ring.dropUpTo(seq);
    this.#host.forget(this.stream);
  }

  has(subscriber: Subscriber): boolean {
    const lane = this.#laneOf(subscriber);
    return lane !== undefined && (lane.open.has(subscriber) || lane.restricted?.has(subscriber) === true);
  }

  /** From here on it hears what comes after `told`, which it must have. */
  add(subscriber: Subscriber, fromSeq: Seq): void {
    let lane = this.#laneOf(subscriber);
    if (!lane) {
      lane = { encoding: subscriber.encoding, open: new Set(), restricted: null };
      // Most streams have one: a list that grows in place, or by spreading, would take more memory than what is in it.
      this.#lanes = this.#lanes.length === 0 ? [lane] : [...this.#lanes, lane];
    }
    if (fromSeq <= 1) {
      lane.open.add(subscriber);
    } else {
      lane.restricted ??= new Map();
      lane.restricted.set(subscriber, fromSeq);
    }
    subscriber.feeds.push(this);
    this.#live += 1;
  }

  remove(subscriber: Subscriber): Seq {
    const lane = this.#laneOf(subscriber);
    if (!lane) return 1;
    const fromSeq = lane.restricted?.get(subscriber) ?? 1;
    if (lane.open.delete(subscriber) || lane.restricted?.delete(subscriber)) this.#live -= 1;
    return fromSeq;
  }

  #laneOf(subscriber: Subscriber): Lane | undefined {
    for (const lane of this.#lanes) if (lane.encoding === subscriber.encoding) return lane;
    return undefined;
  }

  /** Tells all who hear live, but for one user's own connections; whoever has no room for it goes without. */
  signal(frame: (encoding: Encoding) => Buffer | null, except: UserId | null): void {
    for (const { encoding, open, restricted } of this.#lanes) {
      const audience = restricted === null ? open : [...open, ...restricted.keys()];
      const bytes = open.size > 0 || restricted !== null ? frame(encoding) : null;
      if (!bytes) continue;
      for (const subscriber of audience) if (subscriber.user !== except) this.#host.push(subscriber, bytes);
    }
  }
}

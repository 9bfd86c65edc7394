/** A run of events of one stream without holes, with their frames: each is encoded once for each encoding in use. */
import type { Seq, UserId } from '@natter/protocol';
import type { Encoding, StoredEvent } from './encoding.js';

/** Whom an event takes out of its stream, beside a user's id. */
export const NOBODY = 0;
export const EVERYBODY = -1;

/** What an event takes in memory beside its text, roughly. */
const ENTRY_BYTES = 250;

export class Entry {
  readonly event: StoredEvent;
  /** A user's id, NOBODY or EVERYBODY. */
  readonly leaver: UserId;
  /** The message that it is about, where that can be hidden from a later member [A3]; 0 for all others. */
  readonly about: Seq;
  // One encoding is the rule: its frame needs no map.
  #encoding: Encoding | null = null;
  #frame: Buffer | null = null;
  #others: Map<Encoding, Buffer | null> | null = null;
  #hidden: Map<Encoding, Buffer | null> | null = null;

  constructor(event: StoredEvent) {
    this.event = event;
    this.leaver = leaverOf(event);
    this.about = aboutOf(event);
  }

  get bytes(): number {
    return this.event.body.length + ENTRY_BYTES;
  }

  takesOut(user: UserId): boolean {
    return this.leaver === user || this.leaver === EVERYBODY;
  }

  /** As a subscriber sees it whose part of the stream begins at `fromSeq`. */
  frame(encoding: Encoding, fromSeq: Seq): Buffer | null {
    if (this.about !== 0 && this.about < fromSeq) return this.#hiddenFrame(encoding);
    if (this.#encoding === encoding) return this.#frame;
    if (this.#encoding === null) {
      this.#encoding = encoding;
      this.#frame = encoding.event(this.event);
      return this.#frame;
    }
    this.#others ??= new Map();
    let frame = this.#others.get(encoding);
    if (frame === undefined) {
      frame = encoding.event(this.event);
      this.#others.set(encoding, frame);
    }
    return frame;
  }

  #hiddenFrame(encoding: Encoding): Buffer | null {
    this.#hidden ??= new Map();
    let frame = this.#hidden.get(encoding);
    if (frame === undefined) {
      frame = encoding.hidden(this.event.stream, this.event.seq);
      this.#hidden.set(encoding, frame);
    }
    return frame;
  }
}

function leaverOf({ type, body }: StoredEvent): UserId {
  switch (type) {
    case 'member.left':
    case 'member.removed':
      return (JSON.parse(body) as { user: UserId }).user;
    case 'room.deleted':
      return EVERYBODY;
    default:
      return NOBODY;
  }
}

function aboutOf({ type, body }: StoredEvent): Seq {
  switch (type) {
    case 'message.edited':
    case 'message.deleted':
    case 'reaction.added':
    case 'reaction.removed':
    case 'pin.added':
    case 'pin.removed':
      return (JSON.parse(body) as { messageSeq: Seq }).messageSeq;
    default:
      return 0;
  }
}

export class Run {
  /** Seq of the first entry; where there is none, of the one that would come next. */
  first: Seq;
  readonly entries: Entry[];
  bytes = 0;
  // Many who come back at once stand at the same place: they share the joined frames too.
  #joined: { encoding: Encoding; after: Seq; upTo: Seq; bytes: Buffer | null } | null = null;

  constructor(first: Seq, events: readonly StoredEvent[] = []) {
    this.first = first;
    this.entries = events.map((event) => new Entry(event));
    for (const entry of this.entries) this.bytes += entry.bytes;
  }

  get last(): Seq {
    return this.first + this.entries.length - 1;
  }

  /** Does what comes after `seq` begin in this run, or right behind it? */
  covers(seq: Seq): boolean {
    return seq >= this.first - 1 && seq <= this.last;
  }

  push(entry: Entry): void {
    this.entries.push(entry);
    this.bytes += entry.bytes;
    this.#joined = null;
  }

  /** Drops the oldest until at most `events` of at most `bytes` are left. */
  trim(events: number, bytes: number): void {
    let drop = Math.max(0, this.entries.length - events);
    for (let i = 0; i < drop; i += 1) this.bytes -= (this.entries[i] as Entry).bytes;
    while (this.bytes > bytes && drop < this.entries.length) {
      this.bytes -= (this.entries[drop] as Entry).bytes;
      drop += 1;
    }
    if (drop === 0) return;
    this.entries.splice(0, drop);
    this.first += drop;
  }

  /** Drops everything up to and including a seq. */
  dropUpTo(seq: Seq): void {
    this.trim(Math.max(0, this.last - seq), Number.POSITIVE_INFINITY);
    this.forgetJoined();
  }

  clear(first: Seq): void {
    this.entries.length = 0;
    this.bytes = 0;
    this.first = first;
    this.#joined = null;
  }

  forgetJoined(): void {
    this.#joined = null;
  }

  /** The last seq up to which what comes after `after` takes at most `bytes`; at least one event. */
  reach(after: Seq, bytes: number): Seq {
    let sum = 0;
    let seq = after;
    for (let i = after - this.first + 1; i < this.entries.length; i += 1) {
      sum += (this.entries[i] as Entry).bytes;
      if (sum > bytes && seq > after) break;
      seq += 1;
    }
    return seq;
  }

  /** The first event in (after, upTo] that takes the user out of the stream. */
  departure(user: UserId, after: Seq, upTo: Seq): Seq | null {
    for (let seq = Math.max(after + 1, this.first); seq <= upTo; seq += 1) {
      if (this.entries[seq - this.first]?.takesOut(user)) return seq;
    }
    return null;
  }

  /** The events of (after, upTo]. */
  between(after: Seq, upTo: Seq): StoredEvent[] {
    return this.entries.slice(after - this.first + 1, upTo - this.first + 1).map(({ event }) => event);
  }

  /** Do some events in (after, upTo] look different to those whose part begins at `fromSeq`? */
  hides(fromSeq: Seq, after: Seq, upTo: Seq): boolean {
    for (let i = after - this.first + 1; i <= upTo - this.first; i += 1) {
      const { about } = this.entries[i] as Entry;
      if (about !== 0 && about < fromSeq) return true;
    }
    return false;
  }

  /** The frames of (after, upTo] in one piece; null when this encoding shows none of them. */
  join(encoding: Encoding, fromSeq: Seq, after: Seq, upTo: Seq): Buffer | null {
    const shared = fromSeq <= 1 || !this.hides(fromSeq, after, upTo);
    const known = this.#joined;
    if (shared && known?.encoding === encoding && known.after === after && known.upTo === upTo) return known.bytes;
    const frames: Buffer[] = [];
    for (let i = after - this.first + 1; i <= upTo - this.first; i += 1) {
      const frame = (this.entries[i] as Entry).frame(encoding, fromSeq);
      if (frame) frames.push(frame);
    }
    const bytes = frames.length > 1 ? Buffer.concat(frames) : (frames[0] ?? null);
    if (shared) this.#joined = { encoding, after, upTo, bytes };
    return bytes;
  }
}

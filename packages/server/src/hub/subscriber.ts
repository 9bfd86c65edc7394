/** One connection as the hub sees it: who it is, what it follows, and the bytes that wait for the next flush. */
import type { RoomId, Seq, SessionId, StreamId, UserId, UserRole } from '@natter/protocol';
import type { Encoding } from './encoding.js';

/** What the hub needs of an edge's socket. */
export interface Outlet {
  /** Bytes that were written and that the network has not taken yet. */
  readonly waiting: number;
  /** True while it is not wise to write more; then `onDrain` will call. */
  readonly blocked: boolean;
  /** All of them in one system call. They are shared with other sockets: never written to. */
  write(frames: Buffer | readonly Buffer[]): void;
  /** Calls once, when `blocked` has ended or the socket is gone. */
  onDrain(call: () => void): void;
  /** The session or the account ended: say so and close, at once [A1]. */
  ended(): void;
  /** The user's role is another one from now on. */
  roleChanged(role: UserRole): void;
  /** The hub failed this connection: close it with a code that says "come back". */
  failed(error: unknown): void;
  /** These streams are live, and stand there. */
  live?(cursors: ReadonlyMap<StreamId, Seq>): void;
  /** So far behind that events of this stream are left out. */
  behind?(stream: StreamId): void;
}

/** A stream that a connection hears live. */
export interface Followed {
  readonly stream: StreamId;
  /** Every live subscriber has been given everything up to here, and nothing beyond. */
  readonly told: Seq;
  /** Takes a subscriber out of the live set; answers the first seq that was theirs to read. */
  remove(subscriber: Subscriber): Seq;
}

export class Subscriber {
  readonly user: UserId;
  readonly session: SessionId | null;
  readonly encoding: Encoding;
  /** Another one may take over before the connection starts. */
  outlet: Outlet;
  /** The only rooms that it follows; null: all that the user is in, those to come included. */
  chosen: Set<RoomId> | null = null;
  /** The streams that are live. */
  feeds: Followed[] = [];
  /** Waits to be written; a frame alone needs no list. */
  #pending: Buffer | Buffer[] | null = null;
  /** Leave after everything else in the same write: whoever is answered has the event before it. */
  #replies: Buffer | Buffer[] | null = null;
  /** Bytes of both. */
  pendingBytes = 0;
  /** Is it in the list of those that the next flush writes to? */
  touched = false;
  closed = false;
  /** Logged in for sure: counts as online. */
  present = false;
  /** Since when it has been blocked with more to come, in the clock's ticks; null while it is not. */
  stalledSince: number | null = null;
  /** Whose presence it is told of. */
  watching: readonly UserId[] | null = null;

  constructor(user: UserId, session: SessionId | null, encoding: Encoding, outlet: Outlet) {
    this.user = user;
    this.session = session;
    this.encoding = encoding;
    this.outlet = outlet;
  }

  /** Bytes that this connection holds up. */
  get load(): number {
    return this.pendingBytes + this.outlet.waiting;
  }

  push(frame: Buffer): void {
    this.#pending = joined(this.#pending, frame);
    this.pendingBytes += frame.length;
  }

  reply(frame: Buffer): void {
    this.#replies = joined(this.#replies, frame);
    this.pendingBytes += frame.length;
  }

  /** Writes what waits. */
  flush(): void {
    const pending = this.#pending;
    const replies = this.#replies;
    this.#pending = null;
    this.#replies = null;
    this.pendingBytes = 0;
    if (this.closed) return;
    if (pending !== null && replies !== null) {
      this.outlet.write((Array.isArray(pending) ? pending : [pending]).concat(replies));
    } else {
      const frames = pending ?? replies;
      if (frames !== null) this.outlet.write(frames);
    }
  }

  /** Nothing is written any more. */
  close(): void {
    this.closed = true;
    this.#pending = null;
    this.#replies = null;
    this.pendingBytes = 0;
  }
}

function joined(frames: Buffer | Buffer[] | null, frame: Buffer): Buffer | Buffer[] {
  if (frames === null) return frame;
  if (Array.isArray(frames)) {
    frames.push(frame);
    return frames;
  }
  return [frames, frame];
}

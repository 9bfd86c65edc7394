/** How an edge shows what the hub delivers: bytes for its sockets, made once however many of them get those. */
import type { Seq, StreamId, UserId } from '@natter/protocol';
import type { Visit } from '../bus/bus.js';
import type { StoredEvent } from '../log/log.js';

export type { StoredEvent, Visit };

/** An event as clients see it. The body goes in as it is stored. */
export function eventJson({ type, stream, seq, id, actor, at, body }: StoredEvent): string {
  const time = new Date(at).toISOString();
  return `{"type":"${type}","stream":${stream},"seq":${seq},"id":${id},"actor":${actor},"at":"${time}","body":${body}}`;
}

export interface PresenceRow {
  user: UserId;
  online: boolean;
  /** Milliseconds since 1970; null where this node does not know: the user's row does. */
  lastSeen: number | null;
}

/**
 * Everything that the hub says, in the shape of one API, framed for its transport. Null: this API doesn't show it.
 * What it makes is shared by many sockets, and must never be written to.
 */
export interface Encoding {
  readonly name: string;
  event(event: StoredEvent): Buffer | null;
  /**
   * For what an API shows and events do not tell, such as names: nothing when all that these events need is at hand, else
   * a promise of it. Events that must wait for it are read from the log then, as if their hint were lost.
   */
  prepare?(events: readonly StoredEvent[]): Promise<void> | undefined;
  /** In place of an event about a message from before the member's time [A3]. */
  hidden(stream: StreamId, seq: Seq): Buffer | null;
  live(cursors: ReadonlyMap<StreamId, Seq>): Buffer | null;
  reset(stream: StreamId, seq: Seq): Buffer | null;
  gone(stream: StreamId): Buffer | null;
  typing(room: StreamId, user: UserId, active: boolean): Buffer | null;
  /** Still typing: for an API that has no word for its end. Told at most once a second. */
  stillTyping?(room: StreamId, user: UserId): Buffer | null;
  /** Somebody who speaks this API came or went. */
  visit?(room: StreamId, visit: Visit): Buffer | null;
  presence(rows: readonly PresenceRow[]): Buffer | null;
}

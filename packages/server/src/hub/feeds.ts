/** The streams that this node follows: opened when somebody comes, compared with the log, closed when nobody is left. */
import type { Seq, StreamId } from '@natter/protocol';
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import type { Head } from '../log/log.js';
import { type FeedHost, RoomFeed } from './room-feed.js';

export interface FeedsOptions {
  bus: Bus;
  clock: Clock;
  auditSeconds: number;
  graceSeconds: number;
  /** Is somebody here to whom this stream matters, though nobody hears it live? */
  needed(stream: StreamId): boolean;
}

/** Heads that are asked for in one query. */
const AUDIT_STREAMS = 5_000;

export class Feeds {
  readonly #host: FeedHost;
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<StreamId, RoomFeed>();
  #opening: { streams: StreamId[]; heads: Promise<Map<StreamId, Head>> } | null = null;
  #auditing = false;
  #auditAt: number;

  constructor(host: FeedHost, options: FeedsOptions) {
    this.#host = host;
    this.#options = options;
    this.#auditAt = options.clock.ticks() + options.auditSeconds * 1_000;
  }

  get size(): number {
    return this.#feeds.size;
  }

  get(stream: StreamId): RoomFeed | undefined {
    return this.#feeds.get(stream);
  }

  open(stream: StreamId): RoomFeed {
    const known = this.#feeds.get(stream);
    if (known) return known;
    this.#options.bus.follow(stream);
    const head: Promise<Seq> = this.#heads(stream).then((heads) => heads.get(stream)?.seq ?? 0);
    const feed = new RoomFeed(stream, this.#host, head);
    this.#feeds.set(stream, feed);
    feed.opening?.catch((error: unknown) => {
      this.#close(stream);
      this.#host.failed(error);
    });
    return feed;
  }

  /** One query for all feeds that open in one turn of the event loop. */
  #heads(stream: StreamId): Promise<Map<StreamId, Head>> {
    if (!this.#opening) {
      const streams: StreamId[] = [];
      const endOfTurn = new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      const heads = endOfTurn.then(() => {
        this.#opening = null;
        return this.#host.log.heads(streams);
      });
      this.#opening = { streams, heads };
    }
    this.#opening.streams.push(stream);
    return this.#opening.heads;
  }

  /** Called every second or so. */
  beat(): void {
    const { clock, auditSeconds } = this.#options;
    this.#closeIdle();
    if (clock.ticks() < this.#auditAt || this.#auditing) return;
    this.#auditAt = clock.ticks() + auditSeconds * 1_000;
    this.#auditing = true;
    this.#audit([...this.#feeds.keys()])
      .catch((error: unknown) => this.#host.failed(error))
      .finally(() => {
        this.#auditing = false;
      });
  }

  /** The log may be ahead of this stream: its hint may have been lost. */
  suspect(stream: StreamId): void {
    if (this.#feeds.has(stream)) this.#audit([stream]).catch((error: unknown) => this.#host.failed(error));
  }

  /** [H3] A last hint that was lost leaves no gap to be seen: so heads are compared with the log's. */
  async #audit(streams: StreamId[]): Promise<void> {
    for (let from = 0; from < streams.length; from += AUDIT_STREAMS) {
      const heads = await this.#host.log.heads(streams.slice(from, from + AUDIT_STREAMS));
      for (const [stream, { seq }] of heads) {
        const feed = this.#feeds.get(stream);
        if (!feed || feed.opening) continue;
        feed.ring.forgetJoined();
        if (seq > feed.head) feed.heal(seq).catch((error: unknown) => this.#host.failed(error));
      }
    }
  }

  /** Kept for a while: those who lost their connection come back and find the ring. */
  #closeIdle(): void {
    const now = this.#options.clock.ticks();
    for (const [stream, feed] of this.#feeds) {
      if (feed.live > 0 || feed.pins > 0 || feed.opening || this.#options.needed(stream)) feed.idleSince = null;
      else if (feed.idleSince === null) feed.idleSince = now;
      else if (now - feed.idleSince >= this.#options.graceSeconds * 1_000) this.#close(stream);
    }
  }

  #close(stream: StreamId): void {
    if (!this.#feeds.delete(stream)) return;
    this.#options.bus.unfollow(stream);
    this.#host.forget(stream);
  }

  close(): void {
    for (const stream of [...this.#feeds.keys()]) this.#close(stream);
  }
}

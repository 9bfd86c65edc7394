/** The streams that this node follows: opened when somebody comes, compared with the log, closed when nobody is left. */
import type { EventId, Seq, StreamId } from '@natter/protocol';
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import type { Head } from '../log/log.js';
import { type FeedHost, RoomFeed } from './room-feed.js';

export interface FeedsOptions {
  bus: Bus;
  clock: Clock;
  /** Between two audits of all heads: while hints arrive, and while they are known to be lost. */
  auditSeconds: number;
  alertSeconds: number;
  graceSeconds: number;
  /** Is somebody here to whom this stream matters, though nobody hears it live? */
  needed(stream: StreamId): boolean;
}

/** Heads that are asked for in one query. */
const AUDIT_STREAMS = 5_000;
/** A hint may be on its way while heads are read: what is behind after this long was not told. */
const LATE_MS = 200;
/** Once a hint was lost, more are expected to be for so long. */
const ALERT_MS = 60_000;
/** What ends sessions and accounts is looked for this far back: ids are given before they are committed. */
const ENDINGS_MS = 30_000;

export class Feeds {
  readonly #host: FeedHost;
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<StreamId, RoomFeed>();
  #opening: { streams: StreamId[]; heads: Promise<Map<StreamId, Head>> } | null = null;
  #auditing = false;
  #auditedAt: number;
  #alertUntil = 0;
  #lookingForEndings = false;
  /** The newest event at some moments, oldest first. */
  readonly #newest: { at: number; id: EventId }[] = [];

  constructor(host: FeedHost, options: FeedsOptions) {
    this.#host = host;
    this.#options = options;
    this.#auditedAt = options.clock.ticks();
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
    const { bus, clock, auditSeconds, alertSeconds } = this.#options;
    this.#closeIdle();
    if (bus.shared) this.#lookForEndings().catch((error: unknown) => this.#host.failed(error));
    const alert = bus.trouble !== null || clock.ticks() < this.#alertUntil;
    // The beat that is nearest to it.
    const every = (alert ? alertSeconds : auditSeconds) * 1_000 - 500;
    if (clock.ticks() - this.#auditedAt >= every) this.#auditAll();
  }

  /** Hints may be missing from now on, or may have been missing up to now. */
  troubled(): void {
    this.#auditAll();
  }

  /** The log may be ahead of these streams: their hints may have been lost. */
  suspect(streams: readonly StreamId[]): void {
    this.#audit(streams, true).catch((error: unknown) => this.#host.failed(error));
  }

  #auditAll(): void {
    if (this.#auditing) return;
    const { bus, clock } = this.#options;
    this.#auditedAt = clock.ticks();
    this.#auditing = true;
    // Where nothing can arrive meanwhile, nothing is waited for.
    const atOnce = !bus.shared || bus.trouble !== null || clock.ticks() < this.#alertUntil;
    this.#audit([...this.#feeds.keys()], atOnce)
      .catch((error: unknown) => this.#host.failed(error))
      .finally(() => {
        this.#auditing = false;
      });
  }

  /** [H3] A last hint that was lost leaves no gap to be seen: so heads are compared with the log's. */
  async #audit(streams: readonly StreamId[], atOnce: boolean): Promise<void> {
    const open = streams.filter((stream) => this.#feeds.has(stream));
    for (let from = 0; from < open.length; from += AUDIT_STREAMS) {
      const heads = await this.#host.log.heads(open.slice(from, from + AUDIT_STREAMS));
      const behind: [StreamId, Seq][] = [];
      for (const [stream, { seq }] of heads) {
        const feed = this.#feeds.get(stream);
        if (!feed || feed.opening) continue;
        feed.ring.forgetJoined();
        if (seq > feed.head) behind.push([stream, seq]);
      }
      if (behind.length === 0) continue;
      if (atOnce) this.#heal(behind);
      else this.#options.clock.after(LATE_MS, () => this.#notTold(behind));
    }
  }

  #notTold(behind: readonly [StreamId, Seq][]): void {
    const lost = behind.filter(([stream, seq]) => seq > (this.#feeds.get(stream)?.head ?? seq));
    if (lost.length === 0) return;
    this.#alertUntil = this.#options.clock.ticks() + ALERT_MS;
    this.#heal(lost);
  }

  #heal(behind: readonly [StreamId, Seq][]): void {
    for (const [stream, seq] of behind) {
      this.#feeds
        .get(stream)
        ?.heal(seq)
        .catch((error: unknown) => this.#host.failed(error));
    }
  }

  /**
   * [A1] Whoever was logged out hears nothing two seconds later, though the hint of it was lost. What ends sessions is
   * rare: asking for it costs one small query a second, however many are connected.
   */
  async #lookForEndings(): Promise<void> {
    if (this.#lookingForEndings) return;
    this.#lookingForEndings = true;
    try {
      const now = this.#options.clock.ticks();
      const { newest, endings } = await this.#host.log.endings(this.#newest[0]?.id ?? null);
      this.#newest.push({ at: now, id: newest });
      while ((this.#newest[1]?.at ?? now) <= now - ENDINGS_MS) this.#newest.shift();
      for (const [stream, seq] of endings) this.#feeds.get(stream)?.behind(seq);
    } finally {
      this.#lookingForEndings = false;
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

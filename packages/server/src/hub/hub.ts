/** Who listens on this node, and how events reach them: committed here or hinted at by the bus, each told once and in order. */
import type { Epoch, RoomId, Seq, StreamId, UserId, UserRole } from '@natter/protocol';
import type { Bus } from '../bus/bus.js';
import type { Clock, Timer } from '../clock.js';
import type { Limits } from '../limits.js';
import type { CommitListener } from '../log/log.js';
import type { Spent } from '../rate-limiter.js';
import type { StoredEvent, Visit } from './encoding.js';
import { Feeds } from './feeds.js';
import { Flushes, type FlushWindow } from './flush.js';
import { Pages } from './pages.js';
import { ONLINE, Presence } from './presence.js';
import { CatchUp, type CatchUpHost, type Memberships, type Outcome } from './resume.js';
import { Roll } from './roll.js';
import type { FeedLog, RoomFeed } from './room-feed.js';
import { Rosters } from './rosters.js';
import type { Subscriber } from './subscriber.js';
import { Typing } from './typing.js';

export interface HubLog extends FeedLog {
  readonly epoch: Epoch;
  onCommit(listener: CommitListener): void;
  onRepeat(listener: (event: StoredEvent) => void): void;
  /** Is more of this stream being committed? */
  isUnderWay(stream: StreamId): boolean;
}

export interface HubMetrics {
  /** Events that were given to so many live subscribers each. */
  delivered(events: number, subscribers: number): void;
  /** One flush: connections that were written to, and the milliseconds it took. */
  flushed(connections: number, milliseconds: number): void;
  /** Events that were read from the log for connections that catch up. */
  read(events: number): void;
  /** Events that came from the log because their hint did not. */
  healed(events: number): void;
  /** A connection fell behind and catches up from the log. */
  detached(): void;
  /** A connection's way into one stream ended so. */
  resumed(outcome: Outcome): void;
}

export interface HubOptions {
  log: HubLog;
  bus: Bus;
  limits: Limits;
  clock: Clock;
  memberships: Memberships;
  /** Keeps when users were last seen. */
  touchUsers(rows: readonly { user: UserId; at: number }[]): Promise<void>;
  /** This node's name among the nodes of the bus. */
  node: string;
  /** What went wrong behind the scenes: nothing is lost by it, and it is tried again. */
  onError(error: unknown): void;
  /** Somebody spent of a rate limit on another node. */
  spentElsewhere?(spent: Spent): void;
  metrics?: HubMetrics;
  flushWindow?: FlushWindow;
}

/** A room of a user who says hello, as it was read after `enter`. */
export interface Standing {
  stream: StreamId;
  /** Head of the room for which the membership is so. */
  head: Seq;
  /** First seq that the user may read. */
  fromSeq: Seq;
}

/** Where a connection begins. */
export interface Start {
  /** Head of the inbox, as `enter` answered it. */
  inbox: Seq;
  rooms: readonly Standing[];
  /** What the client has, by stream; empty when it has nothing. */
  cursors: ReadonlyMap<StreamId, Seq>;
  /** The life of the log that the cursors belong to. */
  epoch: Epoch | undefined;
  /** It follows these rooms and those that it asks for, not what the user is added to. */
  chosen?: true;
}

const BEAT_MS = 1_000;

export class Hub {
  readonly presence: Presence;
  readonly rosters: Rosters;
  readonly #options: HubOptions;
  readonly #roll: Roll;
  readonly #typing: Typing;
  readonly #feeds: Feeds;
  /** Everybody who entered, known to be logged in or not yet. */
  readonly #users = new Map<UserId, Subscriber[]>();
  readonly #catchingUp = new Map<Subscriber, CatchUp>();
  /** Rooms that users were added to before their connections started. */
  readonly #early = new Map<Subscriber, RoomId[]>();
  readonly #catchUpHost: CatchUpHost;
  #dirty: RoomFeed[] = [];
  #touched: Subscriber[] = [];
  readonly #flushes: Flushes;
  #saveSeenAt: number;
  readonly #timer: Timer;
  #closed = false;

  constructor(options: HubOptions) {
    const { log, bus, limits, clock, metrics, memberships } = options;
    this.#options = options;
    const pages = new Pages(log, limits.LOG_PAGE_CACHE_BYTES, (events) => metrics?.read(events));
    const failed = (error: unknown) => options.onError(error);
    this.#feeds = new Feeds(
      {
        log,
        ringEvents: limits.ROOM_RING_EVENTS,
        ringBytes: limits.ROOM_RING_BYTES,
        push: (subscriber, frames) => this.#push(subscriber, frames),
        detach: (subscriber) => this.#detach(subscriber),
        evicted: (subscriber, stream) => this.send(subscriber, subscriber.encoding.gone(stream)),
        subscribersOf: (user) => this.#users.get(user) ?? [],
        dirty: (feed) => this.#markDirty(feed),
        inboxEvent: (event) => this.#inboxEvent(event),
        forget: (stream) => pages.forget(stream),
        failed,
        told: (events, subscribers) => metrics?.delivered(events, subscribers),
        healed: (events) => metrics?.healed(events),
      },
      {
        bus,
        clock,
        auditSeconds: limits.HEAD_AUDIT_SECONDS,
        alertSeconds: limits.HEAD_AUDIT_ALERT_SECONDS,
        graceSeconds: limits.FEED_GRACE_SECONDS,
        needed: (stream) => this.#users.has(stream),
      },
    );
    this.#catchUpHost = {
      pages,
      memberships,
      resumeEventsMax: limits.RESUME_EVENTS_MAX,
      socketBytesMax: limits.SOCKET_BUFFER_BYTES_MAX,
      ticks: () => clock.ticks(),
      send: (subscriber, frames) => this.send(subscriber, frames),
      caughtUp: (subscriber) => this.#catchingUp.delete(subscriber),
      resumed: (outcome) => metrics?.resumed(outcome),
      failed,
    };
    this.#roll = new Roll({
      bus,
      clock,
      node: options.node,
      leaseSeconds: limits.PRESENCE_LEASE_SECONDS,
      changed: (place, user) => {
        if (place === ONLINE) this.presence.changed(user);
      },
    });
    this.presence = new Presence({
      roll: this.#roll,
      clock,
      send: (subscriber, frame) => this.send(subscriber, frame),
    });
    this.rosters = new Rosters(this.#roll);
    this.#typing = new Typing({
      clock,
      seconds: limits.TYPING_SECONDS,
      tell: (room, user, active) =>
        this.#feeds.get(room)?.signal((encoding) => encoding.typing(room, user, active), user),
      tellAgain: (room, user) =>
        this.#feeds.get(room)?.signal((encoding) => encoding.stillTyping?.(room, user) ?? null, user),
      publish: (room, user, active) => bus.signal(room, { type: 'typing', user, active }),
    });
    bus.listen({
      event: (event) => this.#feeds.get(event.stream)?.accept(event),
      signal: (stream, signal) => {
        if (signal.type === 'typing') this.#typing.set(stream, signal.user, signal.active, false);
        else this.#tellVisit(stream, signal);
      },
      message: (message) => {
        if (message.type === 'rates.spent') options.spentElsewhere?.(message);
        else this.#roll.hear(message);
      },
      behind: (stream, seq) => this.#feeds.get(stream)?.behind(seq),
      followed: (streams) => this.#feeds.suspect(streams),
      troubled: () => {
        this.#feeds.troubled();
        if (bus.trouble === null) this.#roll.greet();
      },
    });
    this.#flushes = new Flushes({
      clock,
      gatherMsMax: limits.FLUSH_GATHER_MS_MAX,
      ...(options.flushWindow ? { window: options.flushWindow } : {}),
      flush: () => this.#flush(),
      twice: () => this.#dirty.reduce((sum, feed) => sum + (log.isUnderWay(feed.stream) ? feed.live : 0), 0),
    });
    log.onCommit((events) => this.#committed(events));
    log.onRepeat((event) => this.#repeated(event));
    this.#saveSeenAt = clock.ticks() + limits.LAST_SEEN_SECONDS * 1_000;
    this.#timer = clock.every(BEAT_MS, () => this.#beat());
  }

  get epoch(): Epoch {
    return this.#options.log.epoch;
  }

  /** For /metrics. */
  get counts(): { feeds: number; users: number; catchingUp: number } {
    return { feeds: this.#feeds.size, users: this.#users.size, catchingUp: this.#catchingUp.size };
  }

  /** Connections of a user, those that are only entering included. */
  connectionsOf(user: UserId): number {
    return this.#users.get(user)?.length ?? 0;
  }

  /**
   * First step of a connection: from here on, what happens to the user's sessions and account reaches it. Who it is may
   * be asked for after this, and the user's rooms: nothing that comes in between is missed. Answers the inbox's head.
   */
  async enter(subscriber: Subscriber): Promise<Seq> {
    const { user } = subscriber;
    const known = this.#users.get(user);
    if (known) known.push(subscriber);
    else this.#users.set(user, [subscriber]);
    this.#early.set(subscriber, []);
    const inbox = this.#feeds.open(user);
    if (inbox.opening) await inbox.opening;
    return inbox.head;
  }

  /** For edges whose clients count on hearing from the first moment on: a connection that starts now is live at once. */
  async open(rooms: readonly RoomId[]): Promise<void> {
    await Promise.all(rooms.map((room) => this.#feeds.open(room).opening));
  }

  /** Second step: the user is known to be logged in, and was told of its rooms. Brings all its streams to live. */
  start(subscriber: Subscriber, { inbox, rooms, cursors, epoch, chosen }: Start): void {
    if (subscriber.closed) return;
    subscriber.present = true;
    if (chosen) subscriber.chosen = new Set(rooms.map(({ stream }) => stream));
    this.presence.arrive(subscriber.user);
    const catchUp = this.#catchUpOf(subscriber);
    const sameLife = cursors.size > 0 && epoch === this.epoch;
    const follow = (stream: StreamId, head: Seq, fromSeq: Seq): void => {
      const cursor = cursors.get(stream);
      // [A3] Whoever stands before their part of the room has something of an earlier stay there.
      const reset = cursor !== undefined && (!sameLife || cursor < fromSeq - 1);
      catchUp.add({
        feed: this.#feeds.open(stream),
        at: reset ? 0 : (cursor ?? head),
        valid: head,
        fromSeq,
        reset,
        joins: false,
      });
    };
    follow(subscriber.user, inbox, 1);
    for (const { stream, head, fromSeq } of rooms) follow(stream, head, fromSeq);
    if (cursors.size > 0) {
      const mine = new Set([subscriber.user, ...rooms.map(({ stream }) => stream)]);
      for (const stream of cursors.keys()) {
        if (!mine.has(stream)) this.send(subscriber, subscriber.encoding.gone(stream));
      }
    }
    catchUp.start();
    const early = this.#early.get(subscriber) ?? [];
    this.#early.delete(subscriber);
    for (const room of early) this.#added(subscriber, room);
  }

  /**
   * Follows one more room, from its head on: `first` comes before all that is heard of it. True once it is live there; false
   * where the user is not in it, or no longer.
   */
  async followRoom(subscriber: Subscriber, room: RoomId, first: Buffer | null = null): Promise<boolean> {
    const membership = await this.#options.memberships(subscriber.user, room);
    if (!membership || subscriber.closed) return false;
    subscriber.chosen?.add(room);
    const feed = this.#feeds.open(room);
    if (feed.opening) {
      // Who is told to be in is in at once: nobody who comes later on that word is told of them as of somebody new.
      feed.pins += 1;
      await feed.opening.catch(() => {});
      feed.pins -= 1;
      if (subscriber.closed) return false;
    }
    // Behind the answers to what it asked before.
    subscriber.flush();
    this.send(subscriber, first);
    const { head, fromSeq } = membership;
    const catchUp = this.#catchUpOf(subscriber);
    return new Promise((settled) => {
      catchUp.add({ feed, at: head, valid: head, fromSeq, reset: false, joins: false, settled });
      catchUp.start();
    });
  }

  /** Hears no more of a room, in which the user stays. */
  unfollowRoom(subscriber: Subscriber, room: RoomId): void {
    subscriber.chosen?.delete(room);
    this.#catchingUp.get(subscriber)?.abandon(room);
    const feed = this.#feeds.get(room);
    if (!feed?.has(subscriber)) return;
    feed.tell();
    feed.remove(subscriber);
    subscriber.feeds.splice(subscriber.feeds.indexOf(feed), 1);
  }

  /** Does it hear the room live? */
  hears(subscriber: Subscriber, room: RoomId): boolean {
    return this.#feeds.get(room)?.has(subscriber) ?? false;
  }

  /** Tells those who speak an API that somebody who speaks it too came into a room or left it: never stored, may be lost. */
  visit(room: RoomId, visit: Visit): void {
    this.#tellVisit(room, visit);
    this.#options.bus.signal(room, { type: 'visit', ...visit });
  }

  #tellVisit(room: RoomId, visit: Visit): void {
    const feed = this.#feeds.get(room);
    // What was said before they came or went is heard before.
    feed?.tell();
    feed?.signal(
      (encoding) => (encoding.name === visit.dialect ? (encoding.visit?.(room, visit) ?? null) : null),
      visit.toSelf ? null : visit.user,
    );
  }

  /** The connection is gone. */
  leave(subscriber: Subscriber): void {
    if (subscriber.closed) return;
    subscriber.close();
    for (const feed of subscriber.feeds) feed.remove(subscriber);
    subscriber.feeds = [];
    this.presence.unwatch(subscriber);
    this.#early.delete(subscriber);
    const known = this.#users.get(subscriber.user) ?? [];
    const left = known.filter((other) => other !== subscriber);
    if (left.length === 0) this.#users.delete(subscriber.user);
    else if (left.length < known.length) this.#users.set(subscriber.user, left);
    if (subscriber.present) this.presence.depart(subscriber.user);
  }

  /** Gives a frame to one connection; it leaves with the next flush. */
  send(subscriber: Subscriber, frame: Buffer | null): void {
    if (!frame || subscriber.closed) return;
    subscriber.push(frame);
    this.#touch(subscriber);
  }

  /** Gives an answer to one connection: it leaves with the next flush, behind the events that wait. */
  reply(subscriber: Subscriber, frame: Buffer): void {
    if (subscriber.closed) return;
    subscriber.reply(frame);
    this.#touch(subscriber);
  }

  /** Typing, or no longer; believed of those who hear the room live, since that is membership as committed [A1]. */
  typing(subscriber: Subscriber, room: RoomId, active: boolean): void {
    if (this.#feeds.get(room)?.has(subscriber)) this.#typing.set(room, subscriber.user, active, true);
  }

  /** Frames that wait leave now. */
  flush(): void {
    this.#flushes.flush();
  }

  /** Answers how many connections were written to. */
  #flush(): number {
    const started = this.#options.clock.ticks();
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const feed of dirty) {
      feed.isDirty = false;
      feed.tell();
    }
    const touched = this.#touched;
    this.#touched = [];
    for (const subscriber of touched) {
      subscriber.touched = false;
      subscriber.flush();
    }
    if (touched.length > 0) this.#options.metrics?.flushed(touched.length, this.#options.clock.ticks() - started);
    return touched.length;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.close();
    this.#flushes.close();
    this.presence.close();
    this.#roll.close();
    for (const subscribers of [...this.#users.values()]) for (const one of subscribers) this.leave(one);
    this.#feeds.close();
    await this.#saveSeen();
  }

  #beat(): void {
    const { clock, limits } = this.#options;
    this.#typing.beat();
    this.#roll.beat();
    this.#feeds.beat();
    if (clock.ticks() < this.#saveSeenAt) return;
    this.#saveSeenAt = clock.ticks() + limits.LAST_SEEN_SECONDS * 1_000;
    void this.#saveSeen();
  }

  async #saveSeen(): Promise<void> {
    const rows = this.presence.takeSeen();
    if (rows.length === 0) return;
    try {
      await this.#options.touchUsers(rows);
    } catch (error) {
      this.presence.giveBack(rows);
      this.#options.onError(error);
    }
  }

  /** Only the log tells of what was committed here [H1]. */
  #committed(events: readonly StoredEvent[]): void {
    if (!this.#closed) {
      for (const event of events) {
        const feed = this.#feeds.get(event.stream);
        if (!feed) continue;
        feed.accept(event);
        this.#servedFirst(event.actor, feed);
      }
    }
    this.#options.bus.publish(events);
  }

  /** Whoever has it already drops it by its seq. */
  #repeated(event: StoredEvent): void {
    if (!this.#closed) this.#feeds.get(event.stream)?.accept(event);
    this.#options.bus.publish([event]);
  }

  /** Whoever did it is written to before the others: what they do next then comes in while those are written to. */
  #servedFirst(actor: UserId, feed: RoomFeed): void {
    const subscribers = this.#users.get(actor);
    if (subscribers) for (const one of subscribers) if (!one.touched && feed.has(one)) this.#touch(one);
  }

  #catchUpOf(subscriber: Subscriber): CatchUp {
    let catchUp = this.#catchingUp.get(subscriber);
    if (!catchUp) {
      catchUp = new CatchUp(subscriber, this.#catchUpHost);
      this.#catchingUp.set(subscriber, catchUp);
    }
    return catchUp;
  }

  /** The user was added to a room: its connections hear it from the joining on. */
  #added(subscriber: Subscriber, room: RoomId): void {
    const early = this.#early.get(subscriber);
    if (early) {
      early.push(room);
      return;
    }
    if (subscriber.chosen && !subscriber.chosen.has(room)) return;
    this.#options
      .memberships(subscriber.user, room)
      .then((membership) => {
        if (subscriber.closed) return;
        if (!membership) {
          // Gone again before it was followed: no feed tells it, and a page may have been read meanwhile.
          const follows = this.hears(subscriber, room) || this.#catchingUp.get(subscriber)?.waitsFor(room) === true;
          if (!follows) this.send(subscriber, subscriber.encoding.gone(room));
          return;
        }
        const { head, fromSeq, joinedSeq } = membership;
        const at = Math.max(joinedSeq, fromSeq) - 1;
        const catchUp = this.#catchUpOf(subscriber);
        catchUp.add({ feed: this.#feeds.open(room), at, valid: head, fromSeq, reset: false, joins: true });
        catchUp.start();
      })
      .catch((error: unknown) => {
        this.#options.onError(error);
        subscriber.outlet.failed(error);
      });
  }

  #inboxEvent(event: StoredEvent): void {
    const subscribers = this.#users.get(event.stream);
    if (!subscribers) return;
    const body = JSON.parse(event.body) as { room?: RoomId; sessions?: string[]; role?: UserRole };
    for (const subscriber of [...subscribers]) {
      switch (event.type) {
        case 'membership.added':
          if (body.room !== undefined) this.#added(subscriber, body.room);
          break;
        case 'session.ended':
          if (subscriber.session !== null && body.sessions?.includes(subscriber.session)) subscriber.outlet.ended();
          break;
        case 'user.deactivated':
        case 'user.deleted':
          subscriber.outlet.ended();
          break;
        case 'user.changed':
          if (body.role !== undefined) subscriber.outlet.roleChanged(body.role);
          break;
        default:
      }
    }
    // The room itself takes its user out; where that hint was lost, this one tells.
    if (event.type === 'membership.removed' && body.room !== undefined) this.#feeds.suspect([body.room]);
  }

  #push(subscriber: Subscriber, frames: Buffer): boolean {
    if (subscriber.load + frames.length > this.#options.limits.SOCKET_BUFFER_BYTES_MAX) return false;
    this.send(subscriber, frames);
    return true;
  }

  /** [G2] No live events any more; where it stands in each stream is kept, and it goes on from the log when it has drained. */
  #detach(subscriber: Subscriber): void {
    const catchUp = this.#catchUpOf(subscriber);
    const { feeds } = subscriber;
    subscriber.feeds = [];
    for (const followed of feeds) {
      const at = followed.told;
      const fromSeq = followed.remove(subscriber);
      catchUp.add({ feed: this.#feeds.open(followed.stream), at, valid: at, fromSeq, reset: false, joins: false });
    }
    this.#options.metrics?.detached();
    catchUp.start();
  }

  #markDirty(feed: RoomFeed): void {
    // Frames that wait already may wait for this one.
    this.#flushes.expect();
    if (feed.isDirty) return;
    feed.isDirty = true;
    this.#dirty.push(feed);
  }

  #touch(subscriber: Subscriber): void {
    if (subscriber.touched) return;
    subscriber.touched = true;
    this.#touched.push(subscriber);
    this.#flushes.expect();
  }
}

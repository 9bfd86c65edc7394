/** Who is online, on all nodes, and who wants to know: told in one frame for each watcher and moment, never stored. */
import type { UserId } from '@natter/protocol';
import type { Bus, NodeMessage } from '../bus/bus.js';
import type { Clock, Timer } from '../clock.js';
import type { PresenceRow } from './encoding.js';
import type { Subscriber } from './subscriber.js';

/** Changes that come within this many milliseconds leave as one frame. */
const GATHER_MS = 100;

export interface PresenceOptions {
  bus: Bus;
  clock: Clock;
  /** This node's name among the nodes. */
  node: string;
  leaseSeconds: number;
  send(subscriber: Subscriber, frame: Buffer | null): void;
}

interface Watched {
  readonly watchers: Set<Subscriber>;
  /** What they were told last. */
  online: boolean;
}

export class Presence {
  readonly #options: PresenceOptions;
  /** Open connections of this node's users. */
  readonly #here = new Map<UserId, number>();
  /** Users of other nodes, as long as those nodes are heard of. */
  readonly #elsewhere = new Map<string, { users: Set<UserId>; until: number }>();
  readonly #watched = new Map<UserId, Watched>();
  /** When users of this node were last seen: those online, and those whose time was not handed out yet. */
  readonly #seen = new Map<UserId, number>();
  readonly #unsaved = new Set<UserId>();
  readonly #changed = new Set<UserId>();
  #timer: Timer | null = null;
  #announceAt = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  isOnline(user: UserId): boolean {
    if (this.#here.has(user)) return true;
    for (const { users } of this.#elsewhere.values()) if (users.has(user)) return true;
    return false;
  }

  /** Everybody who is, on all nodes, by id. */
  users(): UserId[] {
    const users = new Set(this.#here.keys());
    for (const elsewhere of this.#elsewhere.values()) for (const user of elsewhere.users) users.add(user);
    return [...users].sort((a, b) => a - b);
  }

  /** Milliseconds since 1970; null where this node does not know: what was handed out does. */
  lastSeen(user: UserId): number | null {
    return this.#seen.get(user) ?? null;
  }

  arrive(user: UserId): void {
    const sockets = (this.#here.get(user) ?? 0) + 1;
    this.#here.set(user, sockets);
    this.touch(user);
    if (sockets > 1) return;
    this.#change(user);
    this.#tellNodes([user], []);
  }

  depart(user: UserId): void {
    const sockets = (this.#here.get(user) ?? 0) - 1;
    this.touch(user);
    if (sockets > 0) {
      this.#here.set(user, sockets);
      return;
    }
    this.#here.delete(user);
    this.#change(user);
    this.#tellNodes([], [user]);
  }

  /** The user did something just now. */
  touch(user: UserId): void {
    this.#seen.set(user, this.#options.clock.now());
    this.#unsaved.add(user);
  }

  /** What is new since the last time; whoever takes it keeps it. */
  takeSeen(): { user: UserId; at: number }[] {
    const rows: { user: UserId; at: number }[] = [];
    for (const user of this.#unsaved) {
      const at = this.#seen.get(user);
      if (at !== undefined) rows.push({ user, at });
      if (!this.#here.has(user)) this.#seen.delete(user);
    }
    this.#unsaved.clear();
    return rows;
  }

  /** What could not be kept: it is handed out again, where nothing newer is. */
  giveBack(rows: readonly { user: UserId; at: number }[]): void {
    for (const { user, at } of rows) {
      if ((this.#seen.get(user) ?? 0) <= at) this.#seen.set(user, at);
      this.#unsaved.add(user);
    }
  }

  /** Tells of these users from now on, and of no others; how they are at this moment is told at once. */
  watch(subscriber: Subscriber, users: readonly UserId[]): void {
    this.unwatch(subscriber);
    if (users.length === 0) return;
    subscriber.watching = [...users];
    for (const user of users) {
      const watched = this.#watched.get(user);
      if (watched) watched.watchers.add(subscriber);
      else this.#watched.set(user, { watchers: new Set([subscriber]), online: this.isOnline(user) });
    }
    this.#tell(
      subscriber,
      users.map((user) => this.#row(user)),
    );
  }

  unwatch(subscriber: Subscriber): void {
    for (const user of subscriber.watching ?? []) {
      const watched = this.#watched.get(user);
      watched?.watchers.delete(subscriber);
      if (watched?.watchers.size === 0) this.#watched.delete(user);
    }
    subscriber.watching = null;
  }

  /** From another node. */
  hear(message: Extract<NodeMessage, { type: 'presence' | 'presence.all' }>): void {
    const until = this.#options.clock.ticks() + this.#options.leaseSeconds * 1_000;
    const known = this.#elsewhere.get(message.node)?.users ?? new Set<UserId>();
    const users = message.type === 'presence.all' ? new Set(message.users) : known;
    this.#elsewhere.set(message.node, { users, until });
    if (message.type === 'presence.all') {
      for (const user of known) if (!users.has(user)) this.#change(user);
      for (const user of users) if (!known.has(user)) this.#change(user);
      return;
    }
    for (const user of message.online) users.add(user);
    for (const user of message.offline) users.delete(user);
    for (const user of [...message.online, ...message.offline]) this.#change(user);
  }

  /** Called every second or so: renews this node's lease, and ends those of nodes that are silent. */
  beat(): void {
    const { bus, clock, node, leaseSeconds } = this.#options;
    const now = clock.ticks();
    for (const [name, { users, until }] of this.#elsewhere) {
      if (until > now) continue;
      this.#elsewhere.delete(name);
      for (const user of users) this.#change(user);
    }
    if (!bus.shared || now < this.#announceAt) return;
    this.#announceAt = now + (leaseSeconds * 1_000) / 3;
    bus.broadcast({ type: 'presence.all', node, users: [...this.#here.keys()] });
  }

  close(): void {
    this.#timer?.close();
  }

  #tellNodes(online: UserId[], offline: UserId[]): void {
    const { bus, node } = this.#options;
    if (bus.shared) bus.broadcast({ type: 'presence', node, online, offline });
  }

  #change(user: UserId): void {
    if (!this.#watched.has(user)) return;
    this.#changed.add(user);
    this.#timer ??= this.#options.clock.after(GATHER_MS, () => {
      this.#timer = null;
      this.#flush();
    });
  }

  /** One frame for each watcher, whatever changed; who left and came back meanwhile did not change. */
  #flush(): void {
    const rows = new Map<Subscriber, PresenceRow[]>();
    for (const user of this.#changed) {
      const watched = this.#watched.get(user);
      const row = this.#row(user);
      if (!watched || watched.online === row.online) continue;
      watched.online = row.online;
      for (const watcher of watched.watchers) {
        const list = rows.get(watcher);
        if (list) list.push(row);
        else rows.set(watcher, [row]);
      }
    }
    this.#changed.clear();
    for (const [watcher, list] of rows) this.#tell(watcher, list);
  }

  #row(user: UserId): PresenceRow {
    return { user, online: this.isOnline(user), lastSeen: this.lastSeen(user) };
  }

  #tell(subscriber: Subscriber, rows: PresenceRow[]): void {
    this.#options.send(subscriber, subscriber.encoding.presence(rows));
  }
}

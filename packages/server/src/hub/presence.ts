/** Who is online, on all nodes, and who wants to know: told in one frame for each watcher and moment, never stored. */
import type { UserId } from '@natter/protocol';
import type { Clock, Timer } from '../clock.js';
import type { PresenceRow } from './encoding.js';
import type { Roll } from './roll.js';
import type { Subscriber } from './subscriber.js';

/** The place on the roll of all who have an open socket. */
export const ONLINE = 'online';

/** Changes that come within this many milliseconds leave as one frame. */
const GATHER_MS = 100;

export interface PresenceOptions {
  roll: Roll;
  clock: Clock;
  send(subscriber: Subscriber, frame: Buffer | null): void;
}

interface Watched {
  readonly watchers: Set<Subscriber>;
  /** What they were told last. */
  online: boolean;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #watched = new Map<UserId, Watched>();
  /** When users of this node were last seen: those online, and those whose time was not handed out yet. */
  readonly #seen = new Map<UserId, number>();
  readonly #unsaved = new Set<UserId>();
  readonly #changed = new Set<UserId>();
  #timer: Timer | null = null;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  isOnline(user: UserId): boolean {
    return this.#options.roll.has(ONLINE, user);
  }

  /** Everybody who is, on all nodes, by id. */
  users(): UserId[] {
    return [...this.#options.roll.users(ONLINE)].sort((a, b) => a - b);
  }

  /** Milliseconds since 1970; null where this node does not know: what was handed out does. */
  lastSeen(user: UserId): number | null {
    return this.#seen.get(user) ?? null;
  }

  arrive(user: UserId): void {
    this.touch(user);
    if (this.#options.roll.enter(ONLINE, user)) this.changed(user);
  }

  depart(user: UserId): void {
    this.touch(user);
    if (this.#options.roll.leave(ONLINE, user)) this.changed(user);
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
      if (!this.#options.roll.hasHere(ONLINE, user)) this.#seen.delete(user);
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

  close(): void {
    this.#timer?.close();
  }

  /** The user may have come or gone, here or elsewhere. */
  changed(user: UserId): void {
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

/** Who speaks which API in which room, on all nodes: by open sockets here, and by what the other nodes say of theirs. Never stored. */
import type { RoomId, UserId } from '@natter/protocol';
import type { Bus, NodeMessage, Seat } from '../bus/bus.js';
import type { Clock } from '../clock.js';

/** Seats that are told in one message. */
const SEATS_MAX = 5_000;

export interface RostersOptions {
  bus: Bus;
  clock: Clock;
  /** This node's name among the nodes. */
  node: string;
  leaseSeconds: number;
}

/** One API's part of it. */
export interface Roster {
  /** One more socket here. True: the user's first one in this room, on any node. */
  enter(room: RoomId, user: UserId): boolean;
  /** One less. True: it was the user's last one there. */
  leave(room: RoomId, user: UserId): boolean;
  has(room: RoomId, user: UserId): boolean;
  /** In any room. */
  hasUser(user: UserId): boolean;
  /** Everybody, once. */
  readonly userCount: number;
  /** Users, counted once in each room. */
  readonly seatCount: number;
}

/** What another node has said, as long as it is heard of. */
interface Peer {
  readonly seats: Map<string, Seat>;
  until: number;
  /** Seats of the round that is being told, to which those that are not in it have ended; null between rounds. */
  fresh: Set<string> | null;
  round: number;
}

type SeatMessage = Extract<NodeMessage, { type: 'seats' | 'seats.all' }>;

export class Rosters {
  readonly #options: RostersOptions;
  readonly #apis = new Map<string, { here: Tally; everywhere: Tally }>();
  readonly #peers = new Map<string, Peer>();
  #announceAt = 0;
  #round = 0;

  constructor(options: RostersOptions) {
    this.#options = options;
  }

  of(api: string): Roster {
    const { here, everywhere } = this.#tallies(api);
    return {
      enter: (room, user) => {
        if (here.add(room, user)) this.#tell({ taken: [[api, room, user]], left: [] });
        return everywhere.add(room, user);
      },
      leave: (room, user) => {
        if (!here.has(room, user)) return false;
        if (here.remove(room, user)) this.#tell({ taken: [], left: [[api, room, user]] });
        return everywhere.remove(room, user);
      },
      has: (room, user) => everywhere.has(room, user),
      hasUser: (user) => everywhere.hasUser(user),
      get userCount() {
        return everywhere.userCount;
      },
      get seatCount() {
        return everywhere.seatCount;
      },
    };
  }

  /** From another node. */
  hear(message: SeatMessage): void {
    const peer = this.#peers.get(message.node) ?? { seats: new Map(), until: 0, fresh: null, round: 0 };
    this.#peers.set(message.node, peer);
    peer.until = this.#options.clock.ticks() + this.#options.leaseSeconds * 1_000;
    if (message.type === 'seats') {
      for (const seat of message.taken) this.#take(peer, seat);
      for (const seat of message.left) this.#end(peer, String(seat));
      return;
    }
    if (peer.fresh === null || peer.round !== message.round) {
      peer.round = message.round;
      peer.fresh = new Set();
    }
    for (const seat of message.seats) this.#take(peer, seat);
    if (!message.last) return;
    // Where a part was lost nothing is concluded from what is missing; the next round comes soon.
    if (peer.fresh.size >= message.total) {
      for (const key of peer.seats.keys()) if (!peer.fresh.has(key)) this.#end(peer, key);
    }
    peer.fresh = null;
  }

  /** Called every second or so: renews what this node has said, and ends what silent nodes have. */
  beat(): void {
    const { bus, clock, leaseSeconds } = this.#options;
    const now = clock.ticks();
    for (const [node, peer] of this.#peers) {
      if (peer.until > now) continue;
      this.#peers.delete(node);
      for (const key of peer.seats.keys()) this.#end(peer, key);
    }
    if (!bus.shared || now < this.#announceAt) return;
    this.#announceAt = now + (leaseSeconds * 1_000) / 3;
    this.#tellAll();
  }

  #tellAll(): void {
    const { bus, node } = this.#options;
    const all: Seat[] = [];
    for (const [api, { here }] of this.#apis) for (const [room, user] of here.all()) all.push([api, room, user]);
    this.#round += 1;
    for (let from = 0; from === 0 || from < all.length; from += SEATS_MAX) {
      const seats = all.slice(from, from + SEATS_MAX);
      const last = from + SEATS_MAX >= all.length;
      bus.broadcast({ type: 'seats.all', node, round: this.#round, seats, total: all.length, last });
    }
  }

  #tell(change: { taken: Seat[]; left: Seat[] }): void {
    const { bus, node } = this.#options;
    if (bus.shared) bus.broadcast({ type: 'seats', node, ...change });
  }

  #take(peer: Peer, seat: Seat): void {
    const key = String(seat);
    peer.fresh?.add(key);
    if (peer.seats.has(key)) return;
    peer.seats.set(key, seat);
    const [api, room, user] = seat;
    this.#tallies(api).everywhere.add(room, user);
  }

  #end(peer: Peer, key: string): void {
    const seat = peer.seats.get(key);
    peer.fresh?.delete(key);
    if (!seat) return;
    peer.seats.delete(key);
    const [api, room, user] = seat;
    this.#tallies(api).everywhere.remove(room, user);
  }

  #tallies(api: string): { here: Tally; everywhere: Tally } {
    let tallies = this.#apis.get(api);
    if (!tallies) {
      tallies = { here: new Tally(), everywhere: new Tally() };
      this.#apis.set(api, tallies);
    }
    return tallies;
  }
}

/** How often each user is in each room. */
class Tally {
  readonly #rooms = new Map<RoomId, Map<UserId, number>>();
  readonly #users = new Map<UserId, number>();
  #seats = 0;

  /** True: for the first time. */
  add(room: RoomId, user: UserId): boolean {
    const users = this.#rooms.get(room) ?? new Map<UserId, number>();
    this.#rooms.set(room, users);
    const times = (users.get(user) ?? 0) + 1;
    users.set(user, times);
    if (times > 1) return false;
    this.#users.set(user, (this.#users.get(user) ?? 0) + 1);
    this.#seats += 1;
    return true;
  }

  /** True: it was the last time. */
  remove(room: RoomId, user: UserId): boolean {
    const users = this.#rooms.get(room);
    const times = users?.get(user);
    if (!users || times === undefined) return false;
    if (times > 1) {
      users.set(user, times - 1);
      return false;
    }
    users.delete(user);
    if (users.size === 0) this.#rooms.delete(room);
    const rooms = (this.#users.get(user) ?? 1) - 1;
    if (rooms > 0) this.#users.set(user, rooms);
    else this.#users.delete(user);
    this.#seats -= 1;
    return true;
  }

  has(room: RoomId, user: UserId): boolean {
    return this.#rooms.get(room)?.has(user) ?? false;
  }

  hasUser(user: UserId): boolean {
    return this.#users.has(user);
  }

  get userCount(): number {
    return this.#users.size;
  }

  get seatCount(): number {
    return this.#seats;
  }

  *all(): Iterable<[RoomId, UserId]> {
    for (const [room, users] of this.#rooms) for (const user of users.keys()) yield [room, user];
  }
}

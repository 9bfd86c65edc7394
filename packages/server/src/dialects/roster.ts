/** Who speaks a dialect in which room, on this node: by open sockets. */
import type { RoomId, UserId } from '@natter/protocol';

export class Roster {
  readonly #rooms = new Map<RoomId, Map<UserId, number>>();
  readonly #users = new Map<UserId, number>();

  /** True: the user's first socket in this room. */
  enter(room: RoomId, user: UserId): boolean {
    const users = this.#rooms.get(room) ?? new Map<UserId, number>();
    this.#rooms.set(room, users);
    this.#users.set(user, (this.#users.get(user) ?? 0) + 1);
    const sockets = (users.get(user) ?? 0) + 1;
    users.set(user, sockets);
    return sockets === 1;
  }

  /** True: it was the user's last one there. */
  leave(room: RoomId, user: UserId): boolean {
    const users = this.#rooms.get(room);
    if (!users || !count(users, user)) return false;
    count(this.#users, user);
    if (users.size === 0) this.#rooms.delete(room);
    return !users.has(user);
  }

  /** Everybody, once. */
  get userCount(): number {
    return this.#users.size;
  }

  /** Users, counted once in each room. */
  get placeCount(): number {
    let places = 0;
    for (const users of this.#rooms.values()) places += users.size;
    return places;
  }
}

/** One less; false where there was none. */
function count(users: Map<UserId, number>, user: UserId): boolean {
  const sockets = users.get(user);
  if (sockets === undefined) return false;
  if (sockets > 1) users.set(user, sockets - 1);
  else users.delete(user);
  return true;
}

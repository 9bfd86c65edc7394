/** Who speaks which API in which room, on all nodes: what the roll says of it. */
import type { RoomId, UserId } from '@natter/protocol';
import type { Roll } from './roll.js';

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

export class Rosters {
  readonly #roll: Roll;

  constructor(roll: Roll) {
    this.#roll = roll;
  }

  of(api: string): Roster {
    const roll = this.#roll;
    const anywhere = `api/${api}`;
    const placeOf = (room: RoomId): string => `${anywhere}/${room}`;
    return {
      enter: (room, user) => {
        roll.enter(anywhere, user);
        return roll.enter(placeOf(room), user);
      },
      leave: (room, user) => {
        if (!roll.hasHere(placeOf(room), user)) return false;
        roll.leave(anywhere, user);
        return roll.leave(placeOf(room), user);
      },
      has: (room, user) => roll.has(placeOf(room), user),
      hasUser: (user) => roll.has(anywhere, user),
      get userCount() {
        return roll.users(anywhere).size;
      },
      get seatCount() {
        let seats = 0;
        for (const place of roll.places(`${anywhere}/`)) seats += roll.users(place).size;
        return seats;
      },
    };
  }
}

/** Who is typing where: told when it changes, ended when it is not renewed, never stored. */
import type { RoomId, UserId } from '@natter/protocol';
import type { Clock } from '../clock.js';

/** Whoever starts and stops quickly is told of as starting once in so many milliseconds; the end is told at once. */
const GAP_MS = 1_000;

export interface TypingOptions {
  clock: Clock;
  seconds: number;
  /** Tells those who hear the room on this node. */
  tell(room: RoomId, user: UserId, active: boolean): void;
  /** It goes on: for APIs that have no word for its end, and so for its going on. */
  tellAgain(room: RoomId, user: UserId): void;
  /** Tells the other nodes, for users of this one. */
  publish(room: RoomId, user: UserId, active: boolean): void;
}

interface Typist {
  readonly room: RoomId;
  readonly user: UserId;
  /** Connected to this node: the others hear of it from here. */
  readonly here: boolean;
  active: boolean;
  /** What was told last. */
  told: boolean;
  /** It ends by itself then, in the clock's ticks. */
  until: number;
  /** It is not told again before then that it began. */
  quietUntil: number;
  /** The other nodes are told again from then on, before it ends there. */
  renewAt: number;
}

export class Typing {
  readonly #options: TypingOptions;
  readonly #typists = new Map<string, Typist>();

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#typists.size;
  }

  set(room: RoomId, user: UserId, active: boolean, here: boolean): void {
    const key = `${room}:${user}`;
    const now = this.#options.clock.ticks();
    let typist = this.#typists.get(key);
    if (!typist) {
      if (!active) return;
      typist = { room, user, here, active, told: false, until: 0, quietUntil: 0, renewAt: 0 };
      this.#typists.set(key, typist);
    }
    typist.active = active;
    if (active) typist.until = now + this.#options.seconds * 1_000;
    if (active && typist.told && now >= typist.quietUntil) {
      typist.quietUntil = now + GAP_MS;
      this.#options.tellAgain(room, user);
    }
    this.#settle(key, typist, now);
    if (active && here && now >= typist.renewAt) this.#publish(typist, now);
  }

  /** The one timer of all of them: called every second or so. */
  beat(): void {
    const now = this.#options.clock.ticks();
    for (const [key, typist] of this.#typists) {
      if (typist.active && typist.until <= now) typist.active = false;
      this.#settle(key, typist, now);
    }
  }

  #settle(key: string, typist: Typist, now: number): void {
    const { room, user, active } = typist;
    if (active !== typist.told && (!active || now >= typist.quietUntil)) {
      typist.told = active;
      if (active) typist.quietUntil = now + GAP_MS;
      this.#options.tell(room, user, active);
      if (typist.here) this.#publish(typist, now);
    }
    if (!active && !typist.told && now >= typist.quietUntil) this.#typists.delete(key);
  }

  #publish(typist: Typist, now: number): void {
    typist.renewAt = now + this.#options.seconds * 500;
    this.#options.publish(typist.room, typist.user, typist.active);
  }
}

/** Who is typing where, besides me. */
import type { NatterClient } from '@natter/client';
import { View } from '@natter/client/emitter';

/** Milliseconds after which somebody whose end was lost counts as silent: a little more than the server's TYPING_SECONDS. */
const LONGEST = 8_000;
const NOBODY: readonly number[] = [];

export class Typing {
  readonly #rooms = new Map<number, Map<number, ReturnType<typeof setTimeout>>>();
  readonly #views = new Map<number, View<readonly number[]>>();
  readonly #stops: (() => void)[];

  constructor(client: NatterClient, me: number) {
    this.#stops = [
      client.on('typing', ({ room, user, active }) => {
        if (user !== me) this.#hear(room, user, active);
      }),
      // Whoever sent has stopped typing.
      client.on('message.sent', ({ stream, actor }) => this.#hear(stream, actor, false)),
      client.on('connection', ({ state }) => {
        if (state !== 'live') for (const room of [...this.#rooms.keys()]) this.#clear(room);
      }),
    ];
  }

  in(room: number): View<readonly number[]> {
    const known = this.#views.get(room);
    if (known) return known;
    const view = new View(() => (this.#rooms.has(room) ? [...(this.#rooms.get(room)?.keys() ?? [])] : NOBODY));
    this.#views.set(room, view);
    return view;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const room of [...this.#rooms.keys()]) this.#clear(room);
  }

  #hear(room: number, user: number, active: boolean): void {
    const users = this.#rooms.get(room) ?? new Map<number, ReturnType<typeof setTimeout>>();
    const known = users.get(user);
    if (known === undefined && !active) return;
    clearTimeout(known);
    if (active)
      users.set(
        user,
        setTimeout(() => this.#hear(room, user, false), LONGEST),
      );
    else users.delete(user);
    if (users.size > 0) this.#rooms.set(room, users);
    else this.#rooms.delete(room);
    this.#views.get(room)?.touch();
  }

  #clear(room: number): void {
    for (const timer of this.#rooms.get(room)?.values() ?? []) clearTimeout(timer);
    this.#rooms.delete(room);
    this.#views.get(room)?.touch();
  }
}

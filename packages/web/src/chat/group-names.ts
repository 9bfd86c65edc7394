/** Who is in groups that have no name: they go by their members. */
import type { NatterClient } from '@natter/client';
import type { Api } from '@natter/client/api';
import { View } from '@natter/client/emitter';

/** Members that a group's name shows. */
export const SHOWN = 4;

export class GroupNames {
  readonly view: View<ReadonlyMap<number, readonly number[]>> = new View(() => new Map(this.#members));
  readonly #members: Map<number, readonly number[]>;
  /** Read from this device: shown until the server has said how it is now. */
  readonly #old: Set<number>;
  readonly #asked = new Set<number>();
  readonly #api: Api;
  readonly #client: NatterClient;
  readonly #me: number;

  constructor(
    client: NatterClient,
    api: Api,
    me: number,
    known: readonly (readonly [number, readonly number[]])[] = [],
  ) {
    this.#members = new Map(known);
    this.#old = new Set(this.#members.keys());
    this.#client = client;
    this.#api = api;
    this.#me = me;
    for (const type of ['member.joined', 'member.left', 'member.removed'] as const) {
      client.on(type, ({ stream }) => {
        if (this.#members.has(stream)) void this.#ask(stream);
      });
    }
  }

  get(room: number): readonly number[] | undefined {
    const known = this.#members.get(room);
    if ((known === undefined || this.#old.has(room)) && !this.#asked.has(room)) void this.#ask(room);
    return known;
  }

  async #ask(room: number): Promise<void> {
    this.#asked.add(room);
    try {
      const { members } = await this.#api.members(room, { limit: SHOWN + 1 });
      const others = members.map(({ user }) => user).filter(({ id }) => id !== this.#me);
      this.#client.people.learn(Object.fromEntries(others.map(({ id, name, fullName }) => [id, { name, fullName }])));
      this.#old.delete(room);
      this.#members.set(
        room,
        others.map(({ id }) => id),
      );
      this.view.touch();
    } catch {
      setTimeout(() => this.#asked.delete(room), 5_000);
    }
  }
}

/** Which room a name of this API means, remembered: a socket says it with each message. */
import type { RoomId } from '@natter/protocol';
import type { Actor } from '../../core/actor.js';
import type { DialectContext } from '../dialect.js';
import { labelOf, NAME } from './messages.js';

/** Names that are remembered; those that came first go. */
const NAMES_MAX = 10_000;

interface Known {
  id: RoomId;
  /** As the room is called, where it may be written otherwise. */
  name: string;
}

export class RoomsByName {
  readonly #context: DialectContext;
  readonly #known = new Map<string, Known>();
  readonly #finding = new Map<string, Promise<RoomId | null>>();

  constructor(context: DialectContext) {
    this.#context = context;
  }

  /** Null: there is none. Membership is not asked for. */
  async find(actor: Actor, name: string): Promise<RoomId | null> {
    const known = this.#known.get(name);
    if (known && this.#isCalled(known)) return known.id;
    // Who asks while it is being found waits for the same answer: messages stay in order.
    let finding = this.#finding.get(name);
    if (!finding) {
      finding = this.#find(actor, name).finally(() => this.#finding.delete(name));
      this.#finding.set(name, finding);
    }
    return finding;
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  /** Does this node know the room by that name still? */
  #isCalled({ id, name }: Known): boolean {
    const now = this.#context.people.rooms.get(id);
    return now !== undefined && labelOf(id, now) === name;
  }

  async #find(actor: Actor, wanted: string): Promise<RoomId | null> {
    const { queries, people, limits } = this.#context;
    this.#known.delete(wanted);
    // No name is longer, however it is written.
    if (wanted.length > limits.ROOM_NAME_MAX * 4) return null;
    const place = await queries.records.placeNamed(actor, { dialect: NAME, name: wanted });
    if (!place) return null;
    await people.rooms.prepare([place.id]);
    this.#known.set(wanted, { id: place.id, name: place.name });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= NAMES_MAX) break;
      this.#known.delete(oldest);
    }
    return place.id;
  }
}

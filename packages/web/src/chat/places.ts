/** Where I was reading in each room, so that coming back leads there. */

export interface Place {
  /** Seq of the first message that was in sight, and how far it stood from the top, in pixels. */
  readonly seq: number;
  readonly offset: number;
}

export class Places {
  readonly #places = new Map<number, Place>();

  /** Null: at the present. */
  get(room: number): Place | null {
    return this.#places.get(room) ?? null;
  }

  set(room: number, place: Place | null): void {
    if (place) this.#places.set(room, place);
    else this.#places.delete(room);
  }
}

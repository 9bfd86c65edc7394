/** Which row is pointed at, focused, edited or marked: only the rows that it concerns show themselves anew. */
import { View } from '@natter/client/emitter';
import { useSyncExternalStore } from 'react';

export interface Marked {
  /** Seq of the row under the pointer, or with the focus inside. */
  readonly active: number | null;
  /** Seq of the row that Tab leads to. */
  readonly stop: number | null;
  /** Seq of the message that is being edited. */
  readonly editing: number | null;
  /** Seq of the message that a link led to. */
  readonly found: number | null;
  /** Seq of the message whose menu is open. */
  readonly menu: number | null;
}

const NONE: Marked = { active: null, stop: null, editing: null, found: null, menu: null };

export class Marks {
  #now = NONE;
  readonly view: View<Marked> = new View(() => this.#now);

  get now(): Marked {
    return this.#now;
  }

  set(change: Partial<Marked>): void {
    for (const [name, value] of Object.entries(change) as [keyof Marked, number | null][]) {
      if (this.#now[name] === value) continue;
      this.#now = { ...this.#now, ...change };
      this.view.touch();
      return;
    }
  }
}

/** Is this row the one? */
export function useMark(marks: Marks, name: keyof Marked, seq: number): boolean {
  return useSyncExternalStore(marks.view.subscribe, () => marks.now[name] === seq);
}

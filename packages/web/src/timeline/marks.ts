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

/** What a row can be marked as: one bit for each, so that a row listens once. */
const BITS = { active: 1, menu: 2, editing: 4, found: 8 } as const;

type Mark = keyof typeof BITS;

/** What this row is marked as. */
export function useMarks(marks: Marks, seq: number): Readonly<Record<Mark, boolean>> {
  const bits = useSyncExternalStore(marks.view.subscribe, () => {
    const { active, menu, editing, found } = marks.now;
    return (
      (active === seq ? BITS.active : 0) |
      (menu === seq ? BITS.menu : 0) |
      (editing === seq ? BITS.editing : 0) |
      (found === seq ? BITS.found : 0)
    );
  });
  const is = (mark: Mark) => (bits & BITS[mark]) !== 0;
  return { active: is('active'), menu: is('menu'), editing: is('editing'), found: is('found') };
}

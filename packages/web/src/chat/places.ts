/** Where I was reading: in each room last, so that coming back leads there, and in each step of this tab's history. */
import { View } from '@natter/client/emitter';

export interface Place {
  /** Seq of the first message that was in sight, and how far it stood from the top, in pixels. */
  readonly seq: number;
  readonly offset: number;
}

/** The room that is open now, and where its reader stands; null: at the present. */
interface Reader {
  readonly room: number;
  readonly place: () => Place | null;
}

interface Left {
  readonly room: number;
  readonly place: Place | null;
}

/** Steps that are remembered: further back nobody goes. */
const STEPS_MAX = 200;

/** What marks an entry of the history. */
interface Mark {
  readonly step: string;
}

let count = 0;

/** For the entry that comes: marked from the beginning it need not be marked after. */
export function newStep(): Mark {
  count += 1;
  return { step: `${performance.timeOrigin}-${count}` };
}

export class Places {
  /** Which step of the history the page shows. */
  readonly step: View<string> = new View(() => this.#step);
  readonly #rooms = new Map<number, Place>();
  readonly #steps = new Map<string, Left>();
  readonly #listening = new AbortController();
  #reader: Reader | null = null;
  #step: string;

  constructor() {
    this.#step = this.#mark();
    // Before the page shows another step, and the reader is moved.
    const early = { capture: true, signal: this.#listening.signal };
    addEventListener('pushState', () => this.#go(), early);
    addEventListener('popstate', () => this.#go(), early);
    // Another address of the same step.
    addEventListener('replaceState', () => this.#mark(this.#step), early);
  }

  /** Null: at the present. */
  get(room: number): Place | null {
    return this.#rooms.get(room) ?? null;
  }

  /** Where the room was left in the step that the page shows; undefined where it was not shown in it before. */
  left(room: number): Place | null | undefined {
    const left = this.#steps.get(this.#step);
    return left?.room === room ? left.place : undefined;
  }

  /** A room is open. Answers the function that tells where it was left. */
  read(reader: Reader): () => void {
    this.#reader = reader;
    return () => {
      const place = reader.place();
      if (place) this.#rooms.set(reader.room, place);
      else this.#rooms.delete(reader.room);
      if (this.#reader === reader) this.#reader = null;
    };
  }

  close(): void {
    this.#listening.abort();
  }

  #go(): void {
    if (this.#reader) {
      this.#steps.delete(this.#step);
      this.#steps.set(this.#step, { room: this.#reader.room, place: this.#reader.place() });
      if (this.#steps.size > STEPS_MAX) this.#steps.delete(this.#steps.keys().next().value as string);
    }
    this.#step = this.#mark();
    this.step.touch();
  }

  /** The step of the entry that is shown: its own, or the one that it gets. */
  #mark(given?: string): string {
    const own = (history.state as Partial<Mark> | null)?.step;
    if (typeof own === 'string' && (given === undefined || own === given)) return own;
    const mark = given === undefined ? newStep() : { step: given };
    // Not by way of the router, which would hear of it as of another address.
    History.prototype.replaceState.call(history, { ...history.state, ...mark }, '');
    return mark.step;
  }
}

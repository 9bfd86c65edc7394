/** What this device is to tell of while nobody looks: in general, and in single rooms. Kept here, the same in all tabs. */
import { View } from '@natter/client/emitter';

/** `calls`: mentions of me, and all that is said in direct rooms. */
export const LEVELS = ['all', 'calls', 'none'] as const;
export type Level = (typeof LEVELS)[number];

interface Levels {
  readonly general: Level;
  /** Where it is another one, by room. */
  readonly rooms: Readonly<Record<string, Level>>;
}

/** Nothing, until somebody asks for it: browsers want to be asked by whoever is to be told. */
const FIRST: Levels = { general: 'none', rooms: {} };

const isLevel = (value: unknown): value is Level => LEVELS.some((level) => level === value);

export class NotifyLevels {
  readonly view: View<Levels> = new View(() => this.#levels);
  readonly #key: string;
  readonly #listening = new AbortController();
  #levels: Levels;

  constructor(me: number) {
    this.#key = `natter:notify:${me}`;
    this.#levels = this.#read();
    const another = ({ key }: StorageEvent) => {
      if (key !== this.#key) return;
      this.#levels = this.#read();
      this.view.touch();
    };
    addEventListener('storage', another, { signal: this.#listening.signal });
  }

  of(room: number): Level {
    return this.#levels.rooms[room] ?? this.#levels.general;
  }

  choose(general: Level): void {
    this.#keep({ ...this.#levels, general });
  }

  /** Null: as in general. */
  chooseIn(room: number, level: Level | null): void {
    const { [room]: _, ...rooms } = this.#levels.rooms;
    this.#keep({ ...this.#levels, rooms: level === null ? rooms : { ...rooms, [room]: level } });
  }

  close(): void {
    this.#listening.abort();
  }

  #keep(levels: Levels): void {
    this.#levels = levels;
    localStorage.setItem(this.#key, JSON.stringify(levels));
    this.view.touch();
  }

  #read(): Levels {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#key) ?? '{}') as Partial<Levels>;
      const rooms = Object.entries(kept.rooms ?? {}).filter(([, level]) => isLevel(level));
      return { general: isLevel(kept.general) ? kept.general : FIRST.general, rooms: Object.fromEntries(rooms) };
    } catch {
      return FIRST;
    }
  }
}

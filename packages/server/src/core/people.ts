/**
 * Names that a node remembers, so that what is shown live need not ask for them each time: bounded, corrected by what is
 * committed here, and read again in the background now and then, since other nodes commit too.
 */
import type { EventBody, RoomId, UserId, Visibility } from '@natter/protocol';
import type { StoredEvent } from '../store/store.js';
import type { Clock } from './ports.js';

/** Read again after this long, when it is asked for. */
const STALE_MS = 30_000;

interface Remembered<T> {
  value: T;
  readAt: number;
}

export interface RememberedOptions<T> {
  read(ids: readonly number[]): Promise<ReadonlyMap<number, T>>;
  /** Where there is nothing of that id. */
  nothing: T;
  clock: Clock;
  max: number;
  /** A reading in the background failed: what is remembered stays. */
  onError(error: unknown): void;
}

export class Names<T> {
  readonly #options: RememberedOptions<T>;
  /** Least recently read first. */
  readonly #known = new Map<number, Remembered<T>>();
  readonly #reading = new Map<number, Promise<void>>();
  /** Changes that came while something was being read. */
  readonly #changed = new Set<number>();

  constructor(options: RememberedOptions<T>) {
    this.#options = options;
  }

  /** What is remembered; undefined where nothing is, and then it is read for the next time. */
  get(id: number): T | undefined {
    const known = this.#known.get(id);
    if (!known || this.#options.clock.now() - known.readAt > STALE_MS) {
      this.#read([id]).catch((error: unknown) => this.#options.onError(error));
    }
    return known?.value;
  }

  /** Nothing when all of them are remembered, else a promise of it. */
  prepare(ids: Iterable<number>): Promise<void> | undefined {
    let missing: number[] | undefined;
    for (const id of ids) {
      if (this.#known.has(id)) continue;
      missing ??= [];
      missing.push(id);
    }
    return missing && this.#read(missing);
  }

  /** What is so from now on; `change` makes it of what was so. */
  set(id: number, change: (value: T) => T): void {
    const known = this.#known.get(id);
    if (known) known.value = change(known.value);
    if (this.#reading.has(id)) this.#changed.add(id);
  }

  async #read(ids: readonly number[]): Promise<void> {
    const under = ids.flatMap((id) => this.#reading.get(id) ?? []);
    const wanted = [...new Set(ids.filter((id) => !this.#reading.has(id)))];
    if (wanted.length > 0) {
      const reading = this.#readNow(wanted).finally(() => {
        for (const id of wanted) this.#reading.delete(id);
      });
      for (const id of wanted) this.#reading.set(id, reading);
      under.push(reading);
    }
    await Promise.all(under);
  }

  async #readNow(ids: number[]): Promise<void> {
    const { read, nothing, clock, max } = this.#options;
    for (let wanted = ids; wanted.length > 0; ) {
      const found = await read(wanted);
      // What changed meanwhile may have been read as it was before: once more.
      const again = wanted.filter((id) => this.#changed.delete(id));
      for (const id of wanted) {
        this.#known.delete(id);
        this.#known.set(id, { value: found.get(id) ?? nothing, readAt: clock.now() });
      }
      wanted = again;
    }
    for (const id of this.#known.keys()) {
      if (this.#known.size <= max) break;
      this.#known.delete(id);
    }
  }
}

export interface PersonName {
  name: string;
  fullName: string;
}

/** A room's name, and what says where it is a name: among the public rooms of the API that made it. */
export interface RoomName {
  name: string;
  dialect: string;
  visibility: Visibility;
}

const NO_ROOM: RoomName = { name: '', dialect: '', visibility: 'private' };

/** The names of users and rooms on this node. */
export class People {
  readonly users: Names<PersonName>;
  readonly rooms: Names<RoomName>;

  constructor(
    options: Pick<RememberedOptions<unknown>, 'clock' | 'max' | 'onError'> & {
      userNames(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, PersonName>>;
      roomNames(ids: readonly RoomId[]): Promise<ReadonlyMap<RoomId, RoomName>>;
    },
  ) {
    const { userNames, roomNames, ...rest } = options;
    this.users = new Names({ ...rest, read: userNames, nothing: { name: 'system', fullName: '' } });
    this.rooms = new Names({ ...rest, read: roomNames, nothing: NO_ROOM });
  }

  /** Called with what was committed on this node. */
  apply(events: readonly StoredEvent[]): void {
    for (const { type, stream, body } of events) {
      switch (type) {
        case 'user.changed': {
          const { fullName } = JSON.parse(body) as EventBody<'user.changed'>;
          if (fullName !== undefined) this.users.set(stream, ({ name }) => ({ name, fullName }));
          break;
        }
        case 'user.deleted':
          this.users.set(stream, () => ({ name: `deleted-${stream}`, fullName: 'Deleted User' }));
          break;
        case 'room.changed': {
          const { name, visibility } = JSON.parse(body) as EventBody<'room.changed'>;
          if (name === undefined && visibility === undefined) break;
          this.rooms.set(stream, (known) => ({
            ...known,
            name: name ?? known.name,
            visibility: visibility ?? known.visibility,
          }));
          break;
        }
        case 'room.deleted':
          this.rooms.set(stream, () => NO_ROOM);
          break;
        default:
      }
    }
  }
}

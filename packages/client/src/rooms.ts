/** My rooms, kept true by events: who wants to show a list reads `view`; nothing here is polled. */
import type { Event, HiddenEvent, RoomRow } from '@natter/protocol';
import { View } from './emitter.js';
import { asNatterError } from './errors.js';
import { readEvent, roomEvent, type TrackedRow, trackRow } from './rows.js';

/** A row that is being read: what is heard meanwhile is applied to what comes. */
interface Asked {
  heard: (Event | HiddenEvent)[];
  again: boolean;
  /** Runs when it could not be read, until it is tried again. */
  timer?: ReturnType<typeof setTimeout>;
}

/** Milliseconds before a row that could not be read is asked for again. */
const AGAIN = 3_000;

export interface RoomsOptions {
  /** Null when the room is not mine (any more). */
  read(room: number): Promise<RoomRow | null>;
  failed(error: unknown): void;
}

export class Rooms {
  /** All my rooms, as they are now; in no order that means anything. */
  readonly view: View<readonly RoomRow[]> = new View(() => [...this.#rows.values()].map(({ row }) => row));
  readonly #options: RoomsOptions;
  readonly #rows = new Map<number, TrackedRow>();
  readonly #asked = new Map<number, Asked>();
  #me = 0;
  #inbox = 0;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  get(room: number): RoomRow | undefined {
    return this.#rows.get(room)?.row;
  }

  readonly getSnapshot = (): readonly RoomRow[] => this.view.getSnapshot();
  readonly subscribe = (listener: () => void): (() => void) => this.view.subscribe(listener);

  /** What the server says at the beginning of each connection, as of these heads. */
  replace(me: number, inbox: number, rows: readonly RoomRow[]): void {
    this.#me = me;
    this.#inbox = inbox;
    this.lost();
    this.#rows.clear();
    for (const row of rows) this.#rows.set(row.id, trackRow(row));
    this.view.touch();
  }

  /** The link is gone: the next one says all rows anew. */
  lost(): void {
    for (const { timer } of this.#asked.values()) clearTimeout(timer);
    this.#asked.clear();
  }

  roomEvent(event: Event | HiddenEvent): void {
    const room = event.stream;
    const tracked = this.#rows.get(room);
    this.#asked.get(room)?.heard.push(event);
    if (tracked) this.#put(room, roomEvent(tracked, event, this.#me));
    else if (!leaves(event, this.#me)) void this.#ask(room);
  }

  inboxEvent(event: Event): void {
    if (event.seq <= this.#inbox) return;
    this.#inbox = event.seq;
    switch (event.type) {
      case 'membership.added':
        if (!this.#rows.has(event.body.room)) void this.#ask(event.body.room);
        return;
      case 'membership.removed':
        this.gone(event.body.room);
        return;
      case 'read.moved':
      case 'read.unmarked': {
        const { room } = event.body;
        const tracked = this.#rows.get(room);
        const asked = this.#asked.get(room);
        if (asked) asked.again = true;
        if (tracked) this.#put(room, readEvent(tracked, event));
        return;
      }
      default:
    }
  }

  /** Events up to `seq` will not be told: a row from before is read again. */
  stale(room: number, seq: number): void {
    const tracked = this.#rows.get(room);
    if (tracked && tracked.row.head < seq) void this.#ask(room);
  }

  gone(room: number): void {
    clearTimeout(this.#asked.get(room)?.timer);
    this.#asked.delete(room);
    this.#put(room, null);
  }

  #put(room: number, tracked: TrackedRow | null): void {
    if (tracked === (this.#rows.get(room) ?? null)) return;
    if (!tracked) {
      this.#rows.delete(room);
    } else {
      this.#rows.set(room, tracked);
      if (tracked.doubtful && !this.#asked.has(room)) void this.#ask(room);
    }
    this.view.touch();
  }

  async #ask(room: number): Promise<void> {
    const running = this.#asked.get(room);
    if (running) {
      running.again = true;
      return;
    }
    const asked: Asked = { heard: [], again: false };
    this.#asked.set(room, asked);
    let tracked: TrackedRow | null = null;
    try {
      const row = await this.#options.read(room);
      if (this.#asked.get(room) !== asked) return;
      tracked = row && trackRow(row);
      for (const event of asked.heard) tracked &&= roomEvent(tracked, event, this.#me);
    } catch (error) {
      if (this.#asked.get(room) !== asked) return;
      // The row stays as it is until then.
      const again = () => {
        this.#asked.delete(room);
        void this.#ask(room);
      };
      asked.timer = setTimeout(again, Math.max(AGAIN, (asNatterError(error).retryAfter ?? 0) * 1_000));
      this.#options.failed(error);
      return;
    }
    this.#asked.delete(room);
    this.#put(room, tracked);
    if (asked.again) void this.#ask(room);
  }
}

/** Last events of a room that is not mine any more must not ask for it. */
function leaves(event: Event | HiddenEvent, me: number): boolean {
  if (event.type === 'room.deleted') return true;
  return (event.type === 'member.left' || event.type === 'member.removed') && event.body.user === me;
}

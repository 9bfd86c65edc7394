/** Room states, cached per node: loaded once, kept true by the events that are committed here [L4]. */
import type { RoomId } from '@natter/protocol';
import { applyToRoom, type RoomState } from '../rooms/state.js';
import { changesState, type Store, type StoredEvent } from '../store/store.js';

/** What is under way for a room, and what was committed here meanwhile: it may not have been read. */
interface Loading {
  promise: Promise<RoomState | null>;
  missed: StoredEvent[];
}

export class RoomStates {
  readonly #store: Store;
  readonly #max: number;
  /** Least recently used first. */
  readonly #cache = new Map<RoomId, RoomState>();
  readonly #loading = new Map<RoomId, Loading>();

  constructor(store: Store, max: number) {
    this.#store = store;
    this.#max = max;
  }

  /** The state if it is at hand; it may be behind the log, which the commit finds out. */
  peek(room: RoomId): RoomState | undefined {
    return this.#cache.get(room);
  }

  /** Null for a room that does not exist or was deleted. */
  get(room: RoomId): RoomState | Promise<RoomState | null> {
    const cached = this.#cache.get(room);
    if (cached) {
      this.#cache.delete(room);
      this.#cache.set(room, cached);
      return cached;
    }
    return this.#loading.get(room)?.promise ?? this.#load(room);
  }

  drop(room: RoomId): void {
    this.#cache.delete(room);
    this.#loading.delete(room);
  }

  /** Called with what was committed on this node, in order. */
  apply(events: readonly StoredEvent[]): void {
    for (const event of events) {
      this.#loading.get(event.stream)?.missed.push(event);
      const state = this.#cache.get(event.stream);
      if (state && !advance(state, event)) this.#cache.delete(event.stream);
    }
  }

  #load(room: RoomId): Promise<RoomState | null> {
    const missed: StoredEvent[] = [];
    const promise = this.#read(room)
      .then((state) => {
        if (this.#loading.get(room)?.promise !== promise) return state;
        if (!state) return missed.length > 0 ? this.#load(room) : null;
        for (const event of missed) if (!advance(state, event)) return null;
        this.#keep(state);
        return state;
      })
      .finally(() => {
        if (this.#loading.get(room)?.promise === promise) this.#loading.delete(room);
      });
    this.#loading.set(room, { promise, missed });
    return promise;
  }

  #keep(state: RoomState): void {
    if (this.#cache.size >= this.#max) {
      const oldest = this.#cache.keys().next();
      if (!oldest.done) this.#cache.delete(oldest.value);
    }
    this.#cache.set(state.id, state);
  }

  async #read(room: RoomId): Promise<RoomState | null> {
    const { db } = this.#store;
    // The version is read before the members: were it the other way round, old members could carry a new version.
    const row = await db
      .selectFrom('rooms')
      .innerJoin('streams', 'streams.id', 'rooms.id')
      .selectAll('rooms')
      .select(['streams.head', 'streams.version'])
      .where('rooms.id', '=', room)
      .where('rooms.deleted_at', 'is', null)
      .executeTakeFirst();
    if (!row) return null;
    const members = await db
      .selectFrom('members')
      .select(['user_id', 'role', 'from_seq'])
      .where('room', '=', room)
      .orderBy('joined_seq')
      .orderBy('user_id')
      .execute();
    return {
      id: room,
      seq: row.head,
      version: row.version,
      kind: row.kind,
      name: row.name,
      topic: row.topic,
      visibility: row.visibility,
      history: row.history,
      dialect: row.dialect,
      createdBy: row.created_by,
      archived: row.archived_at !== null,
      members: new Map(members.map((member) => [member.user_id, { role: member.role, fromSeq: member.from_seq }])),
    };
  }
}

/**
 * Takes one more event into the state; false when the room is gone. Events of other nodes are missing in between: where one
 * of them changed the state, the version stays below the log's from then on, and the next commit finds it stale [L4].
 */
function advance(state: RoomState, event: StoredEvent): boolean {
  if (event.seq <= state.seq) return true;
  state.seq = event.seq;
  if (!changesState(event.type)) return true;
  state.version += 1;
  return applyToRoom(state, event);
}

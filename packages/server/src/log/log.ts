/** The log: append decided entries, read events, and tell who listens what was committed. Only this tells [H1]. */
import type { Epoch, EventId, Seq, StreamId } from '@natter/protocol';
import { sql } from 'kysely';
import type { Entry, Head, Outcome, Store, StoredEvent } from '../store/store.js';
import { Committer, type CommitterMetrics } from './committer.js';

export type { Head, StoredEvent };

export type CommitListener = (events: readonly StoredEvent[]) => void;

/** Where sessions and accounts ended lately. */
export interface Endings {
  /** The newest event, as of a moment before the others were looked for; 0: there is none. */
  newest: EventId;
  /** Inboxes, each with the place of its last ending. */
  endings: Map<StreamId, Seq>;
}

/** To the letter as in the index that finds them (migration 002). */
const IS_ENDING = sql<boolean>`type in ('session.ended', 'user.deactivated', 'user.deleted')`;

export class Log {
  readonly #store: Store;
  readonly #committer: Committer;
  readonly #listeners: CommitListener[] = [];
  readonly #againListeners: ((event: StoredEvent) => void)[] = [];

  constructor(store: Store, options: { batchMax: number; queueMax: number; metrics?: CommitterMetrics }) {
    this.#store = store;
    this.#committer = new Committer(
      store,
      options,
      (events) => {
        for (const listener of this.#listeners) listener(events);
      },
      (event) => {
        for (const listener of this.#againListeners) listener(event);
      },
    );
  }

  get epoch(): Epoch {
    return this.#store.epoch;
  }

  /** Committed events of one batch, in commit order: called synchronously after COMMIT and before any sender is answered. */
  onCommit(listener: CommitListener): void {
    this.#listeners.push(listener);
  }

  /** Is something for this stream queued or being committed? What was told is not. */
  isUnderWay(stream: StreamId): boolean {
    return this.#committer.isUnderWay(stream);
  }

  /** An event that was committed before, whose sender asks again: where the answer was lost, its hint may be lost too [H3]. */
  onRepeat(listener: (event: StoredEvent) => void): void {
    this.#againListeners.push(listener);
  }

  /** Resolves once the entry is decided in a committed transaction. Rejects with StoreError, or OverloadedError when the queue is full. */
  append(entry: Entry): Promise<Outcome> {
    return this.#committer.append(entry);
  }

  /** Events of one stream with seq > after, rising, at most `limit`. */
  events(stream: StreamId, after: Seq, limit: number): Promise<StoredEvent[]> {
    return this.#store.events(stream, after, limit);
  }

  heads(streams: readonly StreamId[]): Promise<Map<StreamId, Head>> {
    return this.#store.heads(streams);
  }

  /** What ended sessions and accounts after that event; null: nothing, only how far the log goes. */
  async endings(after: EventId | null): Promise<Endings> {
    const { db } = this.#store;
    const last = await db
      .selectFrom('events')
      .select((is) => is.fn.max('id').as('id'))
      .executeTakeFirst();
    const newest = Number(last?.id ?? 0);
    if (after === null || after >= newest) return { newest, endings: new Map() };
    const rows = await db
      .selectFrom('events')
      .select(['stream', 'seq'])
      .where(IS_ENDING)
      .where('id', '>', after)
      .orderBy('id')
      .execute();
    return { newest, endings: new Map(rows.map(({ stream, seq }) => [Number(stream), Number(seq)])) };
  }

  /** Takes nothing new, and resolves when all that was taken is decided. */
  drain(): Promise<void> {
    return this.#committer.drain();
  }
}

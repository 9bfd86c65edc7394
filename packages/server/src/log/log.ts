/** The log: append decided entries, read events, and tell who listens what was committed. Only this tells [H1]. */
import type { Epoch, Seq, StreamId } from '@natter/protocol';
import type { Entry, Head, Outcome, Store, StoredEvent } from '../store/store.js';
import { Committer, type CommitterMetrics } from './committer.js';

export type { Head, StoredEvent };

export type CommitListener = (events: readonly StoredEvent[]) => void;

export class Log {
  readonly #store: Store;
  readonly #committer: Committer;
  readonly #listeners: CommitListener[] = [];

  constructor(store: Store, options: { batchMax: number; queueMax: number; metrics?: CommitterMetrics }) {
    this.#store = store;
    this.#committer = new Committer(store, options, (events) => {
      for (const listener of this.#listeners) listener(events);
    });
  }

  get epoch(): Epoch {
    return this.#store.epoch;
  }

  /** Committed events of one batch, in commit order: called synchronously after COMMIT and before any sender is answered. */
  onCommit(listener: CommitListener): void {
    this.#listeners.push(listener);
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

  /** Takes nothing new, and resolves when all that was taken is decided. */
  drain(): Promise<void> {
    return this.#committer.drain();
  }
}

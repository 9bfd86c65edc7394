/**
 * Older events, read from the log in aligned pages that all share: when many come back at once, the log is read once
 * for a room and not once for each of them.
 */
import type { Seq, StreamId } from '@natter/protocol';
import type { StoredEvent } from './encoding.js';
import { Run } from './run.js';

/** Events in a page. */
export const PAGE_EVENTS = 128;

export interface EventReader {
  /** Events of one stream with seq > after, rising, at most `limit`. */
  events(stream: StreamId, after: Seq, limit: number): Promise<StoredEvent[]>;
}

export class Pages {
  readonly #log: EventReader;
  readonly #bytesMax: number;
  readonly #onRead: (events: number) => void;
  /** Least recently used first. */
  readonly #pages = new Map<string, Run>();
  readonly #reading = new Map<string, Promise<Run>>();
  /** Streams with pages or reads, each with a mark that changes when what was read of it no longer holds. */
  readonly #streams = new Map<StreamId, { keys: Set<string>; mark: object }>();
  #bytes = 0;

  constructor(log: EventReader, bytesMax: number, onRead: (events: number) => void = () => {}) {
    this.#log = log;
    this.#bytesMax = bytesMax;
    this.#onRead = onRead;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A run that has the event after `after`, which must be in the log. */
  async read(stream: StreamId, after: Seq): Promise<Run> {
    const index = Math.floor(after / PAGE_EVENTS);
    const key = `${stream}:${index}`;
    const page = this.#pages.get(key);
    // A page that the log had not filled yet serves those who stand before its end.
    if (page && page.last > after) {
      this.#pages.delete(key);
      this.#pages.set(key, page);
      return page;
    }
    const under = this.#reading.get(key);
    if (under) {
      const run = await under;
      // A read that began before the event was committed doesn't have it; one that begins now does.
      if (run.last > after) return run;
    }
    const run = await (this.#reading.get(key) ?? this.#read(stream, index, key));
    if (run.last <= after) throw new Error(`the log of stream ${stream} has nothing after ${after}`);
    return run;
  }

  /** What was read of a stream no longer holds: content of it was deleted [L6]. */
  forget(stream: StreamId): void {
    const known = this.#streams.get(stream);
    if (!known) return;
    known.mark = {};
    for (const key of known.keys) {
      this.#bytes -= this.#pages.get(key)?.bytes ?? 0;
      this.#pages.delete(key);
      this.#reading.delete(key);
    }
    this.#streams.delete(stream);
  }

  #read(stream: StreamId, index: number, key: string): Promise<Run> {
    const known = this.#streams.get(stream) ?? { keys: new Set(), mark: {} };
    this.#streams.set(stream, known);
    known.keys.add(key);
    const { mark } = known;
    const reading = this.#log.events(stream, index * PAGE_EVENTS, PAGE_EVENTS).then(
      (events) => {
        this.#onRead(events.length);
        // What was read may hold what was deleted meanwhile [L6].
        if (known.mark !== mark) return this.#reading.get(key) ?? this.#read(stream, index, key);
        const run = new Run(index * PAGE_EVENTS + 1, events);
        this.#reading.delete(key);
        this.#keep(key, run);
        return run;
      },
      (error: unknown) => {
        if (known.mark === mark) {
          this.#reading.delete(key);
          this.#release(stream, key);
        }
        throw error;
      },
    );
    this.#reading.set(key, reading);
    return reading;
  }

  #keep(key: string, run: Run): void {
    this.#bytes -= this.#pages.get(key)?.bytes ?? 0;
    this.#pages.delete(key);
    this.#pages.set(key, run);
    this.#bytes += run.bytes;
    for (const [oldest, page] of this.#pages) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#pages.delete(oldest);
      this.#bytes -= page.bytes;
      this.#release(Number(oldest.slice(0, oldest.indexOf(':'))), oldest);
    }
  }

  #release(stream: StreamId, key: string): void {
    if (this.#pages.has(key) || this.#reading.has(key)) return;
    const known = this.#streams.get(stream);
    known?.keys.delete(key);
    if (known?.keys.size === 0) this.#streams.delete(stream);
  }
}

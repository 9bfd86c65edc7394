/**
 * Commands that are carried out sooner or later, once each, in the order in which they were given: each has its
 * idempotency key from the start, waits for its turn in its lane (a room), and is sent again with the same key until the
 * server has answered it [L3].
 */
import type { CommandInput, CommandResult, CommandType } from '@natter/protocol';
import { View } from './emitter.js';
import { asNatterError, type ErrorFacts, localError, NatterError } from './errors.js';
import { newKey } from './keys.js';
import { backoff, type Timing } from './timing.js';

export type OutboxEntry = {
  [T in CommandType]: {
    readonly key: string;
    readonly type: T;
    readonly input: CommandInput<T>;
    /** When it was given, UTC. */
    readonly at: string;
    /** What has the same lane is carried out in order. */
    readonly lane: string;
    readonly state: EntryState;
  };
}[CommandType];

export type EntryState =
  /** Not sent yet, or sent over a link that was lost before the answer. */
  | { readonly is: 'queued' }
  | { readonly is: 'sending' }
  /** The server asked to try later: at `until` (milliseconds since 1970). */
  | { readonly is: 'waiting'; readonly until: number; readonly error: NatterError }
  /** Refused for good; stays until it is cancelled or retried. */
  | { readonly is: 'failed'; readonly error: NatterError };

export interface OutboxOptions {
  timing: Timing;
  /** Most entries that it holds, and most that are on their way at once. */
  max: number;
  inFlight: number;
  /** Sends; rejects with `disconnected` when the answer can't come any more. */
  deliver(entry: OutboxEntry): Promise<CommandResult>;
  /** Called with all that is to survive a reload, whenever that changed. */
  save(saved: readonly SavedEntry[]): void;
  /** At once, whatever changed. */
  changed(): void;
  answered(entry: OutboxEntry, result: CommandResult): void;
  failed(entry: OutboxEntry, error: NatterError): void;
}

export interface SavedEntry {
  key: string;
  type: CommandType;
  input: CommandInput<CommandType>;
  at: string;
  failed?: ErrorFacts;
}

interface Settle {
  resolve(result: CommandResult): void;
  reject(error: NatterError): void;
}

export class Outbox {
  readonly view: View<readonly OutboxEntry[]> = new View(() => [...this.#entries.values()]);
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #waiters = new Map<string, Settle>();
  readonly #tries = new Map<string, number>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #running = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes a command in; `answer` settles when it was carried out, refused for good or cancelled. Nobody has to listen to it. */
  add<T extends CommandType>(
    type: T,
    input: CommandInput<T>,
    key = newKey(),
  ): { key: string; answer: Promise<CommandResult> } {
    const { max } = this.#options;
    if (this.#entries.size >= max)
      throw localError('outbox_full', `the outbox holds ${max} commands that wait to be sent`);
    const answer = new Promise<CommandResult>((resolve, reject) => this.#waiters.set(key, { resolve, reject }));
    // An answer that nobody waits for is told by `failed` all the same.
    answer.catch(() => {});
    this.#entries.set(key, makeEntry({ key, type, input, at: new Date().toISOString() }));
    this.#changed();
    this.#pump();
    return { key, answer };
  }

  /** Takes in what was saved before a reload, ahead of what was given since. */
  restore(saved: readonly SavedEntry[]): void {
    const given = [...this.#entries];
    this.#entries.clear();
    for (const entry of saved) this.#entries.set(entry.key, makeEntry(entry));
    for (const [key, entry] of given) this.#entries.set(key, entry);
    this.#changed();
    this.#pump();
  }

  /** Takes a command out that is not on its way now; false when it is, or when there is none. One that was sent over a lost link may still have been carried out. */
  cancel(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry || entry.state.is === 'sending') return false;
    this.#remove(key)?.reject(localError('cancelled', 'the command was cancelled'));
    this.#changed();
    this.#pump();
    return true;
  }

  /** Sends one that failed or waits once more: at the end of its lane when it had failed. */
  retry(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry?.state.is !== 'failed' && entry?.state.is !== 'waiting') return false;
    if (entry.state.is === 'waiting') {
      this.#put(entry, { is: 'queued' });
    } else {
      const again = entry.state.error.code === 'key_conflict' ? newKey() : key;
      this.#remove(key);
      this.#entries.set(again, { ...entry, key: again, state: { is: 'queued' } });
    }
    this.#changed();
    this.#pump();
    return true;
  }

  /** The link is there. */
  start(): void {
    this.#running = true;
    this.#pump();
  }

  /** The link is gone; what is on its way comes back as `disconnected`. */
  stop(): void {
    this.#running = false;
  }

  close(): void {
    this.stop();
    for (const entry of [...this.#entries.values()]) {
      if (entry.state.is === 'waiting') this.#put(entry, { is: 'queued' });
    }
  }

  /** The first of each lane may go; the next one only after its answer, else a retry could overtake. */
  #pump(): void {
    if (!this.#running) return;
    let flying = 0;
    for (const { state } of this.#entries.values()) if (state.is === 'sending') flying += 1;
    const lanes = new Set<string>();
    for (const entry of [...this.#entries.values()]) {
      if (entry.state.is === 'failed' || lanes.has(entry.lane)) continue;
      lanes.add(entry.lane);
      if (entry.state.is !== 'queued' || flying >= this.#options.inFlight) continue;
      flying += 1;
      void this.#send(entry);
    }
  }

  async #send(entry: OutboxEntry): Promise<void> {
    this.#put(entry, { is: 'sending' });
    try {
      const result = await this.#options.deliver(entry);
      const waiter = this.#remove(entry.key);
      this.#options.answered(entry, result);
      waiter?.resolve(result);
      this.#changed();
    } catch (thrown) {
      this.#refused(entry, asNatterError(thrown));
    }
    this.#pump();
  }

  #refused(entry: OutboxEntry, error: NatterError): void {
    const { key } = entry;
    if (error.code === 'disconnected') {
      this.#put(entry, { is: 'queued' });
      return;
    }
    if (!error.retryable) {
      this.#put(entry, { is: 'failed', error });
      this.#options.failed(entry, error);
      this.#waiters.get(key)?.reject(error);
      this.#waiters.delete(key);
      this.#changed();
      return;
    }
    const tries = this.#tries.get(key) ?? 0;
    this.#tries.set(key, tries + 1);
    const wait = backoff(tries, this.#options.timing, Math.random(), error.retryAfter);
    this.#put(entry, { is: 'waiting', until: Date.now() + wait, error });
    const again = () => {
      const waiting = this.#entries.get(key);
      if (waiting?.state.is === 'waiting') this.#put(waiting, { is: 'queued' });
      this.#pump();
    };
    this.#timers.set(key, setTimeout(again, wait));
  }

  #put(entry: OutboxEntry, state: EntryState): void {
    clearTimeout(this.#timers.get(entry.key));
    this.#timers.delete(entry.key);
    this.#entries.set(entry.key, { ...entry, state });
    this.#touch();
  }

  #remove(key: string): Settle | undefined {
    const waiter = this.#waiters.get(key);
    clearTimeout(this.#timers.get(key));
    for (const map of [this.#entries, this.#waiters, this.#tries, this.#timers]) map.delete(key);
    return waiter;
  }

  #touch(): void {
    this.view.touch();
    this.#options.changed();
  }

  /** What is to survive a reload changed too. */
  #changed(): void {
    this.#touch();
    this.#options.save(
      [...this.#entries.values()].map(({ key, type, input, at, state }) => {
        const saved: SavedEntry = { key, type, input, at };
        if (state.is === 'failed') saved.failed = state.error.toJSON();
        return saved;
      }),
    );
  }
}

function makeEntry({ key, type, input, at, failed }: SavedEntry): OutboxEntry {
  const state: EntryState = failed ? { is: 'failed', error: new NatterError(failed) } : { is: 'queued' };
  return { key, type, input, at, lane: laneOf(input), state } as OutboxEntry;
}

/** What is about one room goes in order; what is about one message too. */
function laneOf(input: object): string {
  if ('room' in input) return `room ${input.room}`;
  return 'message' in input ? `message ${input.message}` : '';
}

/**
 * Commands that are carried out sooner or later, once each, in the order in which they were given: each has its
 * idempotency key from the start, waits for its turn in its lane (a room), and is sent again with the same key until the
 * server has answered it [L3].
 */
import type { CommandInput, CommandResult, CommandType } from '@natter/protocol';
import { View } from './emitter.js';
import { asNatterError, localError, NatterError } from './errors.js';
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
    /** Another tab holds it, and sends it. */
    readonly elsewhere?: true;
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

/** Keeps an outbox over reloads, and lets the tabs of one browser see one outbox: `savedOutbox` is one. */
export interface OutboxStorage {
  /** Begins to keep the outbox of this name, which says so whenever it changed. */
  open(name: string, outbox: KeptOutbox): OpenedOutbox;
}

export interface KeptOutbox {
  /** Takes in what nobody holds any more, ahead of what was given since. */
  restore(saved: readonly OutboxEntry[]): void;
  /** All that other tabs hold. */
  others(entries: readonly OutboxEntry[]): void;
  /** One of the others' was carried out. */
  answered(entry: OutboxEntry, result: CommandResult): void;
  cancel(key: string): boolean;
  retry(key: string): boolean;
  failed(error: unknown): void;
}

export interface OpenedOutbox {
  /** All that this one holds; `lasting` when what is to survive a reload changed too. */
  changed(entries: readonly OutboxEntry[], lasting: boolean): void;
  answered(entry: OutboxEntry, result: CommandResult): void;
  /** To the tab that holds it. */
  ask(what: 'cancel' | 'retry', key: string): void;
  close(): void;
}

export interface OutboxOptions {
  timing: Timing;
  /** Most entries that it holds, and most that are on their way at once. */
  max: number;
  inFlight: number;
  /** Sends; rejects with `disconnected` when the answer can't come any more. */
  deliver(entry: OutboxEntry): Promise<CommandResult>;
  /** At once, whatever changed; `lasting`: what is to survive a reload did. */
  changed(mine: readonly OutboxEntry[], lasting: boolean): void;
  /** To the tab that holds it. */
  ask(what: 'cancel' | 'retry', key: string): void;
  answered(entry: OutboxEntry, result: CommandResult): void;
  failed(entry: OutboxEntry, error: NatterError): void;
}

interface Settle {
  resolve(result: CommandResult): void;
  reject(error: NatterError): void;
}

export class Outbox {
  /** Mine, and what other tabs hold. */
  readonly view: View<readonly OutboxEntry[]> = new View(() => {
    const all = [...this.#others, ...this.#entries.values()];
    return this.#others.length > 0
      ? all.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)))
      : all;
  });
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #waiters = new Map<string, Settle>();
  readonly #tries = new Map<string, number>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #others: readonly OutboxEntry[] = [];
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
    this.#entries.set(key, makeEntry({ key, type, input, at: new Date().toISOString() } as OutboxEntry));
    this.#changed();
    this.#pump();
    return { key, answer };
  }

  /** Takes in what was saved before a reload, ahead of what was given since. */
  restore(saved: readonly OutboxEntry[]): void {
    const given = [...this.#entries];
    this.#entries.clear();
    for (const entry of saved) this.#entries.set(entry.key, makeEntry(entry));
    for (const [key, entry] of given) this.#entries.set(key, entry);
    this.#changed();
    this.#pump();
  }

  /** What other tabs hold is shown with mine. */
  others(entries: readonly OutboxEntry[]): void {
    this.#others = entries;
    this.view.touch();
  }

  /** Takes a command out that is not on its way now; false when it is, or when there is none. One that was sent over a lost link may still have been carried out. */
  cancel(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return this.#ask('cancel', key);
    if (entry.state.is === 'sending') return false;
    this.#remove(key)?.reject(localError('cancelled', 'the command was cancelled'));
    this.#changed();
    this.#pump();
    return true;
  }

  /** Sends one that failed or waits once more: at the end of its lane when it had failed. */
  retry(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return this.#ask('retry', key);
    if (entry.state.is !== 'failed' && entry.state.is !== 'waiting') return false;
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

  #ask(what: 'cancel' | 'retry', key: string): boolean {
    const entry = this.#others.find((other) => other.key === key);
    if (!entry || entry.state.is === 'sending') return false;
    this.#options.ask(what, key);
    return true;
  }

  #touch(lasting = false): void {
    this.view.touch();
    this.#options.changed([...this.#entries.values()], lasting);
  }

  /** What is to survive a reload changed too. */
  #changed(): void {
    this.#touch(true);
  }
}

/** Given now, or read from a storage: there an error is its facts, and what was on its way has to go again. */
function makeEntry({ key, type, input, at, state }: OutboxEntry): OutboxEntry {
  const kept: EntryState =
    state?.is === 'failed' ? { is: 'failed', error: new NatterError(state.error) } : { is: 'queued' };
  return { key, type, input, at, lane: laneOf(input), state: kept } as OutboxEntry;
}

/** What is about one room goes in order; what is about one message too. */
function laneOf(input: object): string {
  if ('room' in input) return `room ${input.room}`;
  return 'message' in input ? `message ${input.message}` : '';
}

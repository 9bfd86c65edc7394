/** How far each stream was applied, what the next hello asks for, and which event may be applied now [H2]. */
import type { Event, HelloFrame, HiddenEvent } from '@natter/protocol';

/** Where an app that has a state of its own stands, to go on from there after a restart. */
export interface Position {
  readonly epoch: number;
  readonly cursors: Readonly<Record<string, number>>;
}

export interface StreamsOptions {
  /** The next event of its stream. When this throws, the cursor stays. */
  apply(event: Event | HiddenEvent): void;
  /** It was applied, and the cursor stands at it. */
  applied(event: Event | HiddenEvent): void;
  /** A stream goes on from `seq`; `known`: what was known of it does not lead there. */
  jumped(stream: number, seq: number, known: boolean, anew: boolean): void;
  gone(stream: number): void;
  /** The server did not keep to the protocol: this link can't be trusted. */
  broken(why: string): void;
  /** All that the hello named was brought up to date. */
  settled(): void;
}

export class Streams {
  readonly #options: StreamsOptions;
  readonly #seqs = new Map<number, number>();
  /** Named in the hello, and not live yet. */
  readonly #resuming = new Set<number>();
  #epoch: number | undefined;

  constructor(position: Position | undefined, options: StreamsOptions) {
    this.#options = options;
    this.#epoch = position?.epoch;
    for (const [stream, seq] of Object.entries(position?.cursors ?? {})) this.#seqs.set(Number(stream), seq);
  }

  get position(): Position | null {
    return this.#epoch === undefined ? null : { epoch: this.#epoch, cursors: Object.fromEntries(this.#seqs) };
  }

  get resuming(): boolean {
    return this.#resuming.size > 0;
  }

  cursor(stream: number): number | undefined {
    return this.#seqs.get(stream);
  }

  /** Names the streams that are wanted (all when left out), the first ones first, as far as a hello has room for them. */
  hello(first: readonly number[], onlyThese: boolean, maxBytes: number): Pick<HelloFrame, 'epoch' | 'cursors'> {
    this.#resuming.clear();
    if (this.#epoch === undefined) return {};
    const cursors: Record<string, number> = {};
    let bytes = 0;
    for (const stream of new Set(onlyThese ? first : [...first, ...this.#seqs.keys()])) {
      const seq = this.#seqs.get(stream);
      if (seq === undefined) continue;
      // "123":456,
      bytes += `"${stream}":${seq},`.length;
      if (bytes > maxBytes) break;
      cursors[stream] = seq;
      this.#resuming.add(stream);
    }
    return { epoch: this.#epoch, cursors };
  }

  /** The server said where my streams stand. What the hello named is brought up to date, or reset, by what follows; all else goes on from its head. */
  begin(epoch: number, heads: ReadonlyMap<number, number>): void {
    const anew = this.#epoch !== undefined && this.#epoch !== epoch;
    this.#epoch = epoch;
    for (const stream of [...this.#seqs.keys()]) {
      if (!heads.has(stream) && !this.#resuming.has(stream)) this.#leave(stream);
    }
    for (const [stream, head] of heads) if (!this.#resuming.has(stream)) this.#jump(stream, head, anew);
  }

  live(cursors: Readonly<Record<string, number>>): void {
    for (const [key, seq] of Object.entries(cursors)) {
      const stream = Number(key);
      const cursor = this.#seqs.get(stream);
      if (cursor === undefined) this.#jump(stream, seq, false);
      if (cursor !== undefined && seq > cursor) {
        this.#options.broken(`stream ${stream} is live at ${seq}, and was heard up to ${cursor}`);
        return;
      }
      this.#arrived(stream);
    }
  }

  reset(stream: number, seq: number): void {
    this.#jump(stream, seq, true);
    this.#arrived(stream);
  }

  gone(stream: number): void {
    this.#leave(stream);
    this.#arrived(stream);
  }

  event(event: Event | HiddenEvent): void {
    const { stream, seq } = event;
    const cursor = this.#seqs.get(stream);
    if (cursor === undefined) this.#jump(stream, seq - 1, false);
    else if (seq <= cursor) return;
    else if (seq > cursor + 1) {
      // Never applied: the next hello asks for what is missing.
      this.#options.broken(`event ${seq} of stream ${stream} came after ${cursor}`);
      return;
    }
    this.#options.apply(event);
    this.#seqs.set(stream, seq);
    this.#options.applied(event);
  }

  /** What is known of a stream was read by query, as of `head`: from there it can be followed, if it is not yet. */
  follow(stream: number, epoch: number, head: number): boolean {
    this.#epoch ??= epoch;
    if (this.#epoch !== epoch || this.#seqs.has(stream)) return false;
    this.#seqs.set(stream, head);
    return true;
  }

  #jump(stream: number, seq: number, anew: boolean): void {
    const cursor = this.#seqs.get(stream);
    this.#seqs.set(stream, seq);
    this.#options.jumped(stream, seq, cursor !== undefined && (anew || cursor !== seq), anew);
  }

  #leave(stream: number): void {
    this.#seqs.delete(stream);
    this.#options.gone(stream);
  }

  #arrived(stream: number): void {
    if (this.#resuming.delete(stream) && this.#resuming.size === 0) this.#options.settled();
  }
}

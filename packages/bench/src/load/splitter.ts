/** Cuts a stream of bytes into packets, and keeps the piece of one that has not come whole. */

/** Length of the packet that begins at `start`, or 0 while that can't be told from bytes[start, end). */
export type Measure = (bytes: Buffer, start: number, end: number) => number;
export type Take = (bytes: Buffer, start: number, end: number) => void;

/** Taken at once while the length of a kept packet is unknown; what is too much is given back. */
const HEADER_STEP = 64;

export class Splitter {
  readonly #measure: Measure;
  readonly #take: Take;
  #kept = Buffer.alloc(0);
  #have = 0;

  constructor(measure: Measure, take: Take) {
    this.#measure = measure;
    this.#take = take;
  }

  /** Between two packets? */
  get clean(): boolean {
    return this.#have === 0;
  }

  feed(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (this.#have > 0 && at < end) at = this.#complete(bytes, at, end);
    while (at < end) {
      const size = this.#measure(bytes, at, end);
      if (size === 0 || at + size > end) {
        this.#keep(bytes, at, end);
        return;
      }
      this.#take(bytes, at, at + size);
      at += size;
    }
  }

  /** Adds to the kept piece what it lacks; answers where the rest begins. */
  #complete(bytes: Buffer, start: number, end: number): number {
    const known = this.#measure(this.#kept, 0, this.#have);
    let at = Math.min(end, start + (known === 0 ? HEADER_STEP : known - this.#have));
    this.#keep(bytes, start, at);
    const size = known === 0 ? this.#measure(this.#kept, 0, this.#have) : known;
    if (size === 0 || size > this.#have) return at;
    at -= this.#have - size;
    this.#have = 0;
    this.#take(this.#kept, 0, size);
    return at;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = this.#have + end - start;
    if (length > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(512, 2 ** Math.ceil(Math.log2(length))));
      this.#kept.copy(larger, 0, 0, this.#have);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#have, start, end);
    this.#have = length;
  }
}

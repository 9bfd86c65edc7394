/**
 * What a room's receivers all get, byte for byte, read once: the first receiver to reach a byte puts it on the tape, the
 * others only compare their bytes with it. So 1,000 receivers cost one parse and 999 comparisons, and still every byte of
 * every receiver is checked. A receiver whose bytes differ leaves the tape and is parsed by itself from there on.
 */
import { frameLength } from './frames.js';
import { Splitter } from './splitter.js';
import { Verifier } from './verifier.js';

/** Stands in place of a sender where a frame holds no message of ours (a ping, a notice). */
export const NO_SENDER = -1;

export class Tape {
  /** Grows; a run puts some ten megabytes on it. */
  bytes = Buffer.allocUnsafeSlow(4 * 1_048_576);
  length = 0;
  /** By frame: where it ends, and the sender and number of its message. */
  readonly ends: number[] = [];
  readonly senders: number[] = [];
  readonly numbers: number[] = [];
  /** By count of messages: the digest of their order, and how many frames they took. */
  readonly digests: number[] = [0];
  readonly framesAt: number[] = [0];
  readonly #splitter: Splitter;

  /** `read` finds the message in a whole frame: its sender and number, or null. */
  constructor(read: (bytes: Buffer, start: number, end: number) => { sender: number; number: number } | null) {
    let ended = 0;
    this.#splitter = new Splitter(frameLength, (bytes, start, end) => {
      ended += end - start;
      const message = read(bytes, start, end);
      this.ends.push(ended);
      this.senders.push(message === null ? NO_SENDER : message.sender);
      this.numbers.push(message === null ? 0 : message.number);
      if (message === null) return;
      this.digests.push(Verifier.mix(this.digests.at(-1) as number, message.sender, message.number));
      this.framesAt.push(this.ends.length);
    });
  }

  append(bytes: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    bytes.copy(this.bytes, this.length, start, end);
    this.length = length;
    this.#splitter.feed(bytes, start, end);
  }

  /** Are bytes[start, end) what stands on the tape from `at` on? */
  same(bytes: Buffer, start: number, end: number, at: number): boolean {
    return this.bytes.compare(bytes, start, end, at, at + end - start) === 0;
  }

  /** Where frame number `frame` begins. */
  begin(frame: number): number {
    return frame === 0 ? 0 : (this.ends[frame - 1] as number);
  }
}

/** Holds every delivery against what was sent: each receiver has each message of its rooms once, in order, and no other. */

export interface Faults {
  lost: number;
  doubled: number;
  reordered: number;
  /** Of another run, or of a sender or room that the receiver has nothing to do with. */
  foreign: number;
  /** Not the text that was sent. */
  damaged: number;
  /** Receivers that had every message, but not in the order of the rest of their room, where the server promises one. */
  disagreed: number;
  /** The first ones, in words. */
  examples: string[];
}

const EXAMPLES_MAX = 8;

export interface VerifierOptions {
  receivers: number;
  /** The room of each sender. */
  senderRooms: readonly number[];
  /** The receivers of each room. */
  rooms: readonly (readonly number[])[];
  /** One order for the whole room, or one for each sender's messages. */
  order: 'room' | 'sender';
}

export class Verifier {
  readonly #senders: number;
  readonly #senderRooms: readonly number[];
  readonly #rooms: readonly (readonly number[])[];
  readonly #order: 'room' | 'sender';
  /** For each receiver and sender the number that comes next; -1 where they share no room. */
  readonly #next: Int32Array;
  /** Running digest of what each receiver saw, and in which order. */
  readonly #digest: Int32Array;
  readonly #count: Int32Array;
  /** Numbers that were jumped over, by receiver and sender. */
  readonly #missing = new Map<number, Set<number>>();
  /** Receivers of which something was said already. */
  readonly #flawed = new Set<number>();
  readonly #faults: Faults = { lost: 0, doubled: 0, reordered: 0, foreign: 0, damaged: 0, disagreed: 0, examples: [] };

  constructor(options: VerifierOptions) {
    this.#senders = options.senderRooms.length;
    this.#senderRooms = options.senderRooms;
    this.#rooms = options.rooms;
    this.#order = options.order;
    this.#next = new Int32Array(options.receivers * this.#senders).fill(-1);
    this.#digest = new Int32Array(options.receivers);
    this.#count = new Int32Array(options.receivers);
    options.senderRooms.forEach((room, sender) => {
      for (const receiver of options.rooms[room] ?? []) this.#next[receiver * this.#senders + sender] = 0;
    });
  }

  /** How many messages a receiver has taken, and the digest of their order. */
  count(receiver: number): number {
    return this.#count[receiver] as number;
  }
  digest(receiver: number): number {
    return this.#digest[receiver] as number;
  }

  static mix(digest: number, sender: number, number: number): number {
    return (Math.imul(digest, 31) + sender * 65_537 + number) | 0;
  }

  take(receiver: number, sender: number, number: number): void {
    const index = receiver * this.#senders + sender;
    const next = sender < this.#senders ? (this.#next[index] as number) : -1;
    this.#count[receiver] = (this.#count[receiver] as number) + 1;
    this.#digest[receiver] = Verifier.mix(this.#digest[receiver] as number, sender, number);
    if (number === next) this.#next[index] = number + 1;
    else this.#unexpected(receiver, sender, number, index, next);
  }

  #unexpected(receiver: number, sender: number, number: number, index: number, next: number): void {
    const what = `receiver ${receiver}: message ${number} of sender ${sender}`;
    this.#flawed.add(receiver);
    if (next < 0) this.foreign(receiver, `message ${number} of sender ${sender}, whose room it is not in`);
    else if (number > next) {
      const missing = this.#missing.get(index) ?? new Set();
      for (let n = next; n < number; n += 1) missing.add(n);
      this.#missing.set(index, missing);
      this.#next[index] = number + 1;
    } else if (this.#missing.get(index)?.delete(number)) {
      this.#faults.reordered += 1;
      this.#example(`${what} came after ${next - 1}`);
    } else {
      this.#faults.doubled += 1;
      this.#example(`${what} came twice`);
    }
  }

  /** Something arrived that nobody in this run sent to this receiver. */
  foreign(receiver: number, what: string): void {
    this.#flawed.add(receiver);
    this.#faults.foreign += 1;
    this.#example(`receiver ${receiver}: ${what}`);
  }

  damaged(receiver: number, what: string): void {
    this.#flawed.add(receiver);
    this.#faults.damaged += 1;
    this.#example(`receiver ${receiver}: ${what}`);
  }

  /** The verdict, once nothing more is to come: `sent` has the count for each sender. */
  finish(sent: readonly number[]): Faults {
    for (let index = 0; index < this.#next.length; index += 1) {
      const next = this.#next[index] as number;
      if (next < 0) continue;
      const sender = index % this.#senders;
      const receiver = (index - sender) / this.#senders;
      const lost = (sent[sender] ?? 0) - next + (this.#missing.get(index)?.size ?? 0);
      if (lost <= 0) continue;
      this.#flawed.add(receiver);
      this.#faults.lost += lost;
      this.#example(`receiver ${receiver} lacks ${lost} of ${sent[sender]} messages of sender ${sender}`);
    }
    if (this.#order === 'room') this.#agree();
    return this.#faults;
  }

  #agree(): void {
    const seen = new Set(this.#senderRooms);
    // Digests of receivers that are in several rooms mix them and can't be compared.
    const roomsOf = new Map<number, number>();
    for (const room of seen)
      for (const receiver of this.#rooms[room] ?? []) roomsOf.set(receiver, (roomsOf.get(receiver) ?? 0) + 1);
    for (const room of seen) {
      const receivers = (this.#rooms[room] ?? []).filter(
        (receiver) => roomsOf.get(receiver) === 1 && !this.#flawed.has(receiver),
      );
      const votes = new Map<number, number>();
      for (const receiver of receivers) {
        const digest = this.#digest[receiver] as number;
        votes.set(digest, (votes.get(digest) ?? 0) + 1);
      }
      if (votes.size < 2) continue;
      const most = Math.max(...votes.values());
      this.#faults.disagreed += receivers.length - most;
      this.#example(`${receivers.length - most} receivers of room ${room} saw another order than the rest`);
    }
  }

  #example(text: string): void {
    if (this.#faults.examples.length < EXAMPLES_MAX) this.#faults.examples.push(text);
  }
}

export function anyFault(faults: Faults): boolean {
  const { examples, ...counts } = faults;
  return examples.length > 0 || Object.values(counts).some((count) => count > 0);
}

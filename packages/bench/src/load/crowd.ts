/** All clients of one run: connects them, counts what they get, and has each message verified. */
import { membersOf, roomsOf, sendersOf } from '../works.js';
import { headerLength, OPCODE } from './frames.js';
import type { Job } from './job.js';
import { Link, type LinkEvents } from './link.js';
import { FOREIGN_MARK, Marks, markedText, NO_MARK } from './marks.js';
import { NO_SENDER, Tape } from './tape.js';
import { type Faults, Verifier } from './verifier.js';
import type { Wire } from './wire.js';
import { WIRES } from './wires/index.js';

/** A loop that sends, and hears what became of it. */
export interface Loop {
  delivered(receiver: number, sender: number, number: number): void;
  confirmed(sender: number): void;
  /** After each read of a socket: what is due by now can be sent before the next one. */
  turn(): void;
}

/** Connections that are being made at one time. */
const AT_A_TIME = 100;
/** A receiver that leaves the tape so often has a stream of its own. */
const RETURNS_MAX = 50;

export class Crowd implements LinkEvents {
  readonly senders: readonly { member: number; room: number }[];
  readonly roomSizes: readonly number[];
  readonly wire: Wire;
  /** Deliveries so far, over all receivers. */
  delivered = 0;
  /** Sends confirmed so far. */
  confirmations = 0;
  /** Bytes of frames so far, over all receivers. */
  bytes = 0;
  readonly sent: number[];
  readonly links: Link[] = [];
  readonly failure: Promise<never>;
  loop: Loop | null = null;
  readonly #job: Job;
  readonly #marks: Marks;
  readonly #verifier: Verifier;
  readonly #tape: Tape | null;
  readonly #senderOf = new Map<number, number>();
  #dirty: Link[] = [];
  #fail: (error: Error) => void = () => undefined;

  constructor(job: Job) {
    this.#job = job;
    this.wire = WIRES[job.wire];
    this.#marks = new Marks(job.nonce);
    this.senders = sendersOf(job.work);
    this.senders.forEach(({ member }, sender) => this.#senderOf.set(member, sender));
    const rooms = membersOf(job.work);
    this.roomSizes = rooms.map((members) => members.length);
    this.sent = this.senders.map(() => 0);
    this.#verifier = new Verifier({
      receivers: job.work.members,
      senderRooms: this.senders.map(({ room }) => room),
      rooms,
      order: job.order,
    });
    // With several rooms, or packets that lie in frames as it happens, no two receivers get the same bytes.
    this.#tape = job.work.rooms === 1 && !this.wire.measure ? new Tape((...frame) => this.#read(...frame)) : null;
    this.failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // Whoever waits for it hears of it; until then it is not unhandled.
    this.failure.catch(() => undefined);
  }

  /** Connects members [from, to), and resolves when all are live in their rooms; with `hold`, when all are logged in. */
  async connect(from: number, to: number, hold = false): Promise<void> {
    const { work, rooms, tokens, port, standing } = this.#job;
    await this.#each(from, to, AT_A_TIME, (member, arrived) => {
      const names = roomsOf(work, member).map((room) => rooms[room] as string | number);
      const who = { member, rooms: names, token: tokens[member], standing };
      this.links[member] = new Link(who, port, this.wire, this, hold, arrived);
    });
  }

  /** Members [from, to), who were held back, join their rooms, so many at a time. */
  async join(from: number, to: number, most = AT_A_TIME): Promise<void> {
    await this.#each(from, to, most, (member, arrived) => {
      this.links[member]?.join(arrived);
      this.flush();
    });
  }

  /** Starts something for each member, a bounded number at a time, and resolves when all have arrived. */
  async #each(
    from: number,
    to: number,
    most: number,
    start: (member: number, arrived: () => void) => void,
  ): Promise<void> {
    let next = from;
    let there = 0;
    const all = new Promise<void>((resolve) => {
      const more = (): void => {
        while (next < to && next - from - there < most) start(next++, arrived);
      };
      const arrived = (): void => {
        there += 1;
        if (there === to - from) resolve();
        else more();
      };
      more();
    });
    await Promise.race([all, this.failure]);
  }

  /** From here on receivers follow the tape, where there is one. */
  begin(loop: Loop): void {
    this.loop = loop;
    if (!this.#tape) return;
    for (const link of this.links) if (!this.#senderOf.has(link.member) && link.splitter.clean) link.tapeAt = 0;
  }

  /** Queues the next message of a sender; it is written when the turn ends. */
  send(sender: number): void {
    const { member, room } = this.senders[sender] as { member: number; room: number };
    const number = this.sent[sender] as number;
    this.sent[sender] = number + 1;
    const link = this.links[member] as Link;
    const text = markedText(this.#job.nonce, sender, number);
    link.send(this.wire.message(link, this.#job.rooms[room] as string | number, number, text));
  }

  /** Each sender has sent so many messages, which were there before. */
  lacks(messages: number): void {
    this.sent.fill(messages);
  }

  /** What all sends together should come to. */
  expected(): { deliveries: number; confirmations: number } {
    let deliveries = 0;
    let sends = 0;
    this.senders.forEach(({ room }, sender) => {
      const count = this.sent[sender] as number;
      sends += count;
      deliveries += count * (this.roomSizes[room] as number);
    });
    return { deliveries, confirmations: this.wire.confirms && this.#job.standing === null ? sends : 0 };
  }

  finish(): Faults {
    for (const link of this.links) if (link.tapeAt >= 0) this.#tell(link);
    return this.#verifier.finish(this.sent);
  }

  keepAlive(): void {
    if (this.wire.keepAlive === undefined) return;
    for (const link of this.links) if (link.stage === 'live') link.send(this.wire.keepAlive);
    this.flush();
  }

  close(): void {
    for (const link of this.links) link.close();
  }

  received(link: Link, bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    if (link.tapeAt >= 0 && this.#follow(link, bytes, start, end)) return;
    link.splitter.feed(bytes, start, end);
    if (this.#tape && this.loop) this.#return(link, this.#tape);
  }

  packet(link: Link, bytes: Buffer, start: number, end: number): void {
    const at = this.#marks.find(bytes, start, end);
    if (at === NO_MARK) this.wire.control(link, bytes, start, end);
    else if (at === FOREIGN_MARK) this.#verifier.foreign(link.member, `of another run: ${shown(bytes, start, end)}`);
    else {
      if (!this.#marks.intact(bytes, at, end))
        this.#verifier.damaged(link.member, `not what was sent: ${shown(bytes, start, end)}`);
      const sender = this.#marks.sender(bytes, at);
      const number = this.#marks.number(bytes, at);
      this.delivered += 1;
      this.#verifier.take(link.member, sender, number);
      this.loop?.delivered(link.member, sender, number);
    }
  }

  pending(link: Link): void {
    this.#dirty.push(link);
  }

  turnEnded(): void {
    this.loop?.turn();
    this.flush();
  }

  /** Writes what is queued. */
  flush(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const link of dirty) link.flush();
  }

  confirmed(link: Link): void {
    this.confirmations += 1;
    this.loop?.confirmed(this.#senderOf.get(link.member) as number);
  }

  failed(link: Link, why: string): void {
    this.#fail(new Error(`member ${link.member} (${link.stage}): ${why}`));
  }

  /** What a frame that goes on the tape holds. */
  #read(bytes: Buffer, start: number, end: number): { sender: number; number: number } | null {
    if (((bytes[start] as number) & 0x0f) !== OPCODE[this.wire.opcode]) return null;
    const payload = start + headerLength(bytes, start);
    const at = this.#marks.find(bytes, payload, end);
    // What is not in order goes to each receiver by itself, as something that holds no message.
    if (at < 0 || !this.#marks.intact(bytes, at, end)) return null;
    return { sender: this.#marks.sender(bytes, at), number: this.#marks.number(bytes, at) };
  }

  /** Compares with the tape, or goes ahead and writes it; false when the bytes differ and the link has left it. */
  #follow(link: Link, bytes: Buffer, start: number, end: number): boolean {
    const tape = this.#tape as Tape;
    const known = Math.min(end - start, tape.length - link.tapeAt);
    if (known > 0 && !tape.same(bytes, start, start + known, link.tapeAt)) {
      this.#leave(link, tape);
      return false;
    }
    if (start + known < end) tape.append(bytes, start + known, end);
    link.tapeAt += end - start;
    const { ends, senders, numbers } = tape;
    while (link.tapeFrame < ends.length && (ends[link.tapeFrame] as number) <= link.tapeAt) {
      const frame = link.tapeFrame++;
      const sender = senders[frame] as number;
      if (sender === NO_SENDER) link.takeFrame(tape.bytes, tape.begin(frame), ends[frame] as number);
      else {
        this.delivered += 1;
        this.loop?.delivered(link.member, sender, numbers[frame] as number);
      }
    }
    return true;
  }

  /** Tells the verifier what the link has had from the tape. Late, because it costs more than the comparison. */
  #tell(link: Link): void {
    const { senders, numbers } = this.#tape as Tape;
    for (; link.tapeTold < link.tapeFrame; link.tapeTold += 1) {
      const sender = senders[link.tapeTold] as number;
      if (sender !== NO_SENDER) this.#verifier.take(link.member, sender, numbers[link.tapeTold] as number);
    }
  }

  #leave(link: Link, tape: Tape): void {
    this.#tell(link);
    const begun = tape.begin(link.tapeFrame);
    const had = link.tapeAt;
    link.tapeAt = -1;
    if (begun < had) link.splitter.feed(tape.bytes, begun, had);
  }

  /** Back to the tape when this link has seen what stands at some point of it, and is between two frames. */
  #return(link: Link, tape: Tape): void {
    if (!link.splitter.clean || link.returns >= RETURNS_MAX || this.#senderOf.has(link.member)) return;
    const count = this.#verifier.count(link.member);
    if (tape.digests[count] !== this.#verifier.digest(link.member)) return;
    link.returns += 1;
    link.tapeFrame = tape.framesAt[count] as number;
    link.tapeTold = link.tapeFrame;
    link.tapeAt = tape.begin(link.tapeFrame);
  }
}

function shown(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, Math.min(end, start + 200));
}

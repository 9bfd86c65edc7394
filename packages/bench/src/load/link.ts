/** One client: a raw TCP socket that speaks just enough WebSocket, and hands on every whole packet. */
import { connect, type Socket } from 'node:net';
import { clientFrame, frameLength, headerLength, OPCODE, upgradeFault, upgradeRequest } from './frames.js';
import { Splitter } from './splitter.js';
import type { Speaker, Standing, Wire } from './wire.js';

/** What the crowd wants to hear of its links. */
export interface LinkEvents {
  /** Bytes of frames, before they are cut. */
  received(link: Link, bytes: Buffer, start: number, end: number): void;
  /** A whole packet of the wire. */
  packet(link: Link, bytes: Buffer, start: number, end: number): void;
  /** There is something to write when this turn ends. */
  pending(link: Link): void;
  turnEnded(): void;
  confirmed(link: Link, number: number): void;
  /** The link is of no use any more, or the server said no. */
  failed(link: Link, why: string): void;
}

/** All sockets read into this one: what is kept beyond the call is copied. */
const READ_BYTES = 131_072;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
const HEAD_END = '\r\n\r\n';

export class Link implements Speaker {
  stage: 'opening' | 'joining' | 'live' = 'opening';
  /** Place on the tape and in its frames; -1 when parsed by itself. */
  tapeAt = -1;
  tapeFrame = 0;
  /** Frames of the tape that the verifier was told of, and returns to the tape. */
  tapeTold = 0;
  returns = 0;
  readonly splitter: Splitter;
  readonly #inner: Splitter | undefined;
  #out: Buffer[] = [];
  #head: string | null = '';
  #closing = false;
  readonly #socket: Socket;
  readonly #wire: Wire;
  readonly #events: LinkEvents;
  /** Called when the link has come as far as it was told to. */
  #arrived: () => void;
  /** Stop before the rooms are joined, until told to go on. */
  readonly #hold: boolean;
  readonly member: number;
  readonly rooms: readonly (string | number)[];
  readonly token: string | undefined;
  readonly standing: Standing | null;

  constructor(
    who: Pick<Speaker, 'member' | 'rooms' | 'token' | 'standing'>,
    port: number,
    wire: Wire,
    events: LinkEvents,
    hold: boolean,
    arrived: () => void,
  ) {
    this.member = who.member;
    this.rooms = who.rooms;
    this.token = who.token;
    this.standing = who.standing;
    this.#wire = wire;
    this.#events = events;
    this.#hold = hold;
    this.#arrived = arrived;
    this.#inner =
      wire.measure && new Splitter(wire.measure, (bytes, start, end) => events.packet(this, bytes, start, end));
    this.splitter = new Splitter(frameLength, (bytes, start, end) => this.takeFrame(bytes, start, end));
    const onread = { buffer: shared, callback: (length: number) => this.#read(length) };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(port, wire.path(this), wire.subprotocol)));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('the server closed the connection'));
  }

  send(payload: string | Buffer): void {
    this.#queue(clientFrame(OPCODE[this.#wire.opcode], payload));
  }

  /** Writes what has gathered. */
  flush(): void {
    const out = this.#out;
    this.#out = [];
    if (out.length > 0) this.#socket.write(out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out));
  }

  loggedIn(): void {
    this.stage = 'joining';
    if (this.#hold) this.#arrived();
    else this.#wire.join(this);
  }

  /** Joins the rooms, where that was held back. */
  join(arrived: () => void): void {
    this.#arrived = arrived;
    this.#wire.join(this);
  }

  joined(): void {
    this.stage = 'live';
    this.#arrived();
  }

  confirmed(number: number): void {
    this.#events.confirmed(this, number);
  }

  refused(why: string): void {
    this.#events.failed(this, `the server answered ${why}`);
  }

  close(): void {
    this.#closing = true;
    // A reset leaves no port behind in TIME_WAIT.
    this.#socket.resetAndDestroy();
  }

  #queue(frame: Buffer): void {
    if (this.#out.length === 0) this.#events.pending(this);
    this.#out.push(frame);
  }

  #fail(why: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.destroy();
    this.#events.failed(this, why);
  }

  #read(length: number): boolean {
    try {
      const start = this.#head === null ? 0 : this.#upgrade(length);
      if (start < length) this.#events.received(this, shared, start, length);
      this.#events.turnEnded();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    return true;
  }

  /** Reads the answer to the upgrade; answers where the frames begin. */
  #upgrade(length: number): number {
    const before = (this.#head as string).length;
    const head = this.#head + shared.toString('latin1', 0, length);
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      this.#head = head;
      return length;
    }
    this.#head = null;
    const fault = upgradeFault(head.slice(0, end + 2));
    if (fault !== null) throw new Error(fault);
    this.#wire.open(this);
    return end + HEAD_END.length - before;
  }

  /** One whole frame, from the socket or from the tape. */
  takeFrame(bytes: Buffer, start: number, end: number): void {
    const first = bytes[start] as number;
    const opcode = first & 0x0f;
    const payload = start + headerLength(bytes, start);
    if (opcode === OPCODE.ping) this.#queue(clientFrame(OPCODE.pong, Buffer.from(bytes.subarray(payload, end))));
    else if (opcode === OPCODE.close) {
      const code = end - payload >= 2 ? bytes.readUInt16BE(payload) : 1005;
      throw new Error(`the server closed with code ${code} ${bytes.toString('utf8', payload + 2, end)}`);
    } else if (opcode === OPCODE.pong) return;
    else if (this.#inner) this.#inner.feed(bytes, payload, end);
    else if (first & 0x80 && opcode !== OPCODE.continuation) this.#events.packet(this, bytes, payload, end);
    else throw new Error('the server split a message into fragments, which is not expected here');
  }
}

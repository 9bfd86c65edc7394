/**
 * What nodes say to each other, as bytes: JSON that everybody who may listen can read, closed by a seal that only the
 * nodes of this installation can make. What is not sealed so is not believed, whoever put it on the bus.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Epoch, EventType, Seq, StreamId } from '@natter/protocol';
import { Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { SUBJECT_MAX } from '../rate-limiter.js';
import type { StoredEvent } from '../store/store.js';
import type { NodeMessage, Signal } from './bus.js';

/** Another shape of what is said: nodes of one version don't believe those of another, and live by the log meanwhile. */
const VERSION = 1;
/** Bytes of the seal, which is half of a SHA-256: as text 22 characters. */
const SEAL_BYTES = 16;
const SEAL_OPEN = ',"seal":"';
const TAIL_BYTES = SEAL_OPEN.length + 22 + 2;
const HEAD = `{"v":${VERSION},`;

/** More than any limit has. */
const COST_MAX = 1e8;

/** What the driver itself says: I am here, and I am going. */
export type Beat = { type: 'beat'; node: string } | { type: 'bye'; node: string };

/** What a message turned out to be. */
export type Opened =
  | { kind: 'event'; event: StoredEvent }
  | { kind: 'behind'; stream: StreamId; seq: Seq }
  | { kind: 'signal'; node: string; n: number; stream: StreamId; signal: Signal }
  | { kind: 'message'; node: string; n: number; message: NodeMessage | Beat }
  /** Made by somebody who is no node of this installation, or by a node of another version. */
  | { kind: 'foreign'; why: string };

const id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const words = Type.Array(Type.String({ maxLength: 256 }));
const count = Type.Integer({ minimum: 0 });
const name = Type.String({ minLength: 1, maxLength: 64 });
const envelope = { v: Type.Literal(VERSION), epoch: Type.Integer(), node: name, n: Type.Integer({ minimum: 1 }) };

const places = Compile(
  Type.Object(
    { v: Type.Literal(VERSION), epoch: Type.Integer(), stream: id, seq: id },
    { additionalProperties: false },
  ),
);

const signals = Compile(
  Type.Union([
    Type.Object({ ...envelope, stream: id, type: Type.Literal('typing'), user: id, active: Type.Boolean() }),
    Type.Object({
      ...envelope,
      stream: id,
      type: Type.Literal('visit'),
      dialect: Type.String(),
      user: id,
      name: Type.String(),
      entered: Type.Boolean(),
      at: Type.Integer(),
      toSelf: Type.Boolean(),
    }),
  ]),
);

const messages = Compile(
  Type.Union([
    Type.Object({ ...envelope, type: Type.Literal('roll.change'), came: words, went: words }),
    Type.Object({ ...envelope, type: Type.Literal('roll.lease'), count, sum: count }),
    Type.Object({ ...envelope, type: Type.Literal('roll.ask'), of: Type.Union([name, Type.Null()]) }),
    Type.Object({ ...envelope, type: Type.Literal('roll.all'), part: count, parts: count, words }),
    Type.Object({
      ...envelope,
      type: Type.Literal('rates.spent'),
      limit: name,
      subject: Type.String({ maxLength: SUBJECT_MAX }),
      cost: Type.Number({ minimum: -COST_MAX, maximum: COST_MAX }),
    }),
    Type.Object({ ...envelope, type: Type.Literal('beat') }),
    Type.Object({ ...envelope, type: Type.Literal('bye') }),
  ]),
);

/** The beginning of an event as `event` writes it, up to its body. */
const EVENT =
  /^\{"v":1,"epoch":([0-9]+),"type":"([a-z_.]+)","stream":([0-9]+),"seq":([0-9]+),"id":([0-9]+),"actor":([0-9]+),"at":"([^"]+)","body":/;

export interface EnvelopesOptions {
  /** Secret of all nodes of this installation. */
  secretKey: string;
  epoch: Epoch;
  /** This node's name. */
  node: string;
}

export class Envelopes {
  readonly #key: Buffer;
  readonly #epoch: Epoch;
  readonly #node: string;
  /** Rises with all that this node says: what is heard a second time is known by it. */
  #n = 0;

  constructor({ secretKey, epoch, node }: EnvelopesOptions) {
    this.#key = Buffer.from(hkdfSync('sha256', secretKey, '', 'natter bus v1', 32));
    this.#epoch = epoch;
    this.#node = node;
  }

  /** The body goes in as it is stored; an event that would be larger is told as its place alone. */
  event({ type, stream, seq, id: eventId, actor, at, body }: StoredEvent, bytesMax: number): Buffer {
    const place = `"stream":${stream},"seq":${seq}`;
    const time = new Date(at).toISOString();
    const text = `${HEAD}"epoch":${this.#epoch},"type":"${type}",${place},"id":${eventId},"actor":${actor},"at":"${time}","body":${body}`;
    const bytes = this.#sealed(text);
    return bytes.length <= bytesMax ? bytes : this.#sealed(`${HEAD}"epoch":${this.#epoch},${place}`);
  }

  signal(stream: StreamId, signal: Signal): Buffer {
    return this.#said({ stream, ...signal });
  }

  message(message: NodeMessage | Beat): Buffer {
    return this.#said(message);
  }

  /** Never throws, whatever the bytes are. */
  open(data: Uint8Array): Opened {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (!bytes.subarray(0, HEAD.length).equals(Buffer.from(HEAD))) {
      return { kind: 'foreign', why: 'it is no message of this version of Natter' };
    }
    if (!this.#isSealed(bytes)) return { kind: 'foreign', why: 'its seal was not made with this SECRET_KEY' };
    // From here on it is known that a node of this installation wrote it.
    const text = bytes.toString('utf8', 0, bytes.length - TAIL_BYTES);
    const event = EVENT.exec(text);
    if (event) return this.#event(event, text.slice(event[0].length));
    return this.#heard(text);
  }

  #event([, epoch, type, stream, seq, eventId, actor, at]: RegExpExecArray, body: string): Opened {
    if (Number(epoch) !== this.#epoch) return anotherLife;
    return {
      kind: 'event',
      event: {
        id: Number(eventId),
        stream: Number(stream),
        seq: Number(seq),
        type: type as EventType,
        actor: Number(actor),
        at: Date.parse(String(at)),
        body,
      },
    };
  }

  #heard(text: string): Opened {
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(`${text}}`);
    } catch {
      return { kind: 'foreign', why: 'it is not JSON' };
    }
    if (value.epoch !== this.#epoch) return anotherLife;
    if (places.Check(value)) return { kind: 'behind', stream: value.stream, seq: value.seq };
    if (signals.Check(value)) {
      const { v: _v, epoch: _epoch, node, n, stream, ...signal } = value;
      return { kind: 'signal', node, n, stream, signal };
    }
    if (messages.Check(value)) {
      const { v: _v, epoch: _epoch, n, ...message } = value;
      return { kind: 'message', node: message.node, n, message };
    }
    return unknown;
  }

  #said(what: object): Buffer {
    this.#n += 1;
    const { node: _node, ...rest } = what as { node?: string };
    const text = JSON.stringify({ v: VERSION, epoch: this.#epoch, node: this.#node, n: this.#n, ...rest });
    return this.#sealed(text.slice(0, -1));
  }

  /** Closes an object that is still open. */
  #sealed(open: string): Buffer {
    const size = Buffer.byteLength(open);
    const bytes = Buffer.allocUnsafe(size + TAIL_BYTES);
    bytes.write(open);
    const seal = this.#seal(bytes.subarray(0, size)).toString('base64url');
    bytes.write(`${SEAL_OPEN}${seal}"}`, size);
    return bytes;
  }

  #seal(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(bytes).digest().subarray(0, SEAL_BYTES);
  }

  #isSealed(bytes: Buffer): boolean {
    const size = bytes.length - TAIL_BYTES;
    if (size <= 0) return false;
    const tail = bytes.toString('latin1', size);
    if (!tail.startsWith(SEAL_OPEN) || !tail.endsWith('"}')) return false;
    const seal = Buffer.from(tail.slice(SEAL_OPEN.length, -2), 'base64url');
    return seal.length === SEAL_BYTES && timingSafeEqual(seal, this.#seal(bytes.subarray(0, size)));
  }
}

const anotherLife: Opened = { kind: 'foreign', why: 'it is of another life of the log' };
const unknown: Opened = { kind: 'foreign', why: 'it is of a kind that this version does not know' };

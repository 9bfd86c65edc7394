/** How a server is spoken to: what is the same for all of them is in link.ts, what differs is behind this port. */
import type { Measure } from './splitter.js';

/** Where clients stand who come back: they have everything of each of their rooms up to a seq. */
export interface Standing {
  epoch: number;
  seq: number;
}

/** What a wire may do with a connection. */
export interface Speaker {
  readonly member: number;
  /** Rooms to be in, by the server's own names. */
  readonly rooms: readonly (string | number)[];
  readonly token: string | undefined;
  /** It was here before, and comes back to where it stood. */
  readonly standing: Standing | null;
  readonly stage: 'opening' | 'joining' | 'live';
  send(payload: string | Buffer): void;
  /** The server knows who this is. */
  loggedIn(): void;
  /** From now on the messages of all its rooms arrive. */
  joined(): void;
  /** The server confirmed the send with this number. */
  confirmed(number: number): void;
  /** The server said no: the run is worth nothing. */
  refused(why: string): void;
}

export interface Wire {
  /** Where its socket is opened. */
  path(speaker: Speaker): string;
  readonly subprotocol?: string;
  readonly opcode: 'text' | 'binary';
  /** Each send is confirmed, apart from being delivered. */
  readonly confirms: boolean;
  /** How payloads are cut further, where a frame is not a message. */
  readonly measure?: Measure;
  /** To be sent now and then, so that the server does not take us for dead. */
  readonly keepAlive?: string | Buffer;
  /** Who is logged in is in all rooms by that, and `join` has nothing to do. */
  readonly joinsAtOnce?: true;
  open(speaker: Speaker): void;
  join(speaker: Speaker): void;
  message(speaker: Speaker, room: string | number, number: number, text: string): string | Buffer;
  /** Something that holds no message of ours. */
  control(speaker: Speaker, bytes: Buffer, start: number, end: number): void;
}

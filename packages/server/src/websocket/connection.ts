/** What every connection keeps to, whichever API it speaks: budgets of frames and bytes, a pulse, and an end without loss. */
import { CLOSE, type CloseReason, type UserRole } from '@natter/protocol';
import type { Clock } from '../clock.js';
import type { Hub } from '../hub/hub.js';
import type { Outlet, Subscriber } from '../hub/subscriber.js';
import { type Limits, RATE_LIMITS } from '../limits.js';
import type { Socket } from './socket.js';
import { PING_FRAME, pongFrame } from './wire.js';

export interface ConnectionMetrics {
  /** A connection was let in. */
  opened(): void;
  /** One is gone: the code that it was closed with, and whether it had been let in. */
  closed(code: number, opened: boolean): void;
  /** A frame was read: its type, where there is one of that name. */
  frame(type: string): void;
  /** An upgrade was refused with this status. */
  refused(status: number): void;
}

/** What all connections share. */
export interface ConnectionHost {
  readonly hub: Hub;
  readonly limits: Limits;
  readonly clock: Clock;
  /** False: the number of frames is not limited. */
  readonly rateLimits: boolean;
  readonly metrics: ConnectionMetrics | undefined;
  failed(error: unknown, what: string): void;
  /** Nothing is under way any more in a connection that takes nothing new. */
  settled(): void;
  /** Its socket is gone. */
  gone(connection: Connection): void;
}

const FRAMES_MS = RATE_LIMITS.RATE_FRAMES_PER_SOCKET.seconds * 1_000;

export abstract class Connection implements Outlet {
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  #closing = false;
  /** When something was heard last, in the clock's ticks. */
  #heardAt: number;
  #pinged = false;
  /** Was it let in? */
  #opened = false;
  /** When the budget of frames is full again. */
  #fullAt = 0;
  #inFlight = 0;
  /** Frames that came in before there was room for them; no more than what the library had read already. */
  #backlog: string[] | null = null;
  /** Since when too many bytes wait for it to read on; null while there is room. */
  #fullSince: number | null = null;
  #draining = false;

  constructor(host: ConnectionHost, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.#heardAt = host.clock.ticks();
  }

  /** Its place in the hub, once it has one. */
  protected abstract get subscriber(): Subscriber | null;
  /** One text frame. Called only while it may read. */
  protected abstract read(text: string): void;
  /** Is there anything in its own state that forbids reading on? */
  protected abstract get waits(): boolean;
  /** What is said before the close frame, in the API that it speaks. */
  protected abstract lastWords(reason: CloseReason, retryAfter?: number): Buffer | null;
  /** From here on it says and hears nothing: once, whatever ends it. */
  protected abstract ending(): void;

  abstract roleChanged(role: UserRole): void;

  // What the socket tells.

  message(data: Buffer, isBinary: boolean): void {
    if (this.#closing || !this.#hear()) return;
    if (isBinary) this.close('not_text');
    else if (this.mayRead && this.#backlog === null) this.#take(data.toString());
    else this.#defer(data.toString());
  }

  ping(payload: Buffer): void {
    if (this.#closing || !this.#hear()) return;
    if (!this.#socket.blocked) this.#socket.write(pongFrame(payload));
  }

  pong(): void {
    if (!this.#closing) this.#hear();
  }

  /** The library closes it: what came can't be read as WebSocket. */
  broken(): void {
    this.#leave();
  }

  gone(code: number): void {
    this.#leave();
    this.#host.metrics?.closed(code, this.#opened);
    this.#host.gone(this);
  }

  /** Called every second or so: what takes too long ends. */
  beat(now: number): void {
    if (this.#closing || !this.#opened) return;
    const { HEARTBEAT_SECONDS, SLOW_READER_SECONDS } = this.#host.limits;
    const stalledSince = this.#fullSince ?? this.subscriber?.stalledSince ?? null;
    const silent = now - this.#heardAt;
    if (stalledSince !== null && now - stalledSince >= SLOW_READER_SECONDS * 1_000) {
      this.close('too_slow');
    } else if (silent >= HEARTBEAT_SECONDS * 2_000) {
      this.close('heartbeat_timeout');
    } else if (silent >= HEARTBEAT_SECONDS * 1_000 && !this.#pinged) {
      this.#pinged = true;
      this.#socket.write(PING_FRAME);
    }
  }

  // What the hub asks of it.

  get waiting(): number {
    return this.#socket.waiting;
  }

  get blocked(): boolean {
    return this.#socket.blocked;
  }

  write(frames: Buffer | readonly Buffer[]): void {
    this.#socket.write(frames);
    // [G1] Answers pile up for one who asks and does not read: it is not read from either until it does.
    if (this.#fullSince !== null || this.#socket.waiting <= this.#host.limits.SOCKET_BUFFER_BYTES_MAX) return;
    this.#fullSince = this.#host.clock.ticks();
    this.#socket.pause();
    this.#socket.onDrain(() => {
      this.#fullSince = null;
      this.goOn();
    });
  }

  onDrain(call: () => void): void {
    this.#socket.onDrain(call);
  }

  ended(): void {
    this.close('session_ended');
  }

  failed(): void {
    this.close('internal_error');
  }

  // What the edge asks of it.

  /** Is something under way that will be answered? */
  get busy(): boolean {
    return this.#inFlight > 0;
  }

  /** Takes nothing new; what is under way is answered. */
  drain(): void {
    this.#draining = true;
    if (!this.#closing) this.#socket.pause();
  }

  /** What was told before leaves first, then the last words. */
  close(reason: CloseReason, retryAfter?: number): void {
    if (this.#closing) return;
    const { code, text } = CLOSE[reason];
    this.closeWith(code, text, this.lastWords(reason, retryAfter));
  }

  closeWith(code: number, text: string, words: Buffer | null = null): void {
    if (this.#closing) return;
    this.subscriber?.flush();
    this.#leave();
    if (words) this.#socket.write(words);
    this.#socket.close(code, text);
  }

  destroy(): void {
    this.#leave();
    this.#socket.destroy();
  }

  // What those who speak an API on it use.

  get closing(): boolean {
    return this.#closing;
  }

  /** It was let in: from here on its pulse is felt. */
  protected letIn(): void {
    this.#opened = true;
    this.#host.metrics?.opened();
    this.goOn();
  }

  protected pause(): void {
    this.#socket.pause();
  }

  protected get mayRead(): boolean {
    if (this.#draining || this.#fullSince !== null || this.#closing || this.waits) return false;
    return this.#inFlight < this.#host.limits.COMMANDS_IN_FLIGHT_PER_SOCKET;
  }

  /** Something is under way: while there is too much of it, nothing more is read. */
  protected async work(doing: Promise<void>): Promise<void> {
    this.#inFlight += 1;
    if (!this.mayRead) this.#socket.pause();
    try {
      await doing;
    } finally {
      this.#inFlight -= 1;
      if (this.#draining && this.#inFlight === 0) this.#host.settled();
      this.goOn();
    }
  }

  /** There may be room again. */
  protected goOn(): void {
    while (this.#backlog !== null && this.mayRead) {
      const text = this.#backlog.shift();
      if (this.#backlog.length === 0) this.#backlog = null;
      if (text !== undefined) this.#take(text);
    }
    if (this.mayRead && this.#socket.paused) this.#socket.resume();
  }

  /** What one frame brings down is its own socket, and no more. */
  #take(text: string): void {
    try {
      this.read(text);
    } catch (error) {
      this.#host.failed(error, 'a frame failed');
      this.close('internal_error');
    }
  }

  #leave(): void {
    if (this.#closing) return;
    const { subscriber } = this;
    this.#closing = true;
    this.#backlog = null;
    this.ending();
    if (subscriber) this.#host.hub.leave(subscriber);
  }

  /** False when it says more than it may. */
  #hear(): boolean {
    const now = this.#host.clock.ticks();
    this.#heardAt = now;
    this.#pinged = false;
    if (!this.#host.rateLimits) return true;
    this.#fullAt = Math.max(this.#fullAt, now) + FRAMES_MS / this.#host.limits.RATE_FRAMES_PER_SOCKET;
    if (this.#fullAt - now < FRAMES_MS + 0.001) return true;
    this.close('too_many_frames', FRAMES_MS / 1_000);
    return false;
  }

  #defer(text: string): void {
    this.#backlog ??= [];
    this.#backlog.push(text);
    this.#socket.pause();
  }
}

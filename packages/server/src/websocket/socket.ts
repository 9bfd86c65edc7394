/** One WebSocket's bytes: out in as few system calls as there are flushes, past the library's path for single messages. */
import type { Socket as NetSocket } from 'node:net';
import { WebSocket } from 'ws';

/** Fewer bytes than this are sooner copied into one piece than handed over as several. */
const COPIED_BYTES = 8_192;

export class Socket {
  readonly #ws: WebSocket;
  readonly #raw: NetSocket;

  constructor(ws: WebSocket, raw: NetSocket) {
    this.#ws = ws;
    this.#raw = raw;
  }

  /** Bytes that the network has not taken yet. */
  get waiting(): number {
    return this.#raw.writableLength;
  }

  get blocked(): boolean {
    return this.#raw.writableNeedDrain;
  }

  /** Whole frames, in one system call. After a close frame nothing may follow. */
  write(frames: Buffer | readonly Buffer[]): void {
    const raw = this.#raw;
    if (this.#ws.readyState !== WebSocket.OPEN || !raw.writable) return;
    if (Buffer.isBuffer(frames)) {
      raw.write(frames);
      return;
    }
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    if (bytes < COPIED_BYTES) {
      raw.write(Buffer.concat(frames, bytes));
      return;
    }
    raw.cork();
    for (const frame of frames) raw.write(frame);
    raw.uncork();
  }

  /** Calls once, when what was written has gone out, or the socket is gone. */
  onDrain(call: () => void): void {
    const raw = this.#raw;
    if (!raw.writableNeedDrain || raw.destroyed) {
      queueMicrotask(call);
      return;
    }
    const done = (): void => {
      raw.off('drain', done);
      raw.off('close', done);
      call();
    };
    raw.on('drain', done);
    raw.on('close', done);
  }

  get paused(): boolean {
    return this.#ws.isPaused;
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  /** The closing handshake, which the library cuts off when the other side doesn't answer. */
  close(code: number, text: string): void {
    // What it still has to say is read only for its close frame.
    this.resume();
    this.#ws.close(code, text);
  }

  destroy(): void {
    this.#ws.terminate();
  }
}

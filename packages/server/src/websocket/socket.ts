/** One WebSocket's bytes: out in as few system calls as there are flushes, past the library's path for single messages. */
import { writeSync } from 'node:fs';
import type { Socket as NetSocket } from 'node:net';
import { WebSocket } from 'ws';

/** Fewer bytes than this are sooner copied into one piece than handed over as several. */
const COPIED_BYTES = 8_192;

/** What a stream of Node's holds on to while it is open. Node does not promise it: where it is not so, the stream is written to. */
interface Handle {
  readonly fd?: number;
}

export class Socket {
  readonly #ws: WebSocket;
  readonly #raw: NetSocket & { readonly _handle?: Handle | null; readonly encrypted?: boolean };
  #handle: Handle | null = null;
  /** The descriptor of that handle; -1 where it has none that takes bytes as they are. */
  #fd = -1;

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
      this.#put(frames);
      return;
    }
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    if (bytes < COPIED_BYTES) {
      this.#put(Buffer.concat(frames, bytes));
      return;
    }
    raw.cork();
    for (const frame of frames) raw.write(frame);
    raw.uncork();
  }

  /**
   * Straight to the kernel where nothing waits before it, as the stream would do it: the stream's own bookkeeping costs a
   * third of a small write. What the kernel does not take, and every error, is the stream's.
   */
  #put(bytes: Buffer): void {
    const raw = this.#raw;
    let taken = 0;
    if (raw.writableLength === 0 && this.#descriptor() >= 0) {
      try {
        taken = writeSync(this.#fd, bytes);
      } catch {
        // Its buffer is full, or the other side is gone: the stream waits for it, or says so.
      }
    }
    if (taken === 0) raw.write(bytes);
    else if (taken < bytes.length) raw.write(bytes.subarray(taken));
  }

  /** Of the handle that the stream has now: once it is closed, its number may be another one's. */
  #descriptor(): number {
    const handle = this.#raw._handle ?? null;
    if (handle !== this.#handle) {
      this.#handle = handle;
      this.#fd = this.#raw.encrypted ? -1 : (handle?.fd ?? -1);
    }
    return this.#fd;
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

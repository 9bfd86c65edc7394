/** One WebSocket that comes back: open, say hello, find out when it is dead, wait, open again. */

import type { GoodbyeFrame, HelloFrame } from '@natter/protocol';
import { CLOSE, type CloseReason, mayReconnect } from '@natter/protocol/close';
import { asNatterError, localError, type NatterError } from './errors.js';
import type { WebSocketConstructor, WebSocketLike } from './socket.js';
import { backoff, type Timing } from './timing.js';

export type Connection =
  /** On the way: opening, saying hello, or taking in what was missed. */
  | { readonly state: 'connecting' }
  /** Everything missed was taken in; events come as they happen. */
  | { readonly state: 'live' }
  /** Comes back by itself at `until` (milliseconds since 1970), or earlier when the browser says that it is online. */
  | { readonly state: 'waiting'; readonly until: number; readonly error: NatterError }
  /** Does not come back by itself. */
  | { readonly state: 'closed'; readonly reason: ClosedReason; readonly error?: NatterError };

/** `new`: not connected yet. `client`: `close()` was called. `other_user`: the token is somebody else's than before. */
export type ClosedReason = CloseReason | 'new' | 'client' | 'other_user' | 'refused';

export interface LinkOptions {
  url: string;
  WebSocket: WebSocketConstructor;
  timing: Timing;
  /** `refused` is a token that the server did not take: another one is asked for. */
  token(refused?: string): Promise<string>;
  /** Built when it is sent, so that its cursors are the newest. */
  hello(token: string): HelloFrame;
  frame(frame: { type: string }): void;
  changed(connection: Connection): void;
}

/** The one close code after which another token may help. */
const REFUSED = CLOSE.unauthenticated.code;

export class Link {
  readonly #options: LinkOptions;
  #state: Connection = { state: 'closed', reason: 'new' };
  #socket: WebSocketLike | null = null;
  /** Rises with every try; what belongs to an older one is not heard. */
  #turn = 0;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #goodbye: GoodbyeFrame | null = null;
  #token: string | undefined;
  #refused: string | undefined;
  /** Between `ready` and the end of this socket. */
  #ready = false;
  #keepAlive = 0;
  #heard = 0;
  #sent = 0;
  /** When the ping that was not answered yet went out; 0 when there is none. */
  #asked = 0;
  #since = 0;
  /** The server asked us not to come back before this. */
  #notBefore = 0;
  #unhint: (() => void) | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get state(): Connection {
    return this.#state;
  }

  /** May commands go? */
  get isReady(): boolean {
    return this.#ready;
  }

  open(): void {
    if (this.#state.state !== 'closed') {
      this.#hint();
      return;
    }
    this.#attempt = 0;
    this.#notBefore = 0;
    this.#refused = undefined;
    this.#unhint = listenToBrowser(() => this.#hint());
    void this.#start();
  }

  close(reason: ClosedReason = 'client', error?: NatterError): void {
    this.#drop()?.close(1000);
    this.#unhint?.();
    this.#unhint = null;
    if (this.#state.state !== 'closed')
      this.#set(error ? { state: 'closed', reason, error } : { state: 'closed', reason });
  }

  /** False when the server has not said `ready` on this socket: then nothing was sent. */
  write(frame: object): boolean {
    if (!this.#ready) return false;
    this.#send(frame);
    return true;
  }

  /** The server said `ready`; commands may go. */
  ready(heartbeatSeconds: number): void {
    this.#ready = true;
    this.#refused = undefined;
    this.#keepAlive = heartbeatSeconds * 500;
    clearTimeout(this.#timer);
    this.#beat();
  }

  /** What was missed has been taken in. */
  settled(): void {
    this.#since = performance.now();
    this.#set({ state: 'live' });
  }

  /** The server broke the protocol on this socket: another one, with the cursors as they stand. */
  renew(why: string): void {
    this.#lost(localError('bad_answer', why));
  }

  async #start(): Promise<void> {
    const turn = ++this.#turn;
    this.#goodbye = null;
    this.#set({ state: 'connecting' });
    const { token, WebSocket, url, timing } = this.#options;
    let socket: WebSocketLike;
    try {
      const answer = await token(this.#refused);
      if (turn !== this.#turn) return;
      if (answer === this.#refused) return this.close('unauthenticated');
      this.#token = answer;
      socket = new WebSocket(url);
    } catch (thrown) {
      if (turn !== this.#turn) return;
      const error = asNatterError(thrown);
      if (error.retryable) this.#lost(error);
      else this.close(error.status === 401 ? 'unauthenticated' : 'refused', error);
      return;
    }
    this.#socket = socket;
    this.#timer = setTimeout(
      () => this.#lost(localError('timeout', 'the server did not say ready in time')),
      timing.openWithin,
    );
    socket.onopen = () => {
      // From now on a close event follows, which says more.
      socket.onerror = () => {};
      this.#send(this.#options.hello(this.#token as string));
    };
    socket.onmessage = ({ data }) => this.#read(data);
    // Node 22 tells of a refused connection by this alone.
    socket.onerror = () => this.#socket === socket && this.#closed(1006);
    socket.onclose = ({ code }) => this.#closed(code);
  }

  #send(frame: object): void {
    this.#sent = performance.now();
    this.#socket?.send(JSON.stringify(frame));
  }

  #read(data: unknown): void {
    this.#heard = performance.now();
    this.#asked = 0;
    let frame: { type?: unknown } | null = null;
    try {
      frame = JSON.parse(data as string);
    } catch {
      // Answered below, like every frame that is none.
    }
    if (typeof frame?.type !== 'string') this.renew('a frame was not a JSON object with a type');
    else if (frame.type === 'goodbye') this.#goodbye = frame as GoodbyeFrame;
    else this.#options.frame(frame as { type: string });
  }

  #closed(code: number): void {
    const goodbye = this.#goodbye;
    const why = goodbye?.reason ?? `the connection was closed (${code})`;
    if (code === REFUSED && this.#refused === undefined) {
      this.#refused = this.#token;
      this.#drop();
      void this.#start();
    } else if (goodbye?.reconnect ?? mayReconnect(code)) {
      this.#lost(localError('disconnected', why), goodbye?.retryAfter);
    } else {
      const [reason] = Object.entries(CLOSE).find(([, row]) => row.code === code) ?? ['refused'];
      this.close(reason as CloseReason, localError('closed', why));
    }
  }

  /** This socket is over; the next one comes after a wait. */
  #lost(error: NatterError, retryAfter = error.retryAfter): void {
    const { timing } = this.#options;
    if (this.#state.state === 'live' && performance.now() - this.#since >= timing.stableAfter) this.#attempt = 0;
    const socket = this.#drop();
    if (socket?.terminate) socket.terminate();
    else socket?.close();
    const wait = backoff(this.#attempt++, timing, Math.random(), retryAfter);
    this.#notBefore = Date.now() + (retryAfter ?? 0) * 1_000;
    this.#timer = setTimeout(() => this.#start(), wait);
    this.#set({ state: 'waiting', until: Date.now() + wait, error });
  }

  /** Lets go of the socket: nothing that it says is heard any more. */
  #drop(): WebSocketLike | null {
    const socket = this.#socket;
    this.#turn += 1;
    this.#socket = null;
    this.#ready = false;
    this.#asked = 0;
    clearTimeout(this.#timer);
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }

  /** Speaks before the server misses us, asks when it is silent, gives up when it does not answer. */
  readonly #beat = (): void => {
    const { pingAfter, pongWithin } = this.#options.timing;
    const now = performance.now();
    if (this.#asked && now - this.#asked >= pongWithin) {
      this.#lost(localError('timeout', 'the server did not answer a ping'));
      return;
    }
    const due = () =>
      Math.min(this.#asked ? Number.POSITIVE_INFINITY : this.#heard + pingAfter, this.#sent + this.#keepAlive);
    if (now >= due()) this.#ping();
    const next = this.#asked ? Math.min(this.#asked + pongWithin, due()) : due();
    this.#timer = setTimeout(this.#beat, Math.max(next - now, 10));
  };

  #ping(): void {
    this.#send({ type: 'ping' });
    this.#asked ||= this.#sent;
  }

  /** The browser says that the network came or went, or that the page is looked at again. */
  #hint(): void {
    if (this.#state.state === 'waiting' && Date.now() >= this.#notBefore) {
      clearTimeout(this.#timer);
      void this.#start();
    } else if (this.#ready && !this.#asked) {
      clearTimeout(this.#timer);
      this.#ping();
      this.#beat();
    }
  }

  #set(state: Connection): void {
    this.#state = state;
    this.#options.changed(state);
  }
}

const HINTS = ['online', 'offline'];

interface EventSource {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** Hints only: a browser that says "online" may be wrong, and so may one that says nothing. */
function listenToBrowser(hint: () => void): () => void {
  const page = globalThis as EventSource & { document?: EventSource & { visibilityState: string } };
  const seen = () => page.document?.visibilityState === 'visible' && hint();
  for (const type of HINTS) page.addEventListener?.(type, hint);
  page.document?.addEventListener?.('visibilitychange', seen);
  return () => {
    for (const type of HINTS) page.removeEventListener?.(type, hint);
    page.document?.removeEventListener?.('visibilitychange', seen);
  };
}

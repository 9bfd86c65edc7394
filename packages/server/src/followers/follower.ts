/** One bot or back end that follows its user's rooms on NATS: a connection of the hub whose socket is a subject. */
import { CLOSE, type CloseReason, type StreamId, type UserId } from '@natter/protocol';
import type { Outlet, Subscriber } from '../hub/subscriber.js';
import { messages } from './encoding.js';

/** Of followers alone, in a number that no socket is closed with. */
const CREDENTIALS_EXPIRED = { code: 4009, reconnect: true, text: 'the credentials ended; get others' } as const;

export interface FollowerHost {
  /** Gives a message to NATS; it is lost when NATS is away. */
  say(subject: string, bytes: Uint8Array): void;
  /** It is over: nothing is delivered any more. */
  left(follower: Follower): void;
}

export class Follower implements Outlet {
  readonly root: string;
  readonly user: UserId;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly #host: FollowerHost;
  #over = false;
  subscriber!: Subscriber;

  constructor(host: FollowerHost, root: string, user: UserId, expiresAt: number) {
    this.#host = host;
    this.root = root;
    this.user = user;
    this.expiresAt = expiresAt;
  }

  /** What is said there is this follower's alone. */
  get subjects(): string[] {
    return [`${this.root}.rooms.*`, `${this.root}.status`];
  }

  get over(): boolean {
    return this.#over;
  }

  // What the hub asks of it. NATS takes what is said or loses it: nothing waits here.

  readonly waiting = 0;
  readonly blocked = false;

  onDrain(call: () => void): void {
    call();
  }

  write(frames: Buffer | readonly Buffer[]): void {
    for (const bytes of Array.isArray(frames) ? (frames as readonly Buffer[]) : [frames as Buffer]) {
      for (const { stream, json } of messages(bytes)) {
        // What happens to the user's own account is not a room's.
        if (stream !== this.user) this.#host.say(`${this.root}.rooms.${stream}`, json);
      }
    }
  }

  ended(): void {
    this.leave('session_ended');
  }

  failed(): void {
    this.leave('internal_error');
  }

  roleChanged(): void {}

  /** Says where every room stands: whoever missed the last message of one sees it by this. */
  beat(): void {
    if (this.#over) return;
    this.subscriber.flush();
    const cursors: Record<StreamId, number> = {};
    for (const { stream, told } of this.subscriber.feeds) if (stream !== this.user) cursors[stream] = told;
    this.#status({ type: 'beat', cursors, expiresAt: new Date(this.expiresAt).toISOString() });
  }

  /** Null: its credentials ended. */
  leave(reason: CloseReason | null): void {
    if (this.#over) return;
    this.subscriber.flush();
    this.#over = true;
    const { code, text, reconnect } = reason === null ? CREDENTIALS_EXPIRED : CLOSE[reason];
    this.#status({ type: 'goodbye', code, reason: text, reconnect });
    this.#host.left(this);
  }

  #status(said: object): void {
    this.#host.say(`${this.root}.status`, Buffer.from(JSON.stringify(said)));
  }
}

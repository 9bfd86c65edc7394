/** The connection to NATS: made again for ever, asked all the time whether it is there, and never given more than it takes. */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { Clock, Timer } from '../clock.js';
import type { Logger } from '../logger.js';

/** Where NATS is, and how one gets in. */
export interface NatsAddress {
  /** `host:port`, several for a cluster. */
  servers: readonly string[];
  user: string | undefined;
  password: string | undefined;
  token: string | undefined;
  /** A file with a user's JWT and its key, as `nsc` writes it. Read anew for each connection. */
  credentialsFile: string | undefined;
  /** Without TLS nothing is said, where this is there; the files are in PEM. */
  tls: { caFile: string | undefined; certFile: string | undefined; keyFile: string | undefined } | undefined;
}

export interface LinkOptions {
  address: NatsAddress;
  /** How the server's operators see this connection. */
  name: string;
  /** Most bytes that NATS has not confirmed; beyond it nothing is said. */
  bytesMax: number;
  clock: Clock;
  logger: Logger;
  /** A connection that was just made: subscriptions are made on it. */
  opened(connection: NatsConnection): void;
  closed(): void;
}

/** An attempt that takes longer has failed. */
const CONNECT_MS = 3_000;
/** Between two attempts: doubled from the first to the last. */
const AGAIN_FIRST_MS = 100;
const AGAIN_LAST_MS = 2_000;
/** A question that is not answered by then: hints may be missing. */
const LATE_MS = 700;
/** And by then the connection is taken for dead. */
const DEAD_MS = 5_000;
/** So much is said before NATS is asked to confirm, where it is not asked anyway. */
const CONFIRM_BYTES = 65_536;
/** What would be logged all the time is logged so often. */
const REMIND_MS = 60_000;
/** Waiting for the last words to get through. */
const LAST_WORDS_MS = 1_000;

export class NatsLink {
  readonly #options: LinkOptions;
  #connection: NatsConnection | null = null;
  #closing = false;
  #running: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #waiting: Timer | null = null;
  /** Said, and not yet followed by a question; and what stands before the question that is not answered yet. */
  #said = 0;
  #unconfirmed = 0;
  /** When the question was asked that is not answered yet, in the clock's ticks. */
  #askedAt: number | null = null;
  #lostAt: number;
  #remindAt = 0;
  #why = 'the first connection is being made';
  /** Why this side gave the connection up. */
  #givenUp: string | null = null;
  /** A question was answered on this connection: the subscriptions it began with are taken. */
  #taken = false;
  /** What the server does not allow us, until the next connection. */
  #refused: string | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#lostAt = options.clock.ticks();
  }

  /** Why nothing can be relied on to get through; null: it does. */
  get trouble(): string | null {
    const now = this.#options.clock.ticks();
    if (!this.#connection) return `not connected for ${seconds(now - this.#lostAt)} s: ${this.#why}`;
    if (this.#refused !== null) return this.#refused;
    if (!this.#taken) return 'the connection was made just now, and its subscriptions may not be taken yet';
    if (this.full) return 'more is said than it takes';
    if (this.#askedAt === null || now - this.#askedAt < LATE_MS) return null;
    return `no answer for ${seconds(now - this.#askedAt)} s`;
  }

  /** Nothing more is taken now. */
  get full(): boolean {
    return !this.#connection || this.#said + this.#unconfirmed >= this.#options.bytesMax;
  }

  open(): void {
    this.#running ??= this.#run();
  }

  /** False: it was not said, since nobody is there or too much waits already. */
  say(subject: string, bytes: Uint8Array): boolean {
    const connection = this.#connection;
    if (!connection || this.full) return false;
    try {
      connection.publish(subject, bytes);
    } catch (error) {
      // The server takes less than it said, or closed in this moment.
      this.#remind(`something could not be said: ${(error as Error).message}`);
      return false;
    }
    this.#said += bytes.length;
    if (this.#said >= CONFIRM_BYTES) this.ask();
    return true;
  }

  /** Asks whether everything up to here got through; `answered` is called when it did. */
  ask(answered?: () => void): void {
    const connection = this.#connection;
    if (!connection) return;
    const first = this.#askedAt === null;
    if (!first && !answered) return;
    if (first) {
      this.#askedAt = this.#options.clock.ticks();
      this.#unconfirmed = this.#said;
      this.#said = 0;
    }
    connection.flush().then(
      () => {
        if (this.#connection !== connection) return;
        this.#taken = true;
        if (first) {
          this.#askedAt = null;
          this.#unconfirmed = 0;
          if (this.#said >= CONFIRM_BYTES) this.ask();
        }
        answered?.();
      },
      () => {
        // The connection went away meanwhile, and that is seen where it is waited for.
      },
    );
  }

  /** Called twice a second or so. */
  beat(): void {
    const connection = this.#connection;
    if (!connection) return;
    if (this.#askedAt === null) {
      this.ask();
    } else if (this.#options.clock.ticks() - this.#askedAt >= DEAD_MS) {
      this.#givenUp = `NATS did not answer for ${DEAD_MS / 1_000} s`;
      void connection.close();
    }
  }

  /** What was said before gets through, where somebody is there to take it. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#waiting?.close();
    this.#wake?.();
    const connection = this.#connection;
    if (connection) {
      let timer: Timer | null = null;
      const late = new Promise<void>((resolve) => {
        timer = this.#options.clock.after(LAST_WORDS_MS, resolve);
      });
      await Promise.race([connection.flush().catch(() => {}), late]);
      (timer as Timer | null)?.close();
      await connection.close();
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    const { logger, clock } = this.#options;
    let wait = AGAIN_FIRST_MS;
    while (!this.#closing) {
      try {
        const connection = await connect(this.#connectionOptions());
        if (this.#closing) {
          await connection.close();
          break;
        }
        wait = AGAIN_FIRST_MS;
        await this.#live(connection);
      } catch (error) {
        this.#why = reason(error);
        this.#remind(this.#why);
      }
      if (this.#closing) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#waiting = clock.after(wait * (0.5 + Math.random() / 2), resolve);
      });
      wait = Math.min(wait * 2, AGAIN_LAST_MS);
    }
    logger.debug('the connection to NATS is closed for good');
  }

  /** From a connection that was made to its end. */
  async #live(connection: NatsConnection): Promise<void> {
    const { logger, clock, opened, closed } = this.#options;
    const server = connection.getServer();
    this.#said = 0;
    this.#unconfirmed = 0;
    this.#askedAt = null;
    this.#taken = false;
    this.#refused = null;
    this.#givenUp = null;
    this.#connection = connection;
    logger.info({ server, version: connection.info?.version }, 'connected to NATS');
    void this.#hearStatus(connection);
    opened(connection);
    const error = await connection.closed();
    this.#connection = null;
    this.#lostAt = clock.ticks();
    closed();
    if (this.#closing) return;
    this.#why = this.#givenUp ?? (error instanceof Error ? reason(error) : 'NATS closed the connection');
    this.#remindAt = clock.ticks() + REMIND_MS;
    logger.warn(
      { server, why: this.#why },
      'the connection to NATS is lost: other nodes’ events come from the log until it is back',
    );
  }

  async #hearStatus(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type !== 'error') continue;
      this.#refused = `NATS refused something: ${status.error.message}`;
      this.#remind(this.#refused);
    }
  }

  #remind(why: string): void {
    const now = this.#options.clock.ticks();
    if (now < this.#remindAt) return;
    this.#remindAt = now + REMIND_MS;
    this.#options.logger.warn(
      { servers: this.#options.address.servers, why },
      'NATS can’t be used: it is tried again for ever, and other nodes’ events come from the log meanwhile',
    );
  }

  #connectionOptions(): ConnectionOptions {
    const { address, name } = this.#options;
    const { servers, user, password, token, credentialsFile, tls } = address;
    return {
      servers: [...servers],
      name,
      // What is lost with a connection is lost: a new one begins with the subscriptions of that moment.
      reconnect: false,
      noEcho: true,
      noAsyncTraces: true,
      timeout: CONNECT_MS,
      ...present({ user, pass: password, token }),
      ...(credentialsFile === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(credentialsFile)) }),
      ...(tls ? { tls: present(tls) } : {}),
    };
  }
}

/** Without the members that are undefined, which the library would take for something. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}

const seconds = (milliseconds: number): number => Math.round(milliseconds / 1_000);

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message && !message.includes(cause.message)
    ? `${message}: ${cause.message}`
    : message || 'no reason was given';
}

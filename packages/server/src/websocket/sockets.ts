/** All WebSockets of this server, whichever API they speak: one library, one timer, one way to stop. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Timer } from '../clock.js';
import type { Connection, ConnectionHost } from './connection.js';
import { Socket } from './socket.js';
import { type UpgradeOptions, Upgrades } from './upgrade.js';

export interface SocketsOptions extends Omit<ConnectionHost, 'settled' | 'gone'>, Omit<UpgradeOptions, 'refused'> {
  /** From 0 to 1: spreads those who come back after a stop. */
  random(): number;
}

/** Read chunks that may make up one frame: far more than a frame in full packets has. */
const CHUNKS_MAX = 1_024;
const BEAT_MS = 1_000;
/** Those who are sent away by a stop come back within so many seconds. */
const RETURN_SECONDS = 5;

const CONNECTION = Symbol('connection');
type Bound = WebSocket & { [CONNECTION]?: Connection };

// One listener for all sockets, so that each of them costs no closure.
function onMessage(this: Bound, data: Buffer, isBinary: boolean): void {
  this[CONNECTION]?.message(data, isBinary);
}
function onPing(this: Bound, payload: Buffer): void {
  this[CONNECTION]?.ping(payload);
}
function onPong(this: Bound): void {
  this[CONNECTION]?.pong();
}
function onError(this: Bound): void {
  this[CONNECTION]?.broken();
}
function onClose(this: Bound, code: number): void {
  this[CONNECTION]?.gone(code);
}

export class Sockets {
  /** Where edges add the paths that they serve. */
  readonly upgrades: Upgrades;
  /** What every connection is given. */
  readonly host: ConnectionHost;
  readonly #options: SocketsOptions;
  readonly #connections = new Set<Connection>();
  readonly #server: WebSocketServer;
  readonly #timer: Timer;
  /** Looked at whenever a connection settles or goes, while all of them stop. */
  #progress: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(server: Server, options: SocketsOptions) {
    this.#options = options;
    const { hub, limits, clock, rateLimits, metrics } = options;
    this.host = {
      hub,
      limits,
      clock,
      rateLimits,
      metrics,
      failed: (error, what) => options.failed(error, what),
      settled: () => this.#progress?.(),
      gone: (connection) => {
        this.#connections.delete(connection);
        this.#progress?.();
      },
    };
    const settings: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: limits.FRAME_BYTES_MAX,
      maxFragments: limits.FRAGMENTS_MAX,
      maxBufferedChunks: CHUNKS_MAX,
      closeTimeout: limits.CLOSE_SECONDS * 1_000,
    };
    this.#server = new WebSocketServer(settings);
    this.upgrades = new Upgrades(server, { ...options, refused: (status) => metrics?.refused(status) });
    this.#timer = clock.every(BEAT_MS, () => this.#beat());
  }

  /** Open sockets, those that were not let in yet included. */
  get size(): number {
    return this.#connections.size;
  }

  get closing(): boolean {
    return this.#closing !== null;
  }

  /** Makes a WebSocket of a request, at once; false where the request is none, which is answered. */
  accept(request: IncomingMessage, raw: NetSocket, head: Buffer, make: (socket: Socket) => Connection): boolean {
    let made = false;
    this.#server.handleUpgrade(request, raw, head, (ws: Bound) => {
      made = true;
      const connection = make(new Socket(ws, raw));
      ws[CONNECTION] = connection;
      this.#connections.add(connection);
      ws.on('message', onMessage);
      ws.on('ping', onPing);
      ws.on('pong', onPong);
      ws.on('error', onError);
      ws.on('close', onClose);
    });
    return made;
  }

  /** Answers what is under way, tells everybody to come back, and waits for them to go, all within SHUTDOWN_SECONDS. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { limits, random } = this.#options;
    this.upgrades.stop();
    const half = limits.SHUTDOWN_SECONDS * 500;
    for (const connection of this.#connections) connection.drain();
    await this.#until(() => [...this.#connections].every((connection) => !connection.busy), half);
    // Whoever was answered has the event first.
    this.#options.hub.flush();
    for (const connection of this.#connections) {
      connection.close('going_away', Math.round(random() * RETURN_SECONDS * 1_000) / 1_000);
    }
    await this.#until(() => this.#connections.size === 0, half);
    for (const connection of this.#connections) connection.destroy();
    await this.#until(() => this.#connections.size === 0, half);
    this.#timer.close();
    this.upgrades.close();
    this.#server.close();
  }

  #until(done: () => boolean, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.close();
        this.#progress = null;
        resolve();
      };
      const timer = this.#options.clock.after(milliseconds, finish);
      this.#progress = () => {
        if (done()) finish();
      };
      this.#progress();
    });
  }

  #beat(): void {
    const now = this.#options.clock.ticks();
    for (const connection of this.#connections) connection.beat(now);
  }
}

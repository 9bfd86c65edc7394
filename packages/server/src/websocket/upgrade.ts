/** Requests to become a WebSocket: refused early, or handed to whoever serves the path. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorCode } from '@natter/protocol';

export type UpgradeHandler = (request: IncomingMessage, socket: NetSocket, head: Buffer) => void;

export interface RateLimiter {
  take(name: 'RATE_HELLOS_PER_ADDRESS', subject: string): { ok: true } | { ok: false; retryAfter: number };
}

export interface UpgradeOptions {
  rates: RateLimiter;
  /** The client's address; whoever knows which proxies to trust says it. */
  address?: (request: IncomingMessage) => string;
  /** Web origins, beside the server's own, whose pages may connect. Tokens never come by cookie, so all may where none is named. */
  origins: '*' | readonly string[];
  /** An upgrade was refused with this status. */
  refused?: (status: number) => void;
}

export class Upgrades {
  readonly #server: Server;
  readonly #options: UpgradeOptions;
  readonly #handlers = new Map<string, UpgradeHandler>();
  readonly #patterns: { pattern: RegExp; handler: UpgradeHandler }[] = [];
  #stopped = false;

  constructor(server: Server, options: UpgradeOptions) {
    this.#server = server;
    this.#options = options;
    server.on('upgrade', this.#upgrade);
  }

  /** Serves a path, exactly; or all that a pattern fits and no path does. */
  route(path: string | RegExp, handler: UpgradeHandler): void {
    if (typeof path === 'string') this.#handlers.set(path, handler);
    else this.#patterns.push({ pattern: path, handler });
  }

  /** From here on everybody is told to come back later. */
  stop(): void {
    this.#stopped = true;
  }

  close(): void {
    this.#server.off('upgrade', this.#upgrade);
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refuse = (code: ErrorCode, retryAfter?: number): void => {
      this.#options.refused?.(ERRORS[code].status);
      answer(socket, code, retryAfter);
    };
    // Until it is handed on, nobody else listens for it.
    socket.on('error', ignore);
    const handler = this.#find(request.url ?? '');
    if (!handler) return refuse('not_found');
    if (this.#stopped) return refuse('shutting_down', 1);
    if (!this.#mayConnect(request)) return refuse('forbidden');
    const address = this.#options.address?.(request) ?? request.socket.remoteAddress ?? '';
    const taken = this.#options.rates.take('RATE_HELLOS_PER_ADDRESS', address);
    if (!taken.ok) return refuse('rate_limited', taken.retryAfter);
    socket.off('error', ignore);
    handler(request, socket as NetSocket, head);
  };

  #find(url: string): UpgradeHandler | undefined {
    const [path = ''] = url.split('?', 1);
    return this.#handlers.get(path) ?? this.#patterns.find(({ pattern }) => pattern.test(path))?.handler;
  }

  #mayConnect({ headers }: IncomingMessage): boolean {
    const { origins } = this.#options;
    const { origin, host } = headers;
    if (origin === undefined || origins === '*' || origins.length === 0) return true;
    if (origins.includes(origin.toLowerCase())) return true;
    return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
  }
}

function ignore(): void {}

/** RFC 9457, on a socket that is not a WebSocket yet. */
function answer(socket: Duplex, code: ErrorCode, retryAfter?: number): void {
  const { status, title, retryable } = ERRORS[code];
  const problem = { type: 'about:blank', title, status, code, retryable, ...(retryAfter ? { retryAfter } : {}) };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    ...(retryAfter ? [`Retry-After: ${retryAfter}`] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

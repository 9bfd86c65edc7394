/** The little that the SDK needs of a WebSocket: browsers, Node from 22 on, Deno, Bun and the `ws` package have it. */
import { localError } from './errors.js';

/** Methods, so that handlers of any implementation's event classes fit. */
interface Handlers {
  open(event: unknown): void;
  message(event: { data: unknown }): void;
  close(event: { code: number; reason?: string }): void;
}

export interface WebSocketLike {
  send(data: string): void;
  close(code?: number): void;
  /** Ends it without a goodbye, where the implementation can (`ws`). */
  terminate?(): void;
  onopen: Handlers['open'] | null;
  onmessage: Handlers['message'] | null;
  onclose: Handlers['close'] | null;
  onerror: Handlers['open'] | null;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

export function findWebSocket(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found) return found;
  throw localError(
    'no_websocket',
    "There is no WebSocket here (Node has one from version 22 on). Install the package 'ws' and pass it: " +
      "import { WebSocket } from 'ws'; new NatterClient({ url, token, WebSocket })",
  );
}

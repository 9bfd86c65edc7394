/** The native WebSocket edge: one path, at which sessions begin. */
import type { IncomingMessage, Server } from 'node:http';
import { Sockets, type SocketsOptions } from '../websocket/sockets.js';
import type { Upgrades } from '../websocket/upgrade.js';
import { Session, type SessionHost } from './session.js';

export const SOCKET_PATH = '/v1/socket';

export interface GatewayOptions extends SocketsOptions, Pick<SessionHost, 'commands' | 'auth' | 'roomRows'> {}

export class Gateway {
  /** Where other edges open sockets of their own. */
  readonly sockets: Sockets;

  constructor(server: Server, { commands, auth, roomRows, ...options }: GatewayOptions) {
    this.sockets = new Sockets(server, options);
    const host: SessionHost = { ...this.sockets.host, commands, auth, roomRows };
    this.sockets.upgrades.route(SOCKET_PATH, (request, raw, head) => {
      this.sockets.accept(request, raw, head, (socket) => new Session(host, socket, bearerOf(request)));
    });
  }

  get upgrades(): Upgrades {
    return this.sockets.upgrades;
  }

  /** Open sockets, those that have not said hello included. */
  get size(): number {
    return this.sockets.size;
  }

  close(): Promise<void> {
    return this.sockets.close();
  }
}

export function attachGateway(server: Server, options: GatewayOptions): Gateway {
  return new Gateway(server, options);
}

function bearerOf({ headers }: IncomingMessage): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

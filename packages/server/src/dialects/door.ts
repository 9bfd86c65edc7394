/** Where sockets of dialects come in: which dialect a path and a token mean, and who is let in, before there is a socket. */
import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { type Outlet, Subscriber } from '../hub/subscriber.js';
import type { Sockets } from '../websocket/sockets.js';
import type { DialectContext } from './dialect.js';
import { type Admission, DialectSocket, type Knock, type SocketRoute, type Visitor } from './socket.js';

type Identity = NonNullable<ReturnType<DialectContext['accounts']['identify']>>;

export class Door {
  readonly #routes: readonly SocketRoute[];
  readonly #context: DialectContext;
  readonly #sockets: Sockets;

  constructor(routes: readonly SocketRoute[], context: DialectContext, sockets: Sockets) {
    this.#routes = routes;
    this.#context = context;
    this.#sockets = sockets;
    if (routes.length === 0) return;
    const pattern = new RegExp(routes.map(({ under }) => `^${under}(?:/|$)`).join('|'));
    sockets.upgrades.route(pattern, (request, raw, head) => {
      // Until it is a WebSocket nobody else listens for it.
      raw.on('error', ignore);
      this.#open(request, raw, head).catch((error: unknown) => {
        sockets.host.failed(error, 'a socket of a dialect could not be opened');
        refuse(raw, '500 Internal Server Error');
      });
    });
  }

  async #open(request: IncomingMessage, raw: NetSocket, head: Buffer): Promise<void> {
    const { accounts, hub, limits, people } = this.#context;
    const knocks = this.#knocks(request);
    const token = tokenOf(knocks);
    const identity = token === null ? null : accounts.identify(token);
    if (!identity || hub.connectionsOf(identity.user) >= limits.SOCKETS_PER_USER_MAX) return this.#refuse(raw);
    const chosen = await this.#choose(knocks, identity);
    if (!chosen) return this.#refuse(raw);
    const { route, knock } = chosen;

    const subscriber = new Subscriber(identity.user, identity.session, route.encoding, new Waiting(raw));
    let opened = false;
    try {
      // The order is what makes it safe: first the ear for the session's end, then the question whether it lives [A1].
      const inbox = await hub.enter(subscriber);
      const [actor] = await Promise.all([accounts.confirm(identity), people.users.prepare([identity.user])]);
      const name = people.users.get(identity.user);
      const visitor: Visitor | null = actor && name ? { actor, name } : null;
      const admission = visitor && (await route.admit(visitor, knock));
      if (admission) await hub.open(admission.rooms.map(({ stream }) => stream));
      if (!visitor || !admission || raw.destroyed) return this.#refuse(raw);
      if (this.#sockets.closing) return refuse(raw, '503 Service Unavailable');
      raw.off('error', ignore);
      opened = this.#accept(request, raw, head, { route, subscriber, visitor, admission, inbox });
    } finally {
      if (!opened) hub.leave(subscriber);
    }
  }

  #accept(
    request: IncomingMessage,
    raw: NetSocket,
    head: Buffer,
    entry: { route: SocketRoute; subscriber: Subscriber; visitor: Visitor; admission: Admission; inbox: number },
  ): boolean {
    const { route, subscriber, visitor, admission, inbox } = entry;
    let made: DialectSocket | null = null;
    this.#sockets.accept(request, raw, head, (socket) => {
      made = new DialectSocket(this.#sockets.host, socket, { dialect: route.dialect, subscriber, visitor });
      subscriber.outlet = made;
      return made;
    });
    (made as DialectSocket | null)?.start(admission, inbox);
    return made !== null;
  }

  /** The routes that serve the path, each with what its pattern caught. */
  #knocks(request: IncomingMessage): { route: SocketRoute; knock: Knock }[] {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const bearer = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
    const asked = { request, query: new URLSearchParams(query), bearer };
    return this.#routes.flatMap((route) => {
      const match = route.path.exec(path);
      return match ? [{ route, knock: { ...asked, captured: match.slice(1) } }] : [];
    });
  }

  /** Null: none of them serves this token. */
  async #choose(all: { route: SocketRoute; knock: Knock }[], identity: Identity) {
    const own = all.find(({ route }) => route.dialect === identity.dialect);
    if (own) return own;
    const knocks = all.filter(({ route }) => !route.ownTokens);
    const [first = null] = knocks;
    if (knocks.length <= 1) return first;
    const id = Number(first?.knock.captured[0]);
    const roomDialect = Number.isSafeInteger(id) ? await this.#context.queries.records.roomDialect(id) : null;
    return knocks.find(({ route, knock }) => route.foreign?.(knock, roomDialect)) ?? first;
  }

  /** As the originals' servers do it: no socket, and not a word. */
  #refuse(raw: NetSocket): void {
    this.#sockets.host.metrics?.refused(403);
    refuse(raw, '403 Forbidden');
  }
}

function tokenOf(knocks: { route: SocketRoute; knock: Knock }[]): string | null {
  for (const { route, knock } of knocks) {
    const token = route.token ? route.token(knock) : (knock.query.get('token') ?? knock.bearer);
    if (token) return token;
  }
  return null;
}

/** Stands for the socket until there is one. Nothing is written to it: it follows nothing yet. */
class Waiting implements Outlet {
  readonly waiting = 0;
  readonly blocked = false;
  readonly #raw: NetSocket;

  constructor(raw: NetSocket) {
    this.#raw = raw;
  }

  write(): void {}
  onDrain(call: () => void): void {
    queueMicrotask(call);
  }
  ended(): void {
    this.#raw.destroy();
  }
  roleChanged(): void {}
  failed(): void {
    this.#raw.destroy();
  }
}

function ignore(): void {}

function refuse(raw: NetSocket, status: string): void {
  if (raw.destroyed) return;
  raw.once('finish', () => raw.destroy());
  raw.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

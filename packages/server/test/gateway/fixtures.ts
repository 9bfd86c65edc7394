/** A gateway over real sockets with a core, accounts and a clock that a test holds in its hand; and clients that speak to it. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import type { RoomRow } from '@natter/protocol';
import { LocalBus } from '@natter/server/bus/bus';
import { type Actor, type Reply, refuse } from '@natter/server/core/actor';
import { attachGateway, type Gateway, type GatewayOptions, SOCKET_PATH } from '@natter/server/gateway/gateway';
import { DEFAULT_LIMITS, type Limits } from '@natter/server/limits';
import { WebSocket } from 'ws';
import { FakeStore, ManualClock, makeNode, type Node, roomOf, sent, turn, userOf } from '../hub/fixtures.js';

export const ANNA = 1;
export const BEN = 2;
export const ROOM = 11;

/** Waits until something is so; a test that waits in vain fails by its time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

export interface Executed {
  actor: Actor;
  command: Record<string, unknown> & { type: string };
  key: string | undefined;
}

export class Site {
  readonly clock = new ManualClock();
  readonly store = new FakeStore();
  readonly node: Node;
  readonly server: Server;
  readonly gateway: Gateway;
  readonly executed: Executed[] = [];
  readonly failures: string[] = [];
  readonly counted: string[] = [];
  /** Sessions that are over. */
  readonly dead = new Set<string>();
  /** Commands wait here while it is set. */
  held: (() => void)[] | null = null;
  readonly #clients: { destroy(): void }[] = [];

  constructor(limits: Partial<Limits>, options: Partial<GatewayOptions>) {
    const all = { ...DEFAULT_LIMITS, ...limits };
    this.node = makeNode(this.store, this.clock, new LocalBus(), { limits: all });
    this.node.log.commit(userOf(ANNA), userOf(BEN), roomOf(ROOM, [ANNA, BEN]));
    this.server = createServer((_, response) => response.end('http'));
    this.gateway = attachGateway(this.server, {
      hub: this.node.hub,
      commands: { execute: (actor, command, { key }) => this.#execute({ actor, command: { ...command }, key }) },
      auth: {
        // A token here is "<user>.<session>".
        identify: (token) => {
          const [user, session] = token.split('.');
          return Number(user) > 0 && session ? { user: Number(user), session } : null;
        },
        confirm: async ({ user, session }) => (this.dead.has(session) ? null : { user, role: 'user', session }),
      },
      roomRows: async (user) => {
        const part = this.store.membership(user, ROOM);
        return part ? [{ id: ROOM, kind: 'group', ...part } as unknown as RoomRow] : [];
      },
      limits: all,
      clock: this.clock,
      rateLimits: true,
      metrics: {
        opened: () => this.counted.push('opened'),
        closed: (code, opened) => this.counted.push(`closed ${code} ${opened}`),
        frame: (type) => this.counted.push(`frame ${type}`),
        refused: (status) => this.counted.push(`refused ${status}`),
      },
      failed: (_, what) => this.failures.push(what),
      rates: { take: () => ({ ok: true }) },
      origins: [],
      random: () => 0.5,
      ...options,
    });
  }

  async #execute(executed: Executed): Promise<Reply> {
    this.executed.push(executed);
    const { command } = executed;
    if (this.held) {
      const { held } = this;
      await new Promise<void>((resolve) => held.push(resolve));
    }
    if (command.text === 'throw') throw new Error('a bug, with a secret in its message');
    if (command.type !== 'message.send') return refuse('bad_frame', 'there is no command of this type');
    if (command.text === '') return refuse('invalid', { fields: [{ path: '/text', message: 'is empty' }] });
    const [event] = this.node.log.commit({ ...sent(ROOM, String(command.text)), actor: executed.actor.user });
    if (!event) throw new Error('nothing was committed');
    const { stream, seq, id } = event;
    return { ok: true, result: { stream, seq, id, at: new Date(0).toISOString() }, events: [event] };
  }

  /** Lets all commands go on that wait. */
  release(): void {
    const { held } = this;
    this.held = null;
    for (const call of held ?? []) call();
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** A client that has connected and said nothing. */
  async connect(headers: Record<string, string> = {}, path = SOCKET_PATH): Promise<Client> {
    const client = new Client(
      new WebSocket(`ws://127.0.0.1:${this.port}${path}`, { headers, perMessageDeflate: false }),
    );
    this.#clients.push(client);
    await client.opened;
    return client;
  }

  /** A client that is live. */
  async live(token = `${ANNA}.phone`, hello: object = {}): Promise<Client> {
    const client = await this.connect();
    client.send({ type: 'hello', token, ...hello });
    await client.frame('live');
    return client;
  }

  /** A bare connection after the upgrade: whatever bytes one likes. */
  async raw(): Promise<Raw> {
    const raw = new Raw(connectTcp(this.port, '127.0.0.1'));
    this.#clients.push(raw);
    raw.socket.write(
      `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
    );
    await until(() => raw.text.includes('\r\n\r\n'));
    raw.received = [];
    return raw;
  }

  async close(): Promise<void> {
    const closing = this.gateway.close();
    for (const client of this.#clients) client.destroy();
    await closing;
    await this.node.hub.close();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

export async function openSite(limits: Partial<Limits> = {}, options: Partial<GatewayOptions> = {}): Promise<Site> {
  const site = new Site(limits, options);
  await new Promise<void>((resolve) => {
    site.server.listen(0, '127.0.0.1', resolve);
  });
  return site;
}

export interface AnyFrame {
  type: string;
  [member: string]: unknown;
}

export class Client {
  readonly frames: AnyFrame[] = [];
  readonly texts: string[] = [];
  pings = 0;
  closed: { code: number; reason: string } | null = null;
  readonly opened: Promise<void>;

  constructor(readonly ws: WebSocket) {
    this.opened = new Promise((resolve, reject) => {
      ws.on('open', () => resolve());
      ws.on('error', reject);
    });
    ws.on('message', (data: Buffer) => {
      this.texts.push(data.toString());
      this.frames.push(JSON.parse(data.toString()));
    });
    ws.on('ping', () => {
      this.pings += 1;
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Waits for a frame of this type that `which` is about, and takes everything up to it. */
  async frame(type: string, which: (frame: AnyFrame) => boolean = () => true): Promise<AnyFrame> {
    const find = (): number => this.frames.findIndex((frame) => frame.type === type && which(frame));
    await until(() => find() >= 0 || this.closed !== null);
    const found = this.frames[find()];
    if (!found) throw new Error(`closed with ${this.closed?.code} before ${type}; had ${JSON.stringify(this.frames)}`);
    this.frames.splice(0, find() + 1);
    return found;
  }

  /** The code with which it was closed, after a goodbye that says the same, if there was one. */
  async end(): Promise<number> {
    await until(() => this.closed !== null);
    const goodbye = this.frames.find((frame) => frame.type === 'goodbye');
    if (goodbye && goodbye.code !== this.closed?.code) throw new Error(`goodbye said ${goodbye.code}`);
    return this.closed?.code ?? 0;
  }

  destroy(): void {
    this.ws.terminate();
  }
}

export class Raw {
  received: Buffer[] = [];
  ended = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => this.received.push(chunk));
    socket.on('close', () => {
      this.ended = true;
    });
    socket.on('error', () => {
      this.ended = true;
    });
  }

  get text(): string {
    return Buffer.concat(this.received).toString('latin1');
  }

  /** The code of a close frame, at the end of what came. */
  async closeCode(): Promise<number> {
    const find = (): number => {
      const bytes = Buffer.concat(this.received);
      for (let at = 0; at + 2 <= bytes.length; ) {
        const size = (bytes[at + 1] ?? 0) & 0x7f;
        const start = at + (size === 126 ? 4 : size === 127 ? 10 : 2);
        // What has come of the last frame may end anywhere.
        if (start + 2 > bytes.length) return 0;
        const length = size === 126 ? bytes.readUInt16BE(at + 2) : size === 127 ? bytes.readUInt32BE(at + 6) : size;
        if (bytes[at] === 0x88) return bytes.readUInt16BE(start);
        at = start + length;
      }
      return 0;
    };
    await until(() => this.ended || find() > 0);
    return find();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A frame as a client sends it, with what a test wants wrong in it. */
export function clientFrame(
  payload: Buffer | string,
  {
    opcode = 1,
    fin = true,
    masked = true,
    reserved = 0,
  }: Partial<Record<'opcode' | 'reserved', number>> & Partial<Record<'fin' | 'masked', boolean>> = {},
): Buffer {
  const data = Buffer.from(payload);
  const size = data.length < 126 ? [data.length] : [126, data.length >> 8, data.length & 0xff];
  const [first = 0, ...more] = size;
  const head = Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode, (masked ? 0x80 : 0) | first, ...more]);
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), data]);
}

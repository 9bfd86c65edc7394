/** One device of a user: the SDK's own cursors, timelines and rooms, over a socket that may stall, and an outbox that does not give up. */
import { Rooms } from '@natter/client/rooms';
import { Streams } from '@natter/client/streams';
import { Timeline } from '@natter/client/timeline';
import {
  type Command,
  type CommandResult,
  ERRORS,
  type ErrorCode,
  type Event,
  type HiddenEvent,
  type MessagePage,
  type RoomId,
  type RoomRow,
  type Seq,
  type StreamId,
  type UserId,
} from '@natter/protocol';
import type { Reply } from '@natter/server/core/actor';
import type { Outlet, Subscriber } from '@natter/server/hub/subscriber';
import type { Node, World } from './world.js';

/** What was asked for, and what became of it. */
export interface Asked {
  user: UserId;
  key: string;
  command: Command;
  /** When it was asked for, and when the answer was known; counted in events of the whole simulation. */
  invoked: number;
  answered: number | null;
  /** The newest event of the log at these two moments. */
  between: [number, number];
  result: CommandResult | null;
  refused: ErrorCode | null;
  /** How often it was sent. */
  tries: number;
  /** Answers that are as good as none. */
  unknown: number;
}

export interface Heard {
  stream: StreamId;
  seq: Seq;
  hidden: boolean;
}

let counted = 0;
/** A number for each moment: what came before has a lower one. */
const moment = (): number => (counted += 1);

interface ReadyFrame {
  type: 'ready';
  epoch: number;
  inbox: Seq;
  rooms: RoomRow[];
}

type Frame =
  | ReadyFrame
  | { type: 'live'; cursors: Record<string, Seq> }
  | { type: 'reset'; stream: StreamId; seq: Seq }
  | { type: 'gone'; stream: StreamId }
  | { type: 'reply'; key: string; reply: Reply }
  | Event
  | HiddenEvent;

/** Bytes under way beyond which a socket says that it is blocked. */
const BLOCKED_BYTES = 2_000;

class Socket implements Outlet {
  readonly node: Node;
  readonly device: Device;
  subscriber: Subscriber | null = null;
  closed = false;
  stalled = false;
  waiting = 0;
  highest = 0;
  #buffered: Buffer[] = [];
  #drains: (() => void)[] = [];

  constructor(node: Node, device: Device) {
    this.node = node;
    this.device = device;
  }

  get blocked(): boolean {
    return this.waiting > BLOCKED_BYTES;
  }

  write(frames: Buffer | readonly Buffer[]): void {
    if (this.closed) return;
    for (const frame of Array.isArray(frames) ? frames : [frames]) {
      this.#buffered.push(frame);
      this.waiting += frame.length;
    }
    this.highest = Math.max(this.highest, this.waiting);
    this.node.world.later(() => this.deliver());
  }

  /** The network takes what waits. */
  deliver(): void {
    if (this.closed || this.stalled || this.#buffered.length === 0) return;
    const bytes = Buffer.concat(this.#buffered.splice(0));
    this.waiting = 0;
    for (const frame of framesIn(bytes)) this.device.receive(this, frame);
    for (const call of this.#drains.splice(0)) queueMicrotask(call);
  }

  onDrain(call: () => void): void {
    if (this.closed || !this.blocked) queueMicrotask(call);
    else this.#drains.push(call);
  }

  /** The connection is gone; the server hears of it when it does. */
  cut(): void {
    if (this.closed) return;
    this.closed = true;
    const { subscriber, node } = this;
    const drains = this.#drains.splice(0);
    node.world.later(() => {
      if (!node.dead && subscriber) node.hub.leave(subscriber);
      for (const call of drains) call();
    });
  }

  ended(): void {
    this.device.world.problem(`user ${this.device.user} was logged out`);
  }

  roleChanged(): void {}

  failed(error: unknown): void {
    if (!this.node.dead) this.device.world.problem(`a connection failed: ${(error as Error).stack}`);
    this.device.disconnect();
  }
}

/** Text frames of a server, one after the other. */
function* framesIn(bytes: Buffer): Generator<Frame> {
  for (let at = 0; at < bytes.length; ) {
    let length = bytes[at + 1] as number;
    let start = at + 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at + 2);
      start = at + 4;
    } else if (length === 127) {
      length = bytes.readUInt32BE(at + 6);
      start = at + 10;
    }
    yield JSON.parse(bytes.toString('utf8', start, start + length)) as Frame;
    at = start + length;
  }
}

export class Device {
  readonly world: World;
  readonly user: UserId;
  readonly name: string;
  readonly heard: Heard[] = [];
  readonly asked: Asked[] = [];
  readonly timelines = new Map<RoomId, Timeline>();
  readonly rooms: Rooms;
  /** Streams that were said to be live on this connection. */
  readonly live = new Set<StreamId>();
  socket: Socket | null = null;
  readonly #streams: Streams;
  /** Sent over this connection and not answered. */
  readonly #underWay = new Map<string, Asked>();
  #outbox: Asked[] = [];
  #keys = 0;
  #inbox: Seq = 0;
  #isReady = false;

  constructor(world: World, user: UserId, name: string) {
    this.world = world;
    this.user = user;
    this.name = name;
    const problem = (why: string): void => world.problem(`${name} of user ${user}: ${why}`);
    this.rooms = new Rooms({
      read: (room) => this.#readRow(room),
      failed: (error) => problem(`rows: ${(error as Error).stack}`),
    });
    this.#streams = new Streams(undefined, {
      apply: (event) => this.#apply(event),
      applied: () => {},
      jumped: (stream, seq, _known, anew) => {
        this.timelines.get(stream)?.rebase(seq, anew);
        this.rooms.stale(stream, seq);
      },
      gone: (stream) => {
        this.live.delete(stream);
        this.rooms.gone(stream);
        this.timelines.get(stream)?.gone();
      },
      broken: (why) => problem(`${why} [H2]`),
      settled: () => {},
    });
  }

  cursor(stream: StreamId): Seq | undefined {
    return this.#streams.cursor(stream);
  }

  get busy(): boolean {
    return this.#outbox.length > 0 || this.#underWay.size > 0;
  }

  /** Comes (back) on a node, as the gateway lets it in. */
  connect(node: Node): void {
    this.disconnect();
    const socket = new Socket(node, this);
    this.socket = socket;
    const hello = this.#streams.hello([this.user], false, 60_000);
    this.world.later(() => {
      if (!node.dead) void this.#greet(node, socket, hello);
    });
  }

  async #greet(node: Node, socket: Socket, hello: ReturnType<Streams['hello']>): Promise<void> {
    const { hub, queries } = node;
    const { Subscriber, nativeEncoding } = this.world.parts;
    const subscriber = new Subscriber(this.user, null, nativeEncoding, socket);
    socket.subscriber = subscriber;
    const early = this.world.bugs.readsFirst ? await queries.roomRows(this.user) : null;
    const inbox = await hub.enter(subscriber);
    const rooms = early ?? (await queries.roomRows(this.user));
    if (socket.closed) {
      hub.leave(subscriber);
      return;
    }
    hub.send(subscriber, textFrame({ type: 'ready', epoch: hub.epoch, inbox, rooms }));
    hub.start(subscriber, {
      inbox,
      rooms: rooms.map(({ id, head, fromSeq }) => ({ stream: id, head, fromSeq })),
      cursors: new Map(Object.entries(hello.cursors ?? {}).map(([stream, seq]) => [Number(stream), seq])),
      epoch: hello.epoch,
    });
  }

  disconnect(): void {
    this.socket?.cut();
    this.socket = null;
    this.live.clear();
    this.#isReady = false;
    this.rooms.lost();
    // What was sent and not answered is sent again, with its key.
    this.#outbox = [...this.#underWay.values(), ...this.#outbox];
    this.#underWay.clear();
  }

  receive(socket: Socket, frame: Frame): void {
    if (socket !== this.socket) return;
    switch (frame.type) {
      case 'ready': {
        this.#isReady = true;
        this.#inbox = frame.inbox;
        this.rooms.replace(this.user, frame.inbox, frame.rooms);
        const heads = new Map(frame.rooms.map(({ id, head }) => [id, head] as const)).set(this.user, frame.inbox);
        this.#streams.begin(frame.epoch, heads);
        for (const [room, timeline] of this.timelines) if (!heads.has(room)) timeline.gone();
        for (const asked of this.#outbox.splice(0)) this.#write(asked);
        return;
      }
      case 'live':
        this.#streams.live(frame.cursors);
        for (const stream of Object.keys(frame.cursors)) this.live.add(Number(stream));
        for (const timeline of this.timelines.values()) timeline.live();
        return;
      case 'reset':
        this.#streams.reset(frame.stream, frame.seq);
        // Which rooms are mine is said anew by a `ready`.
        if (frame.stream === this.user && frame.seq > this.#inbox) this.connect(socket.node);
        return;
      case 'gone':
        this.#streams.gone(frame.stream);
        return;
      case 'reply':
        this.#answered(frame.key, frame.reply);
        return;
      default: {
        const { stream, seq, type } = frame;
        const cursor = this.#streams.cursor(stream);
        if (cursor !== undefined && seq <= cursor) {
          this.world.problem(
            `${this.name} of user ${this.user}: event ${seq} of ${stream} came again at ${cursor} [H2]`,
          );
        }
        this.heard.push({ stream, seq, hidden: type === 'hidden' });
        this.#isCommitted(frame);
        this.#streams.event(frame);
      }
    }
  }

  #apply(event: Event | HiddenEvent): void {
    if (event.stream === this.user) {
      this.rooms.inboxEvent(event as Event);
      if (event.type === 'membership.removed' && this.cursor(event.body.room) === undefined) {
        this.timelines.get(event.body.room)?.gone();
      }
    } else {
      this.timelines.get(event.stream)?.apply(event);
      this.rooms.roomEvent(event);
    }
  }

  /** [H1] What is heard is in the log at that moment, word for word unless it was deleted since. */
  #isCommitted(frame: Event | HiddenEvent): void {
    const { stream, seq } = frame;
    const sql = 'select id, type, actor, body from events where stream = ? and seq = ?';
    const [row] = this.world.connection.query(sql, [stream, seq]);
    if (frame.type === 'hidden') {
      if (!row) this.world.problem(`hidden event ${seq} of ${stream} is not in the log [H1]`);
      return;
    }
    const { id, type, actor, body } = frame;
    const redacted = typeof row?.body === 'string' && row.body.includes('"redacted":true');
    const same = row?.id === id && row.type === type && row.actor === actor;
    if (!same || (!redacted && row.body !== JSON.stringify(body))) {
      this.world.problem(
        `event ${seq} of ${stream} was heard and is not in the log [H1]: ${JSON.stringify([frame, row])}`,
      );
    }
  }

  /** Asks for something, and does not rest until it knows what became of it. */
  ask(command: Command, again?: string): void {
    this.#keys += 1;
    const asked: Asked = {
      user: this.user,
      key: again ?? `${this.name}-${this.#keys}`,
      command,
      invoked: moment(),
      answered: null,
      between: [this.#newest(), 0],
      result: null,
      refused: null,
      tries: 0,
      unknown: 0,
    };
    this.asked.push(asked);
    if (this.#isReady) this.#write(asked);
    else this.#outbox.push(asked);
  }

  #write(asked: Asked): void {
    const { socket, world } = this;
    if (!socket) throw new Error('not connected');
    const { node } = socket;
    asked.tries += 1;
    const id = `${asked.key}/${asked.invoked}`;
    this.#underWay.set(id, asked);
    world.later(() => {
      if (node.dead || socket.closed) return;
      const actor = { user: this.user, role: 'user' as const, session: null };
      node.core.execute(actor, asked.command, { key: asked.key }).then(
        (reply) => {
          if (!socket.subscriber || node.dead) return;
          if (reply.ok) this.#isDone(asked, reply.result);
          node.hub.reply(socket.subscriber, textFrame({ type: 'reply', key: id, reply: { ...reply, events: [] } }));
        },
        (error: Error) => world.problem(`${JSON.stringify(asked.command)}: ${error.stack}`),
      );
    });
  }

  /** [H1] Nobody is told "done" before it is in the log. */
  #isDone(asked: Asked, { stream, seq, id, unchanged }: CommandResult): void {
    if (unchanged) return;
    const [row] = this.world.connection.query('select id from events where stream = ? and seq = ?', [stream, seq ?? 0]);
    if (row?.id !== id)
      this.world.problem(`${JSON.stringify(asked.command)} was acknowledged and is not in the log [H1]`);
  }

  #answered(id: string, reply: Reply): void {
    const asked = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (!asked) return;
    if (!reply.ok && ERRORS[reply.code].retryable) {
      asked.unknown += 1;
      if (this.world.bugs.newKeys) asked.key = `${asked.key}'`;
      this.#outbox.push(asked);
      this.world.later(() => {
        if (this.#isReady) for (const waiting of this.#outbox.splice(0)) this.#write(waiting);
      });
      return;
    }
    asked.answered = moment();
    asked.between[1] = this.#newest();
    if (reply.ok) asked.result = reply.result;
    else asked.refused = reply.code;
  }

  #newest(): number {
    return Number(this.world.connection.query('select coalesce(max(id), 0) as id from events', [])[0]?.id);
  }

  /** Opens the messages of a room, or reads more of them. */
  look(room: RoomId, limit: number): void {
    const known = this.timelines.get(room);
    const timeline =
      known ??
      new Timeline(room, this.#streams.cursor(room), {
        page: (query) => this.#readPage(room, query),
        follow: ({ epoch, head }) => !this.#isReady && this.#streams.follow(room, epoch, head),
        outbox: () => [],
        me: () => this.user,
        send: () => '',
        closed: () => this.timelines.delete(room),
        max: 1_000,
      });
    this.timelines.set(room, timeline);
    // What can't be read is in the snapshot, and wanted again when the room is live.
    (known?.getSnapshot().loaded ? timeline.older(limit) : timeline.load(limit)).catch(() => {});
  }

  /** Over HTTP, at whichever node a balancer picks. */
  async #query<T>(ask: (node: Node) => Promise<T>): Promise<T> {
    const { world } = this;
    for (;;) {
      await new Promise<void>((resolve) => world.later(resolve));
      const node = world.random.pick(world.nodes);
      const value = await Promise.race([ask(node), node.died]);
      if (value === null) continue;
      await new Promise<void>((resolve) => world.later(resolve));
      return value;
    }
  }

  async #readPage(room: RoomId, query: object): Promise<MessagePage> {
    const actor = { user: this.user, role: 'user' as const, session: null };
    const answer = await this.#query((node) => node.queries.messagePage(actor, { room, ...query }));
    if (!answer.ok) throw Object.assign(new Error(answer.code), { code: answer.code });
    return answer.value;
  }

  async #readRow(room: RoomId): Promise<RoomRow | null> {
    const actor = { user: this.user, role: 'user' as const, session: null };
    const answer = await this.#query((node) => node.queries.room(actor, room));
    return answer.ok && answer.value.member ? (answer.value as RoomRow) : null;
  }
}

function textFrame(value: object): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const head = text.length < 126 ? Buffer.from([0x81, text.length]) : Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (head.length === 10) head.writeUInt32BE(text.length, 6);
  return Buffer.concat([head, text]);
}

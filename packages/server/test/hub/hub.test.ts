/** What the hub promises to those who listen: once, in order, to members alone, in few writes and bounded memory. */

import { LocalBus } from '@natter/server/bus/bus';
import type { StoredEvent } from '@natter/server/hub/encoding';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Connected,
  connect,
  FakeNetwork,
  FakeSocket,
  FakeStore,
  joins,
  ManualClock,
  makeEncoding,
  makeNode,
  type Node,
  removes,
  roomOf,
  sent,
  turn,
  turns,
  userOf,
} from './fixtures.js';

const ANNA = 1;
const BEN = 2;
const ROOM = 11;
const OTHER = 12;

let clock: ManualClock;
let store: FakeStore;
let node: Node;

beforeEach(() => {
  clock = new ManualClock();
  store = new FakeStore();
  node = makeNode(store, clock, new LocalBus());
  node.log.commit(userOf(ANNA), userOf(BEN), roomOf(ROOM, [ANNA, BEN]), roomOf(OTHER, [ANNA, BEN]));
});

/** Connected, live, and with nothing told so far. */
async function liveIn(rooms: number[], user = ANNA, on = node): Promise<Connected> {
  const connected = await connect(on, store, user, { rooms });
  await turns();
  connected.socket.frames.length = 0;
  connected.socket.writes = 0;
  return connected;
}

const react = (about: number) => ({ stream: ROOM, type: 'reaction.added' as const, body: { messageSeq: about } });

describe('live', () => {
  it('[H1] tells nobody of anything but what the log says was committed', async () => {
    const { socket } = await liveIn([ROOM]);
    store.append([sent(ROOM)]);
    await turns();
    expect(socket.frames).toEqual([]);
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3]);
  });

  it('encodes an event once, and gives all sockets the same bytes', async () => {
    const encoding = makeEncoding();
    const written: unknown[] = [];
    for (let i = 0; i < 50; i += 1) {
      const socket = new FakeSocket();
      const write = socket.write.bind(socket);
      socket.write = (frames) => {
        written.push(frames);
        write(frames);
      };
      await connect(node, store, ANNA, { rooms: [ROOM], encoding, socket });
    }
    await turns();
    written.length = 0;
    const [event] = node.log.commit(sent(ROOM), sent(ROOM));
    await turns();
    expect(encoding.encoded.get(event?.id ?? 0)).toBe(1);
    expect(written).toHaveLength(50);
    expect(new Set(written).size).toBe(1);
    for (const cursor of [1, 2]) {
      const late = await connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: cursor }, encoding });
      await turns();
      expect(late.socket.seqs(ROOM).at(-1)).toBe(3);
    }
    expect(new Set(encoding.encoded.values())).toEqual(new Set([1]));
  });

  it('encodes once for each encoding in use, and leaves out what one of them does not show', async () => {
    const other = makeEncoding('other', 'message.sent');
    const mine = makeEncoding('mine');
    const a = await connect(node, store, ANNA, { rooms: [ROOM], encoding: mine });
    const b = await connect(node, store, BEN, { rooms: [ROOM], encoding: other });
    await turns();
    node.log.commit(sent(ROOM), react(2));
    await turns();
    expect(a.socket.seqs(ROOM)).toEqual([2, 3]);
    expect(b.socket.seqs(ROOM)).toEqual([3]);
    expect([...mine.encoded.values(), ...other.encoded.values()]).toEqual([1, 1, 1, 1]);
  });

  it('writes once to a socket, whatever happened in its rooms and with its answer last', async () => {
    const { socket, subscriber } = await liveIn([ROOM, OTHER]);
    node.log.commit(sent(ROOM), sent(OTHER), sent(ROOM));
    node.hub.reply(subscriber, Buffer.from('{"type":"reply"}\n'));
    node.log.commit(sent(OTHER));
    await turns();
    expect(socket.writes).toBe(1);
    expect(socket.story()).toEqual([
      `message.sent ${ROOM}:2`,
      `message.sent ${ROOM}:3`,
      `message.sent ${OTHER}:2`,
      `message.sent ${OTHER}:3`,
      'reply',
    ]);
  });

  it('writes to whoever did it before it writes to the others', async () => {
    const order: number[] = [];
    for (const user of [ANNA, BEN]) {
      const { socket } = await liveIn([ROOM], user);
      socket.onFrame = () => order.push(user);
    }
    for (const actor of [BEN, ANNA, BEN]) {
      order.length = 0;
      node.log.commit({ ...sent(ROOM), actor });
      await turns();
      expect(order).toEqual(actor === BEN ? [BEN, ANNA] : [ANNA, BEN]);
    }
  });

  it('keeps a room for those who come back soon, and closes it when nobody does', async () => {
    const { subscriber } = await liveIn([ROOM]);
    node.hub.leave(subscriber);
    clock.advance(30_000);
    expect(node.hub.counts.feeds).toBe(2);
    clock.advance(60_000);
    expect(node.hub.counts).toEqual({ feeds: 0, users: 0, catchingUp: 0 });
    const { socket } = await liveIn([ROOM]);
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2]);
  });

  it('sends a connection away that it can not serve, and serves the next one', async () => {
    store.broken = new Error('the disk is gone');
    const socket = new FakeSocket();
    await expect(connect(node, store, ANNA, { rooms: [ROOM], socket })).rejects.toThrow('the disk is gone');
    store.broken = null;
    await turns();
    expect(node.errors).not.toEqual([]);
    const { socket: second } = await liveIn([ROOM]);
    node.log.commit(sent(ROOM));
    await turns();
    expect(second.seqs(ROOM)).toEqual([2]);
  });

  it('closes a connection with "come back" when the log fails while it catches up', async () => {
    node.log.commit(sent(ROOM));
    const first = await liveIn([ROOM]);
    node.hub.leave(first.subscriber);
    const socket = new FakeSocket();
    store.held = true;
    const connecting = connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 0 }, socket });
    await turns();
    store.release();
    await connecting;
    await turns();
    store.broken = new Error('the disk is gone');
    store.release();
    await turns();
    expect(socket.failure).toEqual(store.broken);
  });
});

describe('hints', () => {
  let network: FakeNetwork;
  let far: Node;

  beforeEach(() => {
    network = new FakeNetwork();
    node = makeNode(store, clock, network.bus(), { name: 'a' });
    far = makeNode(store, clock, network.bus(), { name: 'b' });
  });

  it('[H3] what was lost on the bus comes with the next hint', async () => {
    const { socket } = await liveIn([ROOM]);
    far.log.commit(sent(ROOM), sent(ROOM));
    network.waiting.length = 0;
    far.log.commit(sent(ROOM));
    network.settle();
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3, 4]);
  });

  it('[H2][H3] what was committed without an answer is told everywhere once its sender asks again, and once', async () => {
    const { socket } = await liveIn([ROOM]);
    // The node that committed it heard of it as little as the others did.
    const [event] = store.append([sent(ROOM)]) as [StoredEvent];
    far.log.repeat(event);
    network.settle();
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2]);
    node.log.repeat(event);
    far.log.repeat(event);
    network.settle();
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2]);
  });

  it('[H3] a last hint that was lost is found by comparing heads with the log', async () => {
    const { socket } = await liveIn([ROOM]);
    far.log.commit(sent(ROOM));
    network.waiting.length = 0;
    clock.advance(3_000);
    await turns();
    expect(socket.seqs(ROOM)).toEqual([]);
    clock.advance(2_000);
    await turns();
    // It may have been on its way.
    expect(socket.seqs(ROOM)).toEqual([]);
    clock.advance(200);
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2]);
  });

  it('[H3][M1] so is the last one of an inbox: a marker that was moved elsewhere', async () => {
    const { socket } = await liveIn([ROOM]);
    far.log.commit({ stream: ANNA, type: 'read.moved', body: { room: ROOM, seq: 1 } });
    network.waiting.length = 0;
    clock.advance(5_000);
    await turns();
    clock.advance(200);
    await turns();
    expect(socket.seqs(ANNA)).toEqual([2]);
  });

  it('[H3] once a hint was lost, or none can be heard, the log is asked every second', async () => {
    const { socket } = await liveIn([ROOM]);
    const lose = async (milliseconds: number): Promise<void> => {
      far.log.commit(sent(ROOM));
      network.waiting.length = 0;
      clock.advance(milliseconds);
      await turns();
    };
    await lose(6_000);
    clock.advance(200);
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2]);
    for (let seq = 3; seq < 30; seq += 1) {
      await lose(1_000);
      expect(socket.seqs(ROOM).at(-1)).toBe(seq);
    }
    clock.advance(60_000);
    await turns();
    clock.advance(200);
    await turns();
    const heard = socket.seqs(ROOM).length;
    await lose(3_000);
    expect(socket.seqs(ROOM)).toHaveLength(heard);
    network.trouble = 'nobody there';
    await turns();
    expect(socket.seqs(ROOM)).toHaveLength(heard + 1);
    await lose(1_000);
    expect(socket.seqs(ROOM)).toHaveLength(heard + 2);
  });

  it('[H3] what was committed elsewhere before a stream was followed for sure is looked for when it is', async () => {
    const { socket } = await liveIn([ROOM, OTHER]);
    far.log.commit(sent(ROOM), sent(OTHER));
    network.waiting.length = 0;
    network.followed([ROOM, 999]);
    await turns();
    expect([socket.seqs(ROOM), socket.seqs(OTHER)]).toEqual([[2], []]);
  });

  it('[H3] an event that was too large for the bus is read from the log', async () => {
    const { socket } = await liveIn([ROOM]);
    far.log.commit(sent(ROOM), sent(ROOM));
    network.waiting.length = 0;
    network.behind(ROOM, 3);
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3]);
  });

  it('asks the log about nobody’s hints where it is alone, but for the audit', async () => {
    const own = new FakeStore();
    const alone = makeNode(own, clock, new LocalBus());
    alone.log.commit(userOf(ANNA), roomOf(ROOM, [ANNA]));
    await connect(alone, own, ANNA, { rooms: [ROOM] });
    await turns();
    own.reads.length = 0;
    clock.advance(DEFAULT_LIMITS.HEAD_AUDIT_SECONDS * 1_000 - 500);
    await turns();
    expect(own.reads).toEqual([]);
  });

  it('[H2][H3] repeating and reordering change nothing', async () => {
    const { socket } = await liveIn([ROOM]);
    far.log.commit(sent(ROOM), sent(ROOM), sent(ROOM));
    const hints = network.waiting.splice(0);
    for (const hint of [...hints].reverse()) hint();
    for (const hint of [...hints, ...hints]) hint();
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3, 4]);
  });

  it('[H3] a hint of what the log does not have is not believed', async () => {
    const { socket } = await liveIn([ROOM]);
    const bus = network.bus();
    bus.publish([{ id: 99, stream: ROOM, seq: 40, type: 'message.sent', actor: 1, at: 0, body: '{"text":"no"}' }]);
    network.settle();
    await turns();
    expect(socket.frames).toEqual([]);
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2]);
    expect(node.errors).toEqual([]);
  });

  it('[H2] a commit while the head is being read is not missed', async () => {
    store.held = true;
    const connecting = connect(node, store, ANNA, { rooms: [ROOM] });
    const release = async (): Promise<void> => {
      store.release();
      await turns();
    };
    await turns();
    await release();
    await release();
    const { socket } = await connecting;
    await turns();
    node.log.commit(sent(ROOM));
    while (store.waiting.length > 0) await release();
    expect(socket.seqs(ROOM)).toEqual([2]);
  });

  it('a node hears only what somebody there follows', async () => {
    await liveIn([ROOM]);
    far.log.commit(sent(OTHER));
    network.settle();
    await turns();
    expect(node.hub.counts.feeds).toBe(2);
  });
});

describe('resume', () => {
  it('[H4] goes on from any place, out of the ring or the log, to the next event', async () => {
    node = makeNode(store, clock, new LocalBus(), { limits: { ROOM_RING_EVENTS: 16 } });
    const first = await liveIn([ROOM]);
    node.log.commit(...Array.from({ length: 300 }, () => sent(ROOM)));
    await turns();
    for (const cursor of [0, 1, 127, 128, 129, 250, 284, 285, 300, 301]) {
      const { socket } = await connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: cursor } });
      await turns();
      node.log.commit(sent(ROOM));
      await turns();
      const head = store.head(ROOM);
      expect(socket.seqs(ROOM)).toEqual(Array.from({ length: head - cursor }, (_, i) => cursor + 1 + i));
    }
    expect(first.socket.failure).toBeNull();
  });

  it('says where each stream stands when it is live', async () => {
    node.log.commit(sent(ROOM), sent(ROOM));
    const { socket } = await connect(node, store, ANNA, { rooms: [ROOM, OTHER], cursors: { [ROOM]: 2 } });
    await turns();
    expect(socket.story()).toEqual([`message.sent ${ROOM}:3`, `live {"${ANNA}":1,"${ROOM}":3,"${OTHER}":1}`]);
  });

  it('[H4] begins anew with a cursor of another epoch, ahead of the head, or too far behind', async () => {
    node = makeNode(store, clock, new LocalBus(), { limits: { RESUME_EVENTS_MAX: 100 } });
    node.log.commit(...Array.from({ length: 200 }, () => sent(ROOM)));
    for (const [cursor, epoch] of [
      [150, store.epoch + 1],
      [202, store.epoch],
      [Number.MAX_SAFE_INTEGER, store.epoch],
      [100, store.epoch],
      [0, store.epoch],
    ] as const) {
      const { socket } = await connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: cursor }, epoch });
      await turns();
      expect(socket.story()).toEqual([`reset ${ROOM}:201`, `live {"${ANNA}":1,"${ROOM}":201}`]);
    }
    const { socket } = await connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 101 } });
    await turns();
    expect(socket.seqs(ROOM)).toHaveLength(100);
  });

  it('[H2] a node that is behind the client is pulled forward before anything is told twice', async () => {
    const network = new FakeNetwork();
    node = makeNode(store, clock, network.bus(), { name: 'a' });
    const far = makeNode(store, clock, network.bus(), { name: 'b' });
    await liveIn([ROOM]);
    far.log.commit(sent(ROOM), sent(ROOM));
    const { socket } = await connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: 3 } });
    await turns();
    network.settle();
    far.log.commit(sent(ROOM));
    network.settle();
    await turns();
    expect(socket.seqs(ROOM)).toEqual([4]);
  });

  it('reads the log once for a room, not once for each who comes back', async () => {
    node.log.commit(...Array.from({ length: 400 }, () => sent(ROOM)));
    store.reads.length = 0;
    const cursors = { [ROOM]: 1 };
    const all = await Promise.all(
      Array.from({ length: 100 }, () => connect(node, store, BEN, { rooms: [ROOM], cursors })),
    );
    await turns(20);
    // Those who come later find what the first ones read, though the last page is not full.
    for (let i = 0; i < 20; i += 1) {
      all.push(await connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: 1 + i } }));
      await turns(10);
    }
    for (const [i, { socket }] of all.entries()) expect(socket.seqs(ROOM)).toHaveLength(i < 100 ? 400 : 500 - i);
    expect(store.reads.filter((read) => read.startsWith('events'))).toEqual([
      `events ${ROOM} 0`,
      `events ${ROOM} 128`,
      `events ${ROOM} 256`,
      `events ${ROOM} 384`,
    ]);
  });

  it('[H2] takes the rest from the ring and joins the live ones in one tick', async () => {
    node.log.commit(...Array.from({ length: 200 }, () => sent(ROOM)));
    store.held = true;
    const connecting = connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: 0 } });
    for (let i = 0; i < 10; i += 1) {
      await turns();
      store.release();
      node.log.commit(sent(ROOM));
    }
    store.held = false;
    while (store.waiting.length > 0) store.release();
    const { socket } = await connecting;
    await turns(10);
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual(Array.from({ length: store.head(ROOM) }, (_, i) => i + 1));
  });

  it('[L6] who comes back after a deletion gets the message without its text, out of ring and log alike', async () => {
    const { socket: early } = await liveIn([ROOM]);
    node.log.commit(...Array.from({ length: 300 }, () => sent(ROOM, 'secret')));
    await turns();
    const before = await connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: 1 } });
    await turns();
    for (const seq of [5, 290]) {
      store.redact(ROOM, seq);
      node.log.commit({ stream: ROOM, type: 'message.deleted', body: { message: seq, messageSeq: seq } });
    }
    await turns();
    const { socket } = await connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: 1 } });
    await turns();
    const textOf = (sock: FakeSocket, seq: number) =>
      sock.frames.find((frame) => frame.stream === ROOM && frame.seq === seq)?.body;
    expect([textOf(before.socket, 5), textOf(early, 290)]).toEqual([{ text: 'secret' }, { text: 'secret' }]);
    const redacted = { text: '', redacted: true };
    expect([textOf(socket, 5), textOf(socket, 290), textOf(socket, 291)]).toEqual([
      redacted,
      redacted,
      { text: 'secret' },
    ]);
  });

  it('[L6] a page that was being read when its message was deleted is read again', async () => {
    node.log.commit(...Array.from({ length: 3 }, () => sent(ROOM, 'secret')));
    const connecting = connect(node, store, BEN, { rooms: [ROOM], cursors: { [ROOM]: 1 } });
    const { socket } = await connecting;
    let answered = false;
    const { read } = store;
    store.read = async (what, answer) => {
      if (!what.startsWith('events') || answered) return read.call(store, what, answer) as never;
      answered = true;
      const old = answer();
      await turn();
      store.redact(ROOM, 2);
      node.log.commit({ stream: ROOM, type: 'message.deleted', body: { message: 2, messageSeq: 2 } });
      return old;
    };
    await turns();
    expect(answered).toBe(true);
    const told = socket.frames.find((frame) => frame.stream === ROOM && frame.seq === 2);
    expect(told?.body).toEqual({ text: '', redacted: true });
  });
});

describe('membership', () => {
  it('[A1] who is removed gets the event that says so, and nothing behind it in the same batch', async () => {
    const { socket: anna } = await liveIn([ROOM]);
    const { socket: ben } = await liveIn([ROOM], BEN);
    node.log.commit(sent(ROOM), ...removes(ROOM, ANNA), sent(ROOM));
    node.log.commit(sent(ROOM));
    await turns();
    expect(anna.story()).toEqual([
      `message.sent ${ROOM}:2`,
      `member.removed ${ROOM}:3`,
      `gone ${ROOM}`,
      `membership.removed ${ANNA}:2`,
    ]);
    expect(ben.seqs(ROOM)).toEqual([2, 3, 4, 5]);
  });

  it('[A1] nobody hears more of a deleted room', async () => {
    const { socket: anna } = await liveIn([ROOM]);
    const { socket: ben } = await liveIn([ROOM], BEN);
    node.log.commit({ stream: ROOM, type: 'room.deleted', body: {} }, sent(ROOM));
    await turns();
    for (const socket of [anna, ben]) expect(socket.story()).toEqual([`room.deleted ${ROOM}:2`, `gone ${ROOM}`]);
  });

  it('[A1] who is removed while coming back gets no more than up to there', async () => {
    node.log.commit(...Array.from({ length: 10 }, () => sent(ROOM)));
    store.held = true;
    const connecting = connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 1 } });
    await turns();
    store.release();
    await turns();
    store.release();
    const { socket } = await connecting;
    node.log.commit(...removes(ROOM, ANNA), sent(ROOM), sent(ROOM));
    store.held = false;
    while (store.waiting.length > 0) store.release();
    await turns(10);
    expect(socket.seqs(ROOM)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(socket.story()).toContain(`gone ${ROOM}`);
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toHaveLength(11);
  });

  it('[A1] who was removed while away hears nothing of the room but that it is gone', async () => {
    node.log.commit(...removes(ROOM, ANNA), sent(ROOM));
    const { socket } = await connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 1, 999: 4 } });
    await turns();
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.story()).toEqual([`gone ${ROOM}`, 'gone 999', `live {"${ANNA}":2}`]);
  });

  it('[A1] a removal of which the hint was lost is found through the inbox', async () => {
    const network = new FakeNetwork();
    node = makeNode(store, clock, network.bus(), { name: 'a' });
    const far = makeNode(store, clock, network.bus(), { name: 'b' });
    const { socket } = await liveIn([ROOM]);
    network.settle();
    far.log.commit(...removes(ROOM, ANNA));
    network.waiting.shift();
    network.settle();
    await turns();
    expect(socket.story()).toContain(`gone ${ROOM}`);
  });

  it('who is added hears the room from the joining on, and is told that it is live', async () => {
    node.log.commit(...removes(ROOM, ANNA), sent(ROOM));
    const { socket } = await liveIn([OTHER]);
    node.log.commit(sent(ROOM), ...joins(ROOM, ANNA), sent(ROOM));
    await turns();
    expect(socket.story()).toEqual([
      `membership.added ${ANNA}:3`,
      `member.joined ${ROOM}:5`,
      `message.sent ${ROOM}:6`,
      `live {"${ROOM}":6}`,
    ]);
  });

  it('who is removed and added again at once loses nothing', async () => {
    const { socket } = await liveIn([ROOM]);
    node.log.commit(...removes(ROOM, ANNA), ...joins(ROOM, ANNA), sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3, 4]);
    expect(socket.story()).toContain(`gone ${ROOM}`);
  });

  it('who left and joined again while away goes on from where it was', async () => {
    node.log.commit(sent(ROOM), ...removes(ROOM, ANNA), sent(ROOM), ...joins(ROOM, ANNA), sent(ROOM));
    const { socket } = await connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 1 } });
    await turns();
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(socket.story()).not.toContain(`gone ${ROOM}`);
  });

  it('who left and joined again elsewhere is not taken out by a node that hears of it late', async () => {
    const network = new FakeNetwork();
    node = makeNode(store, clock, network.bus(), { name: 'a' });
    const far = makeNode(store, clock, network.bus(), { name: 'b' });
    await liveIn([ROOM], BEN);
    far.log.commit(sent(ROOM), ...removes(ROOM, ANNA), ...joins(ROOM, ANNA));
    network.waiting.length = 0;
    const { socket } = await connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 1 } });
    await turns();
    clock.advance(6_000);
    await turns();
    node.log.commit(sent(ROOM));
    await turns();
    expect(socket.seqs(ROOM)).toEqual([2, 3, 4, 5]);
    expect(socket.story()).not.toContain(`gone ${ROOM}`);
  });

  it('[H2] who falls behind in a room while being added to it again goes on from where it was', async () => {
    const network = new FakeNetwork();
    const limits = { SOCKET_BUFFER_BYTES_MAX: 3_000 };
    node = makeNode(store, clock, network.bus(), { name: 'a', limits });
    const far = makeNode(store, clock, network.bus(), { name: 'b' });
    const { socket } = await liveIn([ROOM]);
    // Of the room nothing arrives; of the inbox everything does, and makes this node read the room's log.
    far.log.commit(...Array.from({ length: 20 }, () => sent(ROOM, 'x'.repeat(300))));
    network.waiting.length = 0;
    far.log.commit(...removes(ROOM, ANNA), ...joins(ROOM, ANNA));
    network.waiting.splice(2, 1);
    network.waiting.splice(0, 1);
    network.settle();
    await turns(20);
    expect(socket.seqs(ROOM)).toEqual(Array.from({ length: 22 }, (_, i) => i + 2));
    expect(socket.story()).toContain(`gone ${ROOM}`);
    expect(socket.story().at(-1)).toContain(`"${ROOM}":23`);
  });

  it('who is added between entering and starting hears the room too', async () => {
    node.log.commit(...removes(ROOM, ANNA));
    store.held = true;
    const connecting = connect(node, store, ANNA, { rooms: [OTHER] });
    await turns();
    store.release();
    await turns();
    node.log.commit(...joins(ROOM, ANNA));
    store.held = false;
    while (store.waiting.length > 0) store.release();
    const { socket } = await connecting;
    await turns(10);
    expect(socket.seqs(ROOM)).toEqual([3]);
  });

  it('[A3] who joined later gets the place, and not the content, of events about earlier messages', async () => {
    const hidden = 13;
    node.log.commit(roomOf(hidden, [BEN], 'joined'), sent(hidden), ...joins(hidden, ANNA));
    const { socket: anna } = await liveIn([hidden]);
    const { socket: ben } = await liveIn([hidden], BEN);
    const about = (type: 'message.edited' | 'reaction.added', messageSeq: number) => ({
      stream: hidden,
      type,
      body: { messageSeq, text: 'x' },
    });
    node.log.commit(sent(hidden), about('message.edited', 2), about('reaction.added', 4));
    await turns();
    expect(anna.story()).toEqual([`message.sent ${hidden}:4`, `hidden ${hidden}:5`, `reaction.added ${hidden}:6`]);
    expect(anna.frames[1]).toEqual({ type: 'hidden', stream: hidden, seq: 5 });
    expect(ben.story()[1]).toBe(`message.edited ${hidden}:5`);
    const back = await connect(node, store, ANNA, { rooms: [hidden], cursors: { [hidden]: 3 } });
    await turns();
    expect(back.socket.story().slice(0, 3)).toEqual(anna.story());
  });

  it('[A3] a cursor from an earlier stay does not reach what came before this one', async () => {
    const hidden = 13;
    node.log.commit(
      roomOf(hidden, [ANNA, BEN], 'joined'),
      ...removes(hidden, ANNA),
      sent(hidden),
      ...joins(hidden, ANNA),
    );
    const { socket } = await connect(node, store, ANNA, { rooms: [hidden], cursors: { [hidden]: 1 } });
    await turns();
    expect(socket.story()).toEqual([`reset ${hidden}:4`, `live {"${ANNA}":3,"${hidden}":4}`]);
  });
});

describe('sessions and accounts', () => {
  const ends = (...sessions: string[]) => ({ stream: ANNA, type: 'session.ended' as const, body: { sessions } });

  it('[A1] the end of a session is found within two seconds though its hint was lost, in one query for all', async () => {
    const network = new FakeNetwork();
    const here = makeNode(store, clock, network.bus(), { name: 'a' });
    const far = makeNode(store, clock, network.bus(), { name: 'b' });
    const sockets: Connected[] = [];
    for (const session of ['phone', 'desk', 'watch']) sockets.push(await connect(here, store, ANNA, { session }));
    const ben = await connect(here, store, BEN, { session: 'bens' });
    clock.advance(1_000);
    await turns();
    far.log.commit(ends('phone'));
    far.log.commit({ stream: BEN, type: 'user.deactivated', body: {} });
    network.waiting.length = 0;
    store.reads.length = 0;
    clock.advance(1_000);
    await turns();
    expect(sockets.map(({ socket }) => socket.sessionEnded)).toEqual([true, false, false]);
    expect(ben.socket.sessionEnded).toBe(true);
    // Each of the two nodes asks once.
    expect(store.reads.filter((read) => read === 'endings')).toHaveLength(2);
    expect(store.reads.filter((read) => read === 'heads')).toHaveLength(0);
    clock.advance(40_000);
    await turns();
    far.log.commit(ends('desk'));
    network.waiting.length = 0;
    clock.advance(2_000);
    await turns();
    expect(sockets.map(({ socket }) => socket.sessionEnded)).toEqual([true, true, false]);
  });

  it('[A1] the end of a session ends its connections and no others, after the event', async () => {
    const phone = await connect(node, store, ANNA, { session: 'phone' });
    const desk = await connect(node, store, ANNA, { session: 'desk' });
    await turns();
    node.log.commit(ends('phone', 'gone already'));
    expect(phone.socket.sessionEnded).toBe(true);
    phone.subscriber.flush();
    expect(phone.socket.story().at(-1)).toBe(`session.ended ${ANNA}:2`);
    expect(desk.socket.sessionEnded).toBe(false);
  });

  it.each(['user.deactivated', 'user.deleted'] as const)('[A1] %s ends all connections of the user', async (type) => {
    const anna = await connect(node, store, ANNA, { session: 'phone' });
    const ben = await connect(node, store, BEN);
    await turns();
    node.log.commit({ stream: ANNA, type, body: {} });
    expect([anna.socket.sessionEnded, ben.socket.sessionEnded]).toEqual([true, false]);
  });

  it.each(['while the head of the inbox is read', 'after it'])(
    '[A1] a session that ends %s, before its connection starts, is not missed',
    async (when) => {
      store.held = true;
      store.early = () => true;
      const socket = new FakeSocket();
      const connecting = connect(node, store, ANNA, { session: 'phone', socket });
      await turns();
      if (when === 'after it') {
        store.release();
        await turns();
      }
      node.log.commit(ends('phone'));
      store.held = false;
      while (store.waiting.length > 0) store.release();
      await connecting;
      await turns();
      expect(socket.sessionEnded).toBe(true);
    },
  );

  it('[A1] a connection that reads too slowly is ended with its session all the same', async () => {
    const { socket } = await connect(node, store, ANNA, { session: 'phone', rooms: [ROOM] });
    await turns();
    socket.stalled = true;
    node.log.commit(sent(ROOM));
    await turns();
    node.log.commit(...Array.from({ length: 30 }, () => sent(ROOM, 'x'.repeat(50_000))));
    await turns();
    expect(node.hub.counts.catchingUp).toBe(1);
    node.log.commit(ends('phone'));
    expect(socket.sessionEnded).toBe(true);
  });

  it('tells a connection of a new role', async () => {
    const { socket } = await connect(node, store, ANNA);
    await turns();
    node.log.commit({ stream: ANNA, type: 'user.changed', body: { about: 'me' } });
    expect(socket.role).toBeNull();
    node.log.commit({ stream: ANNA, type: 'user.changed', body: { role: 'admin' } });
    expect(socket.role).toBe('admin');
  });
});

describe('slow readers', () => {
  const LIMIT = 100_000;
  const big = (room: number) => sent(room, 'x'.repeat(1_000));

  beforeEach(() => {
    node = makeNode(store, clock, new LocalBus(), { limits: { SOCKET_BUFFER_BYTES_MAX: LIMIT } });
  });

  it('[G1][G2] who does not read stops getting live events, and has all of them once it reads again', async () => {
    const { socket, subscriber } = await liveIn([ROOM, OTHER]);
    const { socket: ben } = await liveIn([ROOM], BEN);
    socket.stalled = true;
    for (let i = 0; i < 500; i += 1) {
      node.log.commit(big(ROOM), sent(OTHER));
      if (i % 10 === 0) await turns(1);
    }
    await turns();
    expect(ben.seqs(ROOM)).toHaveLength(500);
    expect(socket.highest).toBeLessThanOrEqual(LIMIT);
    expect(subscriber.feeds).toEqual([]);
    expect(subscriber.stalledSince).toBe(clock.ticks());
    // It reads in sips: each brings what the socket held, and the next piece of the log.
    while (socket.seqs(ROOM).length < 500) {
      socket.drain();
      await turns(2);
      expect(socket.waiting).toBeLessThanOrEqual(LIMIT);
    }
    socket.stalled = false;
    socket.drain();
    await turns();
    node.log.commit(sent(ROOM), sent(OTHER));
    await turns();
    expect(socket.seqs(ROOM)).toEqual(Array.from({ length: 501 }, (_, i) => i + 2));
    expect(socket.seqs(OTHER)).toEqual(Array.from({ length: 501 }, (_, i) => i + 2));
    expect(subscriber.stalledSince).toBeNull();
  });

  it('[G1] coming back from far behind takes no more memory than the socket may hold', async () => {
    node.log.commit(...Array.from({ length: 900 }, () => big(ROOM)));
    const socket = new FakeSocket();
    socket.stalled = true;
    await connect(node, store, ANNA, { rooms: [ROOM], cursors: { [ROOM]: 1 }, socket });
    while (socket.seqs(ROOM).length < 900) {
      await turns(2);
      expect(socket.waiting).toBeLessThanOrEqual(LIMIT);
      expect(socket.waiting).toBeGreaterThan(0);
      socket.drain();
    }
    expect(socket.seqs(ROOM).at(-1)).toBe(901);
  });

  it('[A1] who is removed while behind gets no more than up to there', async () => {
    const { socket } = await liveIn([ROOM]);
    socket.stalled = true;
    node.log.commit(...Array.from({ length: 150 }, () => big(ROOM)));
    await turns();
    node.log.commit(...removes(ROOM, ANNA), sent(ROOM));
    await turns();
    socket.stalled = false;
    socket.drain();
    await turns(10);
    expect(socket.seqs(ROOM)).toEqual(Array.from({ length: 151 }, (_, i) => i + 2));
    expect(socket.story()).toContain(`gone ${ROOM}`);
  });

  it('[A1][H4] who fell too far behind begins anew, and only where membership still holds', async () => {
    node = makeNode(store, clock, new LocalBus(), {
      limits: { SOCKET_BUFFER_BYTES_MAX: LIMIT, RESUME_EVENTS_MAX: 50 },
    });
    const { socket } = await liveIn([ROOM, OTHER]);
    socket.stalled = true;
    node.log.commit(sent(ROOM));
    await turns();
    node.log.commit(...Array.from({ length: 200 }, () => big(ROOM)), ...Array.from({ length: 60 }, () => sent(OTHER)));
    await turns();
    node.log.commit(...removes(OTHER, ANNA), sent(OTHER));
    node.log.commit(...Array.from({ length: 60 }, () => sent(OTHER)));
    socket.stalled = false;
    socket.drain();
    await turns(10);
    expect(socket.story()).toContain(`reset ${ROOM}:202`);
    expect(socket.story()).toContain(`gone ${OTHER}`);
    expect(socket.seqs(OTHER)).toEqual([]);
  });
});

/** Typing and presence: told to whom it concerns, coalesced, ended by themselves, never stored. */
import { LocalBus } from '@natter/server/bus/bus';
import type { Encoding } from '@natter/server/hub/encoding';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Connected,
  connect,
  FakeNetwork,
  FakeStore,
  ManualClock,
  makeEncoding,
  makeNode,
  type Node,
  removes,
  roomOf,
  sent,
  turns,
  userOf,
} from './fixtures.js';

const [ANNA, BEN, CARL] = [1, 2, 3];
const ROOM = 11;

let clock: ManualClock;
let store: FakeStore;
let network: FakeNetwork;
let node: Node;
let far: Node;

beforeEach(() => {
  clock = new ManualClock();
  store = new FakeStore();
  network = new FakeNetwork();
  node = makeNode(store, clock, network.bus(), { name: 'a' });
  far = makeNode(store, clock, network.bus(), { name: 'b' });
  node.log.commit(userOf(ANNA), userOf(BEN), userOf(CARL), roomOf(ROOM, [ANNA, BEN]));
  network.settle();
});

async function come(user: number, on = node, rooms = [ROOM], encoding?: Encoding): Promise<Connected> {
  const connected = await connect(on, store, user, { rooms, ...(encoding ? { encoding } : {}) });
  await turns();
  network.settle();
  connected.socket.frames.length = 0;
  return connected;
}

/** What came since the last look. */
async function heard({ socket }: Connected): Promise<unknown[]> {
  network.settle();
  await turns();
  return socket.frames.splice(0);
}

const typing = (user: number, active: boolean) => ({ type: 'typing', room: ROOM, user, active });

describe('typing', () => {
  it('is told to the others in the room, on every node, and not to one’s own sockets', async () => {
    const anna = await come(ANNA);
    const tablet = await come(ANNA, far);
    const ben = await come(BEN);
    const benFar = await come(BEN, far);
    node.hub.typing(anna.subscriber, ROOM, true);
    expect(await heard(ben)).toEqual([typing(ANNA, true)]);
    expect(await heard(benFar)).toEqual([typing(ANNA, true)]);
    expect(await heard(anna)).toEqual([]);
    expect(await heard(tablet)).toEqual([]);
  });

  it('[A1] is believed of members alone, and told to members alone', async () => {
    const anna = await come(ANNA);
    const ben = await come(BEN);
    const carl = await come(CARL);
    node.hub.typing(carl.subscriber, ROOM, true);
    node.hub.typing(anna.subscriber, 999, true);
    expect(await heard(ben)).toEqual([]);
    node.log.commit(...removes(ROOM, ANNA));
    await heard(ben);
    await heard(anna);
    node.hub.typing(anna.subscriber, ROOM, true);
    node.hub.typing(ben.subscriber, ROOM, true);
    expect(await heard(ben)).toEqual([]);
    expect(await heard(anna)).toEqual([]);
    expect(await heard(carl)).toEqual([]);
  });

  it('ends by itself when it is not renewed, and lives on when it is', async () => {
    const anna = await come(ANNA);
    const ben = await come(BEN);
    const benFar = await come(BEN, far);
    node.hub.typing(anna.subscriber, ROOM, true);
    await heard(ben);
    await heard(benFar);
    for (let i = 0; i < 5; i += 1) {
      clock.advance(5_000);
      node.hub.typing(anna.subscriber, ROOM, true);
      expect(await heard(ben)).toEqual([]);
      expect(await heard(benFar)).toEqual([]);
    }
    clock.advance(7_000);
    expect(await heard(ben)).toEqual([typing(ANNA, false)]);
    expect(await heard(benFar)).toEqual([typing(ANNA, false)]);
  });

  it('is told again while it goes on to those whose API has no word for its end, once a second, on every node', async () => {
    const encoding = (): Encoding => ({
      ...makeEncoding('endless'),
      stillTyping: (room, user) => Buffer.from(`${JSON.stringify({ type: 'still', room, user })}\n`),
    });
    const still = { type: 'still', room: ROOM, user: ANNA };
    const anna = await come(ANNA);
    const ben = await come(BEN);
    const [endless, endlessFar] = await Promise.all([
      come(BEN, node, [ROOM], encoding()),
      come(BEN, far, [ROOM], encoding()),
    ]);
    node.hub.typing(anna.subscriber, ROOM, true);
    for (const one of [ben, endless, endlessFar]) expect(await heard(one)).toEqual([typing(ANNA, true)]);
    for (let i = 0; i < 10; i += 1) node.hub.typing(anna.subscriber, ROOM, true);
    expect(await heard(endless)).toEqual([]);
    for (let i = 0; i < 2; i += 1) {
      clock.advance(3_000);
      for (let j = 0; j < 10; j += 1) node.hub.typing(anna.subscriber, ROOM, true);
      expect(await heard(endless)).toEqual([still]);
      expect(await heard(endlessFar)).toEqual([still]);
    }
    node.hub.typing(anna.subscriber, ROOM, false);
    expect(await heard(endless)).toEqual([typing(ANNA, false)]);
    expect(await heard(ben)).toEqual([typing(ANNA, false)]);
  });

  it('of one who starts and stops in quick turns begins at most once a second, ends at once, and is last told as it is', async () => {
    const anna = await come(ANNA);
    const ben = await come(BEN);
    for (let i = 0; i < 100; i += 1) node.hub.typing(anna.subscriber, ROOM, i % 2 === 0);
    expect(await heard(ben)).toEqual([typing(ANNA, true), typing(ANNA, false)]);
    node.hub.typing(anna.subscriber, ROOM, true);
    expect(await heard(ben)).toEqual([]);
    clock.advance(1_000);
    expect(await heard(ben)).toEqual([typing(ANNA, true)]);
    node.hub.typing(anna.subscriber, ROOM, false);
    expect(await heard(ben)).toEqual([typing(ANNA, false)]);
    clock.advance(10_000);
    expect(await heard(ben)).toEqual([]);
  });

  it('is not in the log', async () => {
    const anna = await come(ANNA);
    node.hub.typing(anna.subscriber, ROOM, true);
    clock.advance(10_000);
    expect(store.head(ROOM)).toBe(1);
  });

  it('[G1] is left out for one who reads too slowly', async () => {
    const alone = makeNode(store, clock, new LocalBus(), { limits: { SOCKET_BUFFER_BYTES_MAX: 70_000 } });
    const anna = await come(ANNA, alone);
    const ben = await come(BEN, alone);
    ben.socket.stalled = true;
    alone.log.commit(sent(ROOM, 'x'.repeat(69_880)));
    await turns();
    const { waiting } = ben.socket;
    alone.hub.typing(anna.subscriber, ROOM, true);
    await turns();
    expect(ben.socket.waiting).toBe(waiting);
    expect(ben.subscriber.feeds).not.toEqual([]);
  });
});

describe('presence', () => {
  const rows = (frames: unknown[]): unknown[] =>
    (frames as { type: string; rows: { user: number; online: boolean }[] }[]).map(({ type, rows: list }) => {
      expect(type).toBe('presence');
      return list.map(({ user, online }) => [user, online]);
    });

  it('tells a watcher how things are, and then what changes, from the first socket to the last, on all nodes', async () => {
    const anna = await come(ANNA);
    node.hub.presence.watch(anna.subscriber, [BEN, CARL, 999]);
    expect(rows(await heard(anna))).toEqual([
      [
        [BEN, false],
        [CARL, false],
        [999, false],
      ],
    ]);
    const first = await come(BEN, far);
    const second = await come(BEN);
    clock.advance(200);
    expect(rows(await heard(anna))).toEqual([[[BEN, true]]]);
    expect([node.hub.presence.isOnline(BEN), node.hub.presence.isOnline(CARL)]).toEqual([true, false]);
    far.hub.leave(first.subscriber);
    network.settle();
    clock.advance(200);
    expect(await heard(anna)).toEqual([]);
    node.hub.leave(second.subscriber);
    clock.advance(200);
    expect(rows(await heard(anna))).toEqual([[[BEN, false]]]);
  });

  it('tells many changes in one frame, and nothing of one who was away for a moment only', async () => {
    const anna = await come(ANNA);
    const ben = await come(BEN);
    node.hub.presence.watch(anna.subscriber, [BEN, CARL]);
    await heard(anna);
    node.hub.leave(ben.subscriber);
    await come(BEN);
    await come(CARL);
    clock.advance(200);
    expect(rows(await heard(anna))).toEqual([[[CARL, true]]]);
  });

  it('replaces the former list, and forgets a watcher that is gone', async () => {
    const anna = await come(ANNA);
    node.hub.presence.watch(anna.subscriber, [BEN]);
    node.hub.presence.watch(anna.subscriber, [CARL]);
    await heard(anna);
    await come(BEN);
    clock.advance(200);
    expect(await heard(anna)).toEqual([]);
    node.hub.leave(anna.subscriber);
    await come(CARL);
    clock.advance(200);
    expect(await heard(anna)).toEqual([]);
  });

  it('counts nobody who only knocks: online is who was let in', async () => {
    store.held = true;
    const connecting = connect(node, store, BEN, {});
    await turns();
    expect(node.hub.presence.isOnline(BEN)).toBe(false);
    store.held = false;
    while (store.waiting.length > 0) store.release();
    await connecting;
    expect(node.hub.presence.isOnline(BEN)).toBe(true);
  });

  it('ends for the users of a node that is not heard of any more, and comes back with it', async () => {
    const anna = await come(ANNA);
    await come(BEN, far);
    node.hub.presence.watch(anna.subscriber, [BEN]);
    expect(rows(await heard(anna))).toEqual([[[BEN, true]]]);
    for (let i = 0; i < 60; i += 1) {
      clock.advance(1_000);
      network.settle();
    }
    await turns();
    expect(node.hub.presence.isOnline(BEN)).toBe(true);
    for (let i = 0; i < 40; i += 1) {
      clock.advance(1_000);
      network.waiting.length = 0;
    }
    expect(rows(await heard(anna))).toEqual([[[BEN, false]]]);
    for (let i = 0; i < 12; i += 1) {
      clock.advance(1_000);
      network.settle();
    }
    expect(rows(await heard(anna))).toEqual([[[BEN, true]]]);
  });

  it('hands out when users were last seen, together and once, and again what could not be kept', async () => {
    const { subscriber } = await come(BEN);
    await come(ANNA);
    clock.advance(10_000);
    await turns();
    expect(node.seen.map(({ user }) => user).sort()).toEqual([ANNA, BEN]);
    clock.advance(20_000);
    await turns();
    expect(node.seen).toHaveLength(2);
    node.hub.leave(subscriber);
    const left = clock.now();
    clock.advance(10_000);
    await turns();
    expect(node.seen.at(-1)).toEqual({ user: BEN, at: left });
    expect(node.hub.presence.lastSeen(BEN)).toBeNull();
    node.hub.presence.giveBack([{ user: BEN, at: left }]);
    clock.advance(10_000);
    await turns();
    expect(node.seen.at(-1)).toEqual({ user: BEN, at: left });
  });

  it('hands out the last of it when the hub closes', async () => {
    await come(BEN);
    await node.hub.close();
    expect(node.seen).toEqual([{ user: BEN, at: clock.now() }]);
  });
});

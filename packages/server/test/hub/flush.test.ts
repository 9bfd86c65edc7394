/** Frames gather where it saves writes, no longer than it saves, and not at all where nothing is under way. */
import { LocalBus } from '@natter/server/bus/bus';
import { Flushes } from '@natter/server/hub/flush';
import { beforeEach, describe, expect, it } from 'vitest';
import { connect, FakeStore, ManualClock, makeNode, roomOf, sent, turn, turns, userOf } from './fixtures.js';

const WRITE_MS = 0.005;

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

describe('a flush', () => {
  let twice: number;
  let flushed: number;
  let writes: number;
  beforeEach(() => {
    twice = 0;
    flushed = 0;
    writes = 0;
  });

  const make = (gatherMsMax = 10) =>
    new Flushes({
      clock,
      gatherMsMax,
      twice: () => twice,
      flush: () => {
        flushed += 1;
        return writes;
      },
    });

  it('goes at the end of the turn, once however much waits', async () => {
    const flushes = make();
    flushes.expect();
    flushes.expect();
    expect(flushed).toBe(0);
    await turn();
    expect(flushed).toBe(1);
    await turns();
    expect(flushed).toBe(1);
  });

  it('waits for what is being committed for the same connections, and goes when that has come', async () => {
    const flushes = make();
    twice = 1_000;
    flushes.expect();
    await turns();
    expect(flushed).toBe(0);
    twice = 0;
    flushes.expect();
    await turn();
    expect(flushed).toBe(1);
    clock.advance(100);
    expect(flushed).toBe(1);
  });

  it('waits no longer than the writes take that it saves', async () => {
    const flushes = make();
    twice = 1_000;
    flushes.expect();
    await turns();
    clock.advance(1_000 * WRITE_MS - 0.1);
    // What comes meanwhile does not put it off.
    flushes.expect();
    await turns();
    expect(flushed).toBe(0);
    clock.advance(0.1);
    expect(flushed).toBe(1);
  });

  it('waits no longer than it may, however slow the writes are', async () => {
    const flushes = make();
    twice = 100_000;
    flushes.expect();
    await turns();
    clock.advance(9.9);
    expect(flushed).toBe(0);
    clock.advance(0.1);
    expect(flushed).toBe(1);
  });

  it('does not wait where few connections are written to twice, nor where that is switched off', async () => {
    twice = 100;
    make().expect();
    await turn();
    expect(flushed).toBe(1);
    twice = 1_000;
    make(0).expect();
    await turn();
    expect(flushed).toBe(2);
  });

  it('learns what a write takes', async () => {
    const slow = new Flushes({
      clock,
      gatherMsMax: 100,
      twice: () => twice,
      flush: () => {
        flushed += 1;
        clock.advance(50);
        return 1_000;
      },
    });
    for (let i = 0; i < 30; i += 1) slow.flush();
    twice = 1_000;
    slow.expect();
    await turns();
    clock.advance(49);
    expect(flushed).toBe(30);
    clock.advance(2);
    expect(flushed).toBe(31);
  });

  it('that is asked for goes at once, and nothing comes after it', async () => {
    const flushes = make();
    twice = 1_000;
    flushes.expect();
    await turns();
    flushes.flush();
    expect(flushed).toBe(1);
    clock.advance(100);
    await turns();
    expect(flushed).toBe(1);
  });

  it('that waits when all is closed does not come', async () => {
    const flushes = make();
    twice = 1_000;
    flushes.expect();
    await turns();
    flushes.close();
    clock.advance(100);
    expect(flushed).toBe(0);
  });
});

describe('a large room', () => {
  const ROOM = 5_000;
  const OTHER = 5_001;
  const users = Array.from({ length: 400 }, (_, i) => i + 1);

  it('[H2] hears two batches in one write where the second is under way, each event once and in order', async () => {
    const store = new FakeStore();
    const node = makeNode(store, clock, new LocalBus());
    node.log.commit(...users.map((user) => userOf(user)), roomOf(ROOM, users), roomOf(OTHER, users));
    const connected = await Promise.all(users.map((user) => connect(node, store, user, { rooms: [ROOM, OTHER] })));
    await turns();
    for (const { socket } of connected) socket.writes = socket.frames.length = 0;

    store.underWay.add(ROOM);
    node.log.commit(sent(ROOM));
    await turns();
    expect(connected.map(({ socket }) => socket.writes)).toEqual(users.map(() => 0));
    store.underWay.delete(ROOM);
    node.log.commit(sent(ROOM));
    await turns();
    expect(connected.map(({ socket }) => socket.writes)).toEqual(users.map(() => 1));
    expect(connected.map(({ socket }) => socket.seqs(ROOM))).toEqual(users.map(() => [2, 3]));

    // Of another room nothing waits.
    store.underWay.add(ROOM);
    node.log.commit(sent(OTHER));
    await turns();
    expect(connected.map(({ socket }) => socket.seqs(OTHER))).toEqual(users.map(() => [2]));
    await node.hub.close();
  });
});

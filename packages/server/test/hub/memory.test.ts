/** What a connection costs in memory while nothing happens, as bytes on the heap after a collection. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Subscriber } from '@natter/server/hub/subscriber';
import { describe, expect, it } from 'vitest';
import { FakeNetwork, FakeSocket, FakeStore, ManualClock, makeEncoding, makeNode, roomOf, turns } from './fixtures.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function used(): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    collect();
    await turns();
  }
  return process.memoryUsage().heapUsed;
}

describe('a connection that does nothing', () => {
  it('costs the hub at most 2,100 bytes in 20 rooms', async () => {
    const store = new FakeStore();
    const rooms = Array.from({ length: 40 }, (_, i) => 100_000 + i);
    store.append(rooms.map((room) => roomOf(room, [1])));
    const { hub } = makeNode(store, new ManualClock(), new FakeNetwork().bus());
    const encoding = makeEncoding();
    // One for all: the bytes of a socket are not the hub's.
    const socket = new FakeSocket();
    let user = 0;
    const arrive = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        user += 1;
        const subscriber = new Subscriber(user, 'session', encoding, socket);
        const inbox = await hub.enter(subscriber);
        const mine = Array.from({ length: 20 }, (_, k) => rooms[(user * 7 + k * 2) % rooms.length] as number);
        hub.start(subscriber, {
          inbox,
          rooms: mine.map((stream) => ({ stream, head: 1, fromSeq: 1 })),
          cursors: new Map(),
          epoch: store.epoch,
        });
      }
      await turns();
      socket.frames.length = 0;
      store.reads.length = 0;
    };
    await arrive(1_000);
    const before = await used();
    await arrive(4_000);
    const each = ((await used()) - before) / 4_000;
    expect(hub.counts).toMatchObject({ users: 5_000, catchingUp: 0 });
    expect(each).toBeLessThan(2_100);
    // Less than the sets of rooms alone take would mean that nothing was measured.
    expect(each).toBeGreaterThan(500);
    await hub.close();
  });
});

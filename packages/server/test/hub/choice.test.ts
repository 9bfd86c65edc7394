/** A connection that follows the rooms that it asks for: from that moment on, and nothing of the others. */
import { LocalBus } from '@natter/server/bus/bus';
import { beforeEach, expect, it } from 'vitest';
import {
  type Connected,
  connect,
  FakeStore,
  joins,
  ManualClock,
  makeNode,
  type Node,
  removes,
  roomOf,
  sent,
  turns,
  userOf,
} from './fixtures.js';

const [ANNA, BEN] = [1, 2];
const [ROOM, OTHER] = [11, 12];
const FIRST = Buffer.from('{"type":"first"}\n');

let store: FakeStore;
let node: Node;
let anna: Connected;

beforeEach(async () => {
  store = new FakeStore();
  node = makeNode(store, new ManualClock(), new LocalBus());
  node.log.commit(userOf(ANNA), userOf(BEN), roomOf(ROOM, [ANNA, BEN]), roomOf(OTHER, [ANNA, BEN]));
  anna = await connect(node, store, ANNA, { chosen: true });
  await turns();
  anna.socket.frames.length = 0;
});

const story = ({ socket }: Connected): string[] => socket.story().filter((line) => !line.startsWith('live'));

it('[H2] is live when it is said to follow, and has everything since, behind the frame that comes first', async () => {
  store.held = true;
  const follows = node.hub.followRoom(anna.subscriber, ROOM, FIRST);
  await turns();
  // Membership is read, and what is committed from then on is missed by nobody.
  store.release();
  await turns();
  node.log.commit(sent(ROOM), sent(OTHER));
  store.held = false;
  while (store.waiting.length > 0) store.release();
  expect(await follows).toBe(true);
  expect(node.hub.hears(anna.subscriber, ROOM)).toBe(true);
  node.log.commit(sent(ROOM), sent(OTHER));
  await turns();
  expect(story(anna)).toEqual(['first', `message.sent ${ROOM}:2`, `message.sent ${ROOM}:3`]);
});

it('follows a room that it follows already, without telling anything twice', async () => {
  for (let i = 0; i < 2; i += 1) expect(await node.hub.followRoom(anna.subscriber, ROOM)).toBe(true);
  node.log.commit(sent(ROOM));
  await turns();
  expect(story(anna)).toEqual([`message.sent ${ROOM}:2`]);
});

it('[A1] does not follow a room of others, nor one that it is taken out of on the way', async () => {
  node.log.commit(...removes(OTHER, ANNA));
  expect(await node.hub.followRoom(anna.subscriber, OTHER, FIRST)).toBe(false);
  store.held = true;
  const follows = node.hub.followRoom(anna.subscriber, ROOM, FIRST);
  await turns();
  store.release();
  await turns();
  node.log.commit(...removes(ROOM, ANNA), sent(ROOM));
  store.held = false;
  while (store.waiting.length > 0) store.release();
  expect(await follows).toBe(false);
  await turns();
  expect(anna.socket.seqs(ROOM)).not.toContain(3);
  expect(node.hub.hears(anna.subscriber, ROOM)).toBe(false);
});

it('is answered when it gives up on the way, or goes', async () => {
  store.held = true;
  const given = node.hub.followRoom(anna.subscriber, ROOM);
  const gone = node.hub.followRoom(anna.subscriber, OTHER);
  await turns();
  store.release();
  store.release();
  await turns();
  node.hub.unfollowRoom(anna.subscriber, ROOM);
  node.hub.leave(anna.subscriber);
  store.held = false;
  while (store.waiting.length > 0) store.release();
  expect(await Promise.all([given, gone])).toEqual([false, false]);
});

it('[A1] hears a chosen room again when it is added again, and no room that it did not choose', async () => {
  expect(await node.hub.followRoom(anna.subscriber, ROOM)).toBe(true);
  node.log.commit(...removes(ROOM, ANNA), ...removes(OTHER, ANNA), sent(ROOM));
  node.log.commit(...joins(ROOM, ANNA), ...joins(OTHER, ANNA), sent(ROOM), sent(OTHER));
  await turns(10);
  expect(anna.socket.seqs(ROOM)).toEqual([2, 4, 5]);
  expect(anna.socket.seqs(OTHER)).toEqual([]);
});

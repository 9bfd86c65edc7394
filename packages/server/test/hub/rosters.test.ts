/** Who speaks an API in a room, on all nodes: the first and the last socket are so everywhere, and a silent node's are forgotten. */
import type { Roster } from '@natter/server/hub/rosters';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeNetwork, FakeStore, ManualClock, makeNode, type Node } from './fixtures.js';

const [ANNA, BEN] = [1, 2];
const [ROOM, OTHER] = [11, 12];

let clock: ManualClock;
let network: FakeNetwork;
let near: Node;
let far: Node;
let here: Roster;
let there: Roster;

beforeEach(() => {
  clock = new ManualClock();
  network = new FakeNetwork();
  const store = new FakeStore();
  near = makeNode(store, clock, network.bus(), { name: 'a' });
  far = makeNode(store, clock, network.bus(), { name: 'b' });
  here = near.hub.rosters.of('002');
  there = far.hub.rosters.of('002');
});

/** What changes is gathered for a moment. */
function tell(): void {
  clock.advance(150);
  network.settle();
}

const counts = (roster: Roster): number[] => [roster.userCount, roster.seatCount];

describe('a roster', () => {
  it('tells the first socket of a user in a room from the others, and the last', () => {
    expect(here.enter(ROOM, ANNA)).toBe(true);
    expect(here.enter(ROOM, ANNA)).toBe(false);
    expect(here.enter(OTHER, ANNA)).toBe(true);
    expect(here.enter(ROOM, BEN)).toBe(true);
    expect(counts(here)).toEqual([2, 3]);
    expect([here.has(ROOM, ANNA), here.has(OTHER, BEN), here.hasUser(BEN), here.hasUser(3)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(here.leave(ROOM, ANNA)).toBe(false);
    expect(here.leave(ROOM, ANNA)).toBe(true);
    expect(here.leave(ROOM, ANNA)).toBe(false);
    expect(counts(here)).toEqual([2, 2]);
    expect(here.hasUser(ANNA)).toBe(true);
    expect(here.leave(OTHER, ANNA)).toBe(true);
    expect(here.hasUser(ANNA)).toBe(false);
  });

  it('is one for each API', () => {
    here.enter(ROOM, ANNA);
    const other = near.hub.rosters.of('003');
    expect([other.has(ROOM, ANNA), ...counts(other)]).toEqual([false, 0, 0]);
    expect(other.enter(ROOM, ANNA)).toBe(true);
    expect(counts(here)).toEqual([1, 1]);
    expect(near.hub.rosters.of('003').has(ROOM, ANNA)).toBe(true);
  });
});

describe('rosters of several nodes', () => {
  it('are one: nobody comes or goes who is there on another node', () => {
    expect(here.enter(ROOM, ANNA)).toBe(true);
    tell();
    expect([there.has(ROOM, ANNA), ...counts(there)]).toEqual([true, 1, 1]);
    expect(there.enter(ROOM, ANNA)).toBe(false);
    tell();
    expect(counts(here)).toEqual([1, 1]);
    expect(here.leave(ROOM, ANNA)).toBe(false);
    tell();
    expect(here.has(ROOM, ANNA)).toBe(true);
    expect(there.leave(ROOM, ANNA)).toBe(true);
    tell();
    expect([here.has(ROOM, ANNA), ...counts(here)]).toEqual([false, 0, 0]);
  });

  it('[H3] heal by what each node says of itself now and then, whatever was lost', () => {
    /** A lease that shows it, the question for the whole, the answer. */
    const heal = (): void => {
      clock.advance(11_000);
      for (let words = 0; words < 3; words += 1) network.settle();
    };
    here.enter(ROOM, ANNA);
    here.enter(ROOM, BEN);
    network.waiting.length = 0;
    expect(counts(there)).toEqual([0, 0]);
    heal();
    expect(counts(there)).toEqual([2, 2]);
    here.leave(ROOM, BEN);
    network.waiting.length = 0;
    expect(there.has(ROOM, BEN)).toBe(true);
    heal();
    expect([there.has(ROOM, ANNA), there.has(ROOM, BEN)]).toEqual([true, false]);
    here.leave(ROOM, ANNA);
    network.waiting.length = 0;
    heal();
    expect(counts(there)).toEqual([0, 0]);
  });

  it('forget what a node said that is silent, and keep what others say', () => {
    here.enter(ROOM, ANNA);
    there.enter(ROOM, BEN);
    tell();
    for (let second = 0; second < 40; second += 1) {
      clock.advance(1_000);
      network.waiting.length = 0;
    }
    expect([there.has(ROOM, ANNA), there.has(ROOM, BEN), here.has(ROOM, ANNA)]).toEqual([false, true, true]);
    clock.advance(11_000);
    for (let words = 0; words < 3; words += 1) network.settle();
    expect(there.has(ROOM, ANNA)).toBe(true);
  });
});

/** Who is where, over nodes: what is lost, repeated and reordered between them is made good, and a node that is gone is gone. */
import { LocalBus } from '@natter/server/bus/bus';
import { Roll } from '@natter/server/hub/roll';
import { beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.js';
import { FakeNetwork, ManualClock } from './fixtures.js';

const LEASE_SECONDS = 30;

let clock: ManualClock;
let network: FakeNetwork;
let changes: string[];
const running: Roll[] = [];

beforeEach(() => {
  clock = new ManualClock();
  network = new FakeNetwork();
  changes = [];
  running.length = 0;
});

function makeRoll(node: string): Roll {
  const bus = network.bus();
  const roll: Roll = new Roll({
    bus,
    clock,
    node,
    leaseSeconds: LEASE_SECONDS,
    changed: (place, user) => changes.push(`${node}: ${place}/${user}`),
  });
  bus.listen({
    event: () => {},
    behind: () => {},
    signal: () => {},
    message: (message) => {
      if (message.type !== 'rates.spent') roll.hear(message);
    },
    followed: () => {},
    troubled: () => {},
  });
  running.push(roll);
  return roll;
}

/** Seconds go by, in which everything gets through. */
function pass(seconds: number): void {
  for (let i = 0; i < seconds; i += 1) {
    clock.advance(1_000);
    for (const roll of running) roll.beat();
    while (network.waiting.length > 0) network.settle();
  }
}

describe('the roll', () => {
  it('tells of a first socket and of a last one, whichever node they are on', () => {
    const a = makeRoll('a');
    const b = makeRoll('b');
    expect(a.enter('online', 1)).toBe(true);
    network.settle();
    expect([a.has('online', 1), b.has('online', 1), b.has('online', 2), b.has('room/1', 1)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(b.enter('online', 1)).toBe(false);
    expect(b.enter('online', 1)).toBe(false);
    pass(1);
    expect(a.leave('online', 1)).toBe(false);
    pass(1);
    expect(b.leave('online', 1)).toBe(false);
    expect(b.leave('online', 1)).toBe(true);
    pass(1);
    expect([a.has('online', 1), b.has('online', 1)]).toEqual([false, false]);
    expect(b.leave('online', 1)).toBe(false);
    expect([...a.users('online'), ...a.places('')]).toEqual([]);
  });

  it('tells many changes in few messages, and nothing of what is as it was', () => {
    const a = makeRoll('a');
    const b = makeRoll('b');
    for (let user = 1; user <= 1_000; user += 1) a.enter('online', user);
    for (let user = 1; user <= 10; user += 1) a.leave('online', user);
    clock.advance(150);
    expect(network.waiting).toHaveLength(2);
    network.settle();
    expect(b.users('online').size).toBe(990);
    changes = [];
    for (let user = 11; user <= 20; user += 1) {
      a.leave('online', user);
      a.enter('online', user);
    }
    pass(1);
    expect(new Set(changes).size).toBeLessThanOrEqual(1);
  });

  it('gives a node that comes later the whole list, however long', () => {
    const a = makeRoll('a');
    for (let user = 1; user <= 12_000; user += 1) a.enter('online', user);
    for (let user = 1; user <= 10; user += 1) a.enter('dialect/002/7', user);
    pass(1);
    const b = makeRoll('b');
    b.greet();
    pass(2);
    expect(b.users('online').size).toBe(12_000);
    expect(b.places('dialect/002/')).toEqual(['dialect/002/7']);
    expect(b.users('dialect/002/7').size).toBe(10);
  });

  it('ends for a node that is silent, and at once for one that takes its leave', () => {
    const a = makeRoll('a');
    const b = makeRoll('b');
    const c = makeRoll('c');
    a.enter('online', 1);
    b.enter('online', 2);
    pass(1);
    expect(c.users('online')).toEqual(new Set([1, 2]));
    a.close();
    running.splice(running.indexOf(a), 1);
    pass(1);
    expect(c.users('online')).toEqual(new Set([2]));
    running.splice(running.indexOf(b), 1);
    pass(LEASE_SECONDS - 2);
    expect(c.users('online')).toEqual(new Set([2]));
    pass(12);
    expect(c.users('online')).toEqual(new Set());
    running.push(b);
    pass(12);
    expect(c.users('online')).toEqual(new Set([2]));
  });

  it('is not led astray by words that are none', () => {
    const a = makeRoll('a');
    a.hear({
      type: 'roll.change',
      node: 'x',
      came: ['', '/', '/1', 'x', 'x/', 'x/-1', 'x/1.5', 'x/y', 'a/b/3'],
      went: ['z/1'],
    });
    expect(a.places('')).toEqual(['a/b']);
    a.hear({ type: 'roll.all', node: 'x', part: 2, parts: 2, words: ['online/1'] });
    a.hear({ type: 'roll.all', node: 'x', part: 1, parts: 2, words: ['online/1'] });
    a.hear({ type: 'roll.all', node: 'x', part: 1, parts: 2, words: ['online/1'] });
    a.hear({ type: 'roll.all', node: 'x', part: 2, parts: 2, words: ['online/2'] });
    expect(a.users('online')).toEqual(new Set([1, 2]));
    a.hear({ type: 'roll.all', node: 'x', part: 1, parts: 1, words: [] });
    expect(a.places('')).toEqual([]);
  });

  it('concludes nothing from a list of which a part was lost, and asks for it again', () => {
    const a = makeRoll('a');
    const b = makeRoll('b');
    for (let user = 1; user <= 12_000; user += 1) a.enter('online', user);
    pass(1);
    const gone = [1, 6_000, 11_999];
    for (const user of gone) a.leave('online', user);
    network.waiting.length = 0;
    clock.advance(200);
    network.waiting.length = 0;
    for (const lost of [0, 1, 2]) {
      clock.advance(2_000);
      a.hear({ type: 'roll.ask', node: 'x', of: 'a' });
      expect(network.waiting).toHaveLength(3);
      network.waiting.splice(lost, 1);
      network.settle();
      expect(b.users('online').size).toBe(12_000);
    }
    pass(12);
    expect(b.users('online').size).toBe(12_000 - gone.length);
  });

  it('says nothing where nobody else is', () => {
    const roll = new Roll({ bus: new LocalBus(), clock, node: 'a', leaseSeconds: 30, changed: () => {} });
    expect(roll.enter('online', 1)).toBe(true);
    roll.greet();
    roll.beat();
    expect(roll.leave('online', 1)).toBe(true);
  });

  it('comes to be the same on all nodes whatever was lost, repeated and reordered, and tells each change', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      clock = new ManualClock();
      network = new FakeNetwork();
      running.length = 0;
      const random = new Random(seed);
      const rolls = ['a', 'b', 'c'].map(makeRoll);
      const truth = rolls.map(() => [] as [string, number][]);
      for (let step = 0; step < 300; step += 1) {
        const node = random.below(3);
        const own = truth[node] as [string, number][];
        if (random.chance(0.55)) {
          const at: [string, number] = [random.pick(['online', 'room/1', 'room/2']), 1 + random.below(8)];
          own.push(at);
          rolls[node]?.enter(...at);
        } else if (own.length > 0) {
          const [at] = own.splice(random.below(own.length), 1) as [[string, number]];
          rolls[node]?.leave(...at);
        }
        clock.advance(random.below(300));
        if (random.chance(0.1)) for (const roll of rolls) roll.beat();
        for (const send of network.waiting.splice(0)) {
          const fate = random.next();
          if (fate < 0.3) continue;
          if (fate < 0.4) network.waiting.push(send);
          else send();
          if (fate > 0.9) send();
        }
      }
      pass(2 * LEASE_SECONDS);
      const all = [...new Set(truth.flat().map(([place, user]) => `${place}/${user}`))].sort();
      for (const roll of rolls) {
        const held = roll.places('').flatMap((place) => [...roll.users(place)].map((user) => `${place}/${user}`));
        expect({ seed, held: held.sort() }).toEqual({ seed, held: all });
      }
    }
  });
});

import { DEFAULT_LIMITS } from '@natter/server/limits';
import { foldAddress, RateLimiter, type Spent } from '@natter/server/rate-limiter';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function make(limits: Partial<typeof DEFAULT_LIMITS> = {}, enabled = true) {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, limiter: new RateLimiter({ limits: { ...DEFAULT_LIMITS, ...limits }, clock, enabled }) };
}

/** Nodes that tell each other, through a network that the test can stop. */
function makeNodes(count: number, limits: Partial<typeof DEFAULT_LIMITS>) {
  const clock = { time: 1_000_000, now: () => clock.time };
  const network = { up: true, said: [] as Spent[] };
  const nodes = Array.from(
    { length: count },
    () => new RateLimiter({ limits: { ...DEFAULT_LIMITS, ...limits }, clock, enabled: true }),
  );
  for (const node of nodes) {
    node.share((spent) => {
      network.said.push(spent);
      if (network.up) for (const other of nodes) if (other !== node) other.hear(spent);
    });
  }
  const [first, second] = nodes as [RateLimiter, RateLimiter];
  return { clock, network, nodes, first, second };
}

describe('rate limits over several nodes', () => {
  it('are spent on all of them, where a budget is small with each unit', () => {
    const { first, second, network } = makeNodes(2, { RATE_LOGIN_PER_ACCOUNT: 10 });
    for (let i = 0; i < 10; i += 1)
      expect((i % 2 ? first : second).take('RATE_LOGIN_PER_ACCOUNT', 'ann').ok).toBe(true);
    expect(first.take('RATE_LOGIN_PER_ACCOUNT', 'ann').ok).toBe(false);
    expect(second.take('RATE_LOGIN_PER_ACCOUNT', 'ann').ok).toBe(false);
    expect(second.take('RATE_LOGIN_PER_ACCOUNT', 'bob').ok).toBe(true);
    // Refusals are nobody's concern.
    expect(network.said).toHaveLength(11);
  });

  it('are given back on all of them', () => {
    const { first, second } = makeNodes(2, { RATE_LOGIN_PER_ACCOUNT: 10 });
    for (let i = 0; i < 50; i += 1) {
      expect(first.take('RATE_LOGIN_PER_ACCOUNT', 'ann').ok).toBe(true);
      first.take('RATE_LOGIN_PER_ACCOUNT', 'ann', -1);
    }
    for (let i = 0; i < 10; i += 1) expect(second.take('RATE_LOGIN_PER_ACCOUNT', 'ann').ok).toBe(true);
    expect(second.take('RATE_LOGIN_PER_ACCOUNT', 'ann').ok).toBe(false);
  });

  it('fold addresses before they are told', () => {
    const { first, second } = makeNodes(2, { RATE_LOGIN_PER_ADDRESS: 10 });
    for (let i = 0; i < 10; i += 1)
      expect(first.take('RATE_LOGIN_PER_ADDRESS', `2001:db8:1:2::${i + 1}`).ok).toBe(true);
    expect(second.take('RATE_LOGIN_PER_ADDRESS', '2001:db8:1:2::ff').ok).toBe(false);
    expect(second.take('RATE_LOGIN_PER_ADDRESS', '2001:db8:1:3::1').ok).toBe(true);
  });

  it('say nothing of those who spend little', () => {
    const { first, clock, network } = makeNodes(2, { RATE_SENDS_PER_USER: 300 });
    for (let i = 0; i < 1_000; i += 1) {
      expect(first.take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
      clock.time += 350;
    }
    expect(network.said).toEqual([]);
  });

  it('give the budget over all nodes, and at most a tenth more for each', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.nat(2)), { minLength: 100, maxLength: 600 }),
        (takes) => {
          const { nodes, clock } = makeNodes(3, { RATE_SENDS_PER_USER: 40 });
          const began = clock.time;
          let taken = 0;
          for (const [pause, node] of takes) {
            clock.time += pause;
            if ((nodes[node] as RateLimiter).take('RATE_SENDS_PER_USER', '1').ok) taken += 1;
            const budget = 40 + ((clock.time - began) * 40) / 10_000;
            expect(taken).toBeLessThanOrEqual(budget * 1.3 + 3);
          }
        },
      ),
    ));

  it('refuse nobody who stays within two thirds of the budget, however it is spread', () => {
    const { nodes, clock } = makeNodes(3, { RATE_SENDS_PER_USER: 300 });
    for (let i = 0; i < 3_000; i += 1) {
      clock.time += 50;
      expect((nodes[i % 3] as RateLimiter).take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
    }
  });

  it('hold on each node while it hears nothing, and what is heard late is paid off within two times the window', () => {
    const { first, second, clock, network } = makeNodes(2, { RATE_SENDS_PER_USER: 10 });
    network.up = false;
    for (const node of [first, second]) {
      for (let i = 0; i < 10; i += 1) expect(node.take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
      expect(node.take('RATE_SENDS_PER_USER', '1').ok).toBe(false);
    }
    for (let i = 0; i < 5; i += 1) first.hear({ limit: 'RATE_SENDS_PER_USER', subject: '1', cost: 10 });
    clock.time += 10_000;
    expect(second.take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
    expect(first.take('RATE_SENDS_PER_USER', '1').ok).toBe(false);
    clock.time += 1_000;
    expect(first.take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
  });

  it('take no notice of a limit that is not known here', () => {
    const { first } = makeNodes(1, {});
    expect(() => first.hear({ limit: 'RATE_OF_ANOTHER_VERSION', subject: '1', cost: 1 })).not.toThrow();
  });
});

describe('rate limits', () => {
  it('give what the limit says at once, then as it comes back', () => {
    const { clock, limiter } = make({ RATE_SENDS_PER_USER: 5 });
    for (let i = 0; i < 5; i += 1) expect(limiter.take('RATE_SENDS_PER_USER', '1')).toEqual({ ok: true });
    expect(limiter.take('RATE_SENDS_PER_USER', '1')).toEqual({ ok: false, retryAfter: 2 });
    expect(limiter.take('RATE_SENDS_PER_USER', '2')).toEqual({ ok: true });
    clock.time += 1_999;
    expect(limiter.take('RATE_SENDS_PER_USER', '1')).toEqual({ ok: false, retryAfter: 1 });
    clock.time += 1;
    expect(limiter.take('RATE_SENDS_PER_USER', '1')).toEqual({ ok: true });
    expect(limiter.take('RATE_SENDS_PER_USER', '1').ok).toBe(false);
  });

  it('take nothing when they refuse, or when one only looks', () => {
    const { clock, limiter } = make({ RATE_SENDS_PER_USER: 2 });
    for (let i = 0; i < 9; i += 1) expect(limiter.look('RATE_SENDS_PER_USER', '1').ok).toBe(true);
    limiter.take('RATE_SENDS_PER_USER', '1', 2);
    for (let i = 0; i < 9; i += 1) expect(limiter.take('RATE_SENDS_PER_USER', '1').ok).toBe(false);
    clock.time += 5_000;
    expect(limiter.take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
  });

  it('never let through more than the limit and what came back meanwhile', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4_000 }), { maxLength: 200 }), (pauses) => {
        const { clock, limiter } = make({ RATE_SENDS_PER_USER: 7 });
        const began = clock.time;
        let taken = 0;
        for (const pause of pauses) {
          clock.time += pause;
          if (limiter.take('RATE_SENDS_PER_USER', '1').ok) taken += 1;
          expect(taken).toBeLessThanOrEqual(7 + ((clock.time - began) * 7) / 10_000 + 1e-6);
        }
      }),
    ));

  it('keep no more subjects than they may, and forget the full ones first', () => {
    const { clock, limiter } = make({ RATE_SENDS_PER_USER: 1, RATE_SUBJECTS_MAX: 1_000 });
    for (let i = 0; i < 5_000; i += 1) limiter.take('RATE_SENDS_PER_USER', `a${i}`);
    expect(limiter.size('RATE_SENDS_PER_USER')).toBe(1_000);
    expect(limiter.take('RATE_SENDS_PER_USER', 'a4999').ok).toBe(false);
    clock.time += 10_000;
    limiter.take('RATE_SENDS_PER_USER', 'late');
    for (let i = 0; i < 900; i += 1) limiter.take('RATE_SENDS_PER_USER', `b${i}`);
    expect(limiter.take('RATE_SENDS_PER_USER', 'late').ok).toBe(false);
  });

  it('remember a long subject by its hash', () => {
    const { limiter } = make({ RATE_SENDS_PER_USER: 1 });
    expect(limiter.take('RATE_SENDS_PER_USER', 'a'.repeat(5_000)).ok).toBe(true);
    expect(limiter.take('RATE_SENDS_PER_USER', 'a'.repeat(5_000)).ok).toBe(false);
    expect(limiter.take('RATE_SENDS_PER_USER', `${'a'.repeat(4_999)}b`).ok).toBe(true);
  });

  it('are all off with LIMITS=off', () => {
    const { limiter } = make({ RATE_SENDS_PER_USER: 1 }, false);
    for (let i = 0; i < 100; i += 1) expect(limiter.take('RATE_SENDS_PER_USER', '1').ok).toBe(true);
    expect(limiter.size('RATE_SENDS_PER_USER')).toBe(0);
  });

  it('see one address in a /64 network of IPv6, and IPv4 inside IPv6 as IPv4', () => {
    const { limiter } = make({ RATE_REGISTER_PER_ADDRESS: 1 });
    expect(limiter.take('RATE_REGISTER_PER_ADDRESS', '2001:db8:1:2::1').ok).toBe(true);
    expect(limiter.take('RATE_REGISTER_PER_ADDRESS', '2001:db8:1:2:ffff:1:2:3').ok).toBe(false);
    expect(limiter.take('RATE_REGISTER_PER_ADDRESS', '2001:db8:1:3::1').ok).toBe(true);
    expect(limiter.take('RATE_REGISTER_PER_ADDRESS', '::ffff:192.0.2.1').ok).toBe(true);
    expect(limiter.take('RATE_REGISTER_PER_ADDRESS', '192.0.2.1').ok).toBe(false);
    expect(foldAddress('::1')).toBe('0:0:0:0::/64');
    expect(foldAddress('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(foldAddress('2001:DB8::')).toBe('2001:db8:0:0::/64');
  });
});

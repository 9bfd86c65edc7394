import { DEFAULT_LIMITS } from '@natter/server/limits';
import { foldAddress, RateLimiter } from '@natter/server/rate-limiter';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function make(limits: Partial<typeof DEFAULT_LIMITS> = {}, enabled = true) {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, limiter: new RateLimiter({ limits: { ...DEFAULT_LIMITS, ...limits }, clock, enabled }) };
}

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

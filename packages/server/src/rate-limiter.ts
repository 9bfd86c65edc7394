/** Budgets by name and subject, shared by all edges: buckets that fill up evenly, in bounded memory. */
import { isIPv6 } from 'node:net';
import { type Limits, RATE_LIMITS, type RateName } from './limits.js';

export type Taken = { ok: true } | { ok: false /** Seconds, at least 1. */; retryAfter: number };

export interface RateLimiterOptions {
  limits: Pick<Limits, RateName | 'RATE_SUBJECTS_MAX'>;
  clock: { now(): number };
  /** False: everything is allowed, and nothing is remembered. */
  enabled: boolean;
}

/** Buckets that are looked at, at most, to find one to forget. */
const LOOK = 8;

/** The buckets of one limit. A bucket is one number: the time at which it will be full again. */
class Buckets {
  /** Milliseconds that one unit takes to come back. */
  readonly #unit: number;
  /** Milliseconds in which an empty bucket fills. */
  readonly #window: number;
  readonly #max: number;
  /** Least recently used first. */
  readonly #fullAt = new Map<string, number>();

  constructor(limit: number, seconds: number, max: number) {
    this.#window = seconds * 1_000;
    this.#unit = this.#window / limit;
    this.#max = max;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** Milliseconds to wait until `cost` is there; at most 0 when it is now. */
  wait(subject: string, cost: number, now: number): number {
    return Math.max(this.#fullAt.get(subject) ?? 0, now) + cost * this.#unit - now - this.#window;
  }

  take(subject: string, cost: number, now: number): void {
    const fullAt = Math.max(this.#fullAt.get(subject) ?? 0, now) + cost * this.#unit;
    if (!this.#fullAt.delete(subject) && this.#fullAt.size >= this.#max) this.#forget(now);
    this.#fullAt.set(subject, fullAt);
  }

  /** Full buckets are as good as none. Where there are none, the one used longest ago goes. */
  #forget(now: number): void {
    let oldest: string | undefined;
    let looked = 0;
    let forgotten = 0;
    for (const [subject, fullAt] of this.#fullAt) {
      oldest ??= subject;
      if (fullAt <= now) {
        this.#fullAt.delete(subject);
        forgotten += 1;
      }
      looked += 1;
      if (looked === LOOK) break;
    }
    if (forgotten === 0 && oldest !== undefined) this.#fullAt.delete(oldest);
  }
}

export class RateLimiter {
  readonly #clock: { now(): number };
  readonly #enabled: boolean;
  readonly #buckets = new Map<RateName, Buckets>();

  constructor(options: RateLimiterOptions) {
    this.#clock = options.clock;
    this.#enabled = options.enabled;
    for (const [name, { seconds }] of Object.entries(RATE_LIMITS) as [RateName, { seconds: number }][]) {
      this.#buckets.set(name, new Buckets(options.limits[name], seconds, options.limits.RATE_SUBJECTS_MAX));
    }
  }

  /** Takes from a budget, if it is there. The subject of a limit per address is the address as it came. */
  take(name: RateName, subject: string, cost = 1): Taken {
    const answer = this.look(name, subject, cost);
    if (answer.ok && this.#enabled) this.#bucketsOf(name).take(subjectOf(name, subject), cost, this.#clock.now());
    return answer;
  }

  /** Is it there? Takes nothing. */
  look(name: RateName, subject: string, cost = 1): Taken {
    if (!this.#enabled) return { ok: true };
    const wait = this.#bucketsOf(name).wait(subjectOf(name, subject), cost, this.#clock.now());
    // A fraction of a millisecond is rounding, not a debt.
    return wait < 0.001 ? { ok: true } : { ok: false, retryAfter: Math.max(1, Math.ceil(wait / 1_000)) };
  }

  /** Subjects remembered for a limit. */
  size(name: RateName): number {
    return this.#bucketsOf(name).size;
  }

  #bucketsOf(name: RateName): Buckets {
    const buckets = this.#buckets.get(name);
    if (!buckets) throw new Error(`there is no rate limit ${name}`);
    return buckets;
  }
}

function subjectOf(name: RateName, subject: string): string {
  return name.endsWith('_PER_ADDRESS') ? foldAddress(subject) : subject;
}

/** What stands for an address in a budget: itself, or its /64 network, since whoever has one IPv6 address has 2^64. */
export function foldAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  if (address.includes('::')) {
    const tailGroups = after.reduce((count, group) => count + (group.includes('.') ? 2 : 1), 0);
    while (groups.length + tailGroups < 8) groups.push('0');
    groups.push(...after);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

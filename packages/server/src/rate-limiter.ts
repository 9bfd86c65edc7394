/**
 * Budgets by name and subject, shared by all edges: buckets that fill up evenly, in bounded memory. Nodes tell each other
 * what is spent, a tenth of a budget at a time: over all of them somebody gets the budget, and at most a tenth of it more
 * for each node. While they don't hear each other, each node gives the whole.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Limits, RATE_LIMITS, type RateName } from './limits.js';

export type Taken = { ok: true } | { ok: false /** Seconds, at least 1. */; retryAfter: number };

/** A longer subject is remembered by its hash. */
export const SUBJECT_MAX = 128;

/** What one node tells the others. */
export interface Spent {
  /** Name of the limit. */
  limit: string;
  /** Of at most SUBJECT_MAX characters. */
  subject: string;
  /** Below 0: was given back. */
  cost: number;
}

export interface RateLimiterOptions {
  limits: Pick<Limits, RateName | 'RATE_SUBJECTS_MAX'>;
  clock: { now(): number };
  /** False: everything is allowed, and nothing is remembered. */
  enabled: boolean;
}

/** Buckets that are looked at, at most, to find one to forget. */
const LOOK = 8;

/** What a node may keep to itself: of a budget, and of what comes back to it. */
const UNTOLD_SHARE = 0.1;
/** What is heard may empty a bucket so many times over: so long, at most, what several nodes gave at once is paid off. */
const DEBT_MAX = 2;
/** The buckets of one limit. A bucket is one number: the time at which it will be full again. */
class Buckets {
  /** Milliseconds that one unit takes to come back. */
  readonly #unit: number;
  /** Milliseconds in which an empty bucket fills. */
  readonly #window: number;
  readonly #max: number;
  /** Least recently used first. */
  readonly #fullAt = new Map<string, number>();
  /** What was taken here and other nodes have not been told, by subject: nothing where there are none. */
  readonly #untold = new Map<string, { cost: number; at: number }>();
  readonly #untoldMax: number;

  constructor(limit: number, seconds: number, max: number) {
    this.#untoldMax = Math.max(1, limit * UNTOLD_SHARE);
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

  /** Was taken on another node, whatever is there. */
  takeElsewhere(subject: string, cost: number, now: number): void {
    this.take(subject, cost, now);
    const most = now + DEBT_MAX * this.#window;
    if ((this.#fullAt.get(subject) as number) > most) this.#fullAt.set(subject, most);
  }

  /** What others have to be told when so much was taken just now; 0: nothing yet. */
  tell(subject: string, cost: number, now: number): number {
    const before = this.#untold.get(subject) ?? { cost: 0, at: now };
    // A tenth of what comes back to a bucket is nobody else's concern, so that those who spend little are never told of.
    const back = (Math.max(0, now - before.at) / this.#unit) * UNTOLD_SHARE;
    const untold = (before.cost > 0 ? Math.max(0, before.cost - back) : before.cost) + cost;
    if (Math.abs(untold) >= this.#untoldMax) {
      this.#untold.delete(subject);
      return untold;
    }
    this.#untold.set(subject, { cost: untold, at: now });
    return 0;
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
        this.#untold.delete(subject);
        forgotten += 1;
      }
      looked += 1;
      if (looked === LOOK) break;
    }
    if (forgotten > 0 || oldest === undefined) return;
    this.#fullAt.delete(oldest);
    this.#untold.delete(oldest);
  }
}

export class RateLimiter {
  readonly #clock: { now(): number };
  readonly #enabled: boolean;
  readonly #buckets = new Map<RateName, Buckets>();
  #tellOthers: ((spent: Spent) => void) | null = null;

  constructor(options: RateLimiterOptions) {
    this.#clock = options.clock;
    this.#enabled = options.enabled;
    for (const [name, { seconds }] of Object.entries(RATE_LIMITS) as [RateName, { seconds: number }][]) {
      this.#buckets.set(name, new Buckets(options.limits[name], seconds, options.limits.RATE_SUBJECTS_MAX));
    }
  }

  /** Takes from a budget, if it is there. The subject of a limit per address is the address as it came. */
  take(name: RateName, subject: string, cost = 1): Taken {
    if (!this.#enabled) return { ok: true };
    const buckets = this.#bucketsOf(name);
    const key = subjectOf(name, subject);
    const now = this.#clock.now();
    const answer = answered(buckets.wait(key, cost, now));
    if (!answer.ok) return answer;
    buckets.take(key, cost, now);
    if (this.#tellOthers === null) return answer;
    const untold = buckets.tell(key, cost, now);
    if (untold !== 0) this.#tellOthers({ limit: name, subject: key, cost: untold });
    return answer;
  }

  /** From now on other nodes are told. */
  share(tellOthers: (spent: Spent) => void): void {
    this.#tellOthers = tellOthers;
  }

  /** Another node tells. */
  hear({ limit, subject, cost }: Spent): void {
    // A node of another version may have limits that are not known here.
    if (this.#enabled) this.#buckets.get(limit as RateName)?.takeElsewhere(subject, cost, this.#clock.now());
  }

  /** Is it there? Takes nothing. */
  look(name: RateName, subject: string, cost = 1): Taken {
    if (!this.#enabled) return { ok: true };
    return answered(this.#bucketsOf(name).wait(subjectOf(name, subject), cost, this.#clock.now()));
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

/** `wait` in milliseconds. */
function answered(wait: number): Taken {
  // A fraction of a millisecond is rounding, not a debt.
  return wait < 0.001 ? { ok: true } : { ok: false, retryAfter: Math.max(1, Math.ceil(wait / 1_000)) };
}

function subjectOf(name: RateName, subject: string): string {
  if (name.endsWith('_PER_ADDRESS')) return foldAddress(subject);
  return subject.length <= SUBJECT_MAX ? subject : createHash('sha256').update(subject).digest('base64url');
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

/** What the core needs from outside and does not know how it is done. */
import type { LimitName } from '../limits.js';

/** The rules of names and addresses (SPEC "Ids, names, text"). */
export interface NameRules {
  /** The folded form by which a name is found. */
  key(name: string): string;
  /** All forms by which a name is taken, the folded one among them. */
  keys(name: string): string[];
  /** Why this can't be a name, or null. `max` in code points. */
  problem(name: string, max: number): string | null;
  emailKey(address: string): string;
  emailProblem(address: string): string | null;
}

/** Budgets by name and subject, shared by all edges. */
export interface RateLimits {
  take(name: LimitName, subject: string, cost?: number): { ok: true } | { ok: false; retryAfter: number };
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

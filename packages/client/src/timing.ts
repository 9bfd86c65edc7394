/** How long the SDK waits for what, in milliseconds. */

export interface Timing {
  /** After this much silence it asks whether the server is there. */
  pingAfter: number;
  /** And after this much more without a word the link is dead. */
  pongWithin: number;
  /** From opening the socket to the server's `ready`. */
  openWithin: number;
  /** An answer to a command that is not in the outbox, and to an HTTP request. */
  answerWithin: number;
  /** First and longest wait before coming back; in between it doubles. */
  backoffFirst: number;
  backoffMax: number;
  /** A link that held this long was a good one: the next wait begins small again. */
  stableAfter: number;
}

export const TIMING: Timing = {
  pingAfter: 9_000,
  pongWithin: 5_000,
  openWithin: 15_000,
  answerWithin: 30_000,
  backoffFirst: 500,
  backoffMax: 30_000,
  stableAfter: 10_000,
};

/**
 * The wait before try number `attempt` (from 0): anything from nothing to a doubling ceiling, so that many clients that
 * lost the server together do not come back together; never earlier than the server asked for.
 */
export function backoff(attempt: number, timing: Timing, random: number, retryAfter = 0): number {
  const ceiling = Math.min(timing.backoffMax, timing.backoffFirst * 2 ** Math.min(attempt, 30));
  return Math.round(retryAfter * 1_000 + random * ceiling);
}

/** When what was gathered leaves: the one place that decides how long frames may gather. */

/** Is given a flush once something waits, and calls it once. */
export type FlushWindow = (flush: () => void) => void;

/**
 * At the end of this turn of the event loop. Commits gather in windows of their own already; by then the answers to the
 * senders of a batch are there too, and everything for one socket leaves in one write.
 */
export const endOfTurn: FlushWindow = (flush) => {
  setImmediate(flush);
};

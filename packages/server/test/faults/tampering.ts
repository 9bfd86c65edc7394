/** Those who sit on a wire and know what is said on it: messages of NATS that get lost, and answers that never arrive. */
import type { Random } from '../simulation/random.js';
import type { Tamper } from './wire.js';

/** What becomes of one message of NATS on its way to a node. */
export interface Fates {
  /** Probabilities; the rest passes. */
  lost?: number;
  twice?: number;
  /** Comes up to so many milliseconds late, behind what was said after it. */
  late?: { probability: number; ms: number };
  /** Of these subjects; others pass. */
  subjects?: RegExp;
}

const LINE_END = Buffer.from('\r\n');

/** Whole messages, from the server to the node. */
export function lossyNats(random: Random, fates: () => Fates | null): () => Tamper {
  return () => {
    let rest = Buffer.alloc(0);
    return (chunk, direction, link) => {
      if (direction === 'there') return chunk;
      rest = Buffer.concat([rest, chunk]);
      const out: Buffer[] = [];
      for (;;) {
        const end = rest.indexOf(LINE_END);
        if (end < 0) break;
        const line = rest.toString('latin1', 0, end);
        const isMessage = line.startsWith('MSG ');
        const size = end + 2 + (isMessage ? Number(line.split(' ').at(-1)) + 2 : 0);
        if (rest.length < size) break;
        const whole = rest.subarray(0, size);
        rest = rest.subarray(size);
        const fate = isMessage ? fates() : null;
        if (!fate || (fate.subjects && !fate.subjects.test(line.split(' ')[1] ?? ''))) {
          out.push(whole);
          continue;
        }
        if (random.chance(fate.lost ?? 0)) continue;
        if (fate.late && random.chance(fate.late.probability)) {
          const later = Buffer.from(whole);
          setTimeout(() => link.give('back', later), random.below(fate.late.ms));
          continue;
        }
        out.push(whole);
        if (random.chance(fate.twice ?? 0)) out.push(whole);
      }
      return out;
    };
  };
}

/** `commit`, as a node asks for it. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

/** How likely a commit is lost with its connection: before the database hears of it, or after, when the node does not hear of it. */
export interface CommitFates {
  unasked: number;
  unanswered: number;
}

/** A connection to PostgreSQL that is cut around a commit. */
export function deafToCommits(random: Random, fates: () => CommitFates): () => Tamper {
  return () => {
    let rest = Buffer.alloc(0);
    return (chunk, direction, link) => {
      if (direction === 'there') {
        const { unasked } = fates();
        if (unasked === 0 || !chunk.includes(COMMIT) || !random.chance(unasked)) return chunk;
        link.cut();
        return null;
      }
      rest = Buffer.concat([rest, chunk]);
      let at = 0;
      while (rest.length >= at + 5) {
        const size = 1 + rest.readInt32BE(at + 1);
        if (rest.length < at + size) break;
        const isDone = rest[at] === 'C'.charCodeAt(0) && rest.toString('latin1', at + 5, at + size - 1) === 'COMMIT';
        if (isDone && random.chance(fates().unanswered)) {
          link.cut();
          return null;
        }
        at += size;
      }
      const passed = rest.subarray(0, at);
      rest = rest.subarray(at);
      return passed;
    };
  };
}

/** A connection of a client that is cut after its command was carried out, and before it hears of it. */
export function deafToReplies(random: Random, probability: () => number): () => Tamper {
  return () => (chunk, direction, link) => {
    if (direction === 'back' && chunk.includes('"type":"reply"') && random.chance(probability())) {
      link.cut();
      return null;
    }
    return chunk;
  };
}

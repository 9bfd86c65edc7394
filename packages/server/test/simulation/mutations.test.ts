/** The judge is judged: each bug that is put in has to be found by some life. */
import { afterEach, describe, expect, it } from 'vitest';
import { GAP_NOT_SEEN } from '../mutant.js';
import { Life } from './life.js';
import { type Change, type Mutant, mutate, PARTS } from './parts.js';
import type { Bugs } from './world.js';

/** Lives that each bug is given to show itself. */
const SEEDS = Number(process.env.NATTER_MUTATION_SEEDS ?? 300);

async function findings(bugs: Bugs, parts = PARTS): Promise<string[]> {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const life = new Life({ seed, steps: 500, parts, bugs });
    await life.live();
    if (life.world.problems.length > 0) return life.world.problems;
  }
  return [];
}

const SEQ_FROM_A_GENERATOR: Change[] = [
  {
    file: 'store/commit.js',
    find: 'export function commitBatch(',
    put: 'const LAST = new Map();\nexport function commitBatch(',
  },
  {
    file: 'store/commit.js',
    find: 'head.seq += 1;',
    put: `head.seq = CREATES[draft.type] ? 1 : (LAST.get(draft.stream) ?? head.seq) + 1;
      LAST.set(draft.stream, head.seq);`,
  },
];

const MUTATIONS: [string, Change[]][] = [
  ['a gap on the bus is not seen', [GAP_NOT_SEEN]],
  [
    'something is waited for between ring and live set',
    [
      {
        file: 'hub/resume.js',
        find: 'this.#join(feed, task.fromSeq);',
        put: 'await this.#host.memberships(subscriber.user, feed.stream);\nthis.#join(feed, task.fromSeq);',
      },
    ],
  ],
  [
    'one who lacks something is live at once all the same',
    [{ file: 'hub/resume.js', find: ' || at !== feed.head || ', put: ' || ' }],
  ],
  [
    'resume begins at where the client stands, not after it',
    [
      {
        file: 'hub/resume.js',
        find: 'run.join(subscriber.encoding, task.fromSeq, task.at, end)',
        put: 'run.join(subscriber.encoding, task.fromSeq, Math.max(run.first - 1, task.at - 1), end)',
      },
    ],
  ],
  [
    'heads are never compared with the log',
    [{ file: 'hub/feeds.js', find: 'if (behind.length === 0)', put: 'if (true)' }],
  ],
  [
    'what was before one joined is shown',
    [{ file: 'hub/run.js', find: 'if (this.about !== 0 && this.about < fromSeq)', put: 'if (false)' }],
  ],
  [
    'decisions are not held to the states that they were made on',
    [
      {
        file: 'store/commit.js',
        find: 'function isStale(entry, heads, keys, versions, markers) {',
        put: 'function isStale() { return false;',
      },
    ],
  ],
  ['places come from a generator, not from the transaction', SEQ_FROM_A_GENERATOR],
];

const BUGS: [string, Bugs][] = [
  ['all are told before the commit', { answersFirst: true }],
  ['what a user is in is read before the connection listens', { readsFirst: true }],
];

describe('a bug that is put in is found by the simulation', () => {
  let mutant: Mutant | null = null;
  afterEach(() => {
    mutant?.remove();
    mutant = null;
  });

  it.each(MUTATIONS)(
    '%s',
    async (_, changes) => {
      mutant = await mutate(changes);
      expect(await findings({}, mutant.parts)).not.toEqual([]);
    },
    120_000,
  );

  it.each(BUGS)(
    '%s',
    async (_, bugs) => {
      expect(await findings(bugs)).not.toEqual([]);
    },
    120_000,
  );
});

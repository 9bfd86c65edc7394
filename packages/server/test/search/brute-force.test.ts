/** Search against a scan of all texts, for each user, over random histories of rooms and messages. */
import { termsOf } from '@natter/server/search/query';
import { fold, isEdge, wordsAt, wordsOf } from '@natter/server/search/text';
import { editDistance, Vocabulary } from '@natter/server/search/vocabulary';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAll, openStack, type Stack } from './stack.js';

const PIECES = [
  'a', 'b', 'ab', 'ba', 'aab', 'Abba', 'été', 'e\u0301', 'ß', 'SS', '/etc', '/', '.', '-', '_', "'", '"', ' ', ' ', ' ', '  ', '日', '本', '日本', 'ก', '\u0e34',
  'か\u3099', '😀', '12', '1', '\u200b', '*', 'OR', '\n', 'x'.repeat(70), 'हि',
]; // biome-ignore format: a list

const textOf = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join(''));

interface Shadow {
  id: number;
  seq: number;
  room: number;
  author: number;
  text: string | null;
}

/** One user's rooms: the first seq that may be read of each. */
type Memberships = Map<number, Map<number, number>>;

function scan(
  messages: readonly Shadow[],
  rooms: Map<number, number>,
  query: string,
  mode: 'words' | 'substring',
): number[] {
  const terms = termsOf(query, mode === 'substring');
  const matches = (text: string): boolean => {
    const folded = fold(text).text;
    return terms.every(({ literal }) => {
      for (let at = folded.indexOf(literal); at !== -1; at = folded.indexOf(literal, at + 1)) {
        if (mode === 'substring' || (isEdge(folded, at) && isEdge(folded, at + literal.length))) return true;
      }
      return false;
    });
  };
  return messages
    .filter(({ room, seq, text }) => text !== null && seq >= (rooms.get(room) ?? Infinity) && matches(text))
    .map((message) => message.id)
    .sort((a, b) => b - a);
}

type Step =
  | { do: 'say'; room: number; author: number; text: string }
  | { do: 'change'; remove: boolean; pick: number; text: string }
  | { do: 'member'; join: boolean; room: number; user: number }
  | { do: 'search'; user: number; from: number; length: number; pick: number; room: number; settle: boolean };

const small = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('say' as const), room: small, author: small, text: textOf }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('change' as const), remove: fc.boolean(), pick: fc.nat(), text: textOf }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('member' as const), join: fc.boolean(), room: small, user: small }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('search' as const),
      user: small,
      from: fc.nat(20),
      length: fc.integer({ min: 1, max: 12 }),
      pick: fc.nat(),
      room: fc.integer({ min: -4, max: 3 }),
      settle: fc.boolean(),
    }),
  },
);

async function play(stack: Stack, steps: readonly Step[]): Promise<void> {
  const users: number[] = [];
  for (const name of ['ann', 'ben', 'cat', 'dan']) users.push(await stack.user(name));
  const rooms: number[] = [];
  const memberships: Memberships = new Map(users.map((user) => [user, new Map()]));
  for (let index = 0; index < 4; index += 1) {
    const owner = users[index] as number;
    const room = await stack.room([owner], index % 2 === 0 ? 'shared' : 'joined');
    rooms.push(room);
    memberships.get(owner)?.set(room, 1);
  }
  const heads = new Map(rooms.map((room) => [room, 1]));
  const messages: Shadow[] = [];
  const next = (room: number): number => {
    heads.set(room, (heads.get(room) ?? 0) + 1);
    return heads.get(room) ?? 0;
  };

  for (const one of steps) {
    if (one.do === 'say') {
      const room = rooms[one.room] as number;
      const author = users[one.author] as number;
      const id = await stack.say(room, author, one.text);
      messages.push({ id, seq: next(room), room, author, text: one.text });
    } else if (one.do === 'change') {
      const message = messages[one.pick % Math.max(1, messages.length)];
      if (!message || message.text === null) continue;
      const { id, seq, room, author } = message;
      next(room);
      message.text = one.remove ? null : one.text;
      await stack.append(
        author,
        one.remove
          ? { stream: room, type: 'message.deleted', body: { message: id, messageSeq: seq } }
          : { stream: room, type: 'message.edited', body: { message: id, messageSeq: seq, text: one.text } },
      );
    } else if (one.do === 'member') {
      const room = rooms[one.room] as number;
      const user = users[one.user] as number;
      const mine = memberships.get(user) as Map<number, number>;
      if (mine.has(room) === one.join) continue;
      const seq = next(room);
      if (one.join) {
        mine.set(room, one.room % 2 === 0 ? 1 : seq);
        await stack.append(user, { stream: room, type: 'member.joined', body: { user, role: 'member' } });
      } else {
        mine.delete(room);
        await stack.append(user, { stream: room, type: 'member.left', body: { user } });
      }
    } else {
      const source = messages[one.pick % Math.max(1, messages.length)]?.text ?? 'ab';
      const from = one.from % source.length;
      const text = source.slice(from, from + one.length).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
      if (!text.isWellFormed() || termsOf(text, true).length === 0 || termsOf(text, false).length === 0) continue;
      const user = users[one.user] as number;
      let mine = memberships.get(user) as Map<number, number>;
      const room = rooms[one.room];
      if (room !== undefined) {
        if (!mine.has(room)) continue;
        mine = new Map([[room, mine.get(room) as number]]);
      }
      for (const mode of ['words', 'substring'] as const) {
        const expected = scan(messages, mine, text, mode);
        if (!one.settle) {
          // The index may lag, but never shows what is not so.
          const answer = await stack.search.find({ user, text, mode, room, limit: 100 });
          expect(answer.ok && answer.value.hits.every((hit) => expected.includes(hit.id))).toBe(true);
        }
        const limit = 1 + (one.pick % 7);
        expect(
          await findAll(stack, { user, text, mode, limit, ...(room === undefined ? {} : { room }) }),
          `${mode} ${text}`,
        ).toEqual(expected);
      }
    }
  }
}

describe('search and a scan of all texts', () => {
  let wide: Stack;
  let narrow: Stack;
  beforeAll(async () => {
    [wide, narrow] = await Promise.all([openStack(), openStack({ SEARCH_EXPANSIONS_MAX: 3, SEARCH_ROWS_MAX: 100 })]);
  });
  afterAll(() => Promise.all([wide.close(), narrow.close()]));

  it('[M5][A2][A3] find the same words, phrases and parts of words, for each user, whatever was edited, deleted, joined and left', async () => {
    await fc.assert(
      // What other histories have left is there too, and nobody's here.
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), fc.boolean(), (steps, bounded) =>
        play(bounded ? narrow : wide, steps),
      ),
      { numRuns: 25, endOnFailure: true },
    );
    expect([...wide.troubles, ...narrow.troubles]).toEqual([]);
  });
});

describe('text', () => {
  it('folds to the same however often, and back to where it came from', () => {
    fc.assert(
      fc.property(fc.oneof(textOf, fc.string({ unit: 'binary', maxLength: 40 })), (text) => {
        const folded = fold(text);
        expect(fold(folded.text).text).toBe(folded.text);
        expect(wordsAt(folded.text).map((word) => word.text)).toEqual(wordsOf(folded.text));
        if (folded.starts && folded.ends) {
          expect(folded.starts.length).toBe(folded.text.length);
          for (let unit = 0; unit < folded.text.length; unit += 1) {
            const start = folded.starts[unit] as number;
            const end = folded.ends[unit] as number;
            expect(start).toBeLessThan(end);
            if (unit > 0) expect(start).toBeGreaterThanOrEqual(folded.starts[unit - 1] as number);
          }
        } else expect(folded.text.length).toBe(text.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has an edge exactly where no word goes across', () => {
    fc.assert(
      fc.property(textOf, (text) => {
        const folded = fold(text).text;
        const inside = new Set<number>();
        for (const word of wordsAt(folded)) for (let at = word.start + 1; at < word.end; at += 1) inside.add(at);
        for (let at = 0; at <= folded.length; at += 1) {
          if (/^[\udc00-\udfff]/.test(folded.slice(at))) continue;
          expect(isEdge(folded, at), `${JSON.stringify(folded)} at ${at}`).toBe(!inside.has(at));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the vocabulary', () => {
  /** The textbook table, without any bound. */
  function distance(a: string, b: string): number {
    const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
    const at = (i: number, j: number): number => table[i]?.[j] ?? Infinity;
    for (let i = 0; i <= a.length; i += 1) {
      for (let j = 0; j <= b.length; j += 1) {
        let cost = i === 0 ? j : j === 0 ? i : Infinity;
        if (i > 0 && j > 0) {
          cost = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
          if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
            cost = Math.min(cost, at(i - 2, j - 2) + 1);
        }
        (table[i] as number[])[j] = cost;
      }
    }
    return at(a.length, b.length);
  }
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'ß', 'я'), minLength: 1, maxLength: 9 });

  it('counts edits as the textbook does, up to the bound', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 3 }), (a, b, max) => {
        expect(editDistance(a, `\n${b}\n`, 1, b.length + 1, max)).toBe(Math.min(distance(a, b), max + 1));
      }),
      { numRuns: 5_000 },
    );
  });

  it('finds the words with a part and the words nearby as a scan does', () => {
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 60 }), word, fc.nat(60), (words, part, cut) => {
        const vocabulary = new Vocabulary();
        vocabulary.add(words.slice(0, cut));
        vocabulary.add(words.slice(cut));
        expect(vocabulary.withPart(part, 'anywhere', 100)).toEqual(words.filter((one) => one.includes(part)));
        expect(vocabulary.withPart(part, 'start', 100)).toEqual(words.filter((one) => one.startsWith(part)));
        expect(vocabulary.withPart(part, 'end', 100)).toEqual(words.filter((one) => one.endsWith(part)));
        expect(vocabulary.near(part, 2, 100).sort()).toEqual(words.filter((one) => distance(part, one) <= 2).sort());
        const several = words.filter((one) => one.includes('a')).length;
        if (several > 0) expect(vocabulary.withPart('a', 'anywhere', several - 1)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

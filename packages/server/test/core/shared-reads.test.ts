/** Reads that many ask for at once are few queries, and none is answered by one that began before it was asked. */
import { SharedReads } from '@natter/server/core/shared-reads';
import { expect, it } from 'vitest';

/** A store whose every answer the test gives. */
function fakeStore() {
  const queries: { keys: readonly number[]; answer: (rows: [number, string][]) => void; fail: (e: Error) => void }[] =
    [];
  const reads = new SharedReads<number, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        queries.push({ keys, answer: (rows) => resolve(new Map(rows)), fail: reject });
      }),
  );
  return { queries, reads };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('the first asks at once, and what gathers while two are under way is one query', async () => {
  const { queries, reads } = fakeStore();
  const asked = [1, 2, 3, 4, 5].map((key) => reads.get(key));
  expect(queries.map(({ keys }) => keys)).toEqual([[1], [2]]);
  queries[0]?.answer([[1, 'one']]);
  await turn();
  expect(queries.map(({ keys }) => keys)).toEqual([[1], [2], [3, 4, 5]]);
  queries[1]?.answer([]);
  queries[2]?.answer([
    [5, 'five'],
    [3, 'three'],
  ]);
  expect(await Promise.all(asked)).toEqual(['one', undefined, 'three', undefined, 'five']);
});

it('[A1] a key is not answered by a query for it that began before it was asked', async () => {
  const { queries, reads } = fakeStore();
  const before = reads.get(1);
  const other = reads.get(2);
  const after = reads.get(1);
  queries[0]?.answer([[1, 'lives']]);
  expect(await before).toBe('lives');
  await turn();
  expect(queries).toHaveLength(3);
  queries[2]?.answer([]);
  expect(await after).toBeUndefined();
  queries[1]?.answer([[2, 'two']]);
  expect(await other).toBe('two');
});

it('a key that several ask for stands in a query once, and all of them are answered', async () => {
  const { queries, reads } = fakeStore();
  const first = [reads.get(1), reads.get(2)];
  const same = [reads.get(7), reads.get(7), reads.get(7)];
  queries[0]?.answer([]);
  await turn();
  expect(queries[2]?.keys).toEqual([7]);
  queries[1]?.answer([]);
  queries[2]?.answer([[7, 'seven']]);
  expect(await Promise.all(same)).toEqual(['seven', 'seven', 'seven']);
  await Promise.all(first);
});

it('a query takes a bounded number of keys, and the rest is asked for by the next', async () => {
  const { queries, reads } = fakeStore();
  const asked = Array.from({ length: 102 }, (_, key) => reads.get(key));
  for (let at = 0; at < queries.length; at += 1) {
    queries[at]?.answer(queries[at]?.keys.map((key) => [key, String(key)]) ?? []);
    await turn();
  }
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 102 }, (_, key) => String(key)));
  expect(queries.map(({ keys }) => keys.length)).toEqual([1, 1, 32, 32, 32, 4]);
});

it('a query that fails is told to those who asked in it, and to no others', async () => {
  const { queries, reads } = fakeStore();
  const failing = reads.get(1);
  const fine = reads.get(2);
  const later = reads.get(3);
  queries[0]?.fail(new Error('the store is away'));
  await expect(failing).rejects.toThrow('the store is away');
  await turn();
  queries[1]?.answer([[2, 'two']]);
  queries[2]?.answer([[3, 'three']]);
  expect(await Promise.all([fine, later])).toEqual(['two', 'three']);
});

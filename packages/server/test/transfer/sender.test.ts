/** The sender of an import: in order, two batches at once, and nothing behind what failed. */
import { OverloadedError } from '@natter/server/log/committer';
import { Log } from '@natter/server/log/log';
import { type Entry, type Store, StoreError } from '@natter/server/store/store';
import { type Keyed, Sender } from '@natter/server/transfer/sender';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Facts } from '../store/facts.js';
import { openInlineStore } from '../store/inline.js';

const SIZE = 10;

let store: Store;
let room: number;
let ada: number;
let facts: Facts;

beforeEach(async () => {
  store = await openInlineStore();
  facts = new Facts(store);
  ada = await facts.user();
  room = await facts.room([ada]);
});
afterEach(() => store.close());

const entry = (at: number): Keyed => ({
  ...facts.sending(room, ada, { text: `line ${at}` }),
  key: { author: 0, key: `line:${at}`, hash: 'h' },
});

async function texts(): Promise<string[]> {
  const rows = await store.db.selectFrom('messages').select('text').where('room', '=', room).orderBy('seq').execute();
  return rows.map(({ text }) => text);
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, at) => `line ${at}`);

/** The store, whose commits are counted, take a turn each, and fail where the test says so. */
function watched(failing: ReadonlySet<number> = new Set(), inOrder = true) {
  const seen = { commits: 0, underWay: 0, most: 0 };
  let before: Promise<unknown> = Promise.resolve();
  const commit = (batch: readonly Entry[]) => {
    seen.commits += 1;
    seen.underWay += 1;
    seen.most = Math.max(seen.most, seen.underWay);
    const fails = failing.has(seen.commits);
    const outcomes = before.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.underWay -= 1;
      if (fails) throw new StoreError('disk full', false);
      return store.commit(batch);
    });
    before = outcomes.catch(() => {});
    return outcomes;
  };
  return { seen, store: Object.assign(Object.create(store) as Store, { commit, commitsInOrder: inOrder }) };
}

async function send(log: Log, count: number): Promise<string[]> {
  const outcomes: string[] = [];
  const sender = new Sender(log, SIZE, ({ kind }) => outcomes.push(kind));
  for (let at = 0; at < count; at += 1) await sender.add(entry(at));
  await sender.flush();
  return outcomes;
}

describe('the sender', () => {
  it.each([true, false])(
    'brings in everything once and in order (a store that keeps the order: %s)',
    async (inOrder) => {
      const { seen, store: slow } = watched(new Set(), inOrder);
      const log = new Log(slow, { batchMax: SIZE, queueMax: 100 });
      expect(await send(log, 57)).toEqual(Array(57).fill('committed'));
      expect(await texts()).toEqual(lines(57));
      expect(seen.most).toBe(inOrder ? 2 : 1);
      expect(await send(log, 60)).toEqual([...Array(57).fill('replayed'), ...Array(3).fill('committed')]);
      expect(await texts()).toEqual(lines(60));
    },
  );

  it.each([1, 2, 3])(
    'when commit %i fails, says so, and nothing behind it is in the log; run again it goes on there',
    async (nth) => {
      const { seen, store: slow } = watched(new Set([nth]));
      const log = new Log(slow, { batchMax: SIZE, queueMax: 100 });
      await expect(send(log, 60)).rejects.toThrow('disk full');
      await log.drain();
      // What was on its way already was asked for all the same.
      expect(seen.commits).toBeGreaterThan(nth);
      expect(await texts()).toEqual(lines((nth - 1) * SIZE));
      await send(new Log(store, { batchMax: SIZE, queueMax: 100 }), 60);
      expect(await texts()).toEqual(lines(60));
    },
  );

  it('waits where others have filled the queue, and keeps the order', async () => {
    const { store: slow } = watched();
    const log = new Log(slow, { batchMax: 4, queueMax: 7 });
    expect(await send(log, 45)).toHaveLength(45);
    expect(await texts()).toEqual(lines(45));
  });

  it('ends where the log takes nothing any more', async () => {
    const log = new Log(store, { batchMax: SIZE, queueMax: 100 });
    await log.drain();
    await expect(send(log, 60)).rejects.toBeInstanceOf(OverloadedError);
    expect(await texts()).toEqual([]);
  });
});

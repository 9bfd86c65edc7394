import { Committer, type CommitterMetrics, OverloadedError } from '@natter/server/log/committer';
import { Log } from '@natter/server/log/log';
import type { Entry, Outcome, StoredEvent } from '@natter/server/store/store';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openInlineStore } from '../store/inline.js';

interface Ends {
  resolve: (outcomes: Outcome[]) => void;
  reject: (error: Error) => void;
}

/** A store whose commits end when the test says so. */
class HeldStore {
  constructor(readonly commitsInOrder = false) {}

  readonly batches: (readonly Entry[])[] = [];
  readonly #ends: Ends[] = [];

  commit(batch: readonly Entry[]): Promise<Outcome[]> {
    this.batches.push(batch);
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  }

  /** Ends the oldest commit that waits. */
  end(how: 'committed' | 'stale' | Error = 'committed'): void {
    const batch = this.batches[this.batches.length - this.#ends.length] as readonly Entry[];
    const { resolve, reject } = this.#ends.shift() as Ends;
    if (how instanceof Error) reject(how);
    else if (how === 'stale') resolve(batch.map(() => ({ kind: 'stale' })));
    else resolve(batch.map((entry) => ({ kind: 'committed', events: [eventOf(entry)] })));
  }
}

const entry = (name: number): Entry => ({ actor: name, at: 0, drafts: [] });
const eventOf = ({ actor }: Entry): StoredEvent => ({
  id: actor,
  stream: 1,
  seq: actor,
  type: 'message.sent',
  actor,
  at: 0,
  body: '{}',
});
const settle = () => new Promise((resolve) => setImmediate(resolve));
const names = (batches: readonly (readonly Entry[])[]) => batches.map((batch) => batch.map(({ actor }) => actor));

function make(options: { batchMax?: number; queueMax?: number; metrics?: CommitterMetrics; inOrder?: boolean } = {}) {
  const store = new HeldStore(options.inOrder);
  const told: number[][] = [];
  const committer = new Committer(store, { batchMax: 100, queueMax: 100, ...options }, (events) =>
    told.push(events.map(({ id }) => id)),
  );
  return { store, told, committer };
}

describe('the committer', () => {
  it('commits at once when nothing runs, and gathers while something does', async () => {
    const { store, committer } = make();
    const answers = [committer.append(entry(1)), committer.append(entry(2))];
    await settle();
    answers.push(...[3, 4, 5].map((name) => committer.append(entry(name))));
    await settle();
    expect(names(store.batches)).toEqual([[1, 2]]);
    store.end();
    await settle();
    expect(names(store.batches)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    store.end();
    expect((await Promise.all(answers)).map((outcome) => outcome.kind)).toEqual(Array(5).fill('committed'));
    const later = committer.append(entry(6));
    await settle();
    expect(names(store.batches)).toEqual([[1, 2], [3, 4, 5], [6]]);
    store.end();
    await later;
  });

  it('takes no more into a batch than it may, and keeps the order', async () => {
    const { store, committer, told } = make({ batchMax: 3 });
    const answers = Array.from({ length: 8 }, (_, i) => committer.append(entry(i)));
    for (let i = 0; i < 3; i += 1) {
      await settle();
      store.end();
    }
    const outcomes = await Promise.all(answers);
    expect(names(store.batches)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ]);
    expect(told).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ]);
    expect(outcomes.map((outcome) => outcome.kind === 'committed' && outcome.events[0]?.id)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
  });

  describe('where the store keeps the order of commits', () => {
    it('a second batch that is full is on its way at once, a third and one that is not full wait', async () => {
      const { store, committer, told } = make({ batchMax: 3, inOrder: true });
      const answers = [0, 1].map((name) => committer.append(entry(name)));
      await settle();
      for (const name of [2, 3]) answers.push(committer.append(entry(name)));
      await settle();
      expect(names(store.batches)).toEqual([[0, 1]]);
      for (const name of [4, 5, 6, 7, 8]) answers.push(committer.append(entry(name)));
      await settle();
      expect(names(store.batches)).toEqual([
        [0, 1],
        [2, 3, 4],
      ]);
      expect(told).toEqual([]);
      store.end();
      await settle();
      expect(told).toEqual([[0, 1]]);
      expect(names(store.batches).slice(2)).toEqual([[5, 6, 7]]);
      store.end();
      await settle();
      expect(store.batches).toHaveLength(3);
      store.end();
      await settle();
      expect(names(store.batches).slice(3)).toEqual([[8]]);
      store.end();
      await Promise.all(answers);
      expect(told.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it('one that fails rejects its own entries alone, and draining waits for all', async () => {
      const { store, committer, told } = make({ batchMax: 2, inOrder: true });
      const answers = [0, 1, 2, 3, 4].map((name) => committer.append(entry(name)));
      const ended = Promise.allSettled(answers);
      await settle();
      expect(store.batches).toHaveLength(2);
      let drained = false;
      const drain = committer.drain().then(() => {
        drained = true;
      });
      store.end(new Error('disk full'));
      await settle();
      store.end();
      await settle();
      expect([told, drained]).toEqual([[[2, 3]], false]);
      store.end();
      await drain;
      expect((await ended).map(({ status }) => status)).toEqual([
        'rejected',
        'rejected',
        'fulfilled',
        'fulfilled',
        'fulfilled',
      ]);
    });
  });

  it('[H1] tells subscribers after the commit and before the senders', async () => {
    const store = new HeldStore();
    const order: string[] = [];
    const committer = new Committer(store, { batchMax: 9, queueMax: 9 }, (events) => {
      order.push(`told ${events.map(({ id }) => id)}`);
    });
    const answers = [1, 2].map((name) => committer.append(entry(name)).then(() => order.push(`answered ${name}`)));
    await settle();
    expect(order).toEqual([]);
    store.end();
    await Promise.all(answers);
    expect(order).toEqual(['told 1,2', 'answered 1', 'answered 2']);
  });

  it('[H1] tells nothing of what was not committed', async () => {
    const { store, committer, told } = make();
    const stale = committer.append(entry(1));
    await settle();
    store.end('stale');
    expect(await stale).toEqual({ kind: 'stale' });
    expect(told).toEqual([]);
  });

  it('a commit that fails rejects its batch alone, and the next goes on', async () => {
    const failed: number[] = [];
    const metrics = { committed: () => {}, failed: (entries: number) => failed.push(entries) };
    const { store, committer, told } = make({ metrics });
    const first = [1, 2].map((name) => committer.append(entry(name)));
    await settle();
    const second = committer.append(entry(3));
    store.end(new Error('disk full'));
    const outcomes = await Promise.allSettled(first);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    await settle();
    store.end();
    expect((await second).kind).toBe('committed');
    expect(told).toEqual([[3]]);
    expect(failed).toEqual([2]);
  });

  it('refuses when too many wait, and takes more when they are through', async () => {
    const { store, committer } = make({ queueMax: 2 });
    const running = committer.append(entry(1));
    await settle();
    const waiting = [2, 3].map((name) => committer.append(entry(name)));
    await expect(committer.append(entry(4))).rejects.toMatchObject({ name: 'OverloadedError', reason: 'queue_full' });
    store.end();
    await running;
    await settle();
    const again = committer.append(entry(5));
    store.end();
    await Promise.all(waiting);
    await settle();
    store.end();
    expect((await again).kind).toBe('committed');
    expect(names(store.batches)).toEqual([[1], [2, 3], [5]]);
  });

  it('drains: takes nothing new, and decides all that it took', async () => {
    const { store, committer } = make({ batchMax: 1 });
    const answers = [1, 2, 3].map((name) => committer.append(entry(name)));
    let drained = false;
    const drain = committer.drain().then(() => {
      drained = true;
    });
    await expect(committer.append(entry(4))).rejects.toBeInstanceOf(OverloadedError);
    for (let i = 0; i < 3; i += 1) {
      await settle();
      expect(drained).toBe(false);
      store.end();
    }
    await drain;
    expect((await Promise.all(answers)).length).toBe(3);
    await committer.drain();
    await expect(committer.append(entry(5))).rejects.toMatchObject({ reason: 'draining' });
  });

  it('drains at once when nothing was ever asked', async () => {
    await make().committer.drain();
  });

  it('counts what it commits', async () => {
    const counted: number[][] = [];
    const metrics = { committed: (...figures: number[]) => counted.push(figures), failed: () => {} };
    const { store, committer } = make({ metrics });
    const answers = [1, 2, 3].map((name) => committer.append(entry(name)));
    await settle();
    store.end();
    await Promise.all(answers);
    expect(counted).toEqual([[3, 3, expect.any(Number)]]);
  });

  describe('when a listener throws', () => {
    afterEach(() => vi.unstubAllGlobals());

    it('[L1] answers the senders, goes on, and lets the bug come up', async () => {
      const bugs: unknown[] = [];
      vi.stubGlobal('queueMicrotask', (call: () => void) => {
        try {
          call();
        } catch (bug) {
          bugs.push(bug);
        }
      });
      const store = new HeldStore();
      const committer = new Committer(store, { batchMax: 9, queueMax: 9 }, () => {
        throw new Error('a bug');
      });
      for (const name of [1, 2]) {
        const answer = committer.append(entry(name));
        await settle();
        store.end();
        expect((await answer).kind).toBe('committed');
      }
      expect(bugs.map(String)).toEqual(['Error: a bug', 'Error: a bug']);
    });
  });
});

describe('what is under way in a stream', () => {
  const to = (...streams: number[]): Entry => ({
    actor: 1,
    at: 0,
    drafts: streams.map((stream) => ({ stream, type: 'room.archived', body: {} })),
  });

  it('is so from the queue until its commit is over, and no longer when its listeners are told', async () => {
    const store = new HeldStore();
    const when: boolean[] = [];
    const committer = new Committer(store, { batchMax: 2, queueMax: 9 }, () => when.push(committer.isUnderWay(7)));
    const answers = [committer.append(to(7, 8)), committer.append(to(7)), committer.append(to(7))];
    expect([7, 8, 9].map((stream) => committer.isUnderWay(stream))).toEqual([true, true, false]);
    await settle();
    store.end();
    await settle();
    expect([7, 8, 9].map((stream) => committer.isUnderWay(stream))).toEqual([true, false, false]);
    store.end();
    await Promise.all(answers);
    expect(committer.isUnderWay(7)).toBe(false);
    // The third one was queued when the first two were told.
    expect(when).toEqual([true, false]);
  });

  it('is over too when the commit fails, or finds that it was decided on something old', async () => {
    const store = new HeldStore();
    const committer = new Committer(store, { batchMax: 9, queueMax: 9 }, () => {});
    for (const how of [new Error('disk full'), 'stale'] as const) {
      const answer = committer.append(to(7)).catch(() => null);
      await settle();
      store.end(how);
      await answer;
      expect(committer.isUnderWay(7)).toBe(false);
    }
  });
});

describe('the log', () => {
  it('[L3] tells of an event whose sender asks again apart from what is committed now', async () => {
    const store = await openInlineStore();
    const log = new Log(store, { batchMax: 10, queueMax: 10 });
    const [committed, repeated]: [number[], number[]] = [[], []];
    log.onCommit((events) => committed.push(...events.map(({ id }) => id)));
    log.onRepeat(({ id }) => repeated.push(id));
    const user = await store.reserveStreams(1);
    const body = { name: 'ada', nameKey: 'ada', email: null, fullName: '', role: 'user' as const };
    const once: Entry = {
      actor: user,
      at: 1,
      key: { key: 'k', hash: 'h' },
      drafts: [{ stream: user, type: 'user.created', body }],
    };
    const first = await log.append(once);
    expect(repeated).toEqual([]);
    const second = await log.append(once);
    expect(second.kind).toBe('replayed');
    expect(committed).toHaveLength(1);
    expect(repeated).toEqual(committed);
    // Another command under that key is no repetition.
    const other = await log.append({ ...once, key: { key: 'k', hash: 'other' } });
    expect([first.kind, other.kind]).toEqual(['committed', 'key_conflict']);
    expect(repeated).toHaveLength(1);
    await store.close();
  });

  it('takes an entry with more events than a call takes arguments', async () => {
    const store = await openInlineStore();
    const log = new Log(store, { batchMax: 10, queueMax: 10 });
    let told = 0;
    log.onCommit((events) => {
      told += events.length;
    });
    const id = await store.reserveStreams(1);
    const body = { name: 'a', nameKey: 'a', email: null, fullName: '', role: 'user' as const };
    const many = Array.from({ length: 150_000 }, () => ({
      stream: id,
      type: 'membership.added' as const,
      body: { room: 1 },
    }));
    const outcome = await log.append({
      actor: id,
      at: 1,
      drafts: [{ stream: id, type: 'user.created', body }, ...many],
    });
    expect(outcome.kind).toBe('committed');
    expect(told).toBe(150_001);
    expect((await log.heads([id])).get(id)?.seq).toBe(150_001);
    expect((await log.events(id, 150_000, 5)).map(({ seq }) => seq)).toEqual([150_001]);
    expect(log.epoch).toBe(store.epoch);
    await log.drain();
    await store.close();
  });
});

/** What the tables hold after any history is what a plain recount of the events gives [L1][M1]–[M4]. */
import { nameRules } from '@natter/server/auth/names';
import { roomRows, roomRowsOf } from '@natter/server/core/queries/rooms';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import type { Entry, Outcome, Store } from '@natter/server/store/store';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allEvents, Facts } from './facts.js';
import { batches, type Cast, decide } from './history.js';
import { Model, stored } from './model.js';
import type { MakeSite, Site } from './site.js';

export function describeProjections(make: MakeSite): void {
  let site: Site;
  let store: Store;
  let facts: Facts;

  beforeAll(async () => {
    site = await make();
    store = await site.open();
    facts = new Facts(store);
  });
  afterAll(async () => {
    await store.close();
    await site.remove();
  });

  async function open(): Promise<{ model: Model; cast: Cast }> {
    const users = await facts.users(4);
    const rooms = [await facts.room(users.slice(0, 3)), await facts.room(users.slice(1), { history: 'joined' })];
    const group = await store.reserveStreams(1);
    const body = { name: `g${group}`, description: '', members: users.slice(0, 1) };
    await facts.done(facts.entry(users[0] as number, [{ stream: group, type: 'usergroup.created', body }]));
    const cast = { users, rooms, group };
    return { model: await recount(cast), cast };
  }

  async function recount(cast: Cast): Promise<Model> {
    const model = new Model();
    const streams = [...cast.users, ...cast.rooms, cast.group];
    const events = (await Promise.all(streams.map((stream) => allEvents(store, stream)))).flat();
    for (const event of events.sort((a, b) => a.id - b.id)) model.apply(event);
    return model;
  }

  function take(model: Model, outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'committed') for (const event of outcome.events) model.apply(event);
    }
  }

  it('[L1] every table is what its events tell, after any history and however it was batched', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(batches, async (history) => {
        const { model, cast } = await open();
        for (const batch of history) {
          const entries = batch.map((op) => decide(facts, model, cast, op)).filter((one): one is Entry => one !== null);
          const outcomes = await store.commit(entries);
          for (const { kind } of outcomes) seen.add(kind);
          take(model, outcomes);
        }
        expect(await stored(store, model)).toEqual(model.tables());
      }),
      { numRuns: 60 },
    );
    // Collisions within a batch are part of it: else nothing was shown about them.
    expect([...seen].sort()).toEqual(['committed', 'stale']);
  });

  it('[M1][M3][M4] unread messages and mentions are what counting all messages gives', async () => {
    const context = {
      store,
      limits: DEFAULT_LIMITS,
      names: nameRules,
      clock: { now: () => 0 },
      isOnline: () => false,
    };
    let unread = 0;
    await fc.assert(
      fc.asyncProperty(batches, async (history) => {
        const { model, cast } = await open();
        for (const batch of history) {
          const entries = batch.map((op) => decide(facts, model, cast, op)).filter((one): one is Entry => one !== null);
          take(model, await store.commit(entries));
          const together = await roomRowsOf(context, cast.users);
          for (const user of cast.users) {
            const rows = await roomRows(context, user);
            // Asked for with others, each gets the same as alone, and nothing of theirs.
            expect(together.get(user) ?? []).toEqual(rows);
            for (const row of rows) {
              expect({ unread: row.unread, mentions: row.mentions }).toEqual(model.unread(row.id, user));
              unread += row.unread;
            }
          }
        }
      }),
      { numRuns: 40 },
    );
    expect(unread).toBeGreaterThan(100);
  });

  it('[L1] the log alone gives the same tables again, also after deletions', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (history) => {
        const { model, cast } = await open();
        for (const batch of history) {
          const entries = batch.map((op) => decide(facts, model, cast, op)).filter((one): one is Entry => one !== null);
          take(model, await store.commit(entries));
        }
        expect((await recount(cast)).tables()).toEqual(model.tables());
      }),
      { numRuns: 25 },
    );
  });

  it('[M2] a marker never falls, whatever order its moves are committed in', async () => {
    const users = await facts.users(2);
    const [ada, ben] = users as [number, number];
    const room = await facts.room(users);
    await store.commit(Array.from({ length: 20 }, () => facts.sending(room, ada, { text: 'x' })));
    const moves = fc.array(fc.integer({ min: 0, max: 21 }), { minLength: 1, maxLength: 8 });
    let highest = 1;
    await fc.assert(
      fc.asyncProperty(moves, async (seqs) => {
        await store.commit(
          seqs.map((seq) => facts.entry(ben, [{ stream: ben, type: 'read.moved', body: { room, seq } }])),
        );
        highest = Math.max(highest, ...seqs);
        const row = await store.db
          .selectFrom('members')
          .select(['read_seq', 'read_num'])
          .where('room', '=', room)
          .where('user_id', '=', ben)
          .executeTakeFirst();
        expect(row).toEqual({ read_seq: highest, read_num: highest - 1 });
      }),
      { numRuns: 20 },
    );
  });
}

/** What a store keeps beside the log: sessions, when users were seen, jobs; and that all of it is there after reopening. */
import type { Store } from '@natter/server/store/store';
import { StoreError } from '@natter/server/store/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allEvents, Facts } from './facts.js';
import { everything, type MakeSite, type Site } from './site.js';

export function describeKeeping(make: MakeSite): void {
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

  async function session(user: number, id: string, expiresAt = 9e12): Promise<void> {
    const secret = { session: { refreshHash: `${id}-0`, expiresAt, address: '', dialect: '' } };
    const body = { session: id, agent: 'test', expiresAt: new Date(expiresAt).toISOString() };
    await facts.done(facts.entry(user, [{ stream: user, type: 'session.started', body, secret }]));
  }
  const sessions = (user: number) => store.db.selectFrom('sessions').selectAll().where('user_id', '=', user).execute();

  it('[S3] one of 20 uses of a refresh token at once wins', async () => {
    const user = await facts.user();
    await session(user, 'race');
    const uses = Array.from({ length: 20 }, (_, i) => store.rotateSession('race', 'race-0', `race-1-${i}`, 5, 8e12));
    const won = (await Promise.all(uses)).flatMap((ok, i) => (ok ? [i] : []));
    expect(won).toHaveLength(1);
    expect(await sessions(user)).toMatchObject([
      { refresh_hash: `race-1-${won[0]}`, last_used_at: 5, expires_at: 8e12 },
    ]);
    expect(await store.rotateSession('race', 'race-0', 'x', 5, 8e12)).toBe(false);
    expect(await store.rotateSession('nobody', 'race-0', 'x', 5, 8e12)).toBe(false);
    expect(await store.rotateSession('race', `race-1-${won[0]}`, 'race-2', 7, 8e12)).toBe(true);
  });

  it('[S4] sessions end by name, and all of them with the account', async () => {
    const [ada, ben] = (await facts.users(2)) as [number, number];
    for (const id of ['s1', 's2', 's3']) await session(ada, id);
    await session(ben, 's4');
    const end = { stream: ada, type: 'session.ended' as const, body: { sessions: ['s1', 's4'] } };
    await facts.done(facts.entry(ada, [end]));
    expect((await sessions(ada)).map(({ id }) => id)).toEqual(['s2', 's3']);
    // Somebody else's session is not ended by naming it.
    expect(await sessions(ben)).toHaveLength(1);
    await facts.done(facts.entry(ada, [{ stream: ada, type: 'user.deactivated', body: {} }]));
    expect(await sessions(ada)).toEqual([]);
  });

  it('keeps secrets out of the log', async () => {
    const user = await facts.user();
    await session(user, 'secret');
    const secret = { passwordHash: 'the-hash' };
    await facts.done(facts.entry(user, [{ stream: user, type: 'password.changed', body: {}, secret }]));
    const text = JSON.stringify(await allEvents(store, user));
    expect(text).not.toContain('secret-0');
    expect(text).not.toContain('the-hash');
    const row = await store.db.selectFrom('credentials').selectAll().where('user_id', '=', user).executeTakeFirst();
    expect(row?.password_hash).toBe('the-hash');
  });

  it('notes when users were last seen, and never goes back', async () => {
    const [ada, ben] = (await facts.users(2)) as [number, number];
    await store.touchUsers([
      { user: ada, at: 100 },
      { user: ben, at: 200 },
      { user: 987_654_321, at: 5 },
    ]);
    await store.touchUsers([
      { user: ada, at: 300 },
      { user: ben, at: 150 },
    ]);
    await store.touchUsers([]);
    const rows = await store.db
      .selectFrom('users')
      .select('last_seen_at')
      .where('id', 'in', [ada, ben])
      .orderBy('id')
      .execute();
    expect(rows.map((row) => row.last_seen_at)).toEqual([300, 200]);
  });

  it('[L1] gives jobs that are due, oldest first; they come back when they failed, and end when done', async () => {
    const due = async (now: number, limit = 100) =>
      (await store.dueJobs(now, limit)).filter(({ subject }) => rooms.includes(subject));
    const [ada] = (await facts.users(1)) as [number];
    const rooms: number[] = [];
    for (let i = 0; i < 3; i += 1) rooms.push(await facts.room([ada]));
    let at = 0;
    for (const room of rooms) {
      const entry = facts.entry(ada, [{ stream: room, type: 'room.deleted', body: {} }]);
      at = entry.at;
      await facts.done(entry);
    }
    expect((await due(at)).map(({ subject }) => subject)).toEqual(rooms);
    expect((await due(at - 1)).map(({ subject }) => subject)).toEqual(rooms.slice(0, 2));
    expect(await store.dueJobs(at, 2)).toHaveLength(2);
    const [first, second] = await due(at);
    await store.finishJob(first?.id ?? 0);
    await store.retryJob(second?.id ?? 0, at + 1_000);
    expect((await due(at)).map(({ subject }) => subject)).toEqual(rooms.slice(2));
    expect((await due(at + 1_000)).map(({ subject, attempts }) => [subject, attempts])).toEqual([
      [rooms[1], 1],
      [rooms[2], 0],
    ]);
  });

  it('[L1] gives a job to one of those who ask for it at once, and to another one when that one is late', async () => {
    const [ada] = (await facts.users(1)) as [number];
    const room = await facts.room([ada]);
    const { at } = facts.entry(ada, []);
    await facts.done(facts.entry(ada, [{ stream: room, type: 'room.deleted', body: {} }]));
    const job = (await store.dueJobs(at + 10, 1_000)).find(({ subject }) => subject === room)?.id ?? 0;
    const asked = await Promise.all(Array.from({ length: 10 }, () => store.holdJob(job, at + 10, at + 500)));
    expect(asked.filter((got) => got)).toHaveLength(1);
    expect((await store.dueJobs(at + 499, 1_000)).map(({ id }) => id)).not.toContain(job);
    // Whoever has it may keep it.
    expect(await store.holdJob(job, at + 500, at + 900)).toBe(true);
    expect(await store.holdJob(job, at + 500, at + 900)).toBe(false);
    expect((await store.dueJobs(at + 900, 1_000)).map(({ id }) => id)).toContain(job);
    expect(await store.holdJob(job, at + 901, at + 2_000)).toBe(true);
    await store.finishJob(job);
    expect(await store.holdJob(job, at + 9_000, at + 10_000)).toBe(false);
  });

  it('[L1] has everything after it was closed and opened again', async () => {
    const [ada, ben] = (await facts.users(2)) as [number, number];
    const room = await facts.room([ada, ben]);
    await facts.send(room, ada, 'hello', { key: { key: 'k', hash: 'h' } });
    await session(ada, 'kept');
    const before = await everything(store);
    const { epoch } = store;
    const given = await store.reserveStreams(5);
    const used = await facts.user();
    await store.close();
    store = await site.open();
    facts = new Facts(store);
    expect(store.epoch).toBe(epoch);
    expect(epoch).toBeGreaterThan(1_600_000_000);
    const rest = await everything(store);
    expect(rest.length).toBeGreaterThan(before.length);
    expect(await store.reserveStreams(1)).toBeGreaterThan(Math.max(given + 4, used));
    const next = await facts.send(room, ben, 'again');
    expect(next.seq).toBe(3);
    await store.check();
  });

  it('gives the same bytes back after reopening without a write', async () => {
    const before = await everything(store);
    await store.close();
    store = await site.open();
    facts = new Facts(store);
    expect(await everything(store)).toBe(before);
  });

  it('refuses what is asked of it after it was closed', async () => {
    const other = await make();
    const closed = await other.open();
    await closed.close();
    await expect(closed.commit([])).rejects.toBeInstanceOf(StoreError);
    await expect(closed.heads([1])).rejects.toBeInstanceOf(StoreError);
    await expect(closed.check()).rejects.toBeInstanceOf(StoreError);
    await other.remove();
  });
}

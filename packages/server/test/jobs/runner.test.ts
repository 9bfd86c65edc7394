import { JobRunner } from '@natter/server/jobs/runner';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { House } from '../core/house.js';
import { traces } from '../store/site.js';

describe('jobs', () => {
  let house: House;
  let runner: JobRunner;
  let errors: unknown[];
  beforeEach(async () => {
    house = await House.open();
    errors = [];
    runner = run();
  });
  afterEach(async () => {
    await runner.close();
    await house.close();
  });

  function run(): JobRunner {
    const { store, log, core, clock } = house;
    return new JobRunner({ store, log, core, clock, onError: (error) => errors.push(error) });
  }
  const jobs = () => house.store.db.selectFrom('jobs').selectAll().execute();

  it('[L6] purge a deleted room behind the commit', async () => {
    const [ada] = (await house.users(1)) as [number];
    const room = await house.room([ada]);
    for (let i = 0; i < 1_100; i += 1) await house.send(ada, room, `plum ${i}`);
    await house.done(ada, 'room.delete', { room });
    await runner.settled();
    expect(await traces(house.store, /plum/)).toEqual([]);
    expect(await jobs()).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('[S5][A5] take a deleted account out of all its rooms, which get a new owner', async () => {
    const admin = await house.user('root', 'admin');
    const [ada, ben] = (await house.users(2)) as [number, number];
    const owned = await house.room([ada, ben]);
    const alone = await house.room([ada]);
    const direct = (await house.done(ada, 'room.open', { user: ben })).stream;
    await house.send(ada, owned, 'what I said');
    await house.done(admin, 'user.delete', { user: ada });
    await runner.settled();
    expect(await house.store.db.selectFrom('members').selectAll().where('user_id', '=', ada).execute()).toEqual([]);
    expect([...(await house.members(owned))]).toEqual([[ben, 'owner']]);
    expect([...(await house.members(direct))]).toEqual([[ben, 'member']]);
    const deleted = await house.store.db
      .selectFrom('rooms')
      .select('deleted_at')
      .where('id', '=', alone)
      .executeTakeFirst();
    expect(deleted?.deleted_at).not.toBe(null);
    expect(await traces(house.store, /what I said/)).toHaveLength(2);
    expect(await jobs()).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('that were left by another life are taken up at start', async () => {
    const [ada] = (await house.users(1)) as [number];
    await runner.close();
    const room = await house.room([ada]);
    await house.send(ada, room, 'plum');
    await house.done(ada, 'room.delete', { room });
    expect(await jobs()).toHaveLength(1);
    runner = run();
    runner.wake();
    await runner.settled();
    expect(await traces(house.store, /plum/)).toEqual([]);
    expect(await jobs()).toEqual([]);
  });

  it('that fail are told, and tried again later', async () => {
    const [ada] = (await house.users(1)) as [number];
    await runner.close();
    const room = await house.room([ada]);
    await house.done(ada, 'room.delete', { room });
    vi.spyOn(house.store, 'purgeRoom').mockRejectedValueOnce(new Error('no disk'));
    runner = run();
    runner.wake();
    await runner.settled();
    expect(errors.map(String)).toEqual(['Error: no disk']);
    const [job] = await jobs();
    expect(job).toMatchObject({ attempts: 1 });
    expect(job?.run_at).toBeGreaterThan(house.clock.time);
    await runner.close();
    house.clock.time += 10_000;
    runner = run();
    runner.wake();
    await runner.settled();
    expect(await jobs()).toEqual([]);
  });
});

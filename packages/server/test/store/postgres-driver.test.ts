import { MIGRATIONS } from '@natter/server/store/migrations/index';
import { openPostgresStore } from '@natter/server/store/postgres';
import { type Outcome, type Store, StoreError } from '@natter/server/store/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asOwner } from '../databases.js';
import { allEvents, Facts, kinds } from './facts.js';
import { makePostgresSite, type PostgresSite } from './postgres-site.js';
import { everything } from './site.js';
import { Way } from './way.js';

describe('the PostgreSQL driver', () => {
  let site: PostgresSite;
  const open: Store[] = [];

  beforeEach(async () => {
    site = await makePostgresSite();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    await site.remove();
  });

  async function node(options: Partial<PostgresSite['options']> = {}): Promise<Store> {
    const store = await openPostgresStore({ ...site.options, ...options });
    open.push(store);
    return store;
  }
  const nodes = (count: number): Promise<Store[]> => Promise.all(Array.from({ length: count }, () => node()));
  const sql = <T>(text: string, params: unknown[] = []): Promise<T[]> =>
    asOwner(async (client) => (await client.query(text, params)).rows as T[], site.options.url);

  describe('several nodes', () => {
    it('make one schema and one life of the log when they start at once', async () => {
      const stores = await nodes(6);
      expect(new Set(stores.map((store) => store.epoch)).size).toBe(1);
      expect(await sql('select name from schema_migrations')).toHaveLength(MIGRATIONS.length);
    });

    it('write nothing into another life of the log than theirs, and read nothing of it: a restore while one of them was cut off', async () => {
      const [cutOff, other] = (await nodes(2)) as [Store, Store];
      const facts = new Facts(other);
      const [ada = 0] = await facts.users(1);
      const room = await facts.room([ada]);
      await sql(`update meta set value = value::bigint + 1 where key = 'epoch'`);
      const late = new Facts(cutOff);
      await expect(cutOff.commit([late.sending(room, ada, { text: 'of the former life' })])).rejects.toThrow(
        /another life of the log has begun/,
      );
      await cutOff.outlived;
      await expect(cutOff.events(room, 0, 10)).rejects.toThrow(/another life of the log has begun/);
      await expect(cutOff.check()).rejects.toThrow(/another life of the log has begun/);
      const again = await node();
      const [outcome] = await again.commit([new Facts(again).sending(room, ada, { text: 'of this one' })]);
      expect(outcome?.kind).toBe('committed');
    });

    it('[L2] give places without holes and ids that rise, in rooms that all of them write to at once', async () => {
      const stores = await nodes(3);
      const facts = stores.map((store) => new Facts(store)) as [Facts, Facts, Facts];
      const [ada, ben] = (await facts[0].users(2)) as [number, number];
      const rooms: number[] = [];
      for (let i = 0; i < 5; i += 1) rooms.push(await facts[0].room([ada, ben]));
      const seen: number[] = [];
      await Promise.all(
        facts.map(async (node, at) => {
          for (let round = 0; round < 12; round += 1) {
            // Each in another order, and some of them twice.
            const order = [...rooms, ...rooms].sort(
              (a, b) => ((a * (at + 3) + round) % 7) - ((b * (at + 3) + round) % 7),
            );
            const batch = order.map((room, i) =>
              node.sending(room, i % 2 ? ada : ben, { text: `${at}.${round}.${i}` }),
            );
            for (const outcome of await node.store.commit(batch)) {
              if (outcome.kind !== 'committed') throw new Error(outcome.kind);
              seen.push(...outcome.events.map((event) => event.id));
            }
          }
        }),
      );
      expect(new Set(seen).size).toBe(360);
      for (const room of rooms) {
        const events = await allEvents(stores[1] as Store, room);
        expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 73 }, (_, i) => i + 1));
        expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).sort((a, b) => a - b));
      }
      const markers = await sql<{ read_seq: string; read_num: string }>(
        'select distinct read_seq, read_num from members where read_seq > 60',
      );
      for (const { read_seq, read_num } of markers) expect(Number(read_seq) - Number(read_num)).toBe(1);
    });

    it('[M2] move the markers of the same people in many rooms, and none waits for another for ever', async () => {
      const stores = await nodes(2);
      const facts = stores.map((store) => new Facts(store)) as [Facts, Facts];
      const users = await facts[0].users(6);
      const rooms: number[] = [];
      for (let i = 0; i < 8; i += 1) {
        rooms.push(await facts[0].room(users));
        await facts[0].send(rooms[i] as number, users[0] as number, 'x');
      }
      const moves = (node: Facts, turn: number) =>
        rooms
          .flatMap((room) =>
            users.map((user) => node.entry(user, [{ stream: user, type: 'read.moved', body: { room, seq: 2 } }])),
          )
          .sort((a, b) => ((a.actor * turn) % 5) - ((b.actor * turn) % 5));
      const sends = (node: Facts) =>
        rooms.map((room, at) => node.sending(room, users[at % 6] as number, { text: 'y' })).reverse();
      const started = performance.now();
      for (let round = 1; round < 15; round += 1) {
        const outcomes = await Promise.all([
          (stores[0] as Store).commit(moves(facts[0], round)),
          (stores[1] as Store).commit(sends(facts[1])),
        ]);
        expect(new Set(kinds(outcomes.flat()))).toEqual(new Set(['committed']));
      }
      // A deadlock would be seen after a second, each time.
      const [{ deadlocks } = { deadlocks: '' }] = await sql<{ deadlocks: string }>(
        'select deadlocks from pg_stat_database where datname = current_database()',
      );
      expect(Number(deadlocks)).toBe(0);
      expect(performance.now() - started).toBeLessThan(20_000);
    });

    it('[L3] know a key that another one takes at the same moment, for the same room and for another', async () => {
      const [one, other] = (await nodes(2)) as [Store, Store];
      const facts = new Facts(one);
      const [ada] = (await facts.users(1)) as [number];
      const rooms = [await facts.room([ada]), await facts.room([ada])] as [number, number];
      for (let i = 0; i < 20; i += 1) {
        const entry = (room: number) =>
          facts.sending(room, ada, { text: 'x' }, { key: { key: `k${i}`, hash: `${room}` } });
        const elsewhere = rooms[i % 2] as number;
        const [a, b] = (await Promise.all([one.commit([entry(rooms[0])]), other.commit([entry(elsewhere)])])).flat();
        expect([a?.kind, b?.kind].sort()).toEqual(
          ['committed', elsewhere === rooms[0] ? 'replayed' : 'key_conflict'].sort(),
        );
      }
      expect(await sql('select 1 from keys')).toHaveLength(20);
      expect(await allEvents(one, rooms[0])).toHaveLength((await one.heads([rooms[0]])).get(rooms[0])?.seq ?? 0);
    });

    it('[L5] let one of them have a claim, whatever else stands in their batches', async () => {
      const stores = await nodes(3);
      const facts = new Facts(stores[0] as Store);
      const [ada] = (await facts.users(1)) as [number];
      const rooms = await Promise.all(Array.from({ length: 30 }, () => facts.room([ada])));
      const outcomes = await Promise.all(
        rooms.map((room, at) =>
          (stores[at % 3] as Store).commit([
            facts.sending(room, ada, { text: 'beside' }),
            facts.entry(ada, [{ stream: room, type: 'room.changed', body: { name: 'general' } }], {
              claims: [{ space: 'room.name:', value: 'general', owner: room }],
            }),
          ]),
        ),
      );
      const tally = (kind: Outcome['kind']) => outcomes.flat().filter((outcome) => outcome.kind === kind).length;
      expect([tally('committed'), tally('taken')]).toEqual([31, 29]);
    });

    it('[L4] find a decision stale that was made before another one committed', async () => {
      const [one, other] = (await nodes(2)) as [Store, Store];
      const [facts, beside] = [new Facts(one), new Facts(other)];
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada, ben]);
      const expected = [[room, await facts.version(room)]] as const;
      const removal = facts.entry(ada, [{ stream: room, type: 'member.removed', body: { user: ben } }], {
        expect: expected,
      });
      const send = beside.sending(room, ben, { text: 'late' }, { expect: expected });
      for (let round = 0; round < 10; round += 1) {
        const [removed, sent] = (await Promise.all([one.commit([removal]), other.commit([send])])).flat();
        const types = (await allEvents(one, room)).map(({ type }) => type);
        if (removed?.kind === 'committed')
          expect(types.indexOf('message.sent', types.indexOf('member.removed'))).toBe(-1);
        else expect(sent?.kind).toBe('stale');
      }
    });

    it('reserve ids for streams that no two of them have, runs of many too', async () => {
      const stores = await nodes(3);
      const given = await Promise.all(
        Array.from(
          { length: 30 },
          async (_, at) => [await (stores[at % 3] as Store).reserveStreams((at % 4) + 1), (at % 4) + 1] as const,
        ),
      );
      const ids = given.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i));
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  describe('connections that break', () => {
    const killAll = (): Promise<unknown[]> =>
      sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'natter %' and datname = current_database()`,
      );

    it('are replaced: reads and commits after it do not notice', async () => {
      const store = await node();
      const facts = new Facts(store);
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      for (let round = 0; round < 5; round += 1) {
        await facts.send(room, ada, `${round}`);
        await killAll();
        expect((await store.heads([room])).get(room)?.seq).toBe(round + 2);
      }
      await store.check();
    });

    it('[L1] leave nothing when they break before the end was asked for, and it is tried again', async () => {
      const store = await node();
      const facts = new Facts(store);
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      // Somebody holds the room, so that the commit waits, and its connection is cut meanwhile.
      const sent = await asOwner(async (holder) => {
        await holder.query('begin');
        await holder.query('select 1 from streams where id = $1 for update', [room]);
        const sending = facts.send(room, ada, 'through');
        await expect
          .poll(
            async () =>
              (await holder.query(`select pid from pg_stat_activity where wait_event_type = 'Lock'`)).rows.length,
          )
          .toBe(1);
        await holder.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`);
        await holder.query('commit');
        return sending;
      }, site.options.url);
      expect((await allEvents(store, room)).map(({ seq, id }) => [seq, id]).at(-1)).toEqual([2, sent.id]);
    });

    it('[L1][L3] break between the commit and its answer: it is told as unknown, and the key tells what became of it', async () => {
      const way = await Way.to(site.options.url);
      const store = await node({ url: way.url });
      const facts = new Facts(store);
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      let unknown = 0;
      for (let round = 0; round < 10; round += 1) {
        const entry = facts.sending(room, ada, { text: `${round}` }, { key: { key: `u${round}`, hash: 'h' } });
        // Rounds differ in which way is cut: the question does not arrive, or the answer does not.
        way.cutAt(round % 2 === 0 ? 'question' : 'answer', 'commit\0', 'COMMIT\0');
        const error = await store.commit([entry]).then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(StoreError);
        expect((error as StoreError).unknown).toBe(true);
        unknown += 1;
        const [again] = await store.commit([entry]);
        expect(again?.kind).toBe(round % 2 === 0 ? 'committed' : 'replayed');
      }
      expect(unknown).toBe(10);
      const texts = (await allEvents(store, room)).slice(1).map(({ body }) => JSON.parse(body).text);
      expect(texts).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
      await way.close();
    });

    it('that say nothing any more are given up after a while, and nothing hangs', async () => {
      const way = await Way.to(site.options.url);
      const store = await node({ url: way.url, statementSeconds: 1 });
      const facts = new Facts(store);
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      way.freeze();
      const started = performance.now();
      await expect(store.commit([facts.sending(room, ada, { text: 'x' })])).rejects.toBeInstanceOf(StoreError);
      expect(performance.now() - started).toBeLessThan(20_000);
      way.thaw();
      await facts.send(room, ada, 'after');
      await way.close();
    }, 60_000);
  });

  it('[L1] refuses what waits too long for a room that somebody holds, and goes on with it afterwards', async () => {
    const store = await node({ statementSeconds: 1 });
    const facts = new Facts(store);
    const [ada] = (await facts.users(1)) as [number];
    const room = await facts.room([ada]);
    await asOwner(async (holder) => {
      await holder.query('begin');
      await holder.query('select 1 from streams where id = $1 for update', [room]);
      const refused = await store.commit([facts.sending(room, ada, { text: 'x' })]).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StoreError);
      expect((refused as StoreError).unknown).toBe(false);
      await holder.query('rollback');
    }, site.options.url);
    expect((await facts.send(room, ada, 'after')).seq).toBe(2);
  });

  it('has no way to write but a commit', async () => {
    const store = await node();
    await expect(store.db.insertInto('meta').values({ key: 'x', value: 'y' }).execute()).rejects.toThrow(/read-only/);
    await expect(store.db.transaction().execute(async () => {})).rejects.toThrow(/reads need no transaction/);
  });

  it('refuses a database that a newer version wrote, and leaves it as it was', async () => {
    const store = await node();
    await sql(`insert into schema_migrations (name, applied_at) values ('999-future', 1)`);
    const before = await everything(store);
    await expect(node()).rejects.toThrow(/newer Natter.*999-future/);
    expect(await everything(store)).toBe(before);
  });

  describe('says at the start what is wrong', () => {
    const refusal = async (change: (url: URL) => void): Promise<string> => {
      const url = new URL(site.options.url);
      change(url);
      return openPostgresStore({ ...site.options, url: url.href }).then(
        () => 'opened',
        (error: Error) => error.message,
      );
    };
    const asUser = (name: string, password: string) => (url: URL) => {
      url.username = name;
      url.password = password;
    };

    it('with the server and the database', async () => {
      expect(await refusal((url) => (url.port = '1'))).toMatch(/does not answer at .*:1\/.*is it running/);
      expect(await refusal((url) => (url.pathname = '/natter_nowhere'))).toMatch(
        /has no database natter_nowhere: make one/,
      );
      expect(await refusal((url) => (url.hostname = 'natter.invalid'))).toMatch(/does not answer at natter.invalid/);
    });

    it('with the user, and never tells a password', async () => {
      const said = await refusal(asUser('natter_nobody', 'hunter2'));
      expect(said).toMatch(/does not let the user natter_nobody in/);
      expect(said).not.toContain('hunter2');
    });

    it('with what the user may do', async () => {
      const role = `natter_guest_${site.database}`;
      await sql(`create role ${role} login password 'guest'`);
      await sql('revoke create on schema public from public');
      try {
        expect(await refusal(asUser(role, 'guest'))).toMatch(/may not make tables: make it the owner/);
      } finally {
        await sql(`drop role ${role}`);
      }
    });

    it('with the encoding', async () => {
      const name = `${site.database}_ascii`;
      await asOwner((client) =>
        client.query(`create database ${name} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0`),
      );
      try {
        expect(await refusal((url) => (url.pathname = `/${name}`))).toMatch(/encoding SQL_ASCII; Natter needs UTF8/);
      } finally {
        await asOwner((client) => client.query(`drop database ${name} with (force)`));
      }
    });

    it('with durability: a server that acknowledges before it writes is refused', async () => {
      await sql(`alter database ${site.database} set synchronous_commit = off`);
      expect(await refusal(() => {})).toMatch(/does not give durable commits: synchronous_commit is off/);
      await sql(`alter database ${site.database} set synchronous_commit = local`);
      expect(await refusal(() => {})).toBe('opened');
    });
  });
});

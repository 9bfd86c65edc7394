/** What the one transaction promises: places, keys, versions, claims, all or nothing [L1]–[L5]. */
import type { Outcome, Store, StoredEvent } from '@natter/server/store/store';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEvents, Facts, first, kinds } from './facts.js';
import { everything, type MakeSite, type Site } from './site.js';

export function describeCommit(make: MakeSite): void {
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

  describe('places', () => {
    it('[L2] gives seqs from 1 without holes and ids that rise, over streams and batches', async () => {
      const [ada] = await facts.users(1);
      const rooms = [await facts.room([ada as number]), await facts.room([ada as number])];
      const committed: StoredEvent[] = [];
      for (const size of [1, 7, 40, 2]) {
        const batch = Array.from({ length: size }, (_, i) =>
          facts.sending(rooms[i % 2] as number, ada as number, { text: `${size}.${i}` }),
        );
        for (const outcome of await store.commit(batch)) {
          if (outcome.kind === 'committed') committed.push(...outcome.events);
        }
      }
      expect(committed).toHaveLength(50);
      for (let i = 1; i < committed.length; i += 1) {
        expect(committed[i]?.id).toBeGreaterThan((committed[i - 1] as StoredEvent).id);
      }
      for (const room of rooms) {
        const events = await allEvents(store, room);
        expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
        expect(events.slice(1)).toEqual(committed.filter((event) => event.stream === room));
        expect((await store.heads([room])).get(room)?.seq).toBe(events.length);
      }
    });

    it('[L2] gives one command with events in several streams a place in each', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada]);
      const events = await facts.done(
        facts.entry(ada, [
          { stream: room, type: 'member.joined', body: { user: ben, role: 'member' } },
          { stream: ben, type: 'membership.added', body: { room } },
        ]),
      );
      expect(events.map(({ stream, seq }) => [stream, seq])).toEqual([
        [room, 2],
        [ben, 2],
      ]);
      expect((events[1] as StoredEvent).id).toBeGreaterThan((events[0] as StoredEvent).id);
    });

    it('[L2] makes the id of message.sent the id of the message', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const sent = await facts.send(room, ada, 'hello');
      const row = await store.db.selectFrom('messages').selectAll().where('id', '=', sent.id).executeTakeFirst();
      expect(row).toMatchObject({ room, seq: sent.seq, num: 1, author: ada, text: 'hello', at: sent.at });
    });

    it('keeps every text and body as it came', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter((value) => !value.includes('\0'));
      await fc.assert(
        fc.asyncProperty(text, fc.jsonValue(), async (value, json) => {
          const extra = { json, 'a.b': "it's", __proto: 1 };
          const sent = first(await facts.done(facts.sending(room, ada, { text: value, extra })));
          const [stored] = await store.events(room, sent.seq - 1, 1);
          expect(stored).toEqual(sent);
          expect(JSON.parse((stored as StoredEvent).body)).toEqual(JSON.parse(JSON.stringify({ text: value, extra })));
          const row = await store.db.selectFrom('messages').select('text').where('id', '=', sent.id).executeTakeFirst();
          expect(row?.text).toBe(value);
        }),
        { numRuns: 60, examples: [["'; drop table events; --", null]] },
      );
    });

    it('pages through a stream at any size with the same result', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      await store.commit(Array.from({ length: 101 }, (_, i) => facts.sending(room, ada, { text: `${i}` })));
      const all = await allEvents(store, room, 1_000);
      expect(all).toHaveLength(102);
      for (const page of [1, 2, 50, 100, 102, 103]) expect(await allEvents(store, room, page)).toEqual(all);
      expect(await store.events(room, 40, 3)).toEqual(all.slice(40, 43));
      expect(await store.events(room, 102, 10)).toEqual([]);
      expect(await store.events(room, 5_000, 10)).toEqual([]);
      expect(await store.events(987_654_321, 0, 10)).toEqual([]);
    });

    it('tells the heads of streams that exist, and only of those', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      await facts.send(room, ada, 'a');
      const heads = await store.heads([room, 987_654_321, ada]);
      expect([...heads.keys()].sort((a, b) => a - b)).toEqual([ada, room].sort((a, b) => a - b));
      expect(heads.get(room)).toEqual({ seq: 2, version: 1 });
      expect(await store.heads([])).toEqual(new Map());
    });

    it('never gives an id for a stream twice, also when asked at once', async () => {
      const given = await Promise.all([1, 5, 1, 10, 3].map(async (n) => [await store.reserveStreams(n), n] as const));
      const ids = given.flatMap(([from, count]) => Array.from({ length: count }, (_, i) => from + i));
      expect(new Set(ids).size).toBe(20);
      expect(await store.reserveStreams(1)).toBeGreaterThan(Math.max(...ids));
      expect(await facts.user()).toBeGreaterThan(Math.max(...ids));
    });
  });

  describe('all or nothing', () => {
    it('[L1] leaves nothing of a batch in which an entry can not be written', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const before = await everything(store);
      const good = facts.sending(room, ada, { text: 'good' }, { key: { key: 'k', hash: 'h' } });
      const claims = [{ space: 'import' as const, value: 'x', owner: room }];
      const nowhere = facts.sending(987_654_321, ada, { text: 'bad' });
      await expect(store.commit([{ ...good, claims }, nowhere, good])).rejects.toThrow();
      expect(await everything(store)).toBe(before);
    });

    it('[L1] leaves nothing when the database refuses in the middle', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const before = await everything(store);
      const again = facts.entry(ada, [{ stream: room, type: 'member.joined', body: { user: ada, role: 'member' } }]);
      await expect(store.commit([facts.sending(room, ada, { text: 'good' }), again])).rejects.toThrow();
      expect(await everything(store)).toBe(before);
      expect(kinds(await facts.commit(facts.sending(room, ada, { text: 'after' })))).toEqual(['committed']);
    });

    it('[L1] leaves nothing when the database refuses one row of many', async () => {
      const users = (await facts.users(40)) as [number, ...number[]];
      const [ada] = users;
      const room = await facts.room([ada]);
      const before = await everything(store);
      const members = [...users, users[20] as number].map((user) => ({ user, role: 'member' as const }));
      const body = { kind: 'group', name: 'x', topic: '', visibility: 'private', history: 'shared', members } as const;
      const twice = facts.entry(ada, [{ stream: await store.reserveStreams(1), type: 'room.created', body }]);
      const good = Array.from({ length: 20 }, () => facts.sending(room, ada, { text: 'good' }));
      await expect(store.commit([...good, twice, ...good])).rejects.toThrow();
      expect(await everything(store)).toBe(before);
      expect(kinds(await store.commit(good))).toEqual(good.map(() => 'committed'));
    });

    it('[L1] refuses to make a stream that exists, or to write to one that does not', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const body = { name: 'x', nameKey: 'x', email: null, fullName: '', role: 'user' as const };
      await expect(facts.commit(facts.entry(ada, [{ stream: ada, type: 'user.created', body }]))).rejects.toThrow();
      const nowhere = facts.entry(ada, [{ stream: 987_654_321, type: 'room.archived', body: {} }]);
      await expect(facts.commit(nowhere)).rejects.toThrow();
    });

    it('answers an empty batch', async () => {
      expect(await store.commit([])).toEqual([]);
    });

    it('answers a thousand entries in their order', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const outcomes = await store.commit(
        Array.from({ length: 1_000 }, (_, i) => facts.sending(room, ada, { text: `${i}` })),
      );
      expect(
        outcomes.map((outcome) => outcome.kind === 'committed' && JSON.parse(first(outcome.events).body).text),
      ).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i}`));
    });

    it('answers with the events as they stand in the log', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const key = (name: string) => ({ key: { key: name, hash: 'h' } });
      const texts = ['', 'plain', '"quoted" \\ back', 'line\nline', '\ud800', 'é😀', '\u2028', '__proto__'];
      const entries = texts.map((text, at) => facts.sending(room, ada, { text }, key(`as-${at}`)));
      const answering = facts.entry(
        ada,
        [{ stream: room, type: 'message.sent', body: { text: 'an answer' }, answers: { author: ada, key: 'as-1' } }],
        key('as-answer'),
      );
      const outcomes = await store.commit([
        ...entries,
        { ...facts.sending(room, ada, { text: 'stale' }), expect: [[room, 99]] },
        answering,
        facts.sending(room, ada, { text: 'plain' }, key('as-1')),
        facts.sending(room, ada, { text: 'last' }),
      ]);
      expect(kinds(outcomes).slice(texts.length)).toEqual(['stale', 'committed', 'replayed', 'committed']);
      const told = outcomes.flatMap((outcome) => (outcome.kind === 'committed' ? outcome.events : []));
      expect(told).toEqual((await allEvents(store, room)).slice(1));
      expect(JSON.parse(told.at(-2)?.body ?? '')).toMatchObject({ replyTo: told[1]?.id });
    });

    it('shows what is committed to every read that begins after it', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      for (let i = 0; i < 30; i += 1) {
        const sent = await facts.send(room, ada, `${i}`);
        const [heads, events, row] = await Promise.all([
          store.heads([room]),
          store.events(room, sent.seq - 1, 10),
          store.db.selectFrom('messages').select('num').where('id', '=', sent.id).executeTakeFirst(),
        ]);
        expect([heads.get(room)?.seq, events, row?.num]).toEqual([sent.seq, [sent], i + 1]);
      }
    });
  });

  describe('keys', () => {
    const key = (name: string, hash = 'h') => ({ key: { key: name, hash } });

    it('[L3] answers a known key with the first event, and does nothing again', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const sent = await facts.send(room, ada, 'once', key('k1'));
      await facts.send(room, ada, 'other');
      const before = await everything(store);
      const again = await facts.commit(facts.sending(room, ada, { text: 'once' }, key('k1')));
      expect(again).toEqual([{ kind: 'replayed', event: sent }]);
      expect(await everything(store)).toBe(before);
    });

    it('[L3] refuses the same key for another command', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      await facts.send(room, ada, 'once', key('k2', 'h1'));
      const before = await everything(store);
      expect(kinds(await facts.commit(facts.sending(room, ada, { text: 'twice' }, key('k2', 'h2'))))).toEqual([
        'key_conflict',
      ]);
      expect(await everything(store)).toBe(before);
    });

    it('[L3] knows a key within the batch that brings it', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const outcomes = await facts.commit(
        facts.sending(room, ada, { text: 'a' }, key('k3')),
        facts.sending(room, ada, { text: 'a' }, key('k3')),
        facts.sending(room, ada, { text: 'b' }, key('k3', 'other')),
        facts.sending(room, ada, { text: 'c' }),
      );
      expect(kinds(outcomes)).toEqual(['committed', 'replayed', 'key_conflict', 'committed']);
      const [made, replayed] = outcomes as [Outcome & { kind: 'committed' }, Outcome & { kind: 'replayed' }];
      expect(replayed.event).toEqual(made.events[0]);
      expect((await allEvents(store, room)).map((event) => event.type)).toEqual([
        'room.created',
        'message.sent',
        'message.sent',
      ]);
    });

    it('[L3] keeps the keys of two authors apart', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada, ben]);
      const outcomes = await facts.commit(
        facts.sending(room, ada, { text: 'a' }, key('same')),
        facts.sending(room, ben, { text: 'b' }, key('same')),
      );
      expect(kinds(outcomes)).toEqual(['committed', 'committed']);
      // Keys are joined to authors so that no pair reads like another one.
      const odd = await facts.commit(
        facts.sending(room, ada, { text: 'c' }, key('1\n2')),
        facts.sending(room, ada, { text: 'd' }, key('1')),
      );
      expect(kinds(odd)).toEqual(['committed', 'committed']);
    });

    it('[L3] keeps a key for somebody else than the actor, where the entry says so', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada, ben]);
      const shared = { key: { key: 'import-1', hash: 'h', author: 0 } };
      const [made] = await facts.commit(facts.sending(room, ada, { text: 'a' }, shared));
      expect(made?.kind).toBe('committed');
      const outcomes = await facts.commit(
        facts.sending(room, ben, { text: 'a' }, shared),
        facts.sending(room, ben, { text: 'a' }, { key: { key: 'import-1', hash: 'h' } }),
        facts.sending(room, ben, { text: 'a' }, { key: { key: 'import-1', hash: 'other', author: 0 } }),
      );
      expect(kinds(outcomes)).toEqual(['replayed', 'committed', 'key_conflict']);
    });
    it('[L3] answers a known key though the state moved on, and though its claim is taken', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const expectNow = { expect: [[room, await facts.version(room)]] as const };
      const sent = await facts.send(room, ada, 'once', { ...key('k5'), ...expectNow });
      await facts.done(facts.entry(ada, [{ stream: room, type: 'room.archived', body: {} }]));
      const claims = [{ space: 'import' as const, value: 'k5', owner: ada }];
      await facts.done(facts.entry(ada, [{ stream: room, type: 'room.unarchived', body: {} }], { claims }));
      const again = facts.sending(
        room,
        ada,
        { text: 'once' },
        {
          ...key('k5'),
          ...expectNow,
          claims: [{ space: 'import', value: 'k5', owner: room }],
        },
      );
      expect(await facts.commit(again)).toEqual([{ kind: 'replayed', event: sent }]);
    });

    it('[L3] takes no key for what was not committed', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const stale = { expect: [[room, 99]] as const, ...key('k6') };
      expect(kinds(await facts.commit(facts.sending(room, ada, { text: 'a' }, stale)))).toEqual(['stale']);
      expect(kinds(await facts.commit(facts.sending(room, ada, { text: 'a' }, key('k6'))))).toEqual(['committed']);
    });

    it('[L3] answers with the first of several events', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada]);
      const entry = facts.entry(
        ada,
        [
          { stream: room, type: 'member.joined', body: { user: ben, role: 'member' } },
          { stream: ben, type: 'membership.added', body: { room } },
        ],
        key('k7'),
      );
      const events = await facts.done(entry);
      expect(await facts.commit(entry)).toEqual([{ kind: 'replayed', event: events[0] }]);
    });

    it('[L3] knows keys of deleted messages and after reopening', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const sent = await facts.send(room, ada, 'gone', key('k8'));
      const body = { message: sent.id, messageSeq: sent.seq };
      await facts.done(facts.entry(ada, [{ stream: room, type: 'message.deleted', body }]));
      await store.close();
      store = await site.open();
      facts = new Facts(store);
      const again = await facts.commit(facts.sending(room, ada, { text: 'gone' }, key('k8')));
      expect(again).toMatchObject([{ kind: 'replayed', event: { id: sent.id, seq: sent.seq, at: sent.at } }]);
    });
  });

  describe('answers', () => {
    it('finds the message that is answered by its key, in the same batch and in an earlier one', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada, ben]);
      const answer = (author: number, key: string, to: { author: number; key: string }) =>
        facts.entry(author, [{ stream: room, type: 'message.sent', body: { text: key }, answers: to }], {
          key: { key, hash: 'h' },
        });
      const root = facts.sending(room, ada, { text: 'a1' }, { key: { key: 'a1', hash: 'h' } });
      const batch = [
        root,
        answer(ben, 'a2', { author: ada, key: 'a1' }),
        answer(ada, 'a3', { author: ben, key: 'a2' }),
      ];
      const outcomes = await store.commit(batch);
      const later = await store.commit([answer(ben, 'a4', { author: ada, key: 'a3' }), ...batch]);
      expect(kinds(later)).toEqual(['committed', 'replayed', 'replayed', 'replayed']);
      const lost = await store.commit([answer(ben, 'a5', { author: ada, key: 'never' })]);
      const bodies = [...outcomes, ...later.slice(0, 1), ...lost].map(
        (outcome) => outcome.kind === 'committed' && JSON.parse(first(outcome.events).body),
      );
      const told = [...outcomes, ...later, ...lost].flatMap((outcome) =>
        outcome.kind === 'committed' ? outcome.events : [],
      );
      expect(told).toEqual((await store.events(room, 0, 100)).slice(1));
      const ids = outcomes.map((outcome) => (outcome.kind === 'committed' ? first(outcome.events).id : 0));
      expect(bodies).toEqual([
        { text: 'a1' },
        { text: 'a2', replyTo: ids[0], thread: ids[0] },
        { text: 'a3', replyTo: ids[1], thread: ids[0] },
        { text: 'a4', replyTo: ids[2], thread: ids[0] },
        { text: 'a5' },
      ]);
      const rows = await store.db.selectFrom('messages').selectAll().where('room', '=', room).orderBy('seq').execute();
      expect(rows.map((row) => row.reply_count)).toEqual([3, 0, 0, 0, 0]);
    });
  });

  describe('what follows', () => {
    const following = (room: number, author: number, key: string, after: string) =>
      facts.sending(room, author, { text: key }, { key: { key, hash: 'h' }, follows: { author, key: after } });

    it('comes behind what it follows, of the same batch or of an earlier one, also when that was there before', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const first = facts.sending(room, ada, { text: 'f1' }, { key: { key: 'f1', hash: 'h' } });
      expect(kinds(await store.commit([first, following(room, ada, 'f2', 'f1')]))).toEqual(['committed', 'committed']);
      const later = [following(room, ada, 'f3', 'f2'), following(room, ada, 'f4', 'f3')];
      expect(kinds(await store.commit(later))).toEqual(['committed', 'committed']);
      const again = [first, following(room, ada, 'f2', 'f1'), following(room, ada, 'f5', 'f2')];
      expect(kinds(await store.commit(again))).toEqual(['replayed', 'replayed', 'committed']);
    });

    it('is stale where that is not in the log, and so is what follows it; others of its batch are not held up', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada, ben]);
      const before = (await allEvents(store, room)).length;
      const outcomes = await store.commit([
        following(room, ada, 'g2', 'g1'),
        following(room, ada, 'g3', 'g2'),
        facts.sending(room, ben, { text: 'of another' }),
        // The same key, of somebody else.
        facts.sending(room, ben, { text: 'g1' }, { key: { key: 'g1', hash: 'h' } }),
        following(room, ada, 'g4', 'g1'),
      ]);
      expect(kinds(outcomes)).toEqual(['stale', 'stale', 'committed', 'committed', 'stale']);
      expect(await allEvents(store, room)).toHaveLength(before + 2);
    });
  });

  describe('versions', () => {
    const at = (stream: number, version: number) => ({ expect: [[stream, version]] as const });

    it('[L4] makes an entry stale whose stream has another version, and writes nothing of it', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const version = await facts.version(room);
      const before = await everything(store);
      for (const wrong of [version - 1, version + 1]) {
        const claims = [{ space: 'import' as const, value: 'never', owner: room }];
        const entry = facts.sending(room, ada, { text: 'no' }, { ...at(room, wrong), claims });
        expect(kinds(await facts.commit(entry))).toEqual(['stale']);
      }
      expect(await everything(store)).toBe(before);
      expect(kinds(await facts.commit(facts.sending(room, ada, { text: 'yes' }, at(room, version))))).toEqual([
        'committed',
      ]);
    });

    it('[L4] moves the version with what decisions are made on, and not with messages', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada]);
      const version = await facts.version(room);
      const sent = await facts.send(room, ada, 'a');
      const about = { message: sent.id, messageSeq: sent.seq };
      await facts.done(facts.entry(ada, [{ stream: room, type: 'reaction.added', body: { ...about, emoji: '👍' } }]));
      await facts.done(facts.entry(ada, [{ stream: ada, type: 'read.moved', body: { room, seq: 1 } }]));
      expect(await facts.version(room)).toBe(version);
      const joined = { stream: room, type: 'member.joined' as const, body: { user: ben, role: 'member' as const } };
      await facts.done(facts.entry(ada, [joined]));
      expect(await facts.version(room)).toBe(version + 1);
      await facts.done(facts.entry(ada, [{ stream: room, type: 'room.changed', body: { topic: 't' } }]));
      expect(await facts.version(room)).toBe(version + 2);
    });

    it('[M2] makes an entry stale whose marker stands further on, before it or in the same batch', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const [room, other] = [await facts.room([ada, ben]), await facts.room([ada, ben])];
      for (let i = 0; i < 5; i += 1) await facts.send(room, ada, 'x');
      const move = (user: number, seq: number, where = room) =>
        facts.entry(user, [{ stream: user, type: 'read.moved', body: { room: where, seq } }], {
          expectMarkers: [[where, user, seq]],
        });
      expect(kinds(await facts.commit(move(ben, 4)))).toEqual(['committed']);
      // Where it stands is not beyond: "unread from here" ends there [M3].
      expect(kinds(await facts.commit(move(ben, 3), move(ben, 4), move(ben, 1, other)))).toEqual([
        'stale',
        'committed',
        'committed',
      ]);
      expect(kinds(await facts.commit(move(ben, 6), move(ben, 5), move(ben, 6)))).toEqual([
        'committed',
        'stale',
        'committed',
      ]);
      const sent = facts.sending(room, ben, { text: 'y' });
      expect(kinds(await facts.commit(sent, move(ben, 6), move(ben, 7), move(ada, 6)))).toEqual([
        'committed',
        'stale',
        'committed',
        'committed',
      ]);
      const moves = (await allEvents(store, ben)).filter(({ type }) => type === 'read.moved');
      expect(moves.map(({ body }) => JSON.parse(body))).toEqual(
        [4, 4, 1, 6, 6, 7].map((seq, at) => ({ room: at === 2 ? other : room, seq })),
      );
    });

    it('[L4] sees what an earlier entry of the same batch changed', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada, ben]);
      const version = await facts.version(room);
      const outcomes = await facts.commit(
        facts.sending(room, ben, { text: 'before' }, at(room, version)),
        facts.entry(ada, [{ stream: room, type: 'member.removed', body: { user: ben } }], at(room, version)),
        facts.sending(room, ben, { text: 'after' }, at(room, version)),
        facts.entry(ada, [{ stream: room, type: 'member.removed', body: { user: ben } }], at(room, version)),
        facts.sending(room, ada, { text: 'still' }),
      );
      expect(kinds(outcomes)).toEqual(['committed', 'committed', 'stale', 'stale', 'committed']);
      expect((await allEvents(store, room)).map((event) => event.type)).toEqual([
        'room.created',
        'message.sent',
        'member.removed',
        'message.sent',
      ]);
    });

    it('[L4] holds a decision to every stream that it was made on', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada]);
      const expected = [
        [room, await facts.version(room)],
        [ben, await facts.version(ben)],
      ] as const;
      await facts.done(facts.entry(ben, [{ stream: ben, type: 'user.deactivated', body: {} }]));
      const joined = { stream: room, type: 'member.joined' as const, body: { user: ben, role: 'member' as const } };
      expect(kinds(await facts.commit(facts.entry(ada, [joined], { expect: expected })))).toEqual(['stale']);
      // A stream that was never made has no version but 0.
      const absent = facts.entry(ada, [joined], at(987_654_321, 1));
      expect(kinds(await facts.commit(absent))).toEqual(['stale']);
    });

    it('[L4] makes an entry stale whose message changed, also within one batch', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const sent = await facts.send(room, ada, 'a');
      const about = { message: sent.id, messageSeq: sent.seq };
      const expectMessages = [[sent.id, 0]] as const;
      const edit = (text: string) =>
        facts.entry(ada, [{ stream: room, type: 'message.edited', body: { ...about, text } }], { expectMessages });
      expect(kinds(await facts.commit(edit('b'), edit('c')))).toEqual(['committed', 'stale']);
      expect(kinds(await facts.commit(edit('d')))).toEqual(['stale']);
      const row = await store.db.selectFrom('messages').selectAll().where('id', '=', sent.id).executeTakeFirst();
      expect(row).toMatchObject({ text: 'b', version: 1 });
      const unknown = facts.sending(room, ada, { text: 'x' }, { expectMessages: [[987_654_321, 0]] });
      expect(kinds(await facts.commit(unknown))).toEqual(['stale']);
    });

    it.each([
      'message.edited',
      'message.deleted',
      'reaction.added',
      'reaction.removed',
      'pin.added',
      'pin.removed',
    ] as const)('[L4] moves the version of a message with %s', async (type) => {
      const [ada] = (await facts.users(1)) as [number];
      const room = await facts.room([ada]);
      const sent = await facts.send(room, ada, 'a');
      const body = { message: sent.id, messageSeq: sent.seq, text: 'b', emoji: '👍' };
      const expectMessages = [[sent.id, 0]] as const;
      const entry = facts.entry(ada, [{ stream: room, type, body }], { expectMessages });
      expect(kinds(await facts.commit(entry, entry))).toEqual(['committed', 'stale']);
      expect(kinds(await facts.commit(entry))).toEqual(['stale']);
    });
  });

  describe('claims', () => {
    const claim = (value: string, owner: number) => ({ space: 'room.name:' as const, value, owner });
    const made = (owner: number, value: string, rest = {}) =>
      facts.entry(owner, [{ stream: owner, type: 'room.changed', body: { topic: value } }], {
        claims: [claim(value, owner)],
        ...rest,
      });

    it('[L5] gives one thing to one only, and writes nothing for the other', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const [one, other] = [await facts.room([ada]), await facts.room([ada])];
      expect(kinds(await facts.commit(made(one, 'general')))).toEqual(['committed']);
      const before = await everything(store);
      const entry = made(other, 'general', { key: { key: 'taken', hash: 'h' } });
      expect(await facts.commit(entry)).toEqual([{ kind: 'taken', claim: claim('general', other) }]);
      expect(await everything(store)).toBe(before);
      expect(kinds(await facts.commit(made(one, 'general')))).toEqual(['committed']);
      // Another space has names of its own.
      const elsewhere = { claims: [{ ...claim('general', other), space: 'room.name:x' as const }] };
      expect(kinds(await facts.commit(made(other, 'general', elsewhere)))).toEqual(['committed']);
    });

    it('[L5] lets one of 50 have it, in one batch and in batches at once', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const rooms: number[] = [];
      for (let i = 0; i < 50; i += 1) rooms.push(await facts.room([ada]));
      const count = (outcomes: readonly Outcome[], kind: string) => kinds(outcomes).filter((k) => k === kind).length;
      const batch = await facts.commit(...rooms.map((room) => made(room, 'batch')));
      expect([count(batch, 'committed'), count(batch, 'taken')]).toEqual([1, 49]);
      const apart = (await Promise.all(rooms.map((room) => facts.commit(made(room, 'apart'))))).flat();
      expect([count(apart, 'committed'), count(apart, 'taken')]).toEqual([1, 49]);
    });

    it('[L5] gives on what was released, in the order of the batch', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const [one, other] = [await facts.room([ada]), await facts.room([ada])];
      await facts.done(made(one, 'old'));
      const outcomes = await facts.commit(
        made(other, 'old'),
        made(one, 'new', { releases: [claim('old', one)] }),
        made(other, 'old'),
        made(one, 'old'),
      );
      expect(kinds(outcomes)).toEqual(['taken', 'committed', 'committed', 'taken']);
      const rows = await store.db.selectFrom('claims').selectAll().where('owner', 'in', [one, other]).execute();
      expect(rows.map(({ value, owner }) => [value, owner]).sort()).toEqual([
        ['new', one],
        ['old', other],
      ]);
    });

    it("[L5] releases nobody else's", async () => {
      const [ada] = (await facts.users(1)) as [number];
      const [one, other] = [await facts.room([ada]), await facts.room([ada])];
      await facts.done(made(one, 'mine'));
      await facts.done(made(other, 'yours', { releases: [claim('mine', other), claim('mine', one)].slice(0, 1) }));
      expect(kinds(await facts.commit(made(other, 'mine')))).toEqual(['taken']);
    });

    it('[L5] writes none of an entry when one of its claims is taken', async () => {
      const [ada] = (await facts.users(1)) as [number];
      const [one, other] = [await facts.room([ada]), await facts.room([ada])];
      await facts.done(made(one, 'second'));
      const both = made(other, 'first', { claims: [claim('first', other), claim('second', other)] });
      expect(kinds(await facts.commit(both))).toEqual(['taken']);
      expect(kinds(await facts.commit(made(one, 'first')))).toEqual(['committed']);
    });

    it('[L5] frees what a room, a user and a user group had when they are deleted', async () => {
      const [ada, ben] = (await facts.users(2)) as [number, number];
      const room = await facts.room([ada]);
      await facts.done(made(room, 'freed'));
      await facts.done(facts.entry(ada, [{ stream: room, type: 'room.deleted', body: {} }]));
      const name = { space: 'user.name' as const, value: `ben-${ben}` };
      await facts.done(
        facts.entry(ben, [{ stream: ben, type: 'user.changed', body: { about: 'x' } }], {
          claims: [{ ...name, owner: ben }],
        }),
      );
      await facts.done(facts.entry(ben, [{ stream: ben, type: 'user.deleted', body: {} }]));
      const group = await store.reserveStreams(1);
      const groupClaim = { space: 'usergroup.name' as const, value: 'crew', owner: group };
      const body = { name: 'crew', description: '', members: [] };
      await facts.done(
        facts.entry(ada, [{ stream: group, type: 'usergroup.created', body }], { claims: [groupClaim] }),
      );
      await facts.done(facts.entry(ada, [{ stream: group, type: 'usergroup.deleted', body: {} }]));
      const next = await facts.room([ada]);
      const claims = [claim('freed', next), { ...name, owner: next }, { ...groupClaim, owner: next }];
      expect(kinds(await facts.commit(made(next, '', { claims })))).toEqual(['committed']);
    });
  });
}

import type { Reply } from '@natter/server/core/actor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { House } from './house.js';

/** How often each answer was given. */
function tally(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reply of replies) {
    const name = reply.ok ? (reply.result.unchanged ? 'unchanged' : 'done') : reply.code;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('commands that meet', () => {
  let house: House;
  beforeEach(async () => {
    house = await House.open();
  });
  afterEach(() => house.close());

  it('a group takes 100 members and not 101, also when 20 are added at once', async () => {
    const [owner, ...others] = (await house.users(121)) as [number, ...number[]];
    const room = await house.room([owner, ...others.slice(0, 89)]);
    const adds = others.slice(89, 109).map((user) => house.execute(owner, 'member.add', { room, users: [user] }));
    expect(tally(await Promise.all(adds))).toEqual({ done: 10, room_full: 10 });
    expect((await house.members(room)).size).toBe(100);
    expect(await house.refusal(owner, 'member.add', { room, users: others.slice(109, 110) })).toBe('room_full');
    const [, leaver] = [...(await house.members(room)).keys()] as [number, number];
    await house.done(leaver, 'member.leave', { room });
    await house.done(owner, 'member.add', { room, users: others.slice(109, 110) });
    expect((await house.members(room)).size).toBe(100);
  });

  it('a group can be made with 100 members and not with 101', async () => {
    const [owner, ...others] = (await house.users(102)) as [number, ...number[]];
    const make = (count: number) =>
      house.execute(owner, 'room.create', { kind: 'group', name: 'big', members: others.slice(0, count - 1) });
    expect(await make(101)).toMatchObject({ ok: false, code: 'room_full' });
    expect(await make(100)).toMatchObject({ ok: true });
  });

  it('200 who join a channel at once are all in it', async () => {
    const [owner, ...others] = (await house.users(201)) as [number, ...number[]];
    const room = await house.channel([owner], 'lobby');
    const replies = await Promise.all(others.map((user) => house.execute(user, 'member.join', { room })));
    expect(tally(replies)).toEqual({ done: 200 });
    expect((await house.members(room)).size).toBe(201);
  });

  it('sends go through while many join', async () => {
    const [owner, ...others] = (await house.users(151)) as [number, ...number[]];
    const room = await house.channel([owner], 'busy');
    const replies = await Promise.all(
      others.flatMap((user, i) => [
        house.execute(user, 'member.join', { room }),
        house.execute(owner, 'message.send', { room, text: `${i}` }),
      ]),
    );
    expect(tally(replies)).toEqual({ done: 300 });
    const events = await house.events(room);
    expect(events.filter(({ type }) => type === 'message.sent')).toHaveLength(150);
  });

  it('[M2] the log says of no marker that it fell, also when devices move it at once', async () => {
    const [ada, ben] = (await house.users(2)) as [number, number];
    const room = await house.room([ada, ben]);
    for (let i = 0; i < 20; i += 1) await house.send(ada, room, `${i}`);
    // Downwards: all are decided on the same marker, and all but the first are beyond their time.
    const asked = Array.from({ length: 20 }, (_, i) => 21 - i);
    const replies = await Promise.all(asked.map((seq) => house.execute(ben, 'read.move', { room, seq })));
    expect(tally(replies)).toEqual({ done: 1, unchanged: 19 });
    const moves = (await house.events(ben)).filter(({ type }) => type === 'read.moved');
    expect(moves.map(({ body }) => JSON.parse(body))).toEqual([{ room, seq: 21 }]);
  });

  it('[L5] both sides that open a direct room at once get the same one', async () => {
    const [ada, ben] = (await house.users(2)) as [number, number];
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? [ada, ben] : [ben, ada]) as [number, number]).map(
        ([me, user]) => house.execute(me, 'room.open', { user }),
      ),
    );
    expect(tally(replies)).toEqual({ done: 1, unchanged: 19 });
    const rooms = new Set(replies.map((reply) => reply.ok && reply.result.stream));
    expect(rooms.size).toBe(1);
    expect(await house.store.db.selectFrom('rooms').select('id').execute()).toHaveLength(1);
    const [room] = [...rooms] as number[];
    expect([...(await house.members(room as number)).keys()].sort()).toEqual([ada, ben].sort());
  });

  it('[L5] opening a direct room with oneself makes one notebook', async () => {
    const ada = await house.user();
    const first = await house.done(ada, 'room.open', { user: ada });
    expect(await house.done(ada, 'room.open', { user: ada })).toEqual({ stream: first.stream, unchanged: true });
    expect([...(await house.members(first.stream)).keys()]).toEqual([ada]);
  });

  it('[L5] one of 50 who take a name at once has it', async () => {
    const users = await house.users(50);
    const replies = await Promise.all(
      users.map((user, i) =>
        house.execute(user, 'room.create', {
          kind: 'channel',
          visibility: 'public',
          name: i % 2 === 0 ? 'General' : ' ＧENERAL',
        }),
      ),
    );
    expect(tally(replies)).toEqual({ done: 1, name_taken: 49 });
    const groups = users.map((user) => house.execute(user, 'usergroup.create', { name: 'crew' }));
    expect(tally(await Promise.all(groups))).toEqual({ done: 1, name_taken: 49 });
    expect(await house.store.db.selectFrom('usergroups').select('id').execute()).toHaveLength(1);
  });

  it('[A1] a send that races a removal is decided in the commit: nothing of that member comes after it', async () => {
    const [owner, ...others] = (await house.users(11)) as [number, ...number[]];
    const room = await house.room([owner, ...others]);
    const replies = await Promise.all(
      others.flatMap((user) => [
        ...Array.from({ length: 5 }, (_, i) => house.execute(user, 'message.send', { room, text: `${i}` })),
        house.execute(owner, 'member.remove', { room, user }),
        ...Array.from({ length: 5 }, (_, i) => house.execute(user, 'message.send', { room, text: `late ${i}` })),
      ]),
    );
    const events = await house.events(room);
    for (const user of others) {
      const removed = events.find(({ type, body }) => type === 'member.removed' && JSON.parse(body).user === user);
      const sent = events.filter(({ type, actor }) => type === 'message.sent' && actor === user);
      expect(removed).toBeDefined();
      expect(sent.every(({ seq }) => seq < (removed?.seq ?? 0))).toBe(true);
    }
    const counts = tally(replies);
    expect((counts.done ?? 0) + (counts.not_found ?? 0)).toBe(replies.length);
    expect(events.filter(({ type }) => type === 'message.sent').length + others.length).toBe(counts.done);
  });

  it('[A5] owners who leave and step down at once never leave a room without one', async () => {
    for (let round = 0; round < 10; round += 1) {
      const people = await house.users(4);
      const [a, b, c, d] = people as [number, number, number, number];
      const room = await house.room(people);
      await house.done(a, 'member.change', { room, user: b, role: 'owner' });
      await Promise.all([
        house.execute(a, 'member.leave', { room }),
        house.execute(b, 'member.change', { room, user: b, role: 'member' }),
        house.execute(b, 'member.leave', { room }),
        house.execute(a, 'member.change', { room, user: b, role: 'member' }),
        house.execute(c, 'member.leave', { room }),
      ]);
      const members = await house.members(room);
      expect([...members.values()]).toContain('owner');
      expect(members.has(d)).toBe(true);
    }
  });

  it('two admins who deactivate, demote or delete each other at once leave one: the other is no admin any more', async () => {
    const commands = ['user.deactivate', 'user.delete', 'user.set_role'] as const;
    for (const one of commands) {
      for (const other of commands) {
        const apart = await House.open();
        const [ada, ben] = [await apart.user('ada', 'admin'), await apart.user('ben', 'admin')];
        const at = (type: (typeof commands)[number], user: number) =>
          type === 'user.set_role' ? { user, role: 'user' as const } : { user };
        const replies = await Promise.all([
          apart.execute(ada, one, at(one, ben) as never),
          apart.execute(ben, other, at(other, ada) as never),
        ]);
        expect([one, other, tally(replies)]).toEqual([one, other, { done: 1, forbidden: 1 }]);
        await apart.close();
      }
    }
  });

  it('[M2] markers that are moved at once end at the furthest', async () => {
    const [ada, ben] = (await house.users(2)) as [number, number];
    const room = await house.room([ada, ben]);
    for (let i = 0; i < 20; i += 1) await house.send(ada, room);
    const seqs = [3, 18, 7, 21, 2, 11, 21, 5];
    await Promise.all(seqs.map((seq) => house.execute(ben, 'read.move', { room, seq })));
    const [row] = await house.queries.roomRows(ben);
    expect(row).toMatchObject({ readSeq: 21, unread: 0 });
  });

  it('[L3] a command sent 20 times at once with one key is done once', async () => {
    const [ada] = (await house.users(1)) as [number];
    const room = await house.room([ada]);
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => house.execute(ada, 'message.send', { room, text: 'once' }, { key: 'k' })),
    );
    const results = replies.map((reply) => (reply.ok ? reply.result : reply));
    expect(new Set(results.map((result) => JSON.stringify({ ...result, replayed: undefined }))).size).toBe(1);
    expect(results.filter((result) => !('replayed' in result))).toHaveLength(1);
    expect(await house.events(room)).toHaveLength(2);
  });

  it('edits of one message at once are all decided on the text that they replace', async () => {
    const [ada] = (await house.users(1)) as [number];
    const room = await house.room([ada]);
    const { id: message } = await house.send(ada, room, 'v0');
    const texts = Array.from({ length: 15 }, (_, i) => `v${i + 1}`);
    const replies = await Promise.all(texts.map((text) => house.execute(ada, 'message.edit', { message, text })));
    expect(tally(replies)).toEqual({ done: 15 });
    const edits = await house.store.db.selectFrom('message_edits').select('text').orderBy('seq').execute();
    const row = await house.store.db.selectFrom('messages').select('text').executeTakeFirst();
    expect([...edits.map(({ text }) => text), row?.text].sort()).toEqual(['v0', ...texts].sort());
  });

  it('reactions and pins at once are each there once', async () => {
    const people = (await house.users(6)) as [number, ...number[]];
    const room = await house.room(people);
    const { id: message } = await house.send(people[0], room);
    await Promise.all(
      people.flatMap((user) => [
        house.execute(user, 'reaction.add', { message, emoji: '👍' }),
        house.execute(user, 'reaction.add', { message, emoji: '👍' }),
        house.execute(user, 'pin.add', { message }),
      ]),
    );
    expect(await house.store.db.selectFrom('reactions').selectAll().execute()).toHaveLength(6);
    expect(await house.store.db.selectFrom('pins').selectAll().execute()).toHaveLength(1);
    const types = (await house.events(room)).map(({ type }) => type);
    expect(types.filter((type) => type === 'reaction.added')).toHaveLength(6);
    expect(types.filter((type) => type === 'pin.added')).toHaveLength(1);
  });
});

describe('two nodes over one store', () => {
  let one: House;
  let two: House;
  beforeEach(async () => {
    one = await House.open();
  });
  afterEach(() => one.close());

  it('[L4] what one node changed, the other decides on: also when it refuses', async () => {
    const [ada, ben, cleo] = (await one.users(3)) as [number, number, number];
    two = one.beside();
    const room = await one.channel([ada], 'shared');
    // Both have the room's state at hand.
    await two.send(ada, room);
    await one.send(ada, room);
    await one.done(ben, 'member.join', { room });
    expect(await two.execute(ben, 'message.send', { room, text: 'I am in' })).toMatchObject({ ok: true });
    await one.done(ada, 'member.remove', { room, user: ben });
    expect(await two.refusal(ben, 'message.send', { room, text: 'no more' })).toBe('not_found');
    // "It is so already" has to be so in the log too.
    await two.done(cleo, 'member.join', { room });
    await one.done(ada, 'member.remove', { room, user: cleo });
    expect(await two.done(cleo, 'member.join', { room })).not.toHaveProperty('unchanged');
    expect((await one.members(room)).has(cleo)).toBe(true);
  });

  it('[A2] a room that the other node deleted is not there', async () => {
    const [ada] = (await one.users(1)) as [number];
    two = one.beside();
    const room = await one.room([ada]);
    await two.send(ada, room);
    await one.done(ada, 'room.delete', { room });
    expect(await two.refusal(ada, 'message.send', { room, text: 'x' })).toBe('not_found');
  });
});

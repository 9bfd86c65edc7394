/** What queries answer, against a count by hand of what the tables hold. */
import type { RoomRow } from '@natter/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ON_POSTGRES } from '../databases.js';
import { House } from './house.js';

type Step =
  | { kind: 'send'; who: number; text: string }
  | { kind: 'edit' | 'delete' | 'reply'; who: number; which: number }
  | { kind: 'move' | 'unmark'; who: number; to: number }
  | { kind: 'leave' | 'join'; who: number };

const who = fc.nat(2);
const texts = fc.constantFrom('plain', '@person1 look', '@person2 and @person3', '@all', 'nobody@person1');
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('send' as const), who, text: texts }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('edit', 'delete', 'reply'), who, which: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('move', 'unmark'), who, to: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('leave', 'join'), who }) },
);

/** [M1][M3][M4] by looking at every message. */
async function recount(house: House, user: number, row: RoomRow): Promise<{ unread: number; mentions: number }> {
  const messages = await house.store.db.selectFrom('messages').selectAll().where('room', '=', row.id).execute();
  const from = row.unreadFrom ?? row.readSeq + 1;
  const unread = messages.filter((message) => message.seq >= from && message.deleted_at === null);
  const calls = unread.filter((message) => {
    const mentions = message.mentions === null ? {} : JSON.parse(message.mentions);
    return mentions.everyone === true || mentions.users?.includes(user);
  });
  return { unread: unread.length, mentions: calls.length };
}

describe('what I have not read', () => {
  it.each(['shared', 'joined'] as const)(
    '[M1][M3][M4] is what a count by hand says, whatever was sent, deleted, read and unmarked (history %s)',
    async (history) => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (run) => {
          const house = await House.open();
          const users = await house.users(3);
          const room = await house.channel(users.slice(0, 2), 'kitchen', { history });
          const sent: number[] = [];
          for (const step of run) {
            const user = users[step.who] as number;
            const message = 'which' in step ? (sent[step.which % Math.max(sent.length, 1)] ?? 1) : 1;
            let reply: Awaited<ReturnType<House['execute']>>;
            switch (step.kind) {
              case 'send':
                reply = await house.execute(user, 'message.send', { room, text: step.text });
                if (reply.ok && reply.result.id) sent.push(reply.result.id);
                break;
              case 'reply':
                reply = await house.execute(user, 'message.send', { room, text: 'well @person1', replyTo: message });
                if (reply.ok && reply.result.id) sent.push(reply.result.id);
                break;
              case 'edit':
                await house.execute(user, 'message.edit', { message, text: '@person3 @person2' });
                break;
              case 'delete':
                await house.execute(user, 'message.delete', { message });
                break;
              case 'move':
                await house.execute(user, 'read.move', { room, seq: step.to });
                break;
              case 'unmark':
                await house.execute(user, 'read.unmark', { room, seq: step.to + 1 });
                break;
              case 'leave':
                await house.execute(user, 'member.leave', { room });
                break;
              case 'join':
                await house.execute(user, 'member.join', { room });
                break;
            }
            for (const one of users) {
              for (const row of await house.queries.roomRows(one)) {
                const { unread, mentions } = row;
                expect({ step, one, unread, mentions }).toEqual({ step, one, ...(await recount(house, one, row)) });
              }
            }
          }
          await house.store.close();
        }),
        // Each run has a house of its own, which takes longer to build there.
        { numRuns: ON_POSTGRES ? 10 : 60 },
      );
    },
  );
});

describe('pages', () => {
  it('[A3] give each member exactly what stands from their first seq on, both ways and around', async () => {
    const house = await House.open();
    const [ada, bob] = (await house.users(2)) as [number, number];
    const room = await house.channel([ada], 'late', { history: 'joined' });
    for (let i = 0; i < 10; i += 1) await house.send(ada, room, `before ${i}`);
    await house.done(bob, 'member.join', { room });
    const later: number[] = [];
    for (let i = 0; i < 10; i += 1) later.push((await house.send(ada, room, `after ${i}`)).seq);
    const bobs = house.actor(bob);
    for (let limit = 1; limit <= 12; limit += 1) {
      for (let around = 0; around <= (later.at(-1) ?? 0) + 2; around += 1) {
        for (const range of [{ around }, { before: around }, { after: around }]) {
          const found = await house.queries.messagePage(bobs, { room, limit, ...range });
          if (!found.ok) throw new Error(found.code);
          const { messages, before, after, head } = found.value;
          const seqs = messages.map((message) => message.seq);
          expect(later).toEqual(expect.arrayContaining(seqs));
          expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
          expect(seqs.length).toBeLessThanOrEqual(limit);
          expect(head).toBe(later.at(-1));
          // Nothing is skipped: what lies beyond is told, and what is told lies beyond.
          const first = seqs[0] ?? before ?? Number.POSITIVE_INFINITY;
          const last = seqs.at(-1) ?? after ?? Number.NEGATIVE_INFINITY;
          if (seqs.length > 0) {
            expect(before === null).toBe(!later.some((seq) => seq < first));
            expect(after === null).toBe(!later.some((seq) => seq > last));
          }
        }
      }
    }
    await house.store.close();
  });

  it('of mentions give each call once, newest first, from my rooms alone', async () => {
    const house = await House.open();
    const [ada, bob] = (await house.users(2)) as [number, number];
    const rooms = [await house.channel([ada, bob], 'one'), await house.channel([ada, bob], 'two')];
    const other = await house.channel([ada], 'three');
    const calls: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const text = i % 3 === 0 ? '@all' : '@person2 hello';
      calls.unshift((await house.send(ada, rooms[i % 2] as number, text)).id);
      await house.send(ada, other, '@all');
      await house.send(ada, rooms[0] as number, 'nobody');
    }
    const seen: number[] = [];
    for (let before: number | undefined; ; ) {
      const page = await house.queries.mentionsOfMe(house.actor(bob), { limit: 5, before });
      if (!page.ok) throw new Error(page.code);
      seen.push(...page.value.messages.map((message) => message.id));
      if (page.value.next === null) break;
      before = page.value.next;
    }
    expect(seen).toEqual(calls);
    await house.done(bob, 'member.leave', { room: rooms[0] as number });
    const left = await house.queries.mentionsOfMe(house.actor(bob), {});
    expect(left.ok && left.value.messages.every((message) => message.room === rooms[1])).toBe(true);
    await house.store.close();
  });
});

describe('finding people', () => {
  it('stands any text, finds every name by any part of it, and by one slip in it', async () => {
    const house = await House.open();
    const names = ['ada.lovelace', 'grace_hopper', 'edsger', 'barbara', 'донна', 'ölçer', '山田太郎'];
    const ids = new Map<string, number>();
    for (const name of names) ids.set(name, await house.user(name));
    const me = house.actor(ids.get('edsger') as number);
    const find = async (q: string) => {
      const found = await house.queries.searchUsers(me, { q });
      if (!found.ok) throw new Error(found.code);
      return found.value.users.map((user) => user.name);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(20),
        fc.integer({ min: 1, max: 20 }),
        async (name, from, length) => {
          const letters = [...name];
          const start = from % letters.length;
          const part = letters.slice(start, start + length).join('');
          expect([part, await find(part)]).toEqual([part, expect.arrayContaining([name])]);
          expect([part, await find(part.toUpperCase())]).toEqual([part, expect.arrayContaining([name])]);
        },
      ),
      { numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('edsger', 'barbara', 'grace_hopper'),
        fc.nat(10),
        fc.nat(3),
        async (name, at, kind) => {
          const letters = [...name];
          const place = at % (letters.length - 1);
          const spoilt = [...letters];
          if (kind === 0) spoilt.splice(place, 1);
          else if (kind === 1) spoilt.splice(place, 0, 'z');
          else if (kind === 2) spoilt[place] = 'z';
          else [spoilt[place], spoilt[place + 1]] = [letters[place + 1] as string, letters[place] as string];
          const q = spoilt.join('');
          expect([q, await find(q)]).toEqual([q, expect.arrayContaining([name])]);
        },
      ),
      { numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (q) => {
        expect(Array.isArray(await find(q.toWellFormed().replaceAll('\0', '')))).toBe(true);
      }),
      { numRuns: 100 },
    );
    await house.store.close();
  });
});

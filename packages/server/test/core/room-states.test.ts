import { applyToRoom, type RoomState } from '@natter/server/rooms/state';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InlineThread, openInlineStore } from '../store/inline.js';
import { House } from './house.js';

/** As plain data, members in their order. */
const plain = (state: RoomState | null | undefined) => state && { ...state, members: [...state.members] };

describe('the states that decisions are made on', () => {
  let house: House;
  beforeEach(async () => {
    house = await House.open();
  });
  afterEach(() => house.close());

  it('[L4] are, after any history, what a node that comes new reads: kept by events or loaded, it is the same', async () => {
    const people = await house.users(5);
    const step = fc.record({
      what: fc.constantFrom('send', 'join', 'leave', 'remove', 'role', 'change', 'hide', 'archive'),
      who: fc.nat(4),
      whom: fc.nat(4),
      n: fc.nat(9),
    });
    let rooms = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 20 }), async (batches) => {
        rooms += 1;
        const room = await house.channel(people.slice(0, 2), `room ${rooms}`);
        await house.send(people[0] as number, room);
        for (const batch of batches) {
          await Promise.all(
            batch.map(({ what, who, whom, n }) => {
              const [user, other] = [people[who] as number, people[whom] as number];
              switch (what) {
                case 'send':
                  return house.execute(user, 'message.send', { room, text: 'x' });
                case 'join':
                  return house.execute(user, 'member.join', { room });
                case 'leave':
                  return house.execute(user, 'member.leave', { room });
                case 'remove':
                  return house.execute(user, 'member.remove', { room, user: other });
                case 'role':
                  return house.execute(user, 'member.change', {
                    room,
                    user: other,
                    role: (['owner', 'admin', 'member'] as const)[n % 3] ?? 'member',
                  });
                case 'change':
                  return house.execute(user, 'room.change', { room, topic: `${n}` });
                case 'hide':
                  return house.execute(user, 'room.change', { room, history: n % 2 === 0 ? 'joined' : 'shared' });
                case 'archive':
                  return house.execute(user, n % 2 === 0 ? 'room.archive' : 'room.unarchive', { room });
                default:
                  throw new Error(what satisfies never);
              }
            }),
          );
        }
        const kept = house.core.rooms.peek(room);
        const fresh = await house.beside().core.rooms.get(room);
        if (kept) expect(plain(kept)).toEqual(plain(fresh));
        const head = (await house.store.heads([room])).get(room);
        expect([fresh?.seq, fresh?.version]).toEqual([head?.seq, head?.version]);
      }),
      { numRuns: 40 },
    );
  });

  it('are kept for so many rooms, those used last', async () => {
    const small = house.beside({ roomStatesMax: 3 });
    const [ada] = (await small.users(1)) as [number];
    const rooms = [];
    for (let i = 0; i < 4; i += 1) rooms.push(await small.room([ada]));
    const [a, b, c, d] = rooms as [number, number, number, number];
    for (const room of [a, b, c, a, d]) await small.send(ada, room);
    expect([a, b, c, d].map((room) => small.core.rooms.peek(room) !== undefined)).toEqual([true, false, true, true]);
  });

  it('that are read while events are committed take these in: a busy room is read once', async () => {
    const thread = new InlineThread();
    const store = await openInlineStore(thread);
    const busy = await House.open({ store });
    const [ada, ben] = (await busy.users(2)) as [number, number];
    const room = await busy.channel([ada], 'busy');
    const cold = busy.beside();
    let reads = 0;
    let hold = true;
    const ask = thread.ask.bind(thread);
    thread.ask = async <T>(request: Parameters<typeof ask>[0]): Promise<T> => {
      const reading = request.op === 'query' && /from "members".*where "room" = /.test(request.sql);
      const answer = await ask<T>(request);
      if (!reading) return answer;
      reads += 1;
      // Between the reading and the answer others commit on this very node.
      if (hold) {
        hold = false;
        await cold.log.append({
          actor: ben,
          at: 1,
          drafts: [{ stream: room, type: 'member.joined', body: { user: ben, role: 'member' } }],
        });
      }
      return answer;
    };
    await cold.send(ada, room);
    await cold.send(ben, room);
    await cold.send(ada, room);
    expect(reads).toBe(1);
    expect([...(cold.core.rooms.peek(room)?.members.keys() ?? [])]).toEqual([ada, ben]);
    await busy.close();
  });

  it('of a room that does not exist are none, and are looked for again', async () => {
    const [ada] = (await house.users(1)) as [number];
    const next = (await house.store.reserveStreams(1)) + 1;
    expect(await house.refusal(ada, 'message.send', { room: next, text: 'x' })).toBe('not_found');
    expect(await house.room([ada])).toBe(next);
    await house.send(ada, next);
  });

  it('change by every event of a room that concerns them, and by no other', () => {
    const state: RoomState = {
      id: 1,
      seq: 1,
      version: 1,
      kind: 'channel',
      name: 'a',
      topic: '',
      visibility: 'public',
      history: 'shared',
      dialect: '',
      createdBy: 1,
      archived: false,
      members: new Map([[1, { role: 'owner', fromSeq: 1 }]]),
    };
    const apply = (type: Parameters<typeof applyToRoom>[1]['type'], body: object) =>
      applyToRoom(state, { type, seq: 7, body: JSON.stringify(body) });
    expect(apply('message.sent', { text: 'x' })).toBe(true);
    expect(plain(state)).toMatchObject({ name: 'a', members: [[1, { role: 'owner' }]] });
    apply('room.changed', { name: 'b', history: 'joined' });
    apply('room.archived', {});
    apply('member.joined', { user: 2, role: 'member' });
    apply('member.changed', { user: 2, role: 'admin' });
    expect(plain(state)).toMatchObject({
      name: 'b',
      archived: true,
      members: [
        [1, { role: 'owner', fromSeq: 1 }],
        [2, { role: 'admin', fromSeq: 7 }],
      ],
    });
    apply('member.removed', { user: 1 });
    apply('room.unarchived', {});
    expect(plain(state)).toMatchObject({ archived: false, members: [[2, {}]] });
    expect(apply('room.deleted', {})).toBe(false);
  });
});

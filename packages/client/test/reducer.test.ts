/** The state of a room as a function of its events, against a plain scan of the same log. */
import {
  applyEvent,
  emptyRoom,
  mergePage,
  type RoomState,
  roomFromPage,
  trim,
  unknownRoom,
} from '@natter/client/reducer';
import type { Event } from '@natter/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logOf, moves, ordered, pageOf, ROOM, redacted, scan, timeOf } from './histories.js';

const replay = (log: readonly Event[], state: RoomState = emptyRoom(ROOM)) => log.reduce(applyEvent, state);
const messagesOf = (state: RoomState) => ordered(state.window?.messages ?? []);
const runs = { numRuns: Number(process.env.RUNS ?? 300) };

describe('a replay', () => {
  it('says of every message what a scan of the log says', () => {
    fc.assert(
      fc.property(moves(60), (all) => {
        const log = logOf(all);
        const state = replay(log);
        expect(messagesOf(state)).toEqual(ordered(scan(log)));
        expect(state.seq).toBe(log.length);
      }),
      runs,
    );
  });

  it('knows the room and its members', () => {
    fc.assert(
      fc.property(moves(60), (all) => {
        const log = logOf(all);
        const members = new Map([[1, 'owner']]);
        let name = 'r';
        let archived = false;
        for (const event of log) {
          if (event.type === 'member.joined' || event.type === 'member.changed')
            members.set(event.body.user, event.body.role);
          if (event.type === 'member.left' || event.type === 'member.removed') members.delete(event.body.user);
          if (event.type === 'room.changed') name = event.body.name ?? name;
          if (event.type === 'room.archived') archived = true;
          if (event.type === 'room.unarchived') archived = false;
        }
        const state = replay(log);
        expect(state.members).toEqual(members);
        expect(state.info).toMatchObject({ name, archived, deleted: false, kind: 'group', createdBy: 1 });
      }),
      runs,
    );
  });

  it('[H2] is the same whatever is delivered again', () => {
    fc.assert(
      fc.property(moves(40), fc.array(fc.nat(100), { maxLength: 40 }), (all, again) => {
        const log = logOf(all);
        let state = emptyRoom(ROOM);
        for (const [index, event] of log.entries()) {
          state = applyEvent(state, event);
          const old = log[(again[index] ?? 0) % (index + 1)] as Event;
          expect(applyEvent(state, old)).toBe(state);
        }
        expect(messagesOf(state)).toEqual(ordered(scan(log)));
      }),
      runs,
    );
  });

  it('[L6] ends the same from the log as it reads after deletions', () => {
    fc.assert(
      fc.property(moves(60), (all) => {
        const log = logOf(all);
        expect(replay(redacted(log))).toEqual(replay(log));
      }),
      runs,
    );
  });

  it('[H2] refuses to leave a gap', () => {
    const state = emptyRoom(ROOM);
    const event = { type: 'hidden', stream: ROOM, seq: 2 } as const;
    expect(() => applyEvent(state, event)).toThrow(RangeError);
    expect(applyEvent(state, { ...event, stream: 8 })).toBe(state);
  });

  it('[A3] keeps the place of a hidden event and changes nothing else', () => {
    const log = logOf([{ kind: 'send', pick: 0, user: 1, more: 3 }]);
    const state = replay(log);
    expect(applyEvent(state, { type: 'hidden', stream: ROOM, seq: 3 })).toEqual({ ...state, seq: 3 });
  });

  it('keeps the place of what it does not know', () => {
    const state = replay(logOf([]));
    const event = { type: 'poll.opened', stream: ROOM, seq: 2, id: 9, actor: 1, at: timeOf(2), body: {} };
    expect(applyEvent(state, event as unknown as Event)).toEqual({ ...state, seq: 2 });
  });

  it('[L6] has nothing left of a deleted room but that it is deleted', () => {
    const log = logOf([{ kind: 'send', pick: 0, user: 1, more: 3 }]);
    const end: Event = { type: 'room.deleted', stream: ROOM, seq: 3, id: 99, actor: 1, at: timeOf(3), body: {} };
    const state = replay([...log, end]);
    expect(state.window?.messages).toEqual([]);
    expect(state.members?.size).toBe(0);
    expect(state.info).toMatchObject({ deleted: true, name: '' });
  });
});

describe('pages and events', () => {
  it('[H4] state at n plus events n+1..m is state at m', () => {
    fc.assert(
      fc.property(moves(60), fc.nat(1_000), fc.nat(1_000), fc.integer({ min: 1, max: 30 }), (all, a, b, limit) => {
        const log = logOf(all);
        const n = a % (log.length + 1);
        const m = n + (b % (log.length + 1 - n));
        const at = roomFromPage(ROOM, pageOf(log, n, { limit }));
        const state = replay(log.slice(n, m), at);
        const first = at.window?.messages[0]?.seq ?? n + 1;
        expect(messagesOf(state)).toEqual(ordered(scan(log.slice(0, m))).filter(({ seq }) => seq >= first));
        expect(state.seq).toBe(m);
      }),
      runs,
    );
  });

  type Step = {
    do: 'event' | 'older' | 'newer' | 'around' | 'latest' | 'trim';
    lead: number;
    lag: number;
    pick: number;
    limit: number;
  };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.record({
      do: fc.oneof(
        { weight: 3, arbitrary: fc.constant<Step['do']>('event') },
        { weight: 4, arbitrary: fc.constantFrom<Step['do']>('older', 'newer', 'around', 'latest', 'trim') },
      ),
      /** The page is read so far ahead of what was heard, and so many events are heard while it is read. */
      lead: fc.nat(8),
      lag: fc.nat(8),
      pick: fc.nat(1_000),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
    { maxLength: 40 },
  );

  it('[H4] pages read at any moment, merged with live events, are a run of what a scan says', () => {
    fc.assert(
      fc.property(moves(80), steps, (all, plan) => {
        const log = logOf(all);
        let state = unknownRoom(ROOM, 1);
        // A page that is asked for later is not read at an earlier moment.
        let readAt = 0;
        const next = () => {
          const event = log[state.seq];
          if (event) state = applyEvent(state, event);
          return event;
        };
        for (const { do: what, lead, lag, pick, limit } of plan) {
          const { window } = state;
          if (what === 'event') {
            next();
            continue;
          }
          if (what === 'trim') {
            state = trim(state, limit, pick % 2 ? 'oldest' : 'newest');
            continue;
          }
          const from = what === 'older' ? window?.before : what === 'newer' ? window?.after : 1;
          if (from === null || from === undefined) continue;
          const ask =
            what === 'older'
              ? { before: from, limit }
              : what === 'newer'
                ? { after: from, limit }
                : what === 'around'
                  ? { around: 1 + (pick % log.length), limit: limit + 1 }
                  : { limit };
          readAt = Math.max(readAt, Math.min(log.length, state.seq + lead));
          const page = pageOf(log, readAt, ask);
          const heard = Array.from({ length: lag }, next).flatMap((event) => event ?? []);
          // A page may be wanted beside a window that changed meanwhile only where nobody merges it: loads are one at a time.
          const merged = mergePage(state, page, what === 'older' || what === 'newer' ? what : 'replace', heard);
          expect(merged).not.toBeNull();
          state = merged ?? state;
        }
        while (next());
        const messages = messagesOf(state);
        const [first, last] = [messages[0]?.seq ?? 0, messages.at(-1)?.seq ?? 0];
        const truth = ordered(scan(log));
        expect(messages).toEqual(truth.filter(({ seq }) => seq >= first && seq <= last));
        if (state.window && messages.length > 0) {
          expect(state.window.before === null).toBe(truth[0]?.seq === first);
          expect(state.window.ahead).toEqual([]);
          if (state.window.after === null) expect(truth.at(-1)?.seq).toBe(last);
        }
      }),
      runs,
    );
  });

  it('[H4] is asked to read again when it holds events that the page is too old for', () => {
    const log = logOf(Array.from({ length: 5 }, () => ({ kind: 'send' as const, pick: 0, user: 1, more: 3 })));
    const state = replay(log, unknownRoom(ROOM, 0));
    expect(mergePage(state, pageOf(log, 3, { limit: 10 }), 'replace', log.slice(4))).toBeNull();
    expect(mergePage(state, pageOf(log, 3, { limit: 10 }), 'replace', log.slice(3))).not.toBeNull();
  });

  it('[G1] keeps so many messages, and says where the others are', () => {
    const log = logOf(Array.from({ length: 10 }, () => ({ kind: 'send' as const, pick: 0, user: 1, more: 3 })));
    const state = replay(log);
    expect(trim(state, 10, 'oldest')).toBe(state);
    expect(trim(state, 3, 'oldest').window).toMatchObject({ before: 9, after: null, messages: { length: 3 } });
    expect(trim(state, 3, 'newest').window).toMatchObject({ before: null, after: 4, messages: { length: 3 } });
  });
});

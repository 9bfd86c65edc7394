/** Unread and mention counts kept by events, against a recount. */
import { readEvent, roomEvent, type TrackedRow, trackRow } from '@natter/client/rows';
import type { Event, EventBody, RoomRow } from '@natter/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logOf, moves, ROOM, scan, timeOf } from './histories.js';

const ME = 2;
const runs = { numRuns: Number(process.env.RUNS ?? 300) };

interface Marker {
  readSeq: number;
  unreadFrom: number | null;
}

/** [M1][M3][M4] From the messages alone. */
function recount(log: readonly Event[], { readSeq, unreadFrom }: Marker) {
  const unread = scan(log).filter(({ seq, deletedAt }) => seq >= (unreadFrom ?? readSeq + 1) && !deletedAt);
  const calls = unread.filter(({ mentions }) => mentions.everyone || mentions.users?.includes(ME));
  return { unread: unread.length, mentions: calls.length };
}

function row(log: readonly Event[], marker: Marker): RoomRow {
  return {
    id: ROOM,
    kind: 'group',
    name: 'r',
    topic: '',
    visibility: 'private',
    history: 'shared',
    archived: false,
    createdAt: timeOf(1),
    createdBy: 1,
    memberCount: 2,
    member: true,
    role: 'member',
    head: log.length,
    fromSeq: 1,
    peer: null,
    lastMessageAt: null,
    ...marker,
    ...recount(log, marker),
  };
}

describe('a row', () => {
  it('[M1] counts what a recount counts, or says that it does not know', () => {
    const marks = fc.array(fc.record({ at: fc.nat(100), seq: fc.nat(100), un: fc.boolean() }), { maxLength: 20 });
    fc.assert(
      fc.property(moves(60), fc.nat(100), marks, (all, start, moved) => {
        const log = logOf(all).filter(({ type }) => !type.startsWith('member.'));
        // The seqs of what is left out close up: what is about messages moves along.
        const renumbered = renumber(log);
        const n = Math.max(1, start % (renumbered.length + 1));
        let marker: Marker = { readSeq: 0, unreadFrom: null };
        let tracked: TrackedRow = trackRow(row(renumbered.slice(0, n), marker));
        let doubts = 0;
        for (let head = n; head <= renumbered.length; head += 1) {
          const event = renumbered[head - 1];
          if (head > n && event) {
            tracked = roomEvent(tracked, event, ME) as TrackedRow;
            if (event.type === 'message.sent' && event.actor === ME) marker = { readSeq: head, unreadFrom: null };
          }
          for (const { at, seq, un } of moved) {
            if (at % (renumbered.length + 1) !== head) continue;
            const to = un ? 1 + (seq % head) : seq % (head + 1);
            if (!un && to < marker.readSeq) continue;
            marker = un ? { ...marker, unreadFrom: to } : { readSeq: to, unreadFrom: null };
            tracked = readEvent(tracked, told(un ? 'read.unmarked' : 'read.moved', { room: ROOM, seq: to }));
          }
          const truth = recount(renumbered.slice(0, head), marker);
          expect(tracked.row).toMatchObject({ head, ...marker });
          if (tracked.doubtful) {
            doubts += 1;
            // As the client does: read again.
            tracked = trackRow(row(renumbered.slice(0, head), marker));
          }
          expect(tracked.row).toMatchObject(truth);
        }
        expect(doubts).toBeLessThanOrEqual(renumbered.length - n + moved.length + 1);
      }),
      runs,
    );
  });

  it('[M1] is never in doubt about a room that is read at its end', () => {
    const log = renumber(logOf(Array.from({ length: 30 }, (_, n) => ({ kind: 'send', pick: 0, user: 1, more: n }))));
    let tracked = trackRow(row(log.slice(0, 1), { readSeq: 1, unreadFrom: null }));
    for (const event of log.slice(1)) {
      tracked = roomEvent(tracked, event, ME) as TrackedRow;
      if (event.seq % 4 === 0) tracked = readEvent(tracked, told('read.moved', { room: ROOM, seq: event.seq }));
      expect(tracked.doubtful).toBe(false);
    }
    expect(tracked.row).toMatchObject({ unread: 3, readSeq: 28 });
  });

  it('[M2] never lets a marker fall, and takes the same event once', () => {
    const [event] = renumber(logOf([{ kind: 'send', pick: 0, user: 1, more: 3 }])).slice(1) as [Event];
    const before = trackRow({ ...row([], { readSeq: 5, unreadFrom: null }), head: 1 });
    const after = roomEvent(before, event, ME) as TrackedRow;
    expect(roomEvent(after, event, ME)).toBe(after);
    expect(readEvent(after, told('read.moved', { room: ROOM, seq: 4 }))).toBe(after);
  });

  it('[A1] ends when I leave, am removed, or the room is deleted', () => {
    const tracked = trackRow({ ...row([], { readSeq: 0, unreadFrom: null }), head: 1 });
    const at = { stream: ROOM, seq: 2, id: 9, actor: 1, at: timeOf(2) };
    expect(roomEvent(tracked, { ...at, type: 'member.left', body: { user: ME } }, ME)).toBeNull();
    expect(roomEvent(tracked, { ...at, type: 'member.removed', body: { user: ME } }, ME)).toBeNull();
    expect(roomEvent(tracked, { ...at, type: 'room.deleted', body: {} }, ME)).toBeNull();
    const joined = roomEvent(tracked, { ...at, type: 'member.joined', body: { user: 5, role: 'member' } }, ME);
    expect(joined?.row.memberCount).toBe(3);
    const left = roomEvent(tracked, { ...at, type: 'member.left', body: { user: 1 } }, ME);
    expect(left?.row.memberCount).toBe(1);
    const admin = roomEvent(tracked, { ...at, type: 'member.changed', body: { user: ME, role: 'admin' } }, ME);
    expect(admin?.row.role).toBe('admin');
    const renamed = roomEvent(tracked, { ...at, type: 'room.changed', body: { name: 'new' } }, ME);
    expect(renamed?.row.name).toBe('new');
    const archived = roomEvent(tracked, { ...at, type: 'room.archived', body: {} }, ME);
    expect(archived?.row.archived).toBe(true);
  });
});

function told<T extends 'read.moved' | 'read.unmarked'>(type: T, body: EventBody<T>): Event {
  return { type, stream: ME, seq: 1, id: 1, actor: ME, at: timeOf(1), body } as Event;
}

function renumber(log: readonly Event[]): Event[] {
  const places = new Map(log.map(({ seq }, index) => [seq, index + 1]));
  return log.map((event) => {
    const body =
      'messageSeq' in event.body ? { ...event.body, messageSeq: places.get(event.body.messageSeq) } : event.body;
    return { ...event, seq: places.get(event.seq), body } as Event;
  });
}

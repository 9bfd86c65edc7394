import type { RoomRole } from '@natter/protocol';
import type { Decision } from '@natter/server/rooms/decision';
import * as members from '@natter/server/rooms/members';
import * as rooms from '@natter/server/rooms/rooms';
import { applyToRoom, type RoomState } from '@natter/server/rooms/state';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { active, LIMITS, ROLES, ROOM, roomState, verdict } from './states.js';

/** Applies what was decided, as the commit would; false when the room is gone. */
function apply(room: RoomState, decision: Decision): boolean {
  if (decision.kind !== 'commit') return true;
  for (const { stream, type, body } of decision.drafts) {
    if (stream !== room.id) continue;
    room.seq += 1;
    if (!applyToRoom(room, { type, seq: room.seq, body: JSON.stringify(body) })) return false;
  }
  return true;
}

const types = (decision: Decision): string[] =>
  decision.kind === 'commit' ? decision.drafts.map(({ type }) => type) : [decision.kind];

describe('membership', () => {
  it('[A5] a room with members has an owner, whatever its members do to each other', () => {
    const step = fc.record({
      what: fc.constantFrom('leave', 'remove', 'role', 'join', 'add', 'forget'),
      who: fc.integer({ min: 1, max: 6 }),
      whom: fc.integer({ min: 1, max: 6 }),
      role: fc.constantFrom(...ROLES),
      admin: fc.boolean(),
    });
    let committed = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), fc.boolean(), (steps, open) => {
        const kind = open ? ({ kind: 'channel', visibility: 'public' } as const) : {};
        const room = roomState(
          [
            [1, 'owner'],
            [2, 'member'],
            [3, 'admin'],
          ],
          kind,
        );
        for (const { what, who, whom, role, admin } of steps) {
          const change = { type: 'member.change' as const, room: ROOM, user: whom, role };
          const decision = {
            leave: () => members.leave(room, who),
            forget: () => members.leave(room, who, true),
            remove: () => members.remove(room, who, whom),
            role: () => members.changeRole(room, who, change),
            join: () => members.join(room, active(who), admin, LIMITS),
            add: () => members.add(room, who, [active(whom)], LIMITS),
          }[what]();
          if (decision.kind === 'commit') committed += 1;
          if (!apply(room, decision)) return;
          const roles = [...room.members.values()].map((member) => member.role);
          if (roles.length > 0) expect(roles).toContain('owner');
        }
      }),
      { numRuns: 300 },
    );
    expect(committed).toBeGreaterThan(500);
  });

  it.each([
    [
      'the longest-standing admin',
      [
        [1, 'owner'],
        [2, 'member'],
        [3, 'admin'],
        [4, 'admin'],
      ],
      3,
    ],
    [
      'else the longest-standing member',
      [
        [1, 'owner'],
        [5, 'member'],
        [2, 'member'],
      ],
      5,
    ],
    [
      'nobody while there is another owner',
      [
        [1, 'owner'],
        [2, 'admin'],
        [3, 'owner'],
      ],
      null,
    ],
  ] as [string, [number, RoomRole][], number | null][])(
    '[A5] when an owner leaves, %s becomes owner in the same commit',
    (_, people, heir) => {
      const decision = members.leave(roomState(people), 1);
      const made = heir === null ? [] : [{ stream: ROOM, type: 'member.changed', body: { user: heir, role: 'owner' } }];
      expect(decision).toEqual({
        kind: 'commit',
        drafts: [
          { stream: ROOM, type: 'member.left', body: { user: 1 } },
          { stream: 1, type: 'membership.removed', body: { room: ROOM } },
          ...made,
        ],
      });
    },
  );

  it('[A5] the last owner can not step down, and one of two can', () => {
    const command = { type: 'member.change' as const, room: ROOM, user: 1, role: 'member' as const };
    expect(
      verdict(
        members.changeRole(
          roomState([
            [1, 'owner'],
            [2, 'member'],
          ]),
          1,
          command,
        ),
      ),
    ).toBe('last_owner');
    expect(
      verdict(
        members.changeRole(
          roomState([
            [1, 'owner'],
            [2, 'owner'],
          ]),
          1,
          command,
        ),
      ),
    ).toBe('commit');
    expect(
      verdict(
        members.changeRole(
          roomState([
            [1, 'owner'],
            [2, 'owner'],
          ]),
          2,
          command,
        ),
      ),
    ).toBe('commit');
  });

  it('[A5] whoever comes first into a channel that all left owns it', () => {
    const empty = roomState([], { kind: 'channel', visibility: 'public' });
    expect(members.join(empty, active(5), false, LIMITS)).toMatchObject({
      drafts: [{ body: { user: 5, role: 'owner' } }, {}],
    });
    // What the system made waits for an admin of the server.
    const imported = { ...empty, createdBy: 0 };
    expect(members.join(imported, active(5), false, LIMITS)).toMatchObject({
      drafts: [{ body: { role: 'member' } }, {}],
    });
    expect(members.join(imported, active(5), true, LIMITS)).toMatchObject({
      drafts: [{ body: { role: 'owner' } }, {}],
    });
    const unowned = roomState([[1, 'member']], { kind: 'channel', visibility: 'public' });
    expect(members.join(unowned, active(5), false, LIMITS)).toMatchObject({
      drafts: [{ body: { role: 'member' } }, {}],
    });
    expect(members.join(unowned, active(5), true, LIMITS)).toMatchObject({ drafts: [{ body: { role: 'owner' } }, {}] });
    const owned = roomState([[1, 'owner']], { kind: 'channel', visibility: 'public' });
    expect(members.join(owned, active(5), true, LIMITS)).toMatchObject({ drafts: [{ body: { role: 'member' } }, {}] });
  });

  it('a private room that the last member leaves is deleted, a public one stays', () => {
    expect(types(members.leave(roomState([[1, 'owner']]), 1))).toEqual([
      'member.left',
      'membership.removed',
      'room.deleted',
    ]);
    const open = roomState([[1, 'owner']], { kind: 'channel', visibility: 'public' });
    expect(types(members.leave(open, 1))).toEqual(['member.left', 'membership.removed']);
  });

  it('a direct room is left by deleted accounts alone', () => {
    const direct = roomState(
      [
        [1, 'member'],
        [2, 'member'],
      ],
      { kind: 'direct' },
    );
    expect(verdict(members.leave(direct, 1))).toBe('wrong_room_kind');
    expect(verdict(members.remove(direct, 1, 1))).toBe('wrong_room_kind');
    expect(types(members.leave(direct, 1, true))).toEqual(['member.left', 'membership.removed']);
    expect(verdict(members.join(direct, active(3), true, LIMITS))).toBe('not_found');
  });

  it.each([
    ['group', 100],
    ['channel', 100_000],
  ] as const)('a %s takes %i members and no more', (kind, max) => {
    const people = Array.from(
      { length: max - 1 },
      (_, i) => [i + 1, i === 0 ? 'owner' : 'member'] as [number, RoomRole],
    );
    const room = roomState(people, { kind, visibility: 'public' });
    expect(verdict(members.add(room, 1, [active(max), active(max + 1)], LIMITS))).toBe('room_full');
    expect(verdict(members.add(room, 1, [active(max)], LIMITS))).toBe('commit');
    // Those who are in it already take no place.
    expect(verdict(members.add(room, 1, [active(max), active(2), active(3)], LIMITS))).toBe('commit');
    if (kind === 'channel') expect(verdict(members.join(room, active(max), false, LIMITS))).toBe('commit');
    room.members.set(max, { role: 'member', fromSeq: 1 });
    expect(verdict(members.add(room, 1, [active(max + 1)], LIMITS))).toBe('room_full');
    expect(verdict(members.add(room, 1, [active(max)], LIMITS))).toBe('unchanged');
    if (kind === 'channel') expect(verdict(members.join(room, active(max + 1), false, LIMITS))).toBe('room_full');
  });

  it('nobody is brought into more rooms than one may be in, nor somebody whose account is not active', () => {
    const room = roomState([[1, 'owner']], { kind: 'channel', visibility: 'public' });
    const full = { ...active(5), rooms: LIMITS.ROOMS_PER_USER_MAX };
    const nearly = { ...active(5), rooms: LIMITS.ROOMS_PER_USER_MAX - 1 };
    const gone = { ...active(5), status: 'deactivated' as const };
    const command = { type: 'room.create' as const, kind: 'group' as const, name: 'x' };
    const made = (user: typeof full) =>
      rooms.create(1, command, { room: ROOM, users: [active(1), user], dialect: '' }, LIMITS);
    const opened = (user: typeof full) =>
      rooms.open(1, 5, { users: [active(1), user], existing: null, room: ROOM, dialect: '' }, LIMITS);
    for (const decide of [
      (user: typeof full) => members.join(room, user, false, LIMITS),
      (user: typeof full) => members.add(room, 1, [user], LIMITS),
      made,
      opened,
    ]) {
      expect([full, nearly, gone].map((user) => verdict(decide(user)))).toEqual([
        'limit_reached',
        'commit',
        'user_unavailable',
      ]);
    }
    // Who is in it already is not brought in.
    const inside = roomState([
      [1, 'owner'],
      [5, 'member'],
    ]);
    expect(verdict(members.add(inside, 1, [full], LIMITS))).toBe('unchanged');
  });

  it('admins remove members, owners remove anybody', () => {
    const room = roomState([
      [1, 'owner'],
      [2, 'owner'],
      [3, 'admin'],
      [4, 'admin'],
      [5, 'member'],
    ]);
    const table = [1, 3, 5].map((actor) => [2, 4, 5].map((user) => verdict(members.remove(room, actor, user))));
    expect(table).toEqual([
      ['commit', 'commit', 'commit'],
      ['forbidden', 'forbidden', 'commit'],
      // Removing oneself is leaving.
      ['forbidden', 'forbidden', 'commit'],
    ]);
    expect(types(members.remove(room, 5, 5))).toEqual(['member.left', 'membership.removed']);
    expect(verdict(members.remove(room, 1, 99))).toBe('not_found');
  });

  it('everybody who is brought in, and everybody who goes, learns of it in the inbox', () => {
    const decision = members.add(roomState([[1, 'owner']]), 1, [active(2), active(3)], LIMITS);
    if (decision.kind !== 'commit') throw new Error(verdict(decision));
    expect(decision.drafts.map(({ stream, type }) => `${stream} ${type}`)).toEqual([
      `${ROOM} member.joined`,
      `${ROOM} member.joined`,
      '2 membership.added',
      '3 membership.added',
    ]);
    const removed = members.remove(
      roomState([
        [1, 'owner'],
        [2, 'member'],
      ]),
      1,
      2,
    );
    expect(types(removed)).toEqual(['member.removed', 'membership.removed']);
  });

  it('[A3] what a new member may read follows from the setting at that moment', () => {
    const room = roomState([[1, 'owner']], { history: 'joined' });
    apply(room, members.add(room, 1, [active(2)], LIMITS));
    const change = { type: 'room.change' as const, room: ROOM, history: 'shared' as const };
    apply(room, rooms.change(room, 1, change, LIMITS));
    apply(room, members.add(room, 1, [active(3)], LIMITS));
    expect([...room.members].map(([user, { fromSeq }]) => [user, fromSeq])).toEqual([
      [1, 1],
      [2, 51],
      [3, 1],
    ]);
  });
});

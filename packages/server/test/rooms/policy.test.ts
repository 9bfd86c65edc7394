import { may, type RoomAction } from '@natter/server/core/policy';
import type { Decision } from '@natter/server/rooms/decision';
import * as members from '@natter/server/rooms/members';
import * as messages from '@natter/server/rooms/messages';
import * as pins from '@natter/server/rooms/pins';
import * as reactions from '@natter/server/rooms/reactions';
import * as reads from '@natter/server/rooms/reads';
import * as rooms from '@natter/server/rooms/rooms';
import type { RoomState } from '@natter/server/rooms/state';
import { describe, expect, it } from 'vitest';
import { active, KINDS, LIMITS, messageState, NOBODY_CALLED, ROLES, ROOM, roomState, verdict } from './states.js';

const ACTOR = 7;
const OTHER = 8;
const NEW = 9;
const OWNER = 10;
const known = { message: messageState({ author: OTHER }), reactions: new Map(), called: NOBODY_CALLED };
const pinned = { message: known.message, pinned: true, pins: 1 };

/** A command that nothing but the actor's part in the room stands against, and who may give it: in a direct room, a group, a channel. */
const COMMANDS: Record<string, { run: (room: RoomState) => Decision; may: [string, string, string] }> = {
  'message.send': {
    run: (room) =>
      messages.send(room, ACTOR, { type: 'message.send', room: ROOM, text: 'x' }, { ...known, target: null }, LIMITS),
    may: ['member', 'member', 'member'],
  },
  'message.edit of another': {
    run: (room) => messages.edit(room, ACTOR, { type: 'message.edit', message: 500, text: 'x' }, known, LIMITS),
    may: ['nobody', 'nobody', 'nobody'],
  },
  'message.edit of oneself': {
    run: (room) =>
      messages.edit(
        room,
        ACTOR,
        { type: 'message.edit', message: 500, text: 'x' },
        { ...known, message: messageState({ author: ACTOR }) },
        LIMITS,
      ),
    may: ['member', 'member', 'member'],
  },
  'message.delete of another': {
    run: (room) => messages.remove(room, ACTOR, known.message),
    may: ['nobody', 'admin', 'admin'],
  },
  'message.delete of oneself': {
    run: (room) => messages.remove(room, ACTOR, messageState({ author: ACTOR })),
    may: ['member', 'member', 'member'],
  },
  'reaction.add': {
    run: (room) => reactions.add(room, ACTOR, '👍', known, LIMITS),
    may: ['member', 'member', 'member'],
  },
  'reaction.remove': {
    run: (room) => reactions.remove(room, ACTOR, '👍', { ...known, reactions: new Map([['👍', new Set([ACTOR])]]) }),
    may: ['member', 'member', 'member'],
  },
  'pin.add': {
    run: (room) => pins.add(room, ACTOR, { ...pinned, pinned: false }, LIMITS),
    may: ['member', 'member', 'admin'],
  },
  'pin.remove': { run: (room) => pins.remove(room, ACTOR, pinned), may: ['member', 'member', 'admin'] },
  'read.move': {
    run: (room) => reads.move(room, ACTOR, 5, { readSeq: 1, unreadFrom: null }, 50),
    may: ['member', 'member', 'member'],
  },
  'read.unmark': {
    run: (room) => reads.unmark(room, ACTOR, 5, { readSeq: 9, unreadFrom: null }, 50),
    may: ['member', 'member', 'member'],
  },
  'room.change': {
    run: (room) => rooms.change(room, ACTOR, { type: 'room.change', room: ROOM, topic: 'new' }, LIMITS),
    may: ['nobody', 'admin', 'admin'],
  },
  'room.archive': { run: (room) => rooms.archive(room, ACTOR, true), may: ['nobody', 'admin', 'admin'] },
  'room.unarchive': {
    run: (room) => rooms.archive({ ...room, archived: true }, ACTOR, false),
    may: ['nobody', 'admin', 'admin'],
  },
  'room.delete': { run: (room) => rooms.remove(room, ACTOR), may: ['nobody', 'owner', 'owner'] },
  'member.add': {
    run: (room) => members.add(room, ACTOR, [active(NEW)], LIMITS),
    may: ['nobody', 'admin', 'admin'],
  },
  'member.add to a public channel': {
    run: (room) => members.add({ ...room, visibility: 'public' }, ACTOR, [active(NEW)], LIMITS),
    may: ['nobody', 'admin', 'member'],
  },
  'member.remove of a member': {
    run: (room) => members.remove(room, ACTOR, OTHER),
    may: ['nobody', 'admin', 'admin'],
  },
  'member.remove of an owner': {
    run: (room) => members.remove(room, ACTOR, OWNER),
    may: ['nobody', 'owner', 'owner'],
  },
  'member.leave': { run: (room) => members.leave(room, ACTOR), may: ['nobody', 'member', 'member'] },
  'member.change': {
    run: (room) => members.changeRole(room, ACTOR, { type: 'member.change', room: ROOM, user: OTHER, role: 'admin' }),
    may: ['nobody', 'owner', 'owner'],
  },
};

const rank = (role: string): number => ROLES.indexOf(role as (typeof ROLES)[number]);

describe('who may do what in a room', () => {
  const cases = Object.entries(COMMANDS).flatMap(([name, { run, may: least }]) =>
    KINDS.flatMap((kind, column) => ROLES.map((role) => ({ name, run, kind, role, least: least[column] as string }))),
  );

  it.each(cases)('$name in a $kind by its $role: $least and above', ({ run, kind, role, least }) => {
    const others = [
      [OTHER, 'member'],
      [OWNER, 'owner'],
    ] as const;
    const room = roomState(
      kind === 'direct'
        ? [
            [ACTOR, 'member'],
            [OTHER, 'member'],
          ]
        : [[ACTOR, role], ...others],
      { kind },
    );
    const allowed = least !== 'nobody' && rank(role) >= rank(least);
    const answer = verdict(run(room));
    if (allowed) expect(answer).toBe('commit');
    else expect(['forbidden', 'wrong_room_kind']).toContain(answer);
  });

  it.each(Object.entries(COMMANDS).flatMap(([name, { run }]) => KINDS.map((kind) => ({ name, run, kind }))))(
    '[A2] $name in a $kind that one is not in, and in one that does not exist: not found',
    ({ run, kind }) => {
      const room = roomState(
        [
          [OTHER, 'member'],
          [OWNER, 'owner'],
        ],
        { kind },
      );
      expect(verdict(run(room))).toBe('not_found');
      expect(verdict(run({ ...room, visibility: 'public' }))).toBe('not_found');
    },
  );

  it('[A2] nothing is found in a room that is not there', () => {
    const command = { type: 'message.send' as const, room: ROOM, text: 'x' };
    expect(verdict(messages.send(null, ACTOR, command, { ...known, target: null }, LIMITS))).toBe('not_found');
    expect(verdict(rooms.remove(null, ACTOR))).toBe('not_found');
    expect(verdict(members.leave(null, ACTOR))).toBe('not_found');
    expect(verdict(members.join(null, active(ACTOR), true, LIMITS))).toBe('not_found');
    expect(verdict(members.remove(null, ACTOR, ACTOR))).toBe('not_found');
    expect(verdict(reads.move(null, ACTOR, 1, null, 1))).toBe('not_found');
    expect(verdict(pins.remove(null, ACTOR, pinned))).toBe('not_found');
  });

  it('an archived room takes nothing new, and lets go of what has to go', () => {
    const room = roomState(
      [
        [ACTOR, 'owner'],
        [OTHER, 'member'],
      ],
      { archived: true },
    );
    const answers = Object.fromEntries(Object.entries(COMMANDS).map(([name, { run }]) => [name, verdict(run(room))]));
    const archived = [
      'message.send',
      'message.edit of oneself',
      'reaction.add',
      'pin.add',
      'room.change',
      'member.add',
    ];
    for (const name of archived) expect([name, answers[name]]).toEqual([name, 'archived']);
    const still = [
      'message.delete of oneself',
      'message.delete of another',
      'reaction.remove',
      'pin.remove',
      'read.move',
      'member.leave',
      'member.remove of a member',
      'room.delete',
      'room.unarchive',
    ];
    for (const name of still) expect([name, answers[name]]).toEqual([name, 'commit']);
    expect(verdict(members.join({ ...room, kind: 'channel', visibility: 'public' }, active(NEW), false, LIMITS))).toBe(
      'archived',
    );
  });

  it('the table grants nothing to who is not a member, whatever the action', () => {
    const actions: RoomAction[] = [
      'room.change',
      'room.archive',
      'room.delete',
      'member.add',
      'member.remove',
      'member.change',
      'message.send',
      'message.delete_others',
      'mention.everyone',
      'pin',
      'audit.read',
    ];
    for (const action of actions) {
      for (const kind of KINDS) {
        expect(may(roomState([[OTHER, 'owner']], { kind, visibility: 'public' }), ACTOR, action)).toBe(false);
      }
    }
  });
});

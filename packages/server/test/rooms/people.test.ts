import type { Decision } from '@natter/server/rooms/decision';
import * as rooms from '@natter/server/rooms/rooms';
import * as usergroups from '@natter/server/rooms/usergroups';
import * as users from '@natter/server/rooms/users';
import { describe, expect, it } from 'vitest';
import { active, LIMITS, ROOM, roomState, verdict } from './states.js';

const account = (rest: Partial<users.AccountState> = {}): users.AccountState => ({
  id: 5,
  email: 'a@example.com',
  fullName: 'Ada',
  about: '',
  role: 'user',
  status: 'active',
  verified: true,
  ...rest,
});
const self: users.Asker = { user: 5, role: 'user' };
const other: users.Asker = { user: 6, role: 'user' };
const admin: users.Asker = { user: 7, role: 'admin' };
const system: users.Asker = { user: 0, role: 'system' };
const askers = [self, other, admin, system];

describe('accounts', () => {
  const verdicts = (rule: (asker: users.Asker) => Decision) => askers.map((asker) => verdict(rule(asker)));

  it('[A4] of others are for admins', () => {
    const one = account();
    expect(verdicts((asker) => users.deactivate(asker, one, false))).toEqual([
      'commit',
      'forbidden',
      'commit',
      'commit',
    ]);
    expect(verdicts((asker) => users.remove(asker, one, false))).toEqual(['commit', 'forbidden', 'commit', 'commit']);
    const asleep = account({ status: 'deactivated' });
    expect(verdicts((asker) => users.reactivate(asker, asleep))).toEqual([
      'forbidden',
      'forbidden',
      'commit',
      'commit',
    ]);
    expect(verdicts((asker) => users.setRole(asker, one, 'admin', false))).toEqual([
      'forbidden',
      'forbidden',
      'commit',
      'commit',
    ]);
    expect(verdicts((asker) => users.verify(asker, account({ verified: false }), true))).toEqual([
      'forbidden',
      'forbidden',
      'commit',
      'commit',
    ]);
    expect(verdicts((asker) => users.endSessions(asker, 5, ['s']))).toEqual([
      'commit',
      'not_found',
      'commit',
      'commit',
    ]);
  });

  it('that are deleted or never were are not found, by nobody', () => {
    for (const gone of [null, account({ status: 'deleted' })]) {
      for (const asker of [admin, system]) {
        expect(verdict(users.deactivate(asker, gone, false))).toBe('not_found');
        expect(verdict(users.reactivate(asker, gone))).toBe('not_found');
        expect(verdict(users.remove(asker, gone, false))).toBe('not_found');
        expect(verdict(users.setRole(asker, gone, 'admin', false))).toBe('not_found');
        expect(verdict(users.verify(asker, gone, true))).toBe('not_found');
      }
      const noEmail = { key: null, formerKey: null, problem: null };
      expect(verdict(users.change(gone, { type: 'user.change', fullName: 'x' }, noEmail, LIMITS))).toBe('not_found');
    }
  });

  it('that are as they should be are left alone', () => {
    expect(verdict(users.deactivate(admin, account({ status: 'deactivated' }), false))).toBe('unchanged');
    expect(verdict(users.reactivate(admin, account()))).toBe('unchanged');
    expect(verdict(users.setRole(admin, account(), 'user', false))).toBe('unchanged');
    expect(verdict(users.verify(admin, account(), true))).toBe('unchanged');
    expect(verdict(users.endSessions(self, 5, []))).toBe('unchanged');
  });

  it('of the last admin stay', () => {
    const last = account({ role: 'admin' });
    expect(verdict(users.deactivate(admin, last, true))).toBe('last_admin');
    expect(verdict(users.remove(admin, last, true))).toBe('last_admin');
    expect(verdict(users.setRole(admin, last, 'user', true))).toBe('last_admin');
  });

  it('change what is given, and an address that is another one is no longer verified', () => {
    const change = (input: object, key: string | null = null, formerKey: string | null = 'a@example.com') =>
      users.change(account(), { type: 'user.change', ...input }, { key, formerKey, problem: null }, LIMITS);
    expect(change({ fullName: 'Ada', about: '' })).toEqual({ kind: 'unchanged', stream: 5 });
    expect(change({ fullName: 'Ada L.' })).toMatchObject({
      drafts: [{ type: 'user.changed', body: { fullName: 'Ada L.' } }],
    });
    const moved = change({ email: 'b@example.com' }, 'b@example.com');
    expect(moved).toMatchObject({
      drafts: [{ body: { email: 'b@example.com', verified: false } }],
      claims: [{ space: 'user.email', value: 'b@example.com', owner: 5 }],
      releases: [{ value: 'a@example.com' }],
    });
    // The same address in other letters is no other claim.
    expect(change({ email: 'A@example.com' }, 'a@example.com')).not.toHaveProperty('claims');
    expect(change({ email: null })).toMatchObject({ drafts: [{ body: { email: null } }], releases: [{}] });
    expect(change({ email: null })).not.toHaveProperty('claims');
    expect(verdict(change({ fullName: 'x'.repeat(101) }))).toBe('invalid');
    expect(verdict(change({ fullName: 'a\u202eb' }))).toBe('invalid');
    expect(verdict(change({ about: 'x'.repeat(1_001) }))).toBe('invalid');
    const bad = { key: null, formerKey: null, problem: 'is none' };
    expect(verdict(users.change(account(), { type: 'user.change', email: 'x' }, bad, LIMITS))).toBe('invalid');
  });
});

describe('user groups', () => {
  const group = (members: readonly number[] = [5]): usergroups.UserGroupState => ({
    id: 90,
    name: 'crew',
    nameKeys: ['crew'],
    description: '',
    createdBy: 5,
    members: new Set(members),
  });
  const name = (key: string) => ({ keys: [key], problem: null });
  const verdicts = (rule: (asker: users.Asker) => Decision) => askers.map((asker) => verdict(rule(asker)));

  it('are kept by whoever made them, and by admins', () => {
    const keepers = ['commit', 'forbidden', 'commit', 'commit'];
    const change = { type: 'usergroup.change' as const, usergroup: 90, name: 'other' };
    expect(verdicts((asker) => usergroups.change(asker, group(), change, name('other'), LIMITS))).toEqual(keepers);
    expect(verdicts((asker) => usergroups.addMembers(asker, group(), [active(8)], LIMITS))).toEqual(keepers);
    expect(verdicts((asker) => usergroups.removeMembers(asker, group([5, 8]), [8]))).toEqual(keepers);
    expect(verdicts((asker) => usergroups.remove(asker, group()))).toEqual(keepers);
    // Everybody may take themselves out.
    expect(verdict(usergroups.removeMembers(other, group([5, 6]), [6]))).toBe('commit');
    expect(verdict(usergroups.removeMembers(other, group([5, 6]), [6, 5]))).toBe('forbidden');
  });

  it('that do not exist are not found', () => {
    const change = { type: 'usergroup.change' as const, usergroup: 90, name: 'other' };
    expect(verdict(usergroups.change(admin, null, change, name('other'), LIMITS))).toBe('not_found');
    expect(verdict(usergroups.addMembers(admin, null, [active(8)], LIMITS))).toBe('not_found');
    expect(verdict(usergroups.removeMembers(admin, null, [8]))).toBe('not_found');
    expect(verdict(usergroups.remove(admin, null))).toBe('not_found');
  });

  it('[L5] claim their name, and give up the one before', () => {
    const make = { type: 'usergroup.create' as const, name: 'crew' };
    const made = usergroups.create(make, { usergroup: 90, name: name('crew'), users: [active(5)] }, LIMITS);
    expect(made).toMatchObject({ claims: [{ space: 'usergroup.name', value: 'crew', owner: 90 }] });
    const change = { type: 'usergroup.change' as const, usergroup: 90, name: 'Gang' };
    expect(usergroups.change(self, group(), change, name('gang'), LIMITS)).toMatchObject({
      claims: [{ value: 'gang', owner: 90 }],
      releases: [{ value: 'crew', owner: 90 }],
    });
    const problem = { keys: ['x'], problem: 'is none' };
    expect(verdict(usergroups.create(make, { usergroup: 90, name: problem, users: [] }, LIMITS))).toBe('invalid');
  });

  it('take so many members', () => {
    const full = group(Array.from({ length: 1_000 }, (_, i) => i + 10));
    expect(verdict(usergroups.addMembers(self, full, [active(5)], LIMITS))).toBe('room_full');
    expect(verdict(usergroups.addMembers(self, full, [active(10)], LIMITS))).toBe('unchanged');
    const many = Array.from({ length: 1_001 }, (_, i) => active(i + 10));
    const make = { type: 'usergroup.create' as const, name: 'crew' };
    const create = (count: number) =>
      usergroups.create(make, { usergroup: 90, name: name('crew'), users: many.slice(0, count) }, LIMITS);
    expect([verdict(create(1_000)), verdict(create(1_001))]).toEqual(['commit', 'room_full']);
  });
});

describe('rooms', () => {
  const create = (input: object, users = [active(1), active(2)]) =>
    rooms.create(
      1,
      { type: 'room.create', kind: 'channel', name: 'Lobby', ...input },
      { room: ROOM, users, dialect: '' },
      LIMITS,
    );

  it('are made private unless said otherwise, owned by whoever makes them, who is in them once', () => {
    const made = create({ members: [1, 2] });
    expect(made).toMatchObject({
      drafts: [
        {
          type: 'room.created',
          body: {
            visibility: 'private',
            history: 'shared',
            members: [
              { user: 1, role: 'owner' },
              { user: 2, role: 'member' },
            ],
          },
        },
        { stream: 1, type: 'membership.added' },
        { stream: 2, type: 'membership.added' },
      ],
    });
    expect(made).not.toHaveProperty('claims');
    expect(verdict(create({ kind: 'group', visibility: 'public' }))).toBe('invalid');
  });

  it('[L5] that are public have a name of their own, whichever way it is written', () => {
    const values = ['Lobby', ' LOBBY ', 'ＬＯＢＢＹ'].map((name) => {
      const made = create({ name, visibility: 'public' });
      return made.kind === 'commit' ? made.claims : null;
    });
    for (const claims of values) expect(claims).toEqual([{ space: 'room.name:', value: 'lobby', owner: ROOM }]);
  });

  it('[L5] claim their name when they become public or are renamed, and give it up when they become private', () => {
    const open = roomState([[1, 'owner']], { kind: 'channel', visibility: 'public', name: 'old' });
    const hidden = { ...open, visibility: 'private' as const };
    const change = (room: typeof open, input: object) =>
      rooms.change(room, 1, { type: 'room.change', room: ROOM, ...input }, LIMITS);
    expect(change(open, { name: 'new' })).toMatchObject({ claims: [{ value: 'new' }], releases: [{ value: 'old' }] });
    expect(change(open, { name: 'OLD' })).toMatchObject({ claims: [{ value: 'old' }], releases: [] });
    expect(change(open, { visibility: 'private' })).toMatchObject({ claims: [], releases: [{ value: 'old' }] });
    expect(change(hidden, { visibility: 'public' })).toMatchObject({ claims: [{ value: 'old' }], releases: [] });
    expect(change(hidden, { name: 'new' })).toMatchObject({ claims: [], releases: [] });
    expect(verdict(change(open, { name: 'old', topic: '', visibility: 'public' }))).toBe('unchanged');
    expect(verdict(change(roomState([[1, 'owner']]), { visibility: 'public' }))).toBe('invalid');
  });

  it('between two are found again by both', () => {
    const known = { users: [active(1), active(2)], existing: null, room: ROOM, dialect: '' };
    const claims = [rooms.open(1, 2, known, LIMITS), rooms.open(2, 1, known, LIMITS)].map((decision) =>
      decision.kind === 'commit' ? decision.claims : null,
    );
    expect(claims[0]).toEqual([{ space: 'room.direct', value: '1:2', owner: ROOM }]);
    expect(claims[1]).toEqual(claims[0]);
    expect(rooms.open(1, 2, { ...known, existing: 77 }, LIMITS)).toEqual({ kind: 'unchanged', stream: 77 });
    const gone = { ...known, users: [active(1), { ...active(2), status: 'deleted' as const }] };
    expect(verdict(rooms.open(1, 2, gone, LIMITS))).toBe('not_found');
    expect(verdict(rooms.open(1, 3, known, LIMITS))).toBe('not_found');
    // With an account that sleeps there is no beginning, and no end.
    const asleep = { ...known, users: [active(1), { ...active(2), status: 'deactivated' as const }] };
    expect(verdict(rooms.open(1, 2, asleep, LIMITS))).toBe('user_unavailable');
    expect(verdict(rooms.open(1, 2, { ...asleep, existing: 77 }, LIMITS))).toBe('unchanged');
  });
});

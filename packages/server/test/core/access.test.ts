import type { CommandType } from '@natter/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everything } from '../store/site.js';
import { House } from './house.js';

/** Every command that is about a room or a message, so that none can be forgotten here. */
type About = { [T in CommandType]: (room: number, message: number, user: number) => object | null };
const ABOUT: About = {
  'room.create': () => null,
  'room.open': () => null,
  'room.change': (room) => ({ room, topic: 'mine now' }),
  'room.archive': (room) => ({ room }),
  'room.unarchive': (room) => ({ room }),
  'room.delete': (room) => ({ room }),
  'member.join': (room) => ({ room }),
  'member.leave': (room) => ({ room }),
  'member.add': (room, _, user) => ({ room, users: [user] }),
  'member.remove': (room, _, user) => ({ room, user }),
  'member.change': (room, _, user) => ({ room, user, role: 'owner' }),
  'message.send': (room) => ({ room, text: 'let me in' }),
  'message.edit': (_, message) => ({ message, text: 'changed' }),
  'message.delete': (_, message) => ({ message }),
  'reaction.add': (_, message) => ({ message, emoji: '👍' }),
  'reaction.remove': (_, message) => ({ message, emoji: '👍' }),
  'pin.add': (_, message) => ({ message }),
  'pin.remove': (_, message) => ({ message }),
  'read.move': (room) => ({ room, seq: 1 }),
  'read.unmark': (room) => ({ room, seq: 1 }),
  'user.change': () => null,
  'user.deactivate': () => null,
  'user.reactivate': () => null,
  'user.delete': () => null,
  'user.set_role': () => null,
  'user.verify': () => null,
  'session.end': () => null,
  'session.end_all': () => null,
  'usergroup.create': () => null,
  'usergroup.change': () => null,
  'usergroup.add_members': () => null,
  'usergroup.remove_members': () => null,
  'usergroup.delete': () => null,
};
const COMMANDS = (Object.keys(ABOUT) as CommandType[]).filter((type) => ABOUT[type](1, 1, 1) !== null);

describe('a room that one is not in', () => {
  let house: House;
  let owner: number;
  let stranger: number;
  let admin: number;
  let removed: number;
  let rooms: Record<string, { room: number; message: number }>;

  beforeAll(async () => {
    house = await House.open();
    owner = await house.user('owner');
    stranger = await house.user('stranger');
    admin = await house.user('root', 'admin');
    removed = await house.user('removed');
    const peer = await house.user('peer');
    const made = {
      group: await house.room([owner, peer, removed]),
      'private channel': await house.channel([owner, peer, removed], 'closed', { visibility: 'private' }),
      direct: (await house.done(owner, 'room.open', { user: peer })).stream,
      archived: await house.room([owner, peer, removed]),
      deleted: await house.room([owner, peer, removed]),
    };
    rooms = {};
    for (const [name, room] of Object.entries(made)) {
      const { id: message } = await house.send(owner, room, 'secret');
      rooms[name] = { room, message };
      if (name !== 'direct') await house.done(owner, 'member.remove', { room, user: removed });
    }
    await house.done(owner, 'room.archive', { room: made.archived });
    await house.done(owner, 'room.delete', { room: made.deleted });
    rooms['never made'] = { room: 987_654, message: 987_654 };
  });
  afterAll(() => house.close());

  it.each(COMMANDS)('[A2] answers %s as if it did not exist, whoever asks', async (type) => {
    const before = await everything(house.store);
    const answers: unknown[] = [];
    for (const user of [stranger, admin, removed]) {
      for (const [name, { room, message }] of Object.entries(rooms)) {
        for (const whom of [owner, user]) {
          const reply = await house.execute(user, type, ABOUT[type](room, message, whom) as never);
          answers.push([name, reply]);
        }
      }
    }
    // All alike, to the last word: nothing tells one that is there from one that is not.
    for (const [name, reply] of answers as [string, unknown][]) {
      expect([name, reply]).toEqual([name, { ok: false, code: 'not_found' }]);
    }
    expect(await everything(house.store)).toBe(before);
  });

  it('[A2] public channels can be joined, and nothing else done with them', async () => {
    const room = await house.channel([owner], 'open');
    const { id: message } = await house.send(owner, room);
    for (const type of COMMANDS.filter((command) => command !== 'member.join')) {
      const reply = await house.execute(stranger, type, ABOUT[type](room, message, stranger) as never);
      expect([type, reply]).toEqual([type, { ok: false, code: 'not_found' }]);
    }
    await house.done(stranger, 'member.join', { room });
    await house.send(stranger, room);
  });

  it('[A2] a message of another room can not be answered: it is as if there were none', async () => {
    const mine = await house.room([stranger]);
    for (const { message } of Object.values(rooms)) {
      const reply = await house.execute(stranger, 'message.send', { room: mine, text: 'x', replyTo: message });
      expect(reply).toMatchObject({ ok: false, code: 'invalid', fields: [{ path: '/replyTo' }] });
    }
  });

  it('[A3] with hidden history, what was before one came is not there for any command', async () => {
    const room = await house.channel([owner], 'hiding', { history: 'joined' });
    const { id: message, seq } = await house.send(owner, room, 'before');
    await house.done(stranger, 'member.join', { room });
    await house.done(owner, 'member.change', { room, user: stranger, role: 'admin' });
    const types = [
      'message.edit',
      'message.delete',
      'reaction.add',
      'reaction.remove',
      'pin.add',
      'pin.remove',
    ] as const;
    for (const type of types) {
      const reply = await house.execute(stranger, type, ABOUT[type](room, message, owner) as never);
      expect([type, reply]).toEqual([type, { ok: false, code: 'not_found' }]);
    }
    expect(await house.refusal(stranger, 'read.unmark', { room, seq })).toBe('not_found');
    expect(await house.refusal(stranger, 'message.send', { room, text: 'x', replyTo: message })).toBe('invalid');
    const later = await house.send(owner, room, 'after');
    await house.done(stranger, 'message.send', { room, text: 'x', replyTo: later.id });
  });

  it('[M4] only members are called, by name and by user group', async () => {
    const room = await house.room([owner, stranger]);
    await house.done(owner, 'usergroup.create', { name: 'crew', members: [stranger, admin, owner] });
    const text = '@stranger @root @crew @nobody @owner';
    const { seq } = await house.send(owner, room, text);
    const [sent] = await house.store.events(room, seq - 1, 1);
    expect(JSON.parse(sent?.body ?? '')).toEqual({ text, mentions: { users: [stranger] } });
  });
});

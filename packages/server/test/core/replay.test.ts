import type { Reply } from '@natter/server/core/actor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everything } from '../store/site.js';
import { House } from './house.js';

describe('[L3] a command that is sent again', () => {
  let house: House;
  let ada: number;
  let ben: number;
  beforeEach(async () => {
    house = await House.open();
    [ada, ben] = (await house.users(2)) as [number, number];
  });
  afterEach(() => house.close());

  /** Sends it, lets the world go on, sends it again: the same answer, and nothing done. */
  async function again(send: () => Promise<Reply>, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
    const first = await send();
    if (!first.ok) throw new Error(JSON.stringify(first));
    await meanwhile();
    const before = await everything(house.store);
    const second = await send();
    expect(second).toEqual({ ok: true, result: { ...first.result, replayed: true }, events: first.events.slice(0, 1) });
    expect(await everything(house.store)).toBe(before);
  }

  it('is answered the same, by the event of the first time', async () => {
    const room = await house.room([ada]);
    await again(() => house.execute(ada, 'message.send', { room, text: 'x' }, { key: 'k' }));
  });

  it('is answered though one is not in the room any more', async () => {
    const room = await house.room([ada, ben]);
    await again(
      () => house.execute(ben, 'message.send', { room, text: 'x' }, { key: 'k' }),
      () => house.done(ada, 'member.remove', { room, user: ben }),
    );
  });

  it('is answered though the room is archived, and though it is deleted', async () => {
    const room = await house.room([ada, ben]);
    await again(
      () => house.execute(ben, 'message.send', { room, text: 'x' }, { key: 'k1' }),
      () => house.done(ada, 'room.archive', { room }),
    );
    const other = await house.room([ada, ben]);
    await again(
      () => house.execute(ben, 'message.send', { room: other, text: 'x' }, { key: 'k2' }),
      () => house.done(ada, 'room.delete', { room: other }),
    );
  });

  it('is answered though it would now change nothing, or could not be', async () => {
    const room = await house.channel([ada], 'open');
    await again(() => house.execute(ben, 'member.join', { room }, { key: 'join' }));
    await again(() => house.execute(ben, 'member.leave', { room }, { key: 'leave' }));
    const { id: message } = await house.send(ada, room);
    await again(() => house.execute(ada, 'message.edit', { message, text: 'new' }, { key: 'edit' }));
    await again(() => house.execute(ada, 'reaction.add', { message, emoji: '👍' }, { key: 'react' }));
    await again(() => house.execute(ada, 'pin.add', { message }, { key: 'pin' }));
    await again(() => house.execute(ada, 'message.delete', { message }, { key: 'delete' }));
    await again(() => house.execute(ada, 'read.move', { room, seq: 5 }, { key: 'read' }));
    await again(() => house.execute(ada, 'room.delete', { room }, { key: 'gone' }));
  });

  it('makes no second room', async () => {
    const create = { kind: 'channel', visibility: 'public', name: 'once' } as const;
    await again(() => house.execute(ada, 'room.create', create, { key: 'make' }));
    await again(() => house.execute(ada, 'room.open', { user: ben }, { key: 'open' }));
    await again(() => house.execute(ada, 'usergroup.create', { name: 'crew' }, { key: 'crew' }));
    expect(await house.store.db.selectFrom('rooms').select('id').execute()).toHaveLength(2);
  });

  it('does an edit once, though another edit came between', async () => {
    const room = await house.room([ada]);
    const { id: message } = await house.send(ada, room, 'v1');
    await again(
      () => house.execute(ada, 'message.edit', { message, text: 'v2' }, { key: 'k' }),
      () => house.done(ada, 'message.edit', { message, text: 'v3' }),
    );
    expect(await house.store.db.selectFrom('messages').select('text').executeTakeFirst()).toEqual({ text: 'v3' });
  });

  it('is answered on another node, and after a restart of this one', async () => {
    const room = await house.room([ada]);
    const first = await house.done(ada, 'message.send', { room, text: 'x' }, { key: 'k' });
    const other = house.beside();
    expect(await other.done(ada, 'message.send', { room, text: 'x' }, { key: 'k' })).toEqual({
      ...first,
      replayed: true,
    });
  });

  it('with another content under the same key is a conflict, whatever became of the first', async () => {
    const room = await house.room([ada]);
    await house.done(ada, 'message.send', { room, text: 'x' }, { key: 'k' });
    const other = () => house.execute(ada, 'message.send', { room, text: 'y' }, { key: 'k' });
    expect(await other()).toMatchObject({ ok: false, code: 'key_conflict' });
    expect(await house.execute(ada, 'room.archive', { room }, { key: 'k' })).toMatchObject({ code: 'key_conflict' });
    await house.done(ada, 'room.archive', { room });
    expect(await other()).toMatchObject({ ok: false, code: 'key_conflict' });
    // Another author's keys are another author's.
    const mine = await house.room([ben]);
    await house.done(ben, 'message.send', { room: mine, text: 'y' }, { key: 'k' });
  });

  it('is the same command in whichever order its members come', async () => {
    const room = await house.room([ada]);
    const actor = house.actor(ada);
    const first = await house.core.execute(actor, { type: 'message.send', room, text: 'x' }, { key: 'k' });
    const second = await house.core.execute(actor, { text: 'x', room, type: 'message.send' }, { key: 'k' });
    expect(second).toMatchObject({ ok: true, result: { ...(first.ok ? first.result : {}), replayed: true } });
  });

  it('and was refused the first time is decided anew', async () => {
    const room = await house.channel([ada], 'open');
    const send = () => house.execute(ben, 'message.send', { room, text: 'x' }, { key: 'k' });
    expect(await send()).toMatchObject({ ok: false, code: 'not_found' });
    await house.done(ben, 'member.join', { room });
    expect(await send()).toMatchObject({ ok: true, result: { seq: 3 } });
  });
});

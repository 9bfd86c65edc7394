/** All that a busy server asks of its store, once: what has to go by an index, however much is stored. */
import type { House } from '../core/house.js';

export async function walkHotPaths(house: House, ada: number, room: number): Promise<void> {
  const { id: message, seq } = await house.send(ada, room, 'hello @person1 @all', { key: 'k' });
  await house.send(ada, room, 'hello @person1 @all', { key: 'k' });
  await house.done(ada, 'message.send', { room, text: 'reply', replyTo: message });
  await house.done(ada, 'message.edit', { message, text: 'edited @person2' });
  await house.done(ada, 'reaction.add', { message, emoji: '👍' });
  await house.done(ada, 'reaction.remove', { message, emoji: '👍' });
  await house.done(ada, 'pin.add', { message });
  await house.done(ada, 'pin.remove', { message });
  await house.done(ada, 'read.unmark', { room, seq: 5 });
  await house.done(ada, 'read.move', { room, seq });
  await house.done(ada, 'message.delete', { message });
  const other = await house.user('visitor');
  await house.done(other, 'member.join', { room });
  await house.done(ada, 'member.remove', { room, user: other });
  await house.done(ada, 'room.open', { user: other });
  await house.done(other, 'user.change', { about: 'x' });
  await house.beside().core.rooms.get(room);
  const actor = house.actor(ada);
  const { queries } = house;
  await queries.roomRows(ada);
  await queries.messagePage(actor, { room });
  await queries.messagePage(actor, { room, before: 1_000 });
  await queries.messagePage(actor, { room, after: 1_000 });
  await queries.messagePage(actor, { room, around: 1_000 });
  await queries.message(actor, message);
  await queries.thread(actor, { message });
  await queries.room(actor, room);
  await queries.readers(actor, { message: message - 1 });
  await queries.pinned(actor, room);
  await queries.mentionsOfMe(actor, {});
  await queries.sessions(actor);
  await house.store.heads([room, ada]);
  await house.log.endings(1);
  await house.store.events(room, 1_000, 100);
  await house.store.touchUsers([{ user: ada, at: 1 }]);
  await house.store.rotateSession('s', 'a', 'b', 1, 2);
}

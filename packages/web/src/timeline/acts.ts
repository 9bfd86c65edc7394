/** What can be done to a message. */
import type { Message, RoomRow } from '@natter/client';
import type { Chat } from '../chat/chat.js';

export const QUICK = ['👍', '❤️', '😂', '🎉', '👀', '✅'];

/** Puts a reaction on it, or takes mine away. */
export function react({ client, me }: Chat, message: Message, emoji: string): void {
  const mine = message.reactions.some((one) => one.emoji === emoji && one.users.includes(me));
  const type = mine ? 'reaction.remove' : 'reaction.add';
  client.send(type, { message: message.id, emoji }, { queue: true }).catch(() => {});
}

/** Those who run a room may delete what others wrote there. */
export function mayDelete(message: Message, room: RoomRow | undefined, me: number): boolean {
  if (message.deletedAt !== null || !room || room.archived) return false;
  return message.author === me || (room.kind !== 'direct' && room.role !== 'member');
}

export function mayEdit(message: Message, room: RoomRow | undefined, me: number): boolean {
  return message.author === me && message.deletedAt === null && room !== undefined && !room.archived;
}

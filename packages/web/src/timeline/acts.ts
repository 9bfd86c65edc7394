/** What can be done to a message, and by whom. */
import type { Message, RoomRow } from '@natter/client';
import type { Chat } from '../chat/chat.js';
import { roomPath } from '../routes.js';

/** Puts a reaction on it, or takes mine away. */
export function react({ client, me }: Chat, message: Message, emoji: string): void {
  const mine = message.reactions.some((one) => one.emoji === emoji && one.users.includes(me));
  const type = mine ? 'reaction.remove' : 'reaction.add';
  client.send(type, { message: message.id, emoji }, { queue: true }).catch(() => {});
}

export function pin({ client }: Chat, message: Message): void {
  client.send(message.pinned ? 'pin.remove' : 'pin.add', { message: message.id }, { queue: true }).catch(() => {});
}

/** An address that leads anybody in the room to the message. */
export function linkTo(message: Message): string {
  return new URL(roomPath(message.room, message.seq), location.origin).href;
}

export function copy(text: string): void {
  void navigator.clipboard?.writeText(text);
}

export interface May {
  readonly react: boolean;
  readonly reply: boolean;
  /** To be read as a thread, with all that answers it. */
  readonly thread: boolean;
  readonly edit: boolean;
  readonly delete: boolean;
  readonly pin: boolean;
  readonly copy: boolean;
  readonly history: boolean;
  /** Who has read it is for its author alone. */
  readonly readers: boolean;
  /** To the author, where it is not to them anyway. */
  readonly write: boolean;
}

const NOTHING: May = {
  react: false,
  reply: false,
  thread: false,
  edit: false,
  delete: false,
  pin: false,
  copy: false,
  history: false,
  readers: false,
  write: false,
};

/** As the server decides it (core/policy.ts); what it refuses all the same is told. */
export function mayDo(message: Message, room: RoomRow | undefined, me: number): May {
  const thread = message.thread !== null || message.replyCount > 0;
  const mine = message.author === me;
  const here = message.deletedAt === null;
  const read = {
    thread,
    copy: here,
    history: here && message.editedAt !== null,
    readers: here && mine,
    write: !mine && room?.kind !== 'direct',
  };
  if (!room || room.archived || !here) return { ...NOTHING, ...read };
  const runs = room.role !== 'member';
  return {
    ...read,
    react: true,
    reply: true,
    thread: true,
    edit: mine,
    delete: mine || (room.kind !== 'direct' && runs),
    pin: room.kind !== 'channel' || runs,
  };
}

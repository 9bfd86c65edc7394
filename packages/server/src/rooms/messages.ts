/** Rules of messages: send, edit, delete. */
import type { CommandOf, EventBody, MessageId, RoomId, Seq, UserId } from '@natter/protocol';
import { may } from '../core/policy.js';
import type { Limits } from '../limits.js';
import { textProblem } from '../text.js';
import { commit, type Decision, invalid, refused, unchanged } from './decision.js';
import { type Called, mentionsIn } from './mentions.js';
import type { RoomState } from './state.js';

/** What a decision needs to know of a message. */
export interface MessageState {
  id: MessageId;
  room: RoomId;
  seq: Seq;
  author: UserId;
  text: string;
  thread: MessageId | null;
  deleted: boolean;
}

/** Is the message there for this member [A2][A3]? */
export function sees(room: RoomState, user: UserId, message: MessageState): boolean {
  const member = room.members.get(user);
  return member !== undefined && message.room === room.id && message.seq >= member.fromSeq;
}

export function send(
  room: RoomState | null,
  actor: UserId,
  command: CommandOf<'message.send'>,
  known: { target: MessageState | null; called: Called; extra?: Record<string, unknown> },
  limits: Limits,
): Decision {
  if (!room?.members.has(actor)) return refused('not_found');
  if (room.archived) return refused('archived');
  const problem = textProblem(command.text, limits.MESSAGE_TEXT_MAX);
  if (problem) return invalid('/text', problem);
  const body: EventBody<'message.sent'> = { text: command.text };
  if (command.replyTo !== undefined) {
    const target = known.target;
    if (!target || !sees(room, actor, target)) return invalid('/replyTo', 'there is no such message in this room');
    if (target.deleted) return refused('message_deleted');
    body.replyTo = target.id;
    body.thread = target.thread ?? target.id;
  }
  const mentions = mentionsIn(room, actor, known.called, limits.MENTIONS_PER_MESSAGE_MAX);
  if (mentions) body.mentions = mentions;
  if (known.extra) body.extra = known.extra;
  return commit({ stream: room.id, type: 'message.sent', body });
}

export function edit(
  room: RoomState | null,
  actor: UserId,
  command: CommandOf<'message.edit'>,
  known: { message: MessageState | null; called: Called },
  limits: Limits,
): Decision {
  const { message } = known;
  if (!room || !message || !sees(room, actor, message)) return refused('not_found');
  if (message.deleted) return refused('message_deleted');
  if (message.author !== actor) return refused('forbidden', 'only the author edits a message');
  if (room.archived) return refused('archived');
  const problem = textProblem(command.text, limits.MESSAGE_TEXT_MAX);
  if (problem) return invalid('/text', problem);
  if (command.text === message.text) return unchanged(room.id);
  const mentions = mentionsIn(room, actor, known.called, limits.MENTIONS_PER_MESSAGE_MAX);
  return commit({
    stream: room.id,
    type: 'message.edited',
    body: { message: message.id, messageSeq: message.seq, text: command.text, ...(mentions ? { mentions } : {}) },
  });
}

/** One's own, or another's by whom the room lets; also in an archived room, since content may have to go. */
export function remove(room: RoomState | null, actor: UserId, message: MessageState | null): Decision {
  if (!room || !message || !sees(room, actor, message)) return refused('not_found');
  if (message.deleted) return unchanged(room.id);
  const own = message.author === actor;
  if (!own && !may(room, actor, 'message.delete_others')) {
    return refused('forbidden', 'only the author or a moderator of the room deletes a message');
  }
  return commit({
    stream: room.id,
    type: 'message.deleted',
    body: {
      message: message.id,
      messageSeq: message.seq,
      ...(message.thread === null ? {} : { thread: message.thread }),
      ...(own ? {} : { moderated: true as const }),
    },
  });
}

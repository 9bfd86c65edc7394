/** Rules of reactions: one of each kind for each person, on messages that are there. */
import type { UserId } from '@natter/protocol';
import type { Limits } from '../limits.js';
import { emojiProblem } from '../text.js';
import { commit, type Decision, invalid, refused, unchanged } from './decision.js';
import { type MessageState, sees } from './messages.js';
import type { RoomState } from './state.js';

/** The reactions on one message: who, by emoji. */
export type Reactions = ReadonlyMap<string, ReadonlySet<UserId>>;

export function add(
  room: RoomState | null,
  actor: UserId,
  emoji: string,
  known: { message: MessageState | null; reactions: Reactions },
  limits: Limits,
): Decision {
  const { message, reactions } = known;
  if (!room || !message || !sees(room, actor, message)) return refused('not_found');
  if (message.deleted) return refused('message_deleted');
  if (room.archived) return refused('archived');
  const problem = emojiProblem(emoji);
  if (problem) return invalid('/emoji', problem);
  if (reactions.get(emoji)?.has(actor)) return unchanged(room.id);
  if (!reactions.has(emoji) && reactions.size >= limits.REACTIONS_PER_MESSAGE_MAX) {
    return refused('limit_reached', `a message takes at most ${limits.REACTIONS_PER_MESSAGE_MAX} different emoji`);
  }
  return commit({
    stream: room.id,
    type: 'reaction.added',
    body: { message: message.id, messageSeq: message.seq, emoji },
  });
}

export function remove(
  room: RoomState | null,
  actor: UserId,
  emoji: string,
  known: { message: MessageState | null; reactions: Reactions },
): Decision {
  const { message, reactions } = known;
  if (!room || !message || !sees(room, actor, message)) return refused('not_found');
  if (!reactions.get(emoji)?.has(actor)) return unchanged(room.id);
  return commit({
    stream: room.id,
    type: 'reaction.removed',
    body: { message: message.id, messageSeq: message.seq, emoji },
  });
}

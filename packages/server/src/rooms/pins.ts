/** Rules of pins: a bounded set of messages that a room keeps at hand. */
import type { UserId } from '@natter/protocol';
import { may } from '../core/policy.js';
import type { Limits } from '../limits.js';
import { commit, type Decision, refused, unchanged } from './decision.js';
import { type MessageState, sees } from './messages.js';
import type { RoomState } from './state.js';

interface Known {
  message: MessageState | null;
  /** Is it pinned now, and how many are? */
  pinned: boolean;
  pins: number;
}

export function add(room: RoomState | null, actor: UserId, known: Known, limits: Limits): Decision {
  const { message } = known;
  if (!room || !message || !sees(room, actor, message)) return refused('not_found');
  if (message.deleted) return refused('message_deleted');
  if (!may(room, actor, 'pin')) return refused('forbidden');
  if (room.archived) return refused('archived');
  if (known.pinned) return unchanged(room.id);
  if (known.pins >= limits.PINS_PER_ROOM_MAX) {
    return refused('limit_reached', `a room keeps at most ${limits.PINS_PER_ROOM_MAX} pins`);
  }
  return commit({ stream: room.id, type: 'pin.added', body: { message: message.id, messageSeq: message.seq } });
}

export function remove(room: RoomState | null, actor: UserId, known: Known): Decision {
  const { message } = known;
  if (!room || !message || !sees(room, actor, message)) return refused('not_found');
  if (!may(room, actor, 'pin')) return refused('forbidden');
  if (!known.pinned) return unchanged(room.id);
  return commit({ stream: room.id, type: 'pin.removed', body: { message: message.id, messageSeq: message.seq } });
}

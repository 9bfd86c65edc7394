/** Rules of read markers: they only move forward, and "unread from here" stands beside them [M2][M3]. */
import type { Seq, UserId } from '@natter/protocol';
import type { Draft } from '../store/store.js';
import { commit, type Decision, invalid, refused, unchanged } from './decision.js';
import type { RoomState } from './state.js';

export interface Marker {
  readSeq: Seq;
  unreadFrom: Seq | null;
}

/** `head` is the room's, as committed. */
export function move(room: RoomState | null, actor: UserId, seq: Seq, marker: Marker | null, head: Seq): Decision {
  if (!room?.members.has(actor) || !marker) return refused('not_found');
  if (seq > head) return invalid('/seq', 'is beyond the newest event of the room');
  // Only the mark "unread from here" makes moving to where one stands a change.
  if (seq < marker.readSeq || (seq === marker.readSeq && marker.unreadFrom === null)) return unchanged(actor);
  const moved: Draft = { stream: actor, type: 'read.moved', body: { room: room.id, seq } };
  // Another device may move it further meanwhile, through another node.
  return { kind: 'commit', drafts: [moved], expectMarkers: [[room.id, actor, seq]] };
}

export function unmark(room: RoomState | null, actor: UserId, seq: Seq, marker: Marker | null, head: Seq): Decision {
  const member = room?.members.get(actor);
  if (!room || !member || !marker) return refused('not_found');
  if (seq > head) return invalid('/seq', 'is beyond the newest event of the room');
  if (seq < member.fromSeq) return refused('not_found');
  if (marker.unreadFrom === seq) return unchanged(actor);
  return commit({ stream: actor, type: 'read.unmarked', body: { room: room.id, seq } });
}

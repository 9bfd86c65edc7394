/** What a decision needs to know of a room, and how events change it. */
import type { Event, History, RoomId, RoomKind, RoomRole, Seq, UserId, Visibility } from '@natter/protocol';
import type { StoredEvent } from '../store/store.js';

export interface MemberState {
  role: RoomRole;
  /** First seq that this member may read [A3]. */
  fromSeq: Seq;
}

export interface RoomState {
  readonly id: RoomId;
  /** Seq of the newest event that this state has seen. */
  seq: Seq;
  version: number;
  kind: RoomKind;
  name: string;
  topic: string;
  visibility: Visibility;
  history: History;
  readonly dialect: string;
  readonly createdBy: UserId;
  archived: boolean;
  /** In the order of joining: who comes first has been there longest. */
  members: Map<UserId, MemberState>;
}

/** Applies one state-changing event of the room; false when the room is gone. Shared with simulations: pure but for `state`. */
export function applyToRoom(state: RoomState, event: Pick<StoredEvent, 'type' | 'seq' | 'body'>): boolean {
  const fact = { type: event.type, body: JSON.parse(event.body) } as Pick<Event, 'type' | 'body'> as Event;
  switch (fact.type) {
    case 'member.joined':
      state.members.set(fact.body.user, {
        role: fact.body.role,
        fromSeq: state.history === 'joined' ? event.seq : 1,
      });
      return true;
    case 'member.left':
    case 'member.removed':
      state.members.delete(fact.body.user);
      return true;
    case 'member.changed': {
      const member = state.members.get(fact.body.user);
      if (member) state.members.set(fact.body.user, { ...member, role: fact.body.role });
      return true;
    }
    case 'room.changed':
      Object.assign(state, fact.body);
      return true;
    case 'room.archived':
      state.archived = true;
      return true;
    case 'room.unarchived':
      state.archived = false;
      return true;
    case 'room.deleted':
      return false;
    default:
      return true;
  }
}

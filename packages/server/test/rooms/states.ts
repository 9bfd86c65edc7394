/** Room states as tests need them: who is in the room, in which role, in the order of joining. */
import type { RoomKind, RoomRole, UserId } from '@natter/protocol';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import type { Decision } from '@natter/server/rooms/decision';
import type { MessageState } from '@natter/server/rooms/messages';
import type { UserState } from '@natter/server/rooms/rooms';
import type { RoomState } from '@natter/server/rooms/state';

export const LIMITS = DEFAULT_LIMITS;
export const ROOM = 1_000;
export const NOBODY_CALLED = { names: [], users: [] };

export function roomState(members: readonly (readonly [UserId, RoomRole])[], rest: Partial<RoomState> = {}): RoomState {
  return {
    id: ROOM,
    seq: 50,
    version: 1,
    kind: 'group',
    name: 'room',
    topic: '',
    visibility: 'private',
    history: 'shared',
    dialect: '',
    createdBy: 1,
    archived: false,
    members: new Map(members.map(([user, role]) => [user, { role, fromSeq: 1 }])),
    ...rest,
  };
}

export function messageState(rest: Partial<MessageState> = {}): MessageState {
  return { id: 500, room: ROOM, seq: 10, author: 1, text: 'text', thread: null, deleted: false, ...rest };
}

export const active = (id: UserId): UserState => ({ id, status: 'active', rooms: 0 });

/** What a decision comes to, in one word. */
export function verdict(decision: Decision): string {
  return decision.kind === 'refused' ? decision.code : decision.kind;
}

export const KINDS = ['direct', 'group', 'channel'] as const satisfies readonly RoomKind[];
export const ROLES = ['member', 'admin', 'owner'] as const satisfies readonly RoomRole[];

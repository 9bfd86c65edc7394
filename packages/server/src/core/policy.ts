/** Who may do what in a room: one table, role × action. */
import type { RoomKind, RoomRole, UserId } from '@natter/protocol';
import type { RoomState } from '../rooms/state.js';

export type RoomAction =
  | 'room.change'
  | 'room.archive'
  | 'room.delete'
  | 'member.add'
  | 'member.remove'
  | 'member.change'
  | 'message.send'
  | 'message.delete_others'
  | 'mention.everyone'
  | 'pin'
  | 'audit.read';

const RANK: Record<RoomRole, number> = { member: 0, admin: 1, owner: 2 };

/** The lowest role that may, by kind of room; null: nobody. */
const LEAST: Record<RoomAction, Record<RoomKind, RoomRole | null>> = {
  'room.change': { direct: null, group: 'admin', channel: 'admin' },
  'room.archive': { direct: null, group: 'admin', channel: 'admin' },
  'room.delete': { direct: null, group: 'owner', channel: 'owner' },
  'member.add': { direct: null, group: 'admin', channel: 'admin' },
  'member.remove': { direct: null, group: 'admin', channel: 'admin' },
  'member.change': { direct: null, group: 'owner', channel: 'owner' },
  'message.send': { direct: 'member', group: 'member', channel: 'member' },
  'message.delete_others': { direct: null, group: 'admin', channel: 'admin' },
  'mention.everyone': { direct: 'member', group: 'member', channel: 'admin' },
  pin: { direct: 'member', group: 'member', channel: 'admin' },
  'audit.read': { direct: null, group: 'owner', channel: 'owner' },
};

export function may(room: RoomState, user: UserId, action: RoomAction): boolean {
  const role = room.members.get(user)?.role;
  const least = LEAST[action][room.kind];
  if (role === undefined || least === null) return false;
  // Whoever is in a public channel may bring others, who could come by themselves.
  if (action === 'member.add' && room.kind === 'channel' && room.visibility === 'public') return true;
  return RANK[role] >= RANK[least];
}

/** Does the first role stand above the second? */
export function outranks(role: RoomRole, other: RoomRole): boolean {
  return RANK[role] > RANK[other];
}

/** Rules of membership: join, leave, bring in, remove, roles. */
import { type CommandOf, SYSTEM_ACTOR, type UserId } from '@natter/protocol';
import { may, outranks } from '../core/policy.js';
import type { Limits } from '../limits.js';
import type { Draft } from '../store/store.js';
import { commit, type Decision, refused, unchanged } from './decision.js';
import { added, directClaim, membersMax, type UserState, unavailable } from './rooms.js';
import type { RoomState } from './state.js';

/**
 * Whoever comes first into a room that all have left owns it [A5]. A room that the system made, as an import does, waits
 * for an admin of the server (`administers`): who comes first to it would else get power over what was never theirs.
 */
export function join(room: RoomState | null, user: UserState | null, administers: boolean, limits: Limits): Decision {
  if (!room || !user) return refused('not_found');
  if (room.members.has(user.id)) return unchanged(room.id);
  if (room.kind !== 'channel' || room.visibility !== 'public') return refused('not_found');
  if (room.archived) return refused('archived');
  if (room.members.size >= membersMax(room.kind, limits)) return refused('room_full');
  const denied = unavailable([user], limits);
  if (denied) return denied;
  const owned = [...room.members.values()].some((member) => member.role === 'owner');
  const role =
    !owned && (administers || (room.members.size === 0 && room.createdBy !== SYSTEM_ACTOR)) ? 'owner' : 'member';
  return commit(
    { stream: room.id, type: 'member.joined', body: { user: user.id, role } },
    { stream: user.id, type: 'membership.added', body: { room: room.id } },
  );
}

/** `evenDirect`: also how a deleted account goes. The pair of a direct room that one has left may open another one. */
export function leave(room: RoomState | null, user: UserId, evenDirect = false): Decision {
  const member = room?.members.get(user);
  if (!room || !member) return refused('not_found');
  if (room.kind === 'direct' && !evenDirect) return refused('wrong_room_kind');
  const drafts: Draft[] = [
    { stream: room.id, type: 'member.left', body: { user } },
    { stream: user, type: 'membership.removed', body: { room: room.id } },
  ];
  if (room.members.size === 1) {
    // Nobody could ever see a private room again that the last member left.
    if (room.visibility === 'private') drafts.push({ stream: room.id, type: 'room.deleted', body: {} });
  } else if (member.role === 'owner') {
    const heir = successor(room, user);
    if (heir !== null) drafts.push({ stream: room.id, type: 'member.changed', body: { user: heir, role: 'owner' } });
  }
  if (room.kind !== 'direct') return commit(...drafts);
  const [peer] = [...room.members.keys()].filter((other) => other !== user);
  return { kind: 'commit', drafts, releases: [directClaim(user, peer ?? user, room.id)] };
}

/** [A5] Who becomes owner when this one goes: null while another owner stays. */
function successor(room: RoomState, leaving: UserId): UserId | null {
  let heir: UserId | null = null;
  let admin: UserId | null = null;
  for (const [user, { role }] of room.members) {
    if (user === leaving) continue;
    if (role === 'owner') return null;
    if (role === 'admin') admin ??= user;
    heir ??= user;
  }
  return admin ?? heir;
}

export function add(room: RoomState | null, actor: UserId, users: readonly UserState[], limits: Limits): Decision {
  if (!room?.members.has(actor)) return refused('not_found');
  if (room.kind === 'direct') return refused('wrong_room_kind');
  if (!may(room, actor, 'member.add')) return refused('forbidden');
  if (room.archived) return refused('archived');
  const fresh = users.filter((user) => !room.members.has(user.id));
  const denied = unavailable(fresh, limits);
  if (denied) return denied;
  if (fresh.length === 0) return unchanged(room.id);
  if (room.members.size + fresh.length > membersMax(room.kind, limits)) return refused('room_full');
  const ids = fresh.map((user) => user.id);
  const joined = ids.map((user): Draft => ({ stream: room.id, type: 'member.joined', body: { user, role: 'member' } }));
  return { kind: 'commit', drafts: [...joined, ...added(room.id, ids)] };
}

export function remove(room: RoomState | null, actor: UserId, user: UserId): Decision {
  const self = room?.members.get(actor);
  if (!room || !self) return refused('not_found');
  if (user === actor) return leave(room, actor);
  if (room.kind === 'direct') return refused('wrong_room_kind');
  if (!may(room, actor, 'member.remove')) return refused('forbidden');
  const member = room.members.get(user);
  if (!member) return refused('not_found');
  if (self.role !== 'owner' && !outranks(self.role, member.role)) {
    return refused('forbidden', 'only an owner removes those who have a role');
  }
  return commit(
    { stream: room.id, type: 'member.removed', body: { user } },
    { stream: user, type: 'membership.removed', body: { room: room.id } },
  );
}

export function changeRole(room: RoomState | null, actor: UserId, command: CommandOf<'member.change'>): Decision {
  if (!room?.members.has(actor)) return refused('not_found');
  if (room.kind === 'direct') return refused('wrong_room_kind');
  if (!may(room, actor, 'member.change')) return refused('forbidden');
  const member = room.members.get(command.user);
  if (!member) return refused('not_found');
  if (member.role === command.role) return unchanged(room.id);
  if (member.role === 'owner') {
    const owners = [...room.members.values()].filter(({ role }) => role === 'owner').length;
    if (owners === 1) return refused('last_owner');
  }
  return commit({ stream: room.id, type: 'member.changed', body: { user: command.user, role: command.role } });
}

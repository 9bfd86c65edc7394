/** Rules of rooms themselves: make, open, change, archive, delete. */
import type { CommandOf, RoomId, RoomRole, UserId } from '@natter/protocol';
import { may } from '../core/policy.js';
import type { Limits } from '../limits.js';
import type { Claim, Draft } from '../store/store.js';
import { lineProblem } from '../text.js';
import { commit, type Decision, invalid, refused, unchanged } from './decision.js';
import type { RoomState } from './state.js';

/** What a decision needs to know of a user who is to be brought in. */
export interface UserState {
  id: UserId;
  status: 'active' | 'deactivated' | 'deleted';
  /** In how many rooms they are. */
  rooms: number;
}

/** Why not all of these can be brought into one more room, or null. */
export function unavailable(users: readonly UserState[], limits: Limits): Decision | null {
  for (const { id, status, rooms } of users) {
    if (status !== 'active') return refused('user_unavailable', `user ${id} can't be added`);
    if (rooms >= limits.ROOMS_PER_USER_MAX) return refused('limit_reached', `user ${id} is in too many rooms`);
  }
  return null;
}

/** Public channels are found by name, so each has its own within the API that made it. */
export function nameClaim(dialect: string, name: string, room: RoomId): Claim {
  return { space: `room.name:${dialect}`, value: name.trim().normalize('NFKC').toLowerCase(), owner: room };
}

/** Everybody who is brought in learns of it in their inbox; their devices begin to follow the room by it. */
export function added(room: RoomId, users: Iterable<UserId>): Draft[] {
  return Array.from(users, (user) => ({ stream: user, type: 'membership.added', body: { room } }));
}

export function membersMax(kind: RoomState['kind'], limits: Limits): number {
  return kind === 'channel' ? limits.CHANNEL_MEMBERS_MAX : limits.GROUP_MEMBERS_MAX;
}

export function create(
  actor: UserId,
  command: CommandOf<'room.create'>,
  /** `users`: the actor, and those who are brought in. */
  known: { room: RoomId; users: readonly UserState[]; dialect: string },
  limits: Limits,
): Decision {
  const { kind, topic = '', history = 'shared' } = command;
  const visibility = command.visibility ?? 'private';
  const name = command.name.trim();
  // A group may go without: its members stand for it.
  const problem = lineProblem(name, limits.ROOM_NAME_MAX, kind === 'group' ? 0 : 1);
  if (problem) return invalid('/name', problem);
  const topicProblem = lineProblem(topic, limits.TOPIC_MAX);
  if (topicProblem) return invalid('/topic', topicProblem);
  if (kind === 'group' && visibility === 'public') return invalid('/visibility', 'a group is private');
  const denied = unavailable(known.users, limits);
  if (denied) return denied;
  const others = known.users.map((user) => user.id).filter((user) => user !== actor);
  if (others.length + 1 > membersMax(kind, limits)) return refused('room_full');
  const members = [
    { user: actor, role: 'owner' as RoomRole },
    ...others.map((user) => ({ user, role: 'member' as RoomRole })),
  ];
  const { room, dialect } = known;
  return {
    kind: 'commit',
    drafts: [
      {
        stream: room,
        type: 'room.created',
        body: { kind, name, topic, visibility, history, ...(dialect === '' ? {} : { dialect }), members },
      },
      ...added(room, [actor, ...others]),
    ],
    ...(visibility === 'public' ? { claims: [nameClaim(dialect, name, room)] } : {}),
  };
}

/** One room for each pair, whoever opens it [L5]; with oneself it is a notebook. */
export function open(
  actor: UserId,
  peer: UserId,
  known: { users: readonly UserState[]; existing: RoomId | null; room: RoomId; dialect: string },
  limits: Limits,
): Decision {
  const found = known.users.find((user) => user.id === peer);
  if (!found || found.status === 'deleted') return refused('not_found');
  if (known.existing !== null) return unchanged(known.existing);
  const denied = unavailable(known.users, limits);
  if (denied) return denied;
  const users = peer === actor ? [actor] : [actor, peer];
  const { room, dialect } = known;
  return {
    kind: 'commit',
    drafts: [
      {
        stream: room,
        type: 'room.created',
        body: {
          kind: 'direct',
          name: '',
          topic: '',
          visibility: 'private',
          history: 'shared',
          ...(dialect === '' ? {} : { dialect }),
          members: users.map((user) => ({ user, role: 'member' })),
        },
      },
      ...added(room, users),
    ],
    claims: [directClaim(actor, peer, room)],
  };
}

export function directClaim(one: UserId, other: UserId, room: RoomId): Claim {
  return { space: 'room.direct', value: `${Math.min(one, other)}:${Math.max(one, other)}`, owner: room };
}

export function change(
  room: RoomState | null,
  actor: UserId,
  command: CommandOf<'room.change'>,
  limits: Limits,
): Decision {
  if (!room?.members.has(actor)) return refused('not_found');
  if (room.kind === 'direct') return refused('wrong_room_kind');
  if (!may(room, actor, 'room.change')) return refused('forbidden');
  if (room.archived) return refused('archived');
  const name = command.name?.trim();
  if (name !== undefined) {
    const problem = lineProblem(name, limits.ROOM_NAME_MAX, room.kind === 'group' ? 0 : 1);
    if (problem) return invalid('/name', problem);
  }
  if (command.topic !== undefined) {
    const problem = lineProblem(command.topic, limits.TOPIC_MAX);
    if (problem) return invalid('/topic', problem);
  }
  if (room.kind === 'group' && command.visibility === 'public') return invalid('/visibility', 'a group is private');
  const body = {
    ...(name !== undefined && name !== room.name ? { name } : {}),
    ...(command.topic !== undefined && command.topic !== room.topic ? { topic: command.topic } : {}),
    ...(command.visibility !== undefined && command.visibility !== room.visibility
      ? { visibility: command.visibility }
      : {}),
    ...(command.history !== undefined && command.history !== room.history ? { history: command.history } : {}),
  };
  if (Object.keys(body).length === 0) return unchanged(room.id);
  const before = room.visibility === 'public' ? [nameClaim(room.dialect, room.name, room.id)] : [];
  const isPublic = (command.visibility ?? room.visibility) === 'public';
  const after = isPublic ? [nameClaim(room.dialect, name ?? room.name, room.id)] : [];
  return {
    kind: 'commit',
    drafts: [{ stream: room.id, type: 'room.changed', body }],
    claims: after,
    releases: before.filter((claim) => claim.value !== after[0]?.value),
  };
}

export function archive(room: RoomState | null, actor: UserId, archived: boolean): Decision {
  if (!room?.members.has(actor)) return refused('not_found');
  if (room.kind === 'direct') return refused('wrong_room_kind');
  if (!may(room, actor, 'room.archive')) return refused('forbidden');
  if (room.archived === archived) return unchanged(room.id);
  return commit({ stream: room.id, type: archived ? 'room.archived' : 'room.unarchived', body: {} });
}

export function remove(room: RoomState | null, actor: UserId): Decision {
  if (!room?.members.has(actor)) return refused('not_found');
  if (room.kind === 'direct') return refused('wrong_room_kind');
  if (!may(room, actor, 'room.delete')) return refused('forbidden');
  return commit({ stream: room.id, type: 'room.deleted', body: {} });
}

/** Rules of user groups: a named set of people that can be added to rooms and called. Whoever made one and admins keep it. */
import type { CommandOf, UserGroupId, UserId } from '@natter/protocol';
import type { Limits } from '../limits.js';
import type { Claim } from '../store/store.js';
import { lineProblem } from '../text.js';
import { commit, type Decision, invalid, refused, unchanged } from './decision.js';
import type { UserState } from './rooms.js';
import type { Asker } from './users.js';

export interface UserGroupState {
  id: UserGroupId;
  name: string;
  /** The forms by which the name is taken. */
  nameKeys: readonly string[];
  description: string;
  createdBy: UserId;
  members: ReadonlySet<UserId>;
}

/** `problem`: why the name is none, by the rules of names; `keys`: the forms by which it is taken. */
export interface NameState {
  keys: readonly string[];
  problem: string | null;
}

const claims = (keys: readonly string[], owner: UserGroupId): Claim[] =>
  keys.map((value) => ({ space: 'usergroup.name', value, owner }));
const keeps = (asker: Asker, group: UserGroupState): boolean =>
  asker.role === 'admin' || asker.role === 'system' || group.createdBy === asker.user;

export function create(
  command: CommandOf<'usergroup.create'>,
  known: { usergroup: UserGroupId; name: NameState; users: readonly UserState[] },
  limits: Limits,
): Decision {
  if (known.name.problem) return invalid('/name', known.name.problem);
  const description = command.description ?? '';
  const problem = lineProblem(description, limits.TOPIC_MAX);
  if (problem) return invalid('/description', problem);
  const unavailable = known.users.find((user) => user.status !== 'active');
  if (unavailable) return refused('user_unavailable', `user ${unavailable.id} can't be added`);
  const members = known.users.map((user) => user.id);
  if (members.length > limits.USERGROUP_MEMBERS_MAX) return refused('room_full');
  return {
    kind: 'commit',
    drafts: [
      { stream: known.usergroup, type: 'usergroup.created', body: { name: command.name, description, members } },
    ],
    claims: claims(known.name.keys, known.usergroup),
  };
}

export function change(
  asker: Asker,
  group: UserGroupState | null,
  command: CommandOf<'usergroup.change'>,
  name: NameState | null,
  limits: Limits,
): Decision {
  if (!group) return refused('not_found');
  if (!keeps(asker, group)) return refused('forbidden');
  if (name?.problem) return invalid('/name', name.problem);
  if (command.description !== undefined) {
    const problem = lineProblem(command.description, limits.TOPIC_MAX);
    if (problem) return invalid('/description', problem);
  }
  const body = {
    ...(command.name !== undefined && command.name !== group.name ? { name: command.name } : {}),
    ...(command.description !== undefined && command.description !== group.description
      ? { description: command.description }
      : {}),
  };
  if (Object.keys(body).length === 0) return unchanged(group.id);
  const kept = new Set(name?.keys);
  return {
    kind: 'commit',
    drafts: [{ stream: group.id, type: 'usergroup.changed', body }],
    ...(name
      ? {
          claims: claims(name.keys, group.id),
          releases: claims(
            group.nameKeys.filter((key) => !kept.has(key)),
            group.id,
          ),
        }
      : {}),
  };
}

export function addMembers(
  asker: Asker,
  group: UserGroupState | null,
  users: readonly UserState[],
  limits: Limits,
): Decision {
  if (!group) return refused('not_found');
  if (!keeps(asker, group)) return refused('forbidden');
  const unavailable = users.find((user) => user.status !== 'active');
  if (unavailable) return refused('user_unavailable', `user ${unavailable.id} can't be added`);
  const fresh = users.map((user) => user.id).filter((user) => !group.members.has(user));
  if (fresh.length === 0) return unchanged(group.id);
  if (group.members.size + fresh.length > limits.USERGROUP_MEMBERS_MAX) return refused('room_full');
  return commit({ stream: group.id, type: 'usergroup.members_added', body: { users: fresh } });
}

/** Anybody may take themselves out. */
export function removeMembers(asker: Asker, group: UserGroupState | null, users: readonly UserId[]): Decision {
  if (!group) return refused('not_found');
  const onlySelf = users.length === 1 && users[0] === asker.user;
  if (!onlySelf && !keeps(asker, group)) return refused('forbidden');
  const there = users.filter((user) => group.members.has(user));
  if (there.length === 0) return unchanged(group.id);
  return commit({ stream: group.id, type: 'usergroup.members_removed', body: { users: there } });
}

export function remove(asker: Asker, group: UserGroupState | null): Decision {
  if (!group) return refused('not_found');
  if (!keeps(asker, group)) return refused('forbidden');
  return commit({ stream: group.id, type: 'usergroup.deleted', body: {} });
}

/** Rules of accounts once they exist: profile, role, state, sessions. Registering and passwords are auth's. */
import type { CommandOf, EventBody, SessionId, UserId, UserRole } from '@natter/protocol';
import type { Limits } from '../limits.js';
import { lineProblem, textProblem } from '../text.js';
import { commit, type Decision, invalid, refused, unchanged } from './decision.js';

export interface AccountState {
  id: UserId;
  email: string | null;
  fullName: string;
  about: string;
  role: UserRole;
  status: 'active' | 'deactivated' | 'deleted';
  verified: boolean;
}

export interface Asker {
  user: UserId;
  role: UserRole | 'system';
}

const administers = (asker: Asker): boolean => asker.role === 'admin' || asker.role === 'system';

/** `email` is the address in the form that is kept, `key` the one by which it is unique; `problem` says why it is none. */
export function change(
  account: AccountState | null,
  command: CommandOf<'user.change'>,
  email: { key: string | null; formerKey: string | null; problem: string | null },
  limits: Limits,
): Decision {
  if (account?.status !== 'active') return refused('not_found');
  if (command.fullName !== undefined) {
    const problem = lineProblem(command.fullName, limits.NAME_MAX * 2);
    if (problem) return invalid('/fullName', problem);
  }
  if (command.about !== undefined) {
    const problem = textProblem(command.about, limits.TOPIC_MAX);
    if (problem) return invalid('/about', problem);
  }
  if (command.email !== undefined && email.problem) return invalid('/email', email.problem);
  const moved = command.email !== undefined && command.email !== account.email;
  const body: EventBody<'user.changed'> = {
    ...(command.fullName !== undefined && command.fullName !== account.fullName ? { fullName: command.fullName } : {}),
    ...(command.about !== undefined && command.about !== account.about ? { about: command.about } : {}),
    // Another address has yet to be shown to be theirs.
    ...(moved ? { email: command.email as string | null, ...(account.verified ? { verified: false } : {}) } : {}),
  };
  if (Object.keys(body).length === 0) return unchanged(account.id);
  const claim = (value: string) => ({ space: 'user.email' as const, value, owner: account.id });
  const rekeyed = moved && email.key !== email.formerKey;
  return {
    kind: 'commit',
    drafts: [{ stream: account.id, type: 'user.changed', body }],
    ...(rekeyed && email.key !== null ? { claims: [claim(email.key)] } : {}),
    ...(rekeyed && email.formerKey !== null ? { releases: [claim(email.formerKey)] } : {}),
  };
}

/** `lastAdmin`: is this account the only active admin? */
export function deactivate(asker: Asker, account: AccountState | null, lastAdmin: boolean): Decision {
  const denied = askedFor(asker, account);
  if (denied || !account) return denied ?? refused('not_found');
  if (account.status === 'deactivated') return unchanged(account.id);
  if (lastAdmin) return refused('last_admin');
  return commit({ stream: account.id, type: 'user.deactivated', body: {} });
}

export function reactivate(asker: Asker, account: AccountState | null): Decision {
  if (!administers(asker)) return refused('forbidden');
  if (!account || account.status === 'deleted') return refused('not_found');
  if (account.status === 'active') return unchanged(account.id);
  return commit({ stream: account.id, type: 'user.reactivated', body: {} });
}

export function remove(asker: Asker, account: AccountState | null, lastAdmin: boolean): Decision {
  const denied = askedFor(asker, account);
  if (denied || !account) return denied ?? refused('not_found');
  if (lastAdmin) return refused('last_admin');
  return commit({ stream: account.id, type: 'user.deleted', body: {} });
}

export function setRole(asker: Asker, account: AccountState | null, role: UserRole, lastAdmin: boolean): Decision {
  if (!administers(asker)) return refused('forbidden');
  if (!account || account.status === 'deleted') return refused('not_found');
  if (account.role === role) return unchanged(account.id);
  if (role === 'user' && lastAdmin) return refused('last_admin');
  return commit({ stream: account.id, type: 'user.changed', body: { role } });
}

export function verify(asker: Asker, account: AccountState | null, verified: boolean): Decision {
  if (!administers(asker)) return refused('forbidden');
  if (!account || account.status === 'deleted') return refused('not_found');
  if (account.verified === verified) return unchanged(account.id);
  return commit({ stream: account.id, type: 'user.changed', body: { verified } });
}

/** `sessions`: those of `user` that are to end, as they are in the store. */
export function endSessions(asker: Asker, user: UserId, sessions: readonly SessionId[]): Decision {
  if (user !== asker.user && !administers(asker)) return refused('not_found');
  if (sessions.length === 0) return unchanged(user);
  return commit({ stream: user, type: 'session.ended', body: { sessions: [...sessions] } });
}

/** One's own account, or anybody's for an admin; others hear that there is none. */
function askedFor(asker: Asker, account: AccountState | null): Decision | null {
  if (!account || account.status === 'deleted') return refused('not_found');
  if (account.id !== asker.user && !administers(asker)) return refused('forbidden');
  return null;
}

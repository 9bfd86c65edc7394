/** Who asks, and what they are told: an actor, and replies that are values. */
import type { CommandResult, ErrorCode, ErrorDetail, SessionId, UserId, UserRole } from '@natter/protocol';
import type { StoredEvent } from '../store/store.js';

/** Somebody whom auth has recognised. Edges get one from auth and hand it to core; they never make one. */
export interface Actor {
  user: UserId;
  role: UserRole | 'system';
  /** Absent for the system and the command line. */
  session: SessionId | null;
}

export type Refusal = { ok: false; code: ErrorCode } & ErrorDetail;

/** What execute answers: the result for the asker, and the events for an edge that shows them in its own shape. */
export type Reply = { ok: true; result: CommandResult; events: readonly StoredEvent[] } | Refusal;

/** What queries and auth answer. */
export type Answer<T> = { ok: true; value: T } | Refusal;

export function refuse(code: ErrorCode, detail?: ErrorDetail | string): Refusal {
  if (typeof detail === 'string') return { ok: false, code, detail };
  return { ok: false, code, ...detail };
}

/** Which sessions live, as far as this process knows: what ends one is believed at once, and nothing is believed for long. */
import type { EventBody, SessionId, UserId, UserRole } from '@natter/protocol';
import { padded } from '../core/queries/context.js';
import { SharedReads } from '../core/shared-reads.js';
import type { Store, StoredEvent } from '../store/store.js';

/** A session is looked up again after this long, though nothing was heard of it: other nodes may have ended it. */
const RECHECK_MS = 1_000;
/** Sessions remembered as living. */
const CACHE_MAX = 50_000;

export interface Living {
  user: UserId;
  role: UserRole;
  /** Epoch milliseconds. */
  expiresAt: number;
  checkedAt: number;
}

interface SessionRow {
  user_id: UserId;
  expires_at: number;
  role: UserRole;
  status: string;
}

export class LivingSessions {
  readonly #rows: SharedReads<SessionId, SessionRow>;
  readonly #living = new Map<SessionId, Living>();
  /** Rises when something ended: what was read before that may be no longer so, and is not kept. */
  #endings = 0;

  constructor(store: Store) {
    this.#rows = new SharedReads((sessions) => readRows(store, sessions));
  }

  /** As known for no longer than a moment; `now` in epoch milliseconds. Null: it does not live, or the account is not active. */
  async get(session: SessionId, now: number): Promise<Living | null> {
    const known = this.#living.get(session);
    if (known && now - known.checkedAt < RECHECK_MS && now >= known.checkedAt) return known;
    const endings = this.#endings;
    const living = await this.read(session, now);
    this.#living.delete(session);
    if (living === null || endings !== this.#endings) return living;
    if (this.#living.size >= CACHE_MAX) {
      const oldest = this.#living.keys().next();
      if (!oldest.done) this.#living.delete(oldest.value);
    }
    this.#living.set(session, living);
    return living;
  }

  /** The same, as committed at a moment after the call: nothing remembered counts. */
  async read(session: SessionId, now: number): Promise<Living | null> {
    const row = await this.#rows.get(session);
    if (row?.status !== 'active') return null;
    return { user: row.user_id, role: row.role, expiresAt: row.expires_at, checkedAt: now };
  }

  /** What ends sessions or changes roles is believed at once. */
  hear(events: readonly StoredEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'session.ended': {
          this.#endings += 1;
          const { sessions } = JSON.parse(event.body) as EventBody<'session.ended'>;
          for (const session of sessions) this.#living.delete(session);
          break;
        }
        case 'user.changed':
        case 'user.deactivated':
        case 'user.deleted':
          this.#endings += 1;
          for (const [session, living] of this.#living) {
            if (living.user === event.stream) this.#living.delete(session);
          }
          break;
        default:
      }
    }
  }
}

async function readRows({ db }: Store, sessions: readonly SessionId[]): Promise<Map<SessionId, SessionRow>> {
  const rows = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['sessions.id', 'sessions.user_id', 'sessions.expires_at', 'users.role', 'users.status'])
    .where('sessions.id', 'in', padded(sessions))
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** Who a text calls: `@name`, `@group`, `@room`, `@all`. */
import type { Mentions, UserId } from '@natter/protocol';
import { may } from '../core/policy.js';
import type { RoomState } from './state.js';

const CALL = /(?<![\p{L}\p{N}_@./-])@([\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,199})/gu;
/** Names that are looked up for one text: beyond so many nobody is called. */
const CALLS_MAX = 1_000;
const EVERYONE = new Set(['room', 'all', 'everyone', 'channel']);

/** The names that a text calls, as written, in order, each once: with and without punctuation that may end a sentence. */
export function calledNames(text: string): string[] {
  if (!text.includes('@')) return [];
  const names = new Set<string>();
  let calls = 0;
  for (const [, name] of text.matchAll(CALL)) {
    if (name === undefined) continue;
    calls += 1;
    if (calls > CALLS_MAX) break;
    names.add(name);
    const bare = name.replace(/[._-]+$/u, '');
    if (bare !== '' && bare !== name) names.add(bare);
  }
  return [...names];
}

/** What the names stand for, found by the core: `users` with the members of user groups among them. */
export interface Called {
  names: readonly string[];
  users: readonly UserId[];
}

/** [M4] Only members are called, never the author; everybody only by whom the room allows. */
export function mentionsIn(room: RoomState, author: UserId, called: Called, max: number): Mentions | undefined {
  if (called.names.length === 0) return undefined;
  const everyone =
    called.names.some((name) => EVERYONE.has(name.toLowerCase())) && may(room, author, 'mention.everyone');
  if (everyone) return { everyone: true };
  const users = [...new Set(called.users)].filter((user) => user !== author && room.members.has(user)).slice(0, max);
  return users.length > 0 ? { users } : undefined;
}

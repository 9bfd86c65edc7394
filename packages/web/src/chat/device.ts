/** What this device keeps of an account: rooms and messages that were read, what waits to be sent, what was begun. */
import { forgetOutbox } from '@natter/client/saved-outbox';
import { indexedDbStorage, webStorage } from '@natter/client/storage';
import { forgetReadMarks } from './read-marks.js';

/** Of whoever is logged in, and of nobody else. */
export const knownRooms = indexedDbStorage('natter-rooms');
/** Of each account that has something to send. Kept before Enter is answered: a reload may come with the next key. */
export const outboxes = webStorage();

/** Rooms of which messages are kept, and messages of each. */
export const KEPT_ROOMS = 24;
export const KEPT_MESSAGES = 100;

const GROUPS = 'natter:groups';

export async function readGroups(): Promise<[number, number[]][]> {
  try {
    const groups: unknown = JSON.parse((await knownRooms.get(GROUPS)) ?? '[]');
    return Array.isArray(groups) ? groups : [];
  } catch {
    return [];
  }
}

export function keepGroups(groups: Iterable<readonly [number, readonly number[]]>): Promise<unknown> {
  return Promise.resolve(knownRooms.set(GROUPS, JSON.stringify([...groups])));
}

/** What the server has as well: it is not for whoever sits here next. */
export async function forgetRooms(): Promise<void> {
  localStorage.removeItem('natter:recent');
  await knownRooms.clear();
}

/** What was written and is nowhere else: kept when the server ended the session, and given up by whoever logs out. */
export async function forgetWritten(url: string, user: number): Promise<void> {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(`natter:draft:${user}:`)) localStorage.removeItem(key);
  }
  forgetReadMarks(user);
  await forgetOutbox(outboxes, url, user);
}

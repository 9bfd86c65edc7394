/** The addresses of the app. The server answers each of them with the page (packages/server/src/http/web.ts). */

export const HOME = '/';
export const ROOM = '/r/:room/:seq?';
export const SEARCH = '/search';
export const UNREAD = '/unread';
export const MENTIONS = '/mentions';

/** A room, or a message in it by its seq. */
export function roomPath(room: number, seq?: number): string {
  return seq === undefined ? `/r/${room}` : `/r/${room}/${seq}`;
}

/** One's own settings, and the server's for admins: each part has an address. */
export const SETTINGS = '/settings';
export const ADMIN = '/admin';

export function settingsPath(part: string): string {
  return `${SETTINGS}/${part}`;
}

export function adminPath(part: string, id?: number): string {
  return id === undefined ? `${ADMIN}/${part}` : `${ADMIN}/${part}/${id}`;
}

/** The search page; in one room alone, where that is said. */
export function searchPath(room?: number | null): string {
  return room ? `${SEARCH}?in=${room}` : SEARCH;
}

/** The room that an address names; null for any other. */
export function roomIn(path: string): number | null {
  const id = Number(/^\/r\/([1-9]\d{0,15})(?:\/|$)/.exec(path)?.[1]);
  return Number.isSafeInteger(id) ? id : null;
}

/** The rooms that were read last on this device. */
import { noteRoom, recentRooms } from '../switcher/recent.js';

export function lastRoom(): number | null {
  return recentRooms()[0] ?? null;
}

/** When there is time: a write to the disk must not stand between a click and what it shows. */
export function rememberRoom(room: number): void {
  setTimeout(noteRoom, 500, room);
}

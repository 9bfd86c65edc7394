/** The room that was read last on this device. */
const KEY = 'natter:last-room';

export function lastRoom(): number | null {
  return Number(localStorage.getItem(KEY)) || null;
}

/** When there is time: a write to the disk must not stand between a click and what it shows. */
export function rememberRoom(room: number): void {
  setTimeout(() => localStorage.setItem(KEY, String(room)), 500);
}

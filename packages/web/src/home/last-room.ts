/** The room that was read last on this device. */
const KEY = 'natter:last-room';

export function lastRoom(): number | null {
  return Number(localStorage.getItem(KEY)) || null;
}

export function rememberRoom(room: number): void {
  localStorage.setItem(KEY, String(room));
}

/** The rooms that were opened last in this browser, newest first. */
const KEY = 'natter:recent';
const KEPT = 30;

export function recentRooms(): readonly number[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]') as number[];
  } catch {
    return [];
  }
}

export function noteRoom(room: number): void {
  const rooms = [room, ...recentRooms().filter((id) => id !== room)].slice(0, KEPT);
  localStorage.setItem(KEY, JSON.stringify(rooms));
}

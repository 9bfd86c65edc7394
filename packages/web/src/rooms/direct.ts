/** The room with one other person: there already, or made now. */
import type { Chat } from '../chat/chat.js';
import { roomPath } from '../routes.js';

export async function openDirect({ client }: Chat, go: (path: string) => void, user: number): Promise<void> {
  const known = client.rooms.getSnapshot().find(({ kind, peer }) => kind === 'direct' && peer === user);
  go(roomPath(known?.id ?? (await client.send('room.open', { user })).stream));
}

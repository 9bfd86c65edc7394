/** `#name` in a text: a link where it is a channel of mine. */
import { useChat, useRooms } from '../chat/chat.js';
import { roomPath } from '../routes.js';
import { Link } from '../ui/Link.js';

export function RoomLink({ name }: { name: string }) {
  const chat = useChat();
  const room = useRooms(chat).find(
    ({ kind, name: other }) => kind === 'channel' && other.toLowerCase() === name.toLowerCase(),
  );
  return room ? <Link href={roomPath(room.id)}>{`#${name}`}</Link> : `#${name}`;
}

/** What kind of room it is, at a glance. */
import { Hash, Lock, MessageCircle, Users } from 'lucide-react';

interface KindIconProps {
  room: { kind: 'direct' | 'group' | 'channel'; visibility: 'public' | 'private' };
  size: number;
}

export function KindIcon({ room, size }: KindIconProps) {
  const { kind, visibility } = room;
  const Icon = kind === 'direct' ? MessageCircle : kind === 'group' ? Users : visibility === 'private' ? Lock : Hash;
  return <Icon size={size} strokeWidth={1.75} aria-hidden />;
}

/** What rooms are called: a direct room by the other one, a group without a name by its members. */
import type { RoomRow } from '@natter/client';
import { useSyncExternalStore } from 'react';
import { t } from '../texts/texts.js';
import { type Chat, nameOf } from './chat.js';
import { SHOWN } from './group-names.js';

/** The name that a room goes by; '' until it is known. */
export function roomName(chat: Pick<Chat, 'client' | 'groupNames'>, room: RoomRow): string {
  const called = (user: number) => nameOf(chat, user);
  if (room.kind === 'direct') return room.peer === null ? '' : called(room.peer);
  if (room.name !== '') return room.name;
  const members = chat.groupNames.get(room.id);
  if (!members) return '';
  return members.length === 0 ? t.rooms.onlyMe : members.slice(0, SHOWN).map(called).join(', ');
}

export function useRoomName(chat: Chat, room: RoomRow | undefined): string {
  const { client, groupNames } = chat;
  const name = () => (room ? roomName(chat, room) : '');
  useSyncExternalStore(groupNames.view.subscribe, name);
  return useSyncExternalStore(client.people.view.subscribe, name);
}

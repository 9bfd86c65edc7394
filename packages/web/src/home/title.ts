/** The title of the tab and its icon say what is unread; the title where one is, too. */
import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { useChat, useRoom, useRooms } from '../chat/chat.js';
import { useRoomName } from '../chat/room-name.js';
import { ADMIN, roomIn, SEARCH, SETTINGS } from '../routes.js';
import { t } from '../texts/texts.js';
import { showBadge } from './badge.js';

const PAGES = [
  [SEARCH, t.search.title],
  [SETTINGS, t.settings.title],
  [ADMIN, t.admin.title],
] as const;

/** Milliseconds. */
const PAUSE = 50;

export function useDocumentTitle(): void {
  const chat = useChat();
  const [path] = useLocation();
  const rooms = useRooms(chat);
  const room = useRoomName(chat, useRoom(chat, roomIn(path) ?? 0));
  const name = room || PAGES.find(([start]) => path.startsWith(start))?.[1];
  // What calls me counts: mentions, and all that is said to me alone.
  const calls = rooms.reduce((sum, { kind, unread, mentions }) => sum + (kind === 'direct' ? unread : mentions), 0);
  const unread = rooms.some((room) => room.unread > 0);
  useEffect(() => {
    const mark = calls > 0 ? `(${calls}) ` : unread ? '• ' : '';
    const show = () => {
      document.title = `${mark}${name ? `${name} – ` : ''}${t.app.name}`;
    };
    // The whole browser hears of a title: not between a click and what it shows. Where nobody looks, timers are slow.
    if (document.visibilityState === 'hidden') return show();
    const timer = setTimeout(show, PAUSE);
    return () => clearTimeout(timer);
  }, [calls, unread, name]);
  useEffect(() => showBadge(calls, unread), [calls, unread]);
  // Who is out has nothing unread.
  useEffect(() => () => showBadge(0, false), []);
}

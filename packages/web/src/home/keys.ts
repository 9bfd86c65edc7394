/** Keys of the whole page. The sheet that `?` shows is made of the same list. */
import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { MENTIONS, roomIn, SETTINGS, searchPath, UNREAD } from '../routes.js';
import { t } from '../texts/texts.js';
import { stepRegion } from './regions.js';

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

interface Shortcut {
  /** As it is shown; several ways are several lists. */
  readonly keys: readonly (readonly string[])[];
  readonly label: string;
}

const MOD = MAC ? '⌘' : 'Ctrl';
const ALT = MAC ? '⌥' : 'Alt';

export const SHEET: readonly { readonly title: string; readonly shortcuts: readonly Shortcut[] }[] = [
  {
    title: t.keys.about,
    shortcuts: [
      { keys: [[MOD, 'K']], label: t.keys.switcher },
      {
        keys: [
          [ALT, '↑'],
          [ALT, '↓'],
        ],
        label: t.keys.nextRoom,
      },
      {
        keys: [
          [ALT, 'Shift', '↑'],
          [ALT, 'Shift', '↓'],
        ],
        label: t.keys.nextUnread,
      },
      { keys: [['/'], [MOD, 'Shift', 'F']], label: t.keys.search },
      { keys: [['I']], label: t.keys.unread },
      { keys: [['M']], label: t.keys.mentions },
      { keys: [['W']], label: t.rooms.message },
      { keys: [['B']], label: t.rooms.browse },
      { keys: [['+']], label: t.rooms.create },
      { keys: [['S']], label: t.settings.title },
      { keys: [['F6'], ['Shift', 'F6']], label: t.keys.regions },
      { keys: [['?'], [MOD, '/']], label: t.keys.sheet },
    ],
  },
  {
    title: t.keys.room,
    shortcuts: [
      { keys: [['N']], label: t.keys.toNew },
      { keys: [['J']], label: t.timeline.present },
      { keys: [['D']], label: t.details.open },
      { keys: [['Esc']], label: t.keys.markRead },
    ],
  },
  {
    title: t.keys.writing,
    shortcuts: [
      { keys: [['Enter']], label: t.keys.send },
      { keys: [['Shift', 'Enter']], label: t.keys.line },
      { keys: [['↑']], label: t.keys.editLast },
      { keys: [['@'], ['#'], [':']], label: t.keys.complete },
      { keys: [[MOD, 'Shift', 'Enter']], label: t.composer.preview },
    ],
  },
  {
    title: t.keys.message,
    shortcuts: [
      { keys: [['↑'], ['↓']], label: t.keys.nextMessage },
      { keys: [['Enter']], label: t.keys.menu },
      { keys: [['R']], label: t.message.reply },
      { keys: [['T']], label: t.message.thread },
      { keys: [['E']], label: t.message.edit },
      { keys: [['A']], label: t.message.reactOther },
      { keys: [['C']], label: t.message.copyText },
      { keys: [['L']], label: t.message.copyLink },
      { keys: [['U']], label: t.message.markUnread },
      { keys: [['P']], label: t.message.pin },
      { keys: [['H']], label: t.message.history },
      { keys: [['V']], label: t.message.readBy },
      { keys: [['W']], label: t.message.writeTo },
      { keys: [['G']], label: t.timeline.jumpToDate },
      { keys: [['Del']], label: t.message.delete },
      { keys: [['Esc']], label: t.keys.toComposer },
    ],
  },
];

/** The rooms of the list, as they stand there. */
function stepRoom(by: 1 | -1, unreadOnly: boolean, go: (path: string) => void): void {
  const entries = [...document.querySelectorAll<HTMLAnchorElement>('nav a[data-room]')];
  const now = entries.findIndex((entry) => entry.hasAttribute('aria-current'));
  for (let step = 1; step <= entries.length; step += 1) {
    const from = now < 0 ? (by === 1 ? -1 : 0) : now;
    const next = entries[(((from + by * step) % entries.length) + entries.length) % entries.length];
    if (!next || (unreadOnly && next.dataset.unread === undefined)) continue;
    go(next.pathname);
    return;
  }
}

const isWriting = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');

export type Window = 'switcher' | 'sheet';

/** `open` shows a window of the page, or closes it when it is open already. */
export function usePageKeys(open: (window: Window) => void): void {
  const [path, go] = useLocation();
  const room = roomIn(path);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const act = actOf(event, { go, room, open });
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [go, room, open]);
}

interface Ways {
  go: (path: string) => void;
  room: number | null;
  open: (window: Window) => void;
}

function actOf(event: KeyboardEvent, { go, room, open }: Ways): (() => void) | null {
  const { key, ctrlKey, metaKey, altKey, shiftKey, target } = event;
  const mod = MAC ? metaKey : ctrlKey;
  const inWindow = document.querySelector('dialog[open]') !== null;
  if (mod && !altKey && !shiftKey && key.toLowerCase() === 'k') return () => open('switcher');
  if (inWindow) return null;
  if (key === 'F6') return () => stepRegion(shiftKey ? -1 : 1);
  if (mod && key === '/') return () => open('sheet');
  if (mod && shiftKey && !altKey && key.toLowerCase() === 'f') return () => search(room, go);
  if (altKey && !ctrlKey && !metaKey && (key === 'ArrowUp' || key === 'ArrowDown')) {
    return () => stepRoom(key === 'ArrowUp' ? -1 : 1, shiftKey, go);
  }
  if (isWriting(target) || ctrlKey || metaKey || altKey) return null;
  switch (key) {
    case '?':
      return () => open('sheet');
    case '/':
      return () => search(null, go);
    case 'i':
      return () => go(UNREAD);
    case 'm':
      return () => go(MENTIONS);
    case 's':
      return () => go(SETTINGS);
    default:
      return buttonOf(key);
  }
}

/** Buttons say themselves by which key they are pressed, too; one that is not there has nothing to do. */
function buttonOf(key: string): (() => void) | null {
  if (!/^[a-z+]$/.test(key)) return null;
  const button = document.querySelector<HTMLElement>(`[data-pressed-by="${key}"]`);
  return button && (() => button.click());
}

function search(room: number | null, go: (path: string) => void): void {
  const box = document.querySelector<HTMLElement>('[data-search]');
  if (box) box.focus();
  else go(searchPath(room));
}

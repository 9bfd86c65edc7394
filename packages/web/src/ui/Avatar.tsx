/** Somebody at a glance: first letters on a ground of their own, and whether they are here. */
import { useEffect, useSyncExternalStore } from 'react';
import { useChat, useName } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import styles from './ui.module.css';

/** Grounds that are told apart, and none of them loud. */
const HUES = [25, 60, 95, 150, 185, 225, 265, 310, 345];

const segments = new Intl.Segmenter();

function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const first = (word: string | undefined) => (word ? ([...segments.segment(word)][0]?.segment ?? '') : '');
  return (first(words[0]) + (words.length > 1 ? first(words.at(-1)) : '')).toLocaleUpperCase();
}

export function Avatar({ user, size = 36 }: { user: number; size?: number }) {
  const name = useName(useChat(), user);
  const style = { '--size': `${size / 16}rem`, '--hue': HUES[user % HUES.length] } as React.CSSProperties;
  return (
    <span className={styles.avatar} style={style} aria-hidden>
      {initials(name)}
    </span>
  );
}

/** With a dot that is full when they are online. */
export function Standing({ user, size = 24 }: { user: number; size?: number }) {
  const { presence } = useChat();
  useEffect(() => presence.watch([user]), [presence, user]);
  const online = useSyncExternalStore(
    presence.view.subscribe,
    () => presence.view.getSnapshot().get(user)?.online ?? false,
  );
  return (
    <span className={styles.standing}>
      <Avatar user={user} size={size} />
      <span className={styles.dot} data-online={online || undefined} />
      <span className="hidden">{online ? t.people.online : t.people.offline} </span>
    </span>
  );
}

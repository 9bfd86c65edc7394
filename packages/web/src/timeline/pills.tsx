/** Ways to where one is not: up to what is new, down to the present. */
import type { RoomRow } from '@natter/client';
import { ArrowDown, ArrowUp, Check } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useView } from '../chat/chat.js';
import { showShort, t } from '../texts/texts.js';
import type { Conversation } from './conversation.js';
import { indexFrom } from './rows.js';
import styles from './Timeline.module.css';

export function PresentPill({ conversation, room }: { conversation: Conversation; room: RoomRow }) {
  const { reading, timeline } = conversation;
  const { atEnd } = useView(reading.sight);
  const { newer, loaded } = useView(timeline);
  if ((atEnd && !newer) || !loaded) return null;
  return (
    <button type="button" className={styles.pill} data-pressed-by="j" onClick={() => reading.goToEnd()}>
      <ArrowDown size={16} aria-hidden />
      {room.unread > 0 ? t.timeline.presentNew(room.unread) : t.timeline.present}
    </button>
  );
}

/** Shown as long as the line before what is new is above, or not loaded. */
export function NewBar({ conversation }: { conversation: Conversation }) {
  const { reading, timeline } = conversation;
  const newness = useView(conversation.newness);
  const { messages, loaded } = useView(timeline);
  const above = useSyncExternalStore(reading.sight.subscribe, () => {
    const { top } = reading.sight.getSnapshot();
    return newness !== null && top > newness.from;
  });
  if (!newness || newness.count === 0 || !above || !loaded) return null;
  const first = messages[indexFrom(messages, newness.from)];
  const known = first !== undefined && (messages[0]?.seq ?? 0) <= newness.from;
  return (
    <div className={styles.newBar}>
      <button type="button" data-pressed-by="n" onClick={() => conversation.goTo(newness.from)}>
        <ArrowUp size={16} aria-hidden />
        {known ? t.timeline.newSince(newness.count, showShort(first.at)) : t.timeline.newCount(newness.count)}
        <span className={styles.newJump}>{t.timeline.jump}</span>
      </button>
      <button type="button" onClick={() => conversation.markAllRead()}>
        <Check size={16} aria-hidden />
        {t.timeline.markRead}
      </button>
    </div>
  );
}

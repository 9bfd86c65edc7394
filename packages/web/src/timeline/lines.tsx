/** What stands between messages: a day, and where what is new begins. */
import { memo } from 'react';
import { showDay, t } from '../texts/texts.js';
import styles from './Timeline.module.css';

export const DayLine = memo(function DayLine({ id, at }: { id: string; at: string }) {
  return (
    <li className={styles.day} data-key={id}>
      <time dateTime={at}>{showDay(at)}</time>
    </li>
  );
});

export const NewLine = memo(function NewLine() {
  return (
    <li className={styles.new} data-key="new">
      <span>{t.timeline.new}</span>
    </li>
  );
});

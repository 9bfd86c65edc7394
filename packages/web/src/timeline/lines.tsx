/** What stands between messages: a day, and where what is new begins. */
import { ChevronDown } from 'lucide-react';
import { memo } from 'react';
import { showDay, t } from '../texts/texts.js';
import styles from './Timeline.module.css';

interface DayLineProps {
  id: string;
  at: string;
  /** Pressed, it leads to other days. */
  onJump: (at: string) => void;
}

export const DayLine = memo(function DayLine({ id, at, onJump }: DayLineProps) {
  return (
    <li className={styles.day} data-key={id}>
      <button type="button" title={t.timeline.jumpToDate} onClick={() => onJump(at)}>
        <time dateTime={at}>{showDay(at)}</time>
        <ChevronDown size={14} aria-hidden />
        <span className="hidden">{t.timeline.jumpToDate}</span>
      </button>
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

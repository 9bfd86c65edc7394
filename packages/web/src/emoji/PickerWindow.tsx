/** The picker beside what it was opened from, as far as the page has room; over the whole width on a phone. */
import { lazy, Suspense, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { t } from '../texts/texts.js';
import styles from './PickerWindow.module.css';

const Picker = lazy(() => import('./Picker.js'));

interface PickerWindowProps {
  /** What it was opened from, in the page's coordinates. */
  at: DOMRect;
  onPick: (emoji: string) => void;
  onClose: () => void;
}

const GAP = 8;

export function PickerWindow({ at, onPick, onClose }: PickerWindowProps) {
  const root = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  useLayoutEffect(() => {
    const { width, height } = root.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
    const left = Math.max(GAP, Math.min(at.right - width, innerWidth - width - GAP));
    const above = at.top - height - GAP;
    const below = at.bottom + GAP;
    const top = above >= GAP ? above : Math.max(GAP, Math.min(below, innerHeight - height - GAP));
    setPlace({ left, top });
  }, [at]);
  useEffect(() => {
    const outside = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) onClose();
    };
    addEventListener('pointerdown', outside);
    return () => removeEventListener('pointerdown', outside);
  }, [onClose]);
  return (
    <div
      ref={root}
      className={styles.window}
      role="dialog"
      aria-label={t.emoji.title}
      style={place ? { left: place.left, top: place.top } : { visibility: 'hidden' }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <Suspense fallback={<div className={styles.waiting} />}>
        <Picker onPick={onPick} />
      </Suspense>
    </div>
  );
}

/** Messages that could not be loaded: they come by themselves later, and one need not wait for that. */
import type { Again } from '../chat/again.js';
import { useChat, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Empty } from '../ui/Empty.js';
import styles from './Timeline.module.css';

interface TroubleProps {
  again: Again;
  /** Some of them are here. */
  loaded: boolean;
}

export function Trouble({ again, loaded }: TroubleProps) {
  const { state } = useView(useChat().client.connection);
  if (useView(again.trouble) === null) return null;
  if (state !== 'live' && !loaded) {
    return (
      <div className={styles.opening}>
        <Empty title={t.timeline.notHere} hint={t.timeline.notHereHint} />
      </div>
    );
  }
  if (state !== 'live') {
    return (
      <p className={styles.failed} role="status">
        {t.timeline.olderLater}
      </p>
    );
  }
  return (
    <div className={styles.failed} role="alert">
      {t.timeline.failed}
      <Button kind="bare" onClick={() => again.now()}>
        {t.timeline.retry}
      </Button>
    </div>
  );
}

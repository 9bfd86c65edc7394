/** Messages that could not be loaded: without a network they come by themselves later, else one may try again. */
import type { TimelineSnapshot } from '@natter/client';
import { useChat, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Empty } from '../ui/Empty.js';
import styles from './Timeline.module.css';

interface TroubleProps {
  snapshot: TimelineSnapshot;
  retry: () => void;
}

export function Trouble({ snapshot: { error, loading, loaded }, retry }: TroubleProps) {
  const { state } = useView(useChat().client.connection);
  if (!error || loading) return null;
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
      <Button kind="bare" onClick={retry}>
        {t.timeline.retry}
      </Button>
    </div>
  );
}

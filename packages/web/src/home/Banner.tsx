/** One line above everything: while the server can't be reached, what still works and what waits; else a new build that is ready. */
import { CloudOff, Sparkles } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { takeUpdate, update } from '../shell/shell.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import styles from './Home.module.css';

/** Milliseconds that a break may last before it is worth a word: most are over by then. */
const PATIENCE = 1_500;

export function Banner() {
  const { client } = useChat();
  const connection = useView(client.connection);
  const outbox = useView(client.outbox.view);
  const ready = useView(update) !== null;
  const away = connection.state !== 'live';
  const [late, setLate] = useState(false);
  const [later, setLater] = useState(false);
  useEffect(() => {
    if (!away) {
      setLate(false);
      return;
    }
    // A browser that knows that it has no network need not be waited for.
    const timer = setTimeout(setLate, navigator.onLine ? PATIENCE : 0, true);
    return () => clearTimeout(timer);
  }, [away]);
  const waiting = outbox.filter(({ type, state }) => type === 'message.send' && state.is !== 'failed').length;
  if (away && late) {
    return (
      <div role="status" className={styles.banner} data-kind="away" data-connection={connection.state}>
        <CloudOff size={18} strokeWidth={1.75} aria-hidden />
        <span>
          {connection.state === 'closed'
            ? t.connection.closed
            : waiting > 0
              ? t.connection.offlineQueue(waiting)
              : t.connection.offline}
        </span>
        {connection.state !== 'connecting' && (
          <Button kind="bare" onClick={() => client.connect().catch(() => {})}>
            {t.connection.again}
          </Button>
        )}
      </div>
    );
  }
  if (ready && !later) {
    return (
      <div role="status" className={styles.banner} data-kind="update" data-connection={connection.state}>
        <Sparkles size={18} strokeWidth={1.75} aria-hidden />
        <span>{t.update.ready}</span>
        <Button kind="bare" onClick={takeUpdate}>
          {t.update.take}
        </Button>
        <Button kind="bare" onClick={() => setLater(true)}>
          {t.update.later}
        </Button>
      </div>
    );
  }
  return <div role="status" className={styles.still} data-connection={connection.state} />;
}

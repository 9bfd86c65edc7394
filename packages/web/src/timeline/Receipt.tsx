/** How far my newest message has come: one tick when it is in the log, two when somebody has read it. */
import type { Message } from '@natter/client';
import { Check, CheckCheck } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useChat } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import styles from './Timeline.module.css';

/** Others' markers are told to nobody: the author asks, while the page is looked at. Milliseconds between two questions. */
const EVERY = 15_000;
/** Milliseconds after which a question is worth it: at once, and after a sign of life. */
const SOON = 700;

export function Receipt({ message }: { message: Message }) {
  const read = useIsRead(message);
  const label = read ? t.message.read : t.message.sent;
  const Icon = read ? CheckCheck : Check;
  return (
    <span className={styles.receipt} title={label} data-receipt={read ? 'read' : 'sent'}>
      <Icon size={12} aria-hidden />
      <span className="hidden">{label}</span>
    </span>
  );
}

function useIsRead({ id, room }: Message): boolean {
  const { api, client } = useChat();
  const [read, setRead] = useState(false);
  useEffect(() => {
    if (read) return;
    let over = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = (after: number) => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        if (document.visibilityState === 'visible') {
          // Where it can't be had, it is asked for again.
          const found = await api.readers(id, { limit: 1 }).catch(() => null);
          if (over) return;
          if (found && found.readers.length > 0) return setRead(true);
        }
        ask(EVERY);
      }, after);
    };
    ask(SOON);
    const soon = () => ask(SOON);
    // Who writes here, reads here.
    const stops = [
      client.on('message.sent', ({ stream }) => stream === room && soon()),
      client.on('typing', ({ room: where }) => where === room && soon()),
    ];
    document.addEventListener('visibilitychange', soon);
    return () => {
      over = true;
      clearTimeout(timer);
      for (const stop of stops) stop();
      document.removeEventListener('visibilitychange', soon);
    };
  }, [api, client, id, room, read]);
  return read;
}

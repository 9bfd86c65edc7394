/** My message on its way: shown as it will be, with a sign of how far it is. */
import type { PendingMessage } from '@natter/client';
import { Check, CircleAlert, Clock3, RotateCw } from 'lucide-react';
import { memo } from 'react';
import { useChat } from '../chat/chat.js';
import { Markdown } from '../markdown/Markdown.js';
import { showError, showTime, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { Button } from '../ui/Button.js';
import { Author, Quoted } from './MessageRow.js';
import styles from './Timeline.module.css';
import type { Talk } from './talk.js';

interface PendingRowProps {
  pending: PendingMessage;
  first: boolean;
  conversation: Talk;
}

export const PendingRow = memo(function PendingRow({ pending, first, conversation }: PendingRowProps) {
  const { me, client } = useChat();
  const { key, state, text, at, replyTo } = pending;
  const failed = state.is === 'failed';
  return (
    <li className={styles.row} data-key={key} data-first={first || undefined} data-pending={state.is}>
      {replyTo !== null && replyTo !== conversation.root && <Quoted id={replyTo} conversation={conversation} />}
      <div className={styles.gutter}>
        {first ? <Avatar user={me} size={36} /> : <span className={styles.time}>{showTime(at)}</span>}
      </div>
      <div className={styles.body}>
        {first && (
          <p className={styles.head}>
            <Author user={me} /> <time className={styles.time}>{showTime(at)}</time>
          </p>
        )}
        <Markdown text={text} />
        {failed && (
          <p className={styles.notSent}>
            <CircleAlert size={16} aria-hidden />
            <span>
              {t.message.notSent}. {showError(state.error)}
            </span>
            <Button kind="bare" onClick={() => client.outbox.retry(key)}>
              {t.message.retry}
            </Button>
            <Button kind="bare" onClick={() => client.outbox.cancel(key)}>
              {t.message.discard}
            </Button>
          </p>
        )}
      </div>
      {!failed && <Progress pending={pending} />}
    </li>
  );
});

function Progress({ pending: { state, key } }: { pending: PendingMessage }) {
  const { client } = useChat();
  const waits = state.is === 'queued' || state.is === 'waiting';
  const [Icon, label] = waits
    ? [state.is === 'waiting' ? RotateCw : Clock3, t.message.waiting]
    : state.is === 'sent'
      ? [Check, t.message.sent]
      : [Clock3, t.message.sending];
  return (
    <span className={styles.progress} title={label}>
      <Icon size={14} aria-hidden />
      <span className="hidden">{label}</span>
      {waits && (
        <Button kind="bare" onClick={() => client.outbox.cancel(key)}>
          {t.message.cancel}
        </Button>
      )}
    </span>
  );
}

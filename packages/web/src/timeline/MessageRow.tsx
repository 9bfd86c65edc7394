/** One message: who, when, what, and what people put on it. */
import type { Message } from '@natter/client';
import { callsMe } from '@natter/client/rows';
import { CornerUpLeft, MessageSquareText, Pin } from 'lucide-react';
import { memo, useSyncExternalStore } from 'react';
import { useChat, useName, useView } from '../chat/chat.js';
import { Markdown } from '../markdown/Markdown.js';
import { plainLine } from '../markdown/plain.js';
import { showFull, showTime, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { Actions } from './Actions.js';
import { EditBox } from './EditBox.js';
import { useMarks } from './marks.js';
import { Reactions } from './Reactions.js';
import { Receipt } from './Receipt.js';
import styles from './Timeline.module.css';
import type { Talk } from './talk.js';

interface MessageRowProps {
  message: Message;
  /** The first of several by one author carries the name. */
  first: boolean;
  conversation: Talk;
  /** Tab leads here. */
  tabStop: boolean;
  /** Shows how far it has come. */
  receipt?: boolean;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, first, conversation, tabStop, receipt } = props;
  const chat = useChat();
  const { marks } = conversation;
  const { seq, author, at, text, deletedAt, mentions } = message;
  const { active, menu, editing, found } = useMarks(marks, seq);
  const deleted = deletedAt !== null;
  const called = callsMe(mentions, chat.me);
  return (
    <li
      className={styles.row}
      data-key={`m${message.id}`}
      data-seq={seq}
      data-first={first || undefined}
      data-found={found || undefined}
      data-calls={called || undefined}
      data-active={active || menu || undefined}
      tabIndex={tabStop ? 0 : -1}
      onPointerMove={() => marks.set({ active: seq })}
      onFocus={() => marks.set({ active: seq, stop: seq })}
      onContextMenu={(event) => {
        // Links, and what was marked to be copied, have the browser's own menu.
        const own = (event.target as HTMLElement).closest('a, textarea') || !getSelection()?.isCollapsed;
        if (own || event.shiftKey) return;
        event.preventDefault();
        conversation.openMenu(message, event.clientX, event.clientY);
      }}
    >
      {message.replyTo !== null && message.replyTo !== conversation.root && (
        <Quoted id={message.replyTo} conversation={conversation} />
      )}
      <div className={styles.gutter}>{first ? <Avatar user={author} size={36} /> : <Time at={at} />}</div>
      <div className={styles.body}>
        {first && (
          <p className={styles.head}>
            <Author user={author} /> <Time at={at} />
          </p>
        )}
        {message.pinned && (
          <p className={styles.pinned}>
            <Pin size={12} aria-hidden /> {t.message.pinned}
          </p>
        )}
        {deleted ? (
          <p className={styles.deleted}>{t.message.deleted}</p>
        ) : editing ? (
          <EditBox message={message} conversation={conversation} />
        ) : (
          <Markdown
            text={text}
            calls={mentions.everyone ? null : mentions.users}
            after={
              message.editedAt !== null && (
                <Edited at={message.editedAt} onClick={() => conversation.show('history', message)} />
              )
            }
          />
        )}
        {message.reactions.length > 0 && <Reactions message={message} />}
        {message.replyCount > 0 && conversation.root === null && (
          <button type="button" className={styles.replies} onClick={() => conversation.openThread(message)}>
            <MessageSquareText size={14} aria-hidden /> {t.message.replies(message.replyCount)}
          </button>
        )}
      </div>
      {receipt && <Receipt message={message} />}
      {(active || menu) && !editing && <Actions message={message} conversation={conversation} />}
    </li>
  );
});

export function Author({ user }: { user: number }) {
  const name = useName(useChat(), user);
  return <b className={styles.author}>{name || '…'}</b>;
}

function Edited({ at, onClick }: { at: string; onClick: () => void }) {
  return (
    <button type="button" className={styles.edited} title={showFull(at)} onClick={onClick}>
      ({t.message.edited})
    </button>
  );
}

function Time({ at }: { at: string }) {
  return (
    <time className={styles.time} dateTime={at} title={showFull(at)}>
      {showTime(at)}
    </time>
  );
}

/** What is answered, in a line: pressed, it is shown where it stands. */
export function Quoted({ id, conversation }: { id: number; conversation: Talk }) {
  const chat = useChat();
  const { quotes } = chat;
  const { messages } = useView(conversation.timeline);
  const here = messageById(messages, id);
  const asked = useSyncExternalStore(quotes.view.subscribe, () => (here ? here : quotes.get(id)));
  const message = here ?? asked;
  const name = useName(chat, message?.author ?? 0);
  const show = () => {
    if (message) conversation.leadTo(message);
  };
  const gone = message === null || message?.deletedAt != null;
  // Shown when all of it is known: until then only its place is kept.
  if (!gone && (!message || name === '')) return <span className={styles.quoted} />;
  return (
    <button type="button" className={styles.quoted} onClick={show} disabled={gone}>
      <CornerUpLeft size={14} aria-hidden />
      {message && !gone && (
        <>
          <span className="hidden">{t.message.replyTo(name)}</span>
          <b aria-hidden>{name}</b>
        </>
      )}
      <span className={styles.quotedText}>{gone ? t.message.replyGone : plainLine(message.text)}</span>
    </button>
  );
}

/** Ids rise with seq: a message is found by halving. */
function messageById(messages: readonly Message[], id: number): Message | undefined {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle] as Message).id < id) low = middle + 1;
    else high = middle;
  }
  const found = messages[low];
  return found?.id === id ? found : undefined;
}

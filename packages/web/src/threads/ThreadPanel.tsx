/** Beside the messages: one of them with all that answer it, and where to answer. */
import type { RoomRow } from '@natter/client';
import { X } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { Composer } from '../composer/Composer.js';
import details from '../rooms/Details.module.css';
import { t } from '../texts/texts.js';
import type { Conversation } from '../timeline/conversation.js';
import { DayLine } from '../timeline/lines.js';
import { MessageRow } from '../timeline/MessageRow.js';
import { PendingRow } from '../timeline/PendingRow.js';
import { pressOnRow } from '../timeline/row-keys.js';
import { newestOf, rowsOf } from '../timeline/rows.js';
import { Windows } from '../timeline/Windows.js';
import { IconButton } from '../ui/Button.js';
import { Spinner } from '../ui/Empty.js';
import { Problem } from '../ui/Problem.js';
import styles from './ThreadPanel.module.css';
import type { Thread } from './thread.js';

interface ThreadPanelProps {
  room: RoomRow;
  name: string;
  thread: Thread;
  conversation: Conversation;
}

/** This near to the end, in pixels, counts as at the end. */
const NEAR = 4;

export default function ThreadPanel({ room, name, thread, conversation }: ThreadPanelProps) {
  const chat = useChat();
  const { messages, pending, loaded, error } = useView(thread.view);
  const scroller = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const panel = useRef<HTMLElement>(null);
  useEffect(() => thread.open(), [thread]);
  useEffect(() => {
    // Where the composer did not take the focus.
    if (!panel.current?.contains(document.activeElement)) panel.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box && atEnd.current) box.scrollTop = box.scrollHeight;
  });
  const rows = useMemo(
    () => rowsOf({ messages, before: undefined, pending, me: chat.me, newFrom: null }),
    [messages, pending, chat.me],
  );
  const last = messages.at(-1)?.seq;
  const mine = newestOf(chat.me, messages);
  const replies = messages.filter(({ id, deletedAt }) => id !== thread.root && deletedAt === null).length;
  return (
    <aside
      ref={panel}
      className={details.details}
      data-region
      data-thread={thread.root}
      tabIndex={-1}
      aria-label={t.thread.title(name)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) conversation.closeThread();
      }}
    >
      <header className={details.head}>
        <h2 className={styles.title}>{t.thread.name}</h2>
        <span className={styles.count}>{replies > 0 && t.message.replies(replies)}</span>
        <IconButton icon={X} label={t.dialog.close} onClick={() => conversation.closeThread()} />
      </header>
      <section
        ref={scroller}
        className={styles.scroller}
        aria-label={t.thread.messages}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key
        tabIndex={0}
        onKeyDown={(event) => pressOnRow(event, chat, thread)}
        onPointerLeave={() => thread.marks.set({ active: null })}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight <= NEAR;
        }}
      >
        <ol>
          {rows.map((row) => {
            switch (row.is) {
              case 'day':
                return <DayLine key={row.key} id={row.key} at={row.at} onJump={conversation.askDay} />;
              case 'message':
                return (
                  <MessageRow
                    key={row.key}
                    message={row.message}
                    first={row.first}
                    conversation={thread}
                    tabStop={row.message.seq === last}
                    receipt={row.message.seq === mine}
                  />
                );
              case 'pending':
                return <PendingRow key={row.key} pending={row.pending} first={row.first} conversation={thread} />;
              default:
                return null;
            }
          })}
        </ol>
        {!loaded && !error && <Spinner label={t.thread.loading} />}
        {loaded && replies === 0 && pending.length === 0 && <p className={styles.none}>{t.thread.none}</p>}
        {error && (
          <div className={styles.none}>
            <Problem error={error} again={() => void thread.load()} />
          </div>
        )}
      </section>
      {!room.archived && <Composer room={room} name={name} conversation={thread} />}
      <Windows conversation={thread} />
    </aside>
  );
}

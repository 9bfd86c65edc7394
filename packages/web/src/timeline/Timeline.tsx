/** The messages of a room. What is in the page is chosen by `Reading`; this draws it. */
import type { RoomRow } from '@natter/client';
import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from 'react';
import { useChat, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Spinner } from '../ui/Empty.js';
import { Announcer } from './Announcer.js';
import type { Conversation } from './conversation.js';
import { DayLine, NewLine } from './lines.js';
import { MessageRow } from './MessageRow.js';
import { PendingRow } from './PendingRow.js';
import { NewBar, PresentPill } from './pills.js';
import { pressOnRow } from './row-keys.js';
import { newestOf, type Row, rowsOf } from './rows.js';
import styles from './Timeline.module.css';
import { Trouble } from './Trouble.js';
import { Days, Windows } from './Windows.js';
import { range } from './window.js';

interface TimelineProps {
  room: RoomRow;
  name: string;
  target: number | null;
  conversation: Conversation;
}

export function Timeline({ room, name, target, conversation }: TimelineProps) {
  const chat = useChat();
  const { reading, timeline, marks } = conversation;
  const snapshot = useView(timeline);
  const window = useView(reading.window);
  const trouble = useView(reading.again.trouble);
  const newness = useView(conversation.newness);
  const scroller = useRef<HTMLElement>(null);
  const list = useRef<HTMLOListElement>(null);

  useEffect(() => {
    if (scroller.current && list.current) return reading.attach(scroller.current, list.current);
    return undefined;
  }, [reading]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever changed in it
  useEffect(() => reading.changed(), [reading, snapshot]);
  // After every drawing, before it is painted.
  useLayoutEffect(() => reading.drawn());

  const { places } = chat;
  const step = useView(places.step);
  const opened = useRef(step);
  useEffect(() => {
    const first = opened.current === step;
    opened.current = '';
    const left = places.left(room.id);
    // It begins where it is to be.
    if (!first && left !== undefined) reading.goBack(left);
    else if (!first && target !== null) reading.go(target);
    if (left !== undefined || target !== null) marks.set({ found: target });
  }, [reading, marks, places, room.id, target, step]);
  useWitness(conversation, room);

  const [begin, end] = window === null ? [0, 0] : range(snapshot, window);
  const rows = useMemo(() => {
    // What I write is shown even where nothing could be loaded.
    const present = window === null || (window.to === null && !snapshot.newer);
    return rowsOf({
      messages: snapshot.messages.slice(begin, end),
      before: snapshot.messages[begin - 1],
      pending: present ? snapshot.pending : [],
      me: chat.me,
      newFrom: newness?.from ?? null,
    });
  }, [snapshot, window, begin, end, newness, chat.me]);
  const atBeginning = window !== null && begin === 0 && !snapshot.older && snapshot.loaded;
  const beginning = room.kind === 'direct' ? t.timeline.beginningWith(name) : t.timeline.beginning(name);
  const focused = useSyncExternalStore(marks.view.subscribe, () => marks.now.stop);
  // One stop for Tab: where the focus was last, else the newest.
  const { messages, newer } = snapshot;
  const mine = useMemo(() => (newer ? undefined : newestOf(chat.me, messages)), [chat.me, messages, newer]);
  const stop = rows.some((row) => row.is === 'message' && row.message.seq === focused) ? focused : lastSeq(rows);

  const press = (event: KeyboardEvent<HTMLElement>) => pressOnRow(event, chat, conversation);

  return (
    <div className={styles.frame}>
      <NewBar conversation={conversation} />
      <section
        ref={scroller}
        className={styles.scroller}
        onKeyDown={press}
        onPointerLeave={() => marks.set({ active: null })}
        data-region
        data-timeline={room.id}
        aria-label={t.timeline.label(name)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key
        tabIndex={0}
      >
        <div className={styles.space} />
        {window !== null && (
          <div className={styles.beginning}>
            {/* Its place is kept before it is known to be there: nothing moves when it is. */}
            {atBeginning ? <h2>{beginning}</h2> : <div aria-hidden>{beginning}</div>}
            {atBeginning && snapshot.messages.length === 0 && <p>{t.timeline.beginningHint}</p>}
          </div>
        )}
        <ol ref={list} className={styles.list}>
          {rows.map((row) => drawRow(row, conversation, { stop, mine }))}
        </ol>
      </section>
      <Trouble again={reading.again} loaded={snapshot.loaded} />
      {window === null && trouble === null && (
        <div className={styles.opening}>
          <Spinner label={t.timeline.loading} />
        </div>
      )}
      <PresentPill conversation={conversation} room={room} />
      <Announcer conversation={conversation} />
      <Windows conversation={conversation} />
      <Days conversation={conversation} />
    </div>
  );
}

/** Seqs of rows that differ from the others. */
interface Special {
  /** Where Tab leads to. */
  stop: number | null;
  /** My newest message. */
  mine: number | undefined;
}

function drawRow(row: Row, conversation: Conversation, { stop, mine }: Special): ReactNode {
  switch (row.is) {
    case 'day':
      return <DayLine key={row.key} id={row.key} at={row.at} onJump={conversation.askDay} />;
    case 'new':
      return <NewLine key={row.key} />;
    case 'message': {
      const { key, message, first } = row;
      return (
        <MessageRow
          key={key}
          message={message}
          first={first}
          conversation={conversation}
          tabStop={message.seq === stop}
          receipt={message.seq === mine}
        />
      );
    }
    case 'pending':
      return <PendingRow key={row.key} pending={row.pending} first={row.first} conversation={conversation} />;
  }
}

function lastSeq(rows: readonly Row[]): number | null {
  const last = rows.findLast((row) => row.is === 'message');
  return last?.is === 'message' ? last.message.seq : null;
}

/** Marks as read what is in sight while somebody looks; what comes while nobody does is new. */
function useWitness(conversation: Conversation, room: RoomRow): void {
  const chat = useChat();
  const { reading } = conversation;
  useEffect(() => {
    const looks = () =>
      document.visibilityState === 'visible' && document.hasFocus() && reading.sight.getSnapshot().atEnd;
    const look = () => {
      if (looks()) conversation.markRead();
    };
    const stops = [
      reading.sight.subscribe(look),
      conversation.timeline.subscribe(look),
      chat.client.connection.subscribe(look),
      chat.client.on('message.sent', ({ stream, seq, actor }) => {
        if (stream !== conversation.room || actor === chat.me) return;
        if (looks()) conversation.markRead();
        else conversation.unseen(seq);
      }),
    ];
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      for (const stop of stops) stop();
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [chat, conversation, reading]);
  // A marker that another device moved needs nothing here; a count that came late does.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the count changes
  useEffect(() => {
    if (document.hasFocus() && reading.sight.getSnapshot().atEnd) conversation.markRead();
  }, [conversation, reading, room.unread]);
}

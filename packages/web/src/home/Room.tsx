/** One room: its name, its messages, and where to write. */

import type { RoomRow } from '@natter/client';
import { ChevronLeft, PanelRight, Search } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useChat, useRoom, useView } from '../chat/chat.js';
import { useRoomName } from '../chat/room-name.js';
import { Composer } from '../composer/Composer.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { HOME, searchPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Conversation } from '../timeline/conversation.js';
import { Timeline } from '../timeline/Timeline.js';
import { Standing } from '../ui/Avatar.js';
import { IconButton } from '../ui/Button.js';
import { Empty, Spinner } from '../ui/Empty.js';
import { Link } from '../ui/Link.js';
import ui from '../ui/ui.module.css';
import styles from './Room.module.css';

const Details = lazy(() => import('../rooms/Details.js'));
const ThreadPanel = lazy(() => import('../threads/ThreadPanel.js'));

export function Room({ id, target }: { id: number; target: number | null }) {
  const chat = useChat();
  const room = useRoom(chat, id);
  const { state } = useView(chat.client.connection);
  if (room) return <OpenRoom room={room} target={target} />;
  return (
    <main className={styles.room} data-region tabIndex={-1}>
      {state === 'live' ? (
        <Empty title={t.rooms.missing} hint={t.rooms.missingHint}>
          <Link href={HOME}>{t.rooms.back}</Link>
        </Empty>
      ) : (
        <div className={styles.waiting}>
          <Spinner label={t.timeline.loading} />
        </div>
      )}
    </main>
  );
}

function OpenRoom({ room, target }: { room: RoomRow; target: number | null }) {
  const chat = useChat();
  const name = useRoomName(chat, room);
  const [conversation] = useState(() => new Conversation(chat, room.id, target));
  const [open, setDetails] = useState(false);
  const thread = useView(conversation.thread);
  // One thing at a time stands beside the messages.
  const details = open && thread === null;
  const showDetails = (show: boolean) => {
    conversation.closeThread();
    setDetails(show);
  };
  return (
    <div className={styles.split}>
      <main className={styles.room} aria-label={name}>
        <header className={styles.head}>
          <Link href={HOME} className={styles.back} aria-label={t.rooms.back}>
            <ChevronLeft size={22} aria-hidden />
          </Link>
          {room.kind === 'direct' && room.peer !== null ? (
            <Standing user={room.peer} size={24} />
          ) : (
            <span className={styles.kind} aria-hidden>
              <KindIcon room={room} size={18} />
            </span>
          )}
          <h1>{name || '…'}</h1>
          {room.topic && <p className={styles.topic}>{room.topic}</p>}
          <span className={styles.tools}>
            <Link href={searchPath(room.id)} className={ui.icon} aria-label={t.search.inRoom} title={t.search.inRoom}>
              <Search size={18} strokeWidth={1.75} aria-hidden />
            </Link>
            <IconButton
              icon={PanelRight}
              label={t.details.open}
              aria-expanded={details}
              data-pressed-by="d"
              onClick={() => showDetails(!details)}
            />
          </span>
        </header>
        <Timeline room={room} name={name} target={target} conversation={conversation} />
        {room.archived ? (
          <p className={styles.archived}>{t.timeline.archived}</p>
        ) : (
          <Composer room={room} name={name} conversation={conversation} />
        )}
      </main>
      <Suspense>
        {details && <Details room={room} name={name} conversation={conversation} onClose={() => setDetails(false)} />}
        {thread && (
          <ThreadPanel key={thread.root} room={room} name={name} thread={thread} conversation={conversation} />
        )}
      </Suspense>
    </div>
  );
}

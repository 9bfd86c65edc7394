/** Everything that is unread, room by room: what calls me first. */
import type { Message, RoomRow } from '@natter/client';
import { CheckCheck } from 'lucide-react';
import { useChat, useRooms, useView } from '../chat/chat.js';
import { useList } from '../chat/pages.js';
import { useRoomName } from '../chat/room-name.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { roomPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Empty, Spinner } from '../ui/Empty.js';
import { Link } from '../ui/Link.js';
import { Page } from '../ui/Page.js';
import { Problem } from '../ui/Problem.js';
import { Card, Cards } from './Card.js';
import styles from './Inbox.module.css';

/** Messages that are shown of a room. */
const SHOWN = 5;

const calls = ({ kind, unread, mentions }: RoomRow) => (kind === 'direct' ? unread : mentions);

export default function Unread() {
  const chat = useChat();
  const rooms = useRooms(chat);
  const { state } = useView(chat.client.connection);
  const unread = rooms
    .filter((room) => room.unread > 0)
    .sort(
      (a, b) =>
        Math.sign(calls(b)) - Math.sign(calls(a)) || ((a.lastMessageAt ?? '') < (b.lastMessageAt ?? '') ? 1 : -1),
    );
  return (
    <Page title={t.inbox.unread}>
      {unread.length === 0 && state === 'live' && <Empty title={t.inbox.allRead} hint={t.inbox.allReadHint} />}
      {unread.length === 0 && state !== 'live' && rooms.length > 0 && (
        <Empty title={t.inbox.allReadHere} hint={t.inbox.allReadHereHint} />
      )}
      {unread.map((room) => (
        <Part key={room.id} room={room} />
      ))}
    </Page>
  );
}

function Part({ room }: { room: RoomRow }) {
  const chat = useChat();
  const { api, client } = chat;
  const name = useRoomName(chat, room);
  const from = room.unreadFrom ?? room.readSeq + 1;
  // Read again when something happened in the room.
  const {
    rows: messages,
    error,
    again,
  } = useList<Message>(`${room.id} ${from} ${room.unread}`, async () => {
    const page = await api.messages(room.id, { after: from - 1, limit: SHOWN });
    client.people.learn(page.users);
    return page.messages.filter(({ deletedAt }) => deletedAt === null);
  });
  // The count and the way there stand whether the messages could be read or not.
  const more = room.unread - (messages?.length ?? 0);
  return (
    <section className={styles.part} aria-label={name}>
      <header className={styles.partHead}>
        <h2>
          <Link href={roomPath(room.id)}>
            <KindIcon room={room} size={16} /> {name || '…'}
          </Link>
        </h2>
        <span className={styles.count} data-calls={calls(room) > 0 || undefined}>
          {t.rooms.unread(room.unread)}
        </span>
        <Button kind="bare" onClick={() => chat.readMarks.read(room.id, room.head)}>
          <CheckCheck size={16} aria-hidden /> {t.timeline.markRead}
        </Button>
      </header>
      {error && <Problem error={error} again={again} />}
      {!messages && !error && <Spinner label={t.timeline.loading} />}
      <Cards>
        {messages?.map((message) => (
          <Card key={message.id} message={message} />
        ))}
      </Cards>
      {more > 0 && (
        <Link className={styles.more} href={roomPath(room.id)}>
          {t.inbox.more(more)}
        </Link>
      )}
    </section>
  );
}

/** Messages in a list, and one of them: who said it when and where, and what; pressed, it is shown where it stands. */
import type { Message } from '@natter/client';
import { memo, type ReactNode } from 'react';
import { useChat, useName, useRoom } from '../chat/chat.js';
import { useRoomName } from '../chat/room-name.js';
import { plainLine, type Ranges } from '../markdown/plain.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { roomPath } from '../routes.js';
import { excerptOf } from '../search/excerpt.js';
import { showFull, showStamp, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { Link } from '../ui/Link.js';
import styles from './Card.module.css';

interface CardsProps {
  /** Others are on the way. */
  old?: boolean;
  children: ReactNode;
}

export function Cards({ old, children }: CardsProps) {
  return (
    <ol className={styles.cards} data-old={old || undefined}>
      {children}
    </ol>
  );
}

interface CardProps {
  message: Message;
  /** Says in which room it is. */
  where?: boolean;
  /** What was looked for stands here: it is marked, in the part of the text that it is in. */
  found?: Ranges;
}

export const Card = memo(function Card({ message, where, found }: CardProps) {
  const author = useName(useChat(), message.author);
  return (
    <li>
      <Link className={styles.card} href={roomPath(message.room, message.seq)} data-hit={found && true}>
        <Avatar user={message.author} size={36} />
        <span className={styles.about}>
          <b>{author || '…'}</b> {where && <Where room={message.room} />}{' '}
          <time dateTime={message.at} title={showFull(message.at)}>
            {showStamp(message.at)}
          </time>
        </span>
        <span className={styles.text} data-short={!found || undefined} dir="auto">
          {found
            ? excerptOf(message.text, found).map(({ text, marked, at }) =>
                marked ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
              )
            : plainLine(message.text)}
        </span>
      </Link>
    </li>
  );
});

function Where({ room: id }: { room: number }) {
  const chat = useChat();
  const room = useRoom(chat, id);
  const name = useRoomName(chat, room);
  return (
    <span className={styles.where}>
      <span className="hidden">{t.search.in} </span>
      {room && <KindIcon room={room} size={13} />}
      <span>{name || '…'}</span>
    </span>
  );
}

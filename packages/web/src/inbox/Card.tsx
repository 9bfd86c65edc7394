/** One message in a list of many rooms: pressed, it is shown where it stands. */
import type { Message } from '@natter/client';
import { memo } from 'react';
import { Link } from 'wouter';
import { useChat, useName, useRoom } from '../chat/chat.js';
import { useRoomName } from '../chat/room-name.js';
import { plainLine } from '../markdown/plain.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { roomPath } from '../routes.js';
import { showFull, showStamp } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import styles from './Inbox.module.css';

interface CardProps {
  message: Message;
  /** Says in which room it is. */
  where?: boolean;
}

export const Card = memo(function Card({ message, where }: CardProps) {
  const chat = useChat();
  const author = useName(chat, message.author);
  const room = useRoom(chat, message.room);
  const name = useRoomName(chat, room);
  return (
    <li>
      <Link className={styles.card} href={roomPath(message.room, message.seq)}>
        <Avatar user={message.author} size={36} />
        <span className={styles.about}>
          <b>{author || '…'}</b>
          {where && room && (
            <span className={styles.where}>
              <KindIcon room={room} size={13} /> {name || '…'}
            </span>
          )}
          <time dateTime={message.at} title={showFull(message.at)}>
            {showStamp(message.at)}
          </time>
        </span>
        <span className={styles.text} dir="auto">
          {plainLine(message.text)}
        </span>
      </Link>
    </li>
  );
});

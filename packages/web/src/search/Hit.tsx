/** One message that was found: who said it where and when, and what matched. */
import type { SearchHit } from '@natter/protocol';
import { memo } from 'react';
import { Link } from 'wouter';
import { useChat, useName, useRoom } from '../chat/chat.js';
import { useRoomName } from '../chat/room-name.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { roomPath } from '../routes.js';
import { showFull, showStamp, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { excerptOf } from './excerpt.js';
import styles from './Search.module.css';

export const Hit = memo(function Hit({ hit: { message, ranges } }: { hit: SearchHit }) {
  const chat = useChat();
  const author = useName(chat, message.author);
  const room = useRoom(chat, message.room);
  const name = useRoomName(chat, room);
  return (
    <li>
      <Link className={styles.hit} href={roomPath(message.room, message.seq)} data-hit>
        <Avatar user={message.author} size={36} />
        <span className={styles.about}>
          <b>{author || '…'}</b>{' '}
          <span className={styles.where}>
            <span className="hidden">{t.search.in} </span>
            {room && <KindIcon room={room} size={13} />}
            <span>{name || '…'}</span>
          </span>{' '}
          <time dateTime={message.at} title={showFull(message.at)}>
            {showStamp(message.at)}
          </time>
        </span>
        <span className={styles.excerpt} dir="auto">
          {excerptOf(message.text, ranges).map(({ text, marked, at }) =>
            marked ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
          )}
        </span>
      </Link>
    </li>
  );
});

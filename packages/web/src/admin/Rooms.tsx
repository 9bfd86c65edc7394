/** All groups and channels of the server, by name and size: what is said in them is their members' alone. */
import type { AdminRoom } from '@natter/protocol';
import { useState } from 'react';
import { useChat, useRoom } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { roomPath } from '../routes.js';
import { showCount, showFull, showShort, t } from '../texts/texts.js';
import { Link } from '../ui/Link.js';
import { Rows } from '../ui/Rows.js';
import ui from '../ui/ui.module.css';
import styles from './Admin.module.css';
import { Find } from './Find.js';

/** Milliseconds without a key before the server is asked. */
const PAUSE = 150;

export function Rooms() {
  const { api } = useChat();
  const [text, setText] = useState('');
  const q = text.trim();
  const rooms = usePages<AdminRoom, number>(
    q,
    async (after) => {
      const page = await api.adminRooms({ limit: 50, ...(q === '' ? {} : { q }), ...(after ? { after } : {}) });
      return { rows: page.rooms, next: page.next };
    },
    q === '' ? 0 : PAUSE,
  );
  return (
    <>
      <p className={styles.lead}>{t.admin.roomsHint}</p>
      <Find label={t.search.findRoom} value={text} onChange={setText} />
      <Rows
        pages={rooms}
        label={t.admin.parts.rooms}
        none={<p className={ui.hint}>{q === '' ? t.rooms.none : t.admin.noRoom(q)}</p>}
      >
        {(room) => <Row key={room.id} room={room} />}
      </Rows>
    </>
  );
}

function Row({ room }: { room: AdminRoom }) {
  const mine = useRoom(useChat(), room.id);
  const name = room.name || t.admin.unnamed(room.id);
  return (
    <li className={styles.row}>
      <div className={styles.entry}>
        <span className={styles.sign}>
          <KindIcon room={room} size={18} />
        </span>
        <span className={styles.names}>
          {mine ? <Link href={roomPath(room.id)}>{name}</Link> : <b>{name}</b>}
          <span className={ui.hint}>
            {t.rooms.members(room.memberCount)} · {t.admin.messages(room.messages, showCount(room.messages))}
          </span>
        </span>
        <span className={styles.badges}>
          {room.archived && (
            <span className={ui.badge} data-kind="off">
              {t.rooms.archived}
            </span>
          )}
          <span className={ui.badge} data-kind="quiet">
            {room.kind === 'group' ? t.rooms.group : t.rooms[room.visibility]}
          </span>
        </span>
        <span className={styles.when}>
          {room.lastEventAt && (
            <time dateTime={room.lastEventAt} title={showFull(room.lastEventAt)}>
              {showShort(room.lastEventAt)}
            </time>
          )}
        </span>
      </div>
    </li>
  );
}

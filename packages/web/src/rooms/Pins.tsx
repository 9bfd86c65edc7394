/** What is pinned in a room, newest pin first. */
import type { RoomRow } from '@natter/client';
import type { PinList } from '@natter/protocol';
import { useEffect, useRef } from 'react';
import { useAsked } from '../chat/asked.js';
import { useChat, useName } from '../chat/chat.js';
import { plainLine } from '../markdown/plain.js';
import { showStamp, t } from '../texts/texts.js';
import type { Conversation } from '../timeline/conversation.js';
import { Spinner } from '../ui/Empty.js';
import { Problem } from '../ui/Problem.js';
import ui from '../ui/ui.module.css';
import styles from './Details.module.css';

type Pin = PinList['pins'][number];

export function Pins({ room, conversation }: { room: RoomRow; conversation: Conversation }) {
  const { api, client } = useChat();
  const {
    answer: pins,
    error,
    again,
  } = useAsked(String(room.id), async () => {
    const found = await api.pins(room.id);
    client.people.learn(found.users);
    return found.pins;
  });
  const read = useRef(again);
  read.current = again;
  useEffect(() => {
    const types = ['pin.added', 'pin.removed', 'message.deleted', 'message.edited'] as const;
    const stops = types.map((type) => client.on(type, ({ stream }) => stream === room.id && read.current()));
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, room.id]);
  if (error) return <Problem error={error} again={again} />;
  if (!pins) return <Spinner label={t.timeline.loading} />;
  if (pins.length === 0) return <p className={ui.hint}>{t.details.noPins}</p>;
  return (
    <ul className={ui.list}>
      {pins.map((pin) => (
        <Entry key={pin.message.id} pin={pin} conversation={conversation} />
      ))}
    </ul>
  );
}

function Entry({ pin: { message }, conversation }: { pin: Pin; conversation: Conversation }) {
  const author = useName(useChat(), message.author);
  return (
    <li>
      <button type="button" className={styles.pin} onClick={() => conversation.leadTo(message)}>
        <span className={ui.hint}>
          <b>{author || '…'}</b> {showStamp(message.at)}
        </span>
        <span className={styles.pinText}>{plainLine(message.text)}</span>
      </button>
    </li>
  );
}

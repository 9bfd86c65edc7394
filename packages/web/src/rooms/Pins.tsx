/** What is pinned in a room, newest pin first. */
import type { RoomRow } from '@natter/client';
import type { PinList } from '@natter/protocol';
import { useEffect, useState } from 'react';
import { useChat, useName } from '../chat/chat.js';
import { plainLine } from '../markdown/plain.js';
import { showError, showStamp, t } from '../texts/texts.js';
import type { Conversation } from '../timeline/conversation.js';
import { Spinner } from '../ui/Empty.js';
import ui from '../ui/ui.module.css';
import styles from './Details.module.css';

type Pin = PinList['pins'][number];

export function Pins({ room, conversation }: { room: RoomRow; conversation: Conversation }) {
  const { api, client } = useChat();
  const [pins, setPins] = useState<readonly Pin[] | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const read = () =>
      api.pins(room.id).then(
        (found) => {
          client.people.learn(found.users);
          setPins(found.pins);
          setProblem('');
        },
        (error) => setProblem(showError(error)),
      );
    void read();
    const types = ['pin.added', 'pin.removed', 'message.deleted', 'message.edited'] as const;
    const stops = types.map((type) => client.on(type, ({ stream }) => stream === room.id && void read()));
    return () => {
      for (const stop of stops) stop();
    };
  }, [api, client, room.id]);
  if (problem) return <p role="alert">{problem}</p>;
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
      <button
        type="button"
        className={styles.pin}
        onClick={() => {
          conversation.reading.go(message.seq);
          conversation.marks.set({ found: message.seq });
        }}
      >
        <span className={ui.hint}>
          <b>{author || '…'}</b> {showStamp(message.at)}
        </span>
        <span className={styles.pinText}>{plainLine(message.text)}</span>
      </button>
    </li>
  );
}

/** Beside the messages: what the room is about, who is in it, what is pinned. */
import type { RoomRow } from '@natter/client';
import { X } from 'lucide-react';
import { useState } from 'react';
import { useChat } from '../chat/chat.js';
import { Profile } from '../people/Profile.js';
import { t } from '../texts/texts.js';
import type { Conversation } from '../timeline/conversation.js';
import { IconButton } from '../ui/Button.js';
import { About } from './About.js';
import styles from './Details.module.css';
import { Members } from './Members.js';
import { Pins } from './Pins.js';

const PARTS = ['members', 'pins', 'about'] as const;
type Part = (typeof PARTS)[number];

function label(part: Part, direct: boolean): string {
  switch (part) {
    case 'members':
      return direct ? t.details.profile : t.details.members;
    case 'pins':
      return t.details.pins;
    case 'about':
      return t.details.room;
  }
}

interface DetailsProps {
  room: RoomRow;
  name: string;
  conversation: Conversation;
  onClose: () => void;
}

export default function Details({ room, name, conversation, onClose }: DetailsProps) {
  const { me } = useChat();
  const direct = room.kind === 'direct';
  const [part, setPart] = useState<Part>('members');
  return (
    <aside
      className={styles.details}
      data-region
      tabIndex={-1}
      aria-label={t.details.title(name)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) onClose();
      }}
    >
      <header className={styles.head}>
        <div role="tablist" aria-label={t.details.title(name)} className={styles.tabs}>
          {PARTS.map((one) => (
            <button
              key={one}
              type="button"
              role="tab"
              id={`tab-${one}`}
              aria-selected={one === part}
              aria-controls="details-part"
              onClick={() => setPart(one)}
            >
              {label(one, direct)}
            </button>
          ))}
        </div>
        <IconButton icon={X} label={t.dialog.close} onClick={onClose} />
      </header>
      <div role="tabpanel" id="details-part" aria-labelledby={`tab-${part}`} className={styles.part} key={part}>
        {part === 'members' && (direct ? <Profile user={room.peer ?? me} /> : <Members room={room} />)}
        {part === 'pins' && <Pins room={room} conversation={conversation} />}
        {part === 'about' && <About room={room} name={name} />}
      </div>
    </aside>
  );
}

/** In no room: what to begin with. */
import { Hash, MessageCircle, Plus } from 'lucide-react';
import { useChat, useName, useRooms } from '../chat/chat.js';
import { openPanel } from '../rooms/panel.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Empty } from '../ui/Empty.js';
import styles from './Home.module.css';

export function Welcome() {
  const chat = useChat();
  const rooms = useRooms(chat);
  const name = useName(chat, chat.me);
  return (
    <main className={styles.welcome} data-region tabIndex={-1}>
      <Empty
        title={rooms.length > 0 ? t.rooms.choose : t.rooms.welcome(name)}
        hint={rooms.length > 0 ? t.rooms.chooseHint : t.rooms.welcomeHint}
      >
        <Button kind="main" onClick={() => openPanel('create')}>
          <Plus size={18} aria-hidden /> {t.rooms.create}
        </Button>
        <Button onClick={() => openPanel('direct')}>
          <MessageCircle size={18} aria-hidden /> {t.rooms.message}
        </Button>
        <Button onClick={() => openPanel('browse')}>
          <Hash size={18} aria-hidden /> {t.rooms.browse}
        </Button>
      </Empty>
    </main>
  );
}

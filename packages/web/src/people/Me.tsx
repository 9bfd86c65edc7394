/** Oneself, at the head of the list. */
import { LogOut } from 'lucide-react';
import { useChat, useName } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { IconButton } from '../ui/Button.js';
import styles from './Me.module.css';

export function Me() {
  const chat = useChat();
  const name = useName(chat, chat.me);
  return (
    <div className={styles.me}>
      <Standing user={chat.me} size={28} />
      <b>{name}</b>
      <IconButton small icon={LogOut} label={t.me.logOut} onClick={() => void chat.session.logOut()} />
    </div>
  );
}

/** The bar at a message that is pointed at: what is done most, and the way to the rest. */
import type { Message } from '@natter/client';
import { Pencil, Reply, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useChat, useRoom } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Button, IconButton } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import ui from '../ui/ui.module.css';
import { mayDelete, mayEdit, QUICK, react } from './acts.js';
import type { Conversation } from './conversation.js';
import styles from './Timeline.module.css';

export function Actions({ message, conversation }: { message: Message; conversation: Conversation }) {
  const chat = useChat();
  const room = useRoom(chat, message.room);
  const [asking, setAsking] = useState(false);
  const close = () => {
    conversation.marks.set({ menu: null });
    setAsking(false);
  };
  return (
    <div className={styles.actions} role="toolbar" aria-label={t.message.actions}>
      {!room?.archived &&
        QUICK.slice(0, 3).map((emoji) => (
          <button
            key={emoji}
            type="button"
            className={styles.quick}
            aria-label={`${t.message.react} ${emoji}`}
            onClick={() => react(chat, message, emoji)}
          >
            {emoji}
          </button>
        ))}
      {!room?.archived && (
        <IconButton small icon={Reply} label={t.message.reply} onClick={() => conversation.reply(message)} />
      )}
      {mayEdit(message, room, chat.me) && (
        <IconButton small icon={Pencil} label={t.message.edit} onClick={() => conversation.edit(message)} />
      )}
      {mayDelete(message, room, chat.me) && (
        <IconButton
          small
          icon={Trash2}
          label={t.message.delete}
          onClick={() => {
            conversation.marks.set({ menu: message.seq });
            setAsking(true);
          }}
        />
      )}
      {asking && (
        <Dialog title={t.message.deleteTitle} onClose={close}>
          <p>{t.message.deleteHint}</p>
          <div className={ui.row} data-end>
            <Button onClick={close}>{t.message.cancel}</Button>
            <Button
              kind="danger"
              onClick={() => {
                chat.client.send('message.delete', { message: message.id }, { queue: true }).catch(() => {});
                close();
              }}
            >
              {t.message.delete}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

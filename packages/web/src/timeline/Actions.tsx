/** The bar at a message that is pointed at: what is done most, and the way to the rest. */
import type { Message } from '@natter/client';
import { Ellipsis, MessageSquareText, Pencil, Reply, SmilePlus } from 'lucide-react';
import { useState } from 'react';
import { useChat, useRoom } from '../chat/chat.js';
import { frequent, noteUse } from '../emoji/emoji.js';
import { t } from '../texts/texts.js';
import { IconButton } from '../ui/Button.js';
import { mayDo, react } from './acts.js';
import styles from './Timeline.module.css';
import type { Talk } from './talk.js';

/** Emoji that are one press away. */
const QUICK = 3;

export function Actions({ message, conversation }: { message: Message; conversation: Talk }) {
  const chat = useChat();
  const room = useRoom(chat, message.room);
  const may = mayDo(message, room, chat.me);
  const [quick] = useState(() => frequent().slice(0, QUICK));
  return (
    <div className={styles.actionsWay}>
      <div className={styles.actions} role="toolbar" aria-label={t.message.actions}>
        {may.react &&
          quick.map((emoji) => (
            <button
              key={emoji}
              type="button"
              className={styles.quick}
              aria-label={`${t.message.react} ${emoji}`}
              onClick={() => {
                noteUse(emoji);
                react(chat, message, emoji);
              }}
            >
              {emoji}
            </button>
          ))}
        {may.react && (
          <IconButton
            small
            icon={SmilePlus}
            label={t.message.reactOther}
            aria-haspopup="dialog"
            onClick={({ currentTarget }) => conversation.pick(message, currentTarget.getBoundingClientRect())}
          />
        )}
        {may.reply && (
          <IconButton small icon={Reply} label={t.message.reply} onClick={() => conversation.reply(message)} />
        )}
        {may.thread && conversation.root === null && (
          <IconButton
            small
            icon={MessageSquareText}
            label={t.message.thread}
            onClick={() => conversation.openThread(message)}
          />
        )}
        {may.edit && (
          <IconButton small icon={Pencil} label={t.message.edit} onClick={() => conversation.edit(message)} />
        )}
        <IconButton
          small
          icon={Ellipsis}
          label={t.message.more}
          aria-haspopup="menu"
          onClick={({ currentTarget }) => {
            const { right, bottom } = currentTarget.getBoundingClientRect();
            conversation.openMenu(message, right, bottom + 4);
          }}
        />
      </div>
    </div>
  );
}

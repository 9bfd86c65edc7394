/** What people put on a message: a press adds one's own, or takes it away. */
import type { Message } from '@natter/client';
import { memo } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { react } from './acts.js';
import styles from './Timeline.module.css';

/** Names that a reaction tells. */
const NAMED = 20;

export const Reactions = memo(function Reactions({ message }: { message: Message }) {
  const chat = useChat();
  const names = useView(chat.client.people.view);
  const called = (user: number) => names.get(user)?.fullName || names.get(user)?.name || '…';
  return (
    <ul className={styles.reactions}>
      {message.reactions.map(({ emoji, users }) => {
        for (const user of users.slice(0, NAMED)) chat.client.people.get(user);
        const by = t.message.reactedBy(users.slice(0, NAMED).map(called).join(', '));
        return (
          <li key={emoji}>
            <button
              type="button"
              className={styles.reaction}
              aria-pressed={users.includes(chat.me)}
              title={by}
              onClick={() => react(chat, message, emoji)}
            >
              <span>{emoji}</span> <span>{users.length}</span> <span className="hidden">{by}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
});

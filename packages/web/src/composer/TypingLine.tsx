/** Who is typing: the line is always there, so that nothing moves when somebody begins. */
import { useChat, useName, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import styles from './Composer.module.css';

export function TypingLine({ room }: { room: number }) {
  const chat = useChat();
  const [one, other, ...more] = useView(chat.typing.in(room));
  const first = useName(chat, one ?? 0);
  const second = useName(chat, other ?? 0);
  let text = '';
  if (more.length > 0) text = t.composer.typingMany;
  else if (other !== undefined) text = t.composer.typingTwo(first, second);
  else if (one !== undefined) text = t.composer.typingOne(first);
  return (
    <p className={styles.typing} role="status">
      {text && (
        <>
          <span className={styles.dots} aria-hidden>
            <i />
            <i />
            <i />
          </span>
          {text}
        </>
      )}
    </p>
  );
}

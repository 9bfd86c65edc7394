/** Where one writes: a draft for each room, sent with Enter. */
import type { RoomRow } from '@natter/client';
import { SendHorizontal, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useChat, useName, useView } from '../chat/chat.js';
import { lookView } from '../look/theme.js';
import { t } from '../texts/texts.js';
import type { Conversation } from '../timeline/conversation.js';
import { IconButton } from '../ui/Button.js';
import styles from './Composer.module.css';
import { TypingLine } from './TypingLine.js';

interface ComposerProps {
  room: RoomRow;
  name: string;
  conversation: Conversation;
}

/** Until the server has said it. */
const TEXT_MAX = 10_000;

/** As the server counts. */
function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at += 1) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}

export function Composer({ room, name, conversation }: ComposerProps) {
  const { drafts, client } = useChat();
  const { enterSends } = useView(lookView);
  const [text, setText] = useState(() => drafts.get(room.id));
  const replyTo = useView(conversation.replyTo);
  const box = useRef<HTMLTextAreaElement>(null);
  const max = client.server?.messageTextMax ?? TEXT_MAX;
  const over = text.length > max ? codePoints(text) - max : 0;
  const empty = text.trim() === '';

  useEffect(() => drafts.watch(room.id, setText), [drafts, room.id]);
  useEffect(() => {
    // On a phone the keyboard would cover half of what one came to read.
    if (matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, []);
  useEffect(() => {
    if (replyTo) box.current?.focus();
  }, [replyTo]);

  const change = (next: string) => {
    setText(next);
    drafts.set(room.id, next);
    client.typing(room.id, next.trim() !== '');
  };
  const send = () => {
    if (empty || over > 0) return;
    conversation.send(text.trim());
    change('');
    box.current?.focus();
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    const sends = event.key === 'Enter' && (enterSends ? !event.shiftKey : event.ctrlKey || event.metaKey);
    if (sends) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '' && conversation.editLast()) {
      event.preventDefault();
    } else if (event.key === 'Escape') {
      if (replyTo) conversation.reply(null);
      else conversation.markAllRead();
    }
  };
  return (
    <div className={styles.composer} data-region>
      {replyTo && <Replying user={replyTo.author} text={replyTo.text} cancel={() => conversation.reply(null)} />}
      <div className={styles.box}>
        <textarea
          ref={box}
          className={styles.text}
          data-composer
          data-region-start
          rows={1}
          value={text}
          placeholder={t.composer.label(name)}
          aria-label={t.composer.label(name)}
          aria-invalid={over > 0 || undefined}
          onChange={(event) => change(event.target.value)}
          onKeyDown={press}
          onBlur={() => client.typing(room.id, false)}
        />
        {over > 0 && <span className={styles.over}>{t.composer.tooLong(over)}</span>}
        <IconButton icon={SendHorizontal} label={t.composer.send} onClick={send} disabled={empty || over > 0} />
      </div>
      <TypingLine room={room.id} />
    </div>
  );
}

function Replying({ user, text, cancel }: { user: number; text: string; cancel: () => void }) {
  const name = useName(useChat(), user);
  return (
    <div className={styles.replying}>
      <p>
        <b>{t.composer.replying(name)}</b> <span>{text.slice(0, 200)}</span>
      </p>
      <IconButton small icon={X} label={t.composer.cancelReply} onClick={cancel} />
    </div>
  );
}

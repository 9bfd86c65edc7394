/** A message while it is edited, in its place. */
import type { Message } from '@natter/client';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useChat } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import ui from '../ui/ui.module.css';
import type { Conversation } from './conversation.js';
import styles from './Timeline.module.css';

export function EditBox({ message, conversation }: { message: Message; conversation: Conversation }) {
  const { client } = useChat();
  const [text, setText] = useState(message.text);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const area = box.current;
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);
  const close = () => {
    conversation.edit(null);
    document.querySelector<HTMLElement>('[data-composer]')?.focus();
  };
  const save = () => {
    const changed = text.trim();
    if (changed !== '' && changed !== message.text) {
      client.send('message.edit', { message: message.id, text: changed }, { queue: true }).catch(() => {});
    }
    close();
  };
  const press = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return (
    <div className={styles.editBox}>
      <textarea
        name="message"
        ref={box}
        className={styles.editText}
        aria-label={t.message.editing}
        value={text}
        rows={Math.min(12, text.split('\n').length)}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
      />
      <div className={ui.row}>
        <Button kind="main" onClick={save} disabled={text.trim() === ''}>
          {t.message.save}
        </Button>
        <Button onClick={close}>{t.message.cancel}</Button>
        <span className={ui.hint}>{t.message.editHint}</span>
      </div>
    </div>
  );
}

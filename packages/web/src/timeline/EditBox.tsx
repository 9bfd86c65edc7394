/** A message while it is edited, in its place. */
import type { Message } from '@natter/client';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { lookView } from '../look/theme.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import ui from '../ui/ui.module.css';
import styles from './Timeline.module.css';
import type { Talk } from './talk.js';

export function EditBox({ message, conversation }: { message: Message; conversation: Talk }) {
  const { client } = useChat();
  const { enterSends } = useView(lookView);
  const [text, setText] = useState(message.text);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const area = box.current;
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);
  const close = () => {
    conversation.edit(null);
    conversation.focusComposer();
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
    else if (event.key === 'Enter' && (enterSends ? !event.shiftKey : event.ctrlKey || event.metaKey)) {
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
        <span className={ui.hint}>{enterSends ? t.message.editHint : t.message.editHintCtrl}</span>
      </div>
    </div>
  );
}

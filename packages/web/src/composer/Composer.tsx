/** Where one writes, in a room or a thread: a draft for each, sent with Enter. */
import type { RoomRow } from '@natter/client';
import { Eye, PencilLine, SendHorizontal, Smile, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useChat, useName, useView } from '../chat/chat.js';
import { PickerWindow } from '../emoji/PickerWindow.js';
import { lookView } from '../look/theme.js';
import { Markdown } from '../markdown/Markdown.js';
import { plainLine } from '../markdown/plain.js';
import { t } from '../texts/texts.js';
import type { Talk } from '../timeline/talk.js';
import { IconButton } from '../ui/Button.js';
import { useCompletion } from './Completion.js';
import styles from './Composer.module.css';
import { TypingLine } from './TypingLine.js';
import { complete, type Token, tokenBefore } from './token.js';

interface ComposerProps {
  room: RoomRow;
  name: string;
  conversation: Talk;
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
  const { root } = conversation;
  const place = root === null ? `${room.id}` : `${room.id}/${root}`;
  const label = root === null ? t.composer.label(name) : t.thread.reply;
  const [text, setText] = useState(() => drafts.get(place));
  const replyTo = useView(conversation.replyTo);
  const [token, setToken] = useState<Token | null>(null);
  const [preview, setPreview] = useState(false);
  const [picking, setPicking] = useState<DOMRect | null>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const shown = useRef<HTMLElement>(null);
  /** Where the caret goes when the text is drawn. */
  const caret = useRef<number | null>(null);
  const max = client.server?.messageTextMax ?? TEXT_MAX;
  const over = text.length > max ? codePoints(text) - max : 0;
  const empty = text.trim() === '';

  useEffect(() => drafts.watch(place, setText), [drafts, place]);
  useEffect(() => {
    // On a phone the keyboard would cover half of what one came to read.
    if (matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, []);
  useEffect(() => {
    if (replyTo) box.current?.focus();
  }, [replyTo]);

  useEffect(() => {
    if (preview) shown.current?.focus();
  }, [preview]);

  useLayoutEffect(() => {
    if (caret.current === null) return;
    box.current?.focus();
    box.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  const change = (next: string) => {
    setText(next);
    drafts.set(place, next);
    client.typing(room.id, next.trim() !== '');
  };
  const send = () => {
    if (empty || over > 0) return;
    conversation.send(text.trim());
    change('');
    setToken(null);
    setPreview(false);
    caret.current = 0;
  };
  /** At the caret, in place of what is selected. */
  const insert = (more: string) => {
    const { selectionStart = text.length, selectionEnd = text.length } = box.current ?? {};
    change(text.slice(0, selectionStart) + more + text.slice(selectionEnd));
    caret.current = selectionStart + more.length;
  };
  const completion = useCompletion({
    token,
    room,
    conversation,
    onChoose: (chosen) => {
      if (!token) return;
      const next = complete(text, box.current?.selectionStart ?? text.length, token, chosen);
      change(next.text);
      caret.current = next.caret;
      setToken(null);
    },
    onClose: () => setToken(null),
  });
  /** The focus goes to where the text is. */
  const show = (as: boolean) => {
    setPreview(as);
    if (as) setToken(null);
    else caret.current = box.current?.selectionStart ?? text.length;
  };
  const pressPreview = (event: KeyboardEvent): boolean => {
    const asks = event.key === 'Enter' && event.shiftKey && (event.ctrlKey || event.metaKey);
    if (!asks) return false;
    event.preventDefault();
    if (!empty) show(!preview);
    return true;
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing || completion.press(event)) return;
    if (pressPreview(event)) return;
    const mod = event.ctrlKey || event.metaKey;
    const sends = event.key === 'Enter' && (enterSends ? !event.shiftKey : mod);
    if (sends) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '' && conversation.editLast()) {
      event.preventDefault();
    } else if (event.key === 'Escape') {
      if (replyTo) conversation.reply(null);
      else if (!conversation.escape()) return;
      event.preventDefault();
    }
  };
  return (
    <div className={styles.composer} data-region={root === null || undefined}>
      {replyTo && <Replying user={replyTo.author} text={replyTo.text} cancel={() => conversation.reply(null)} />}
      <div className={styles.box}>
        {completion.list}
        {preview && (
          <section
            className={styles.preview}
            aria-label={t.composer.preview}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key
            tabIndex={0}
            ref={shown}
            onKeyDown={pressPreview}
          >
            <Markdown text={text} />
          </section>
        )}
        <textarea
          name="message"
          hidden={preview}
          ref={box}
          className={styles.text}
          data-composer={root === null || undefined}
          data-region-start
          rows={1}
          value={text}
          placeholder={label}
          aria-label={label}
          aria-invalid={over > 0 || undefined}
          {...completion.aria}
          onChange={({ target }) => {
            change(target.value);
            setToken(tokenBefore(target.value, target.selectionStart));
          }}
          onKeyDown={press}
          onClick={() => setToken(null)}
          onBlur={() => {
            client.typing(room.id, false);
            setToken(null);
          }}
        />
        {over > 0 && <span className={styles.over}>{t.composer.tooLong(over)}</span>}
        {!empty && (
          <IconButton
            icon={preview ? PencilLine : Eye}
            label={preview ? t.composer.write : t.composer.preview}
            onClick={() => show(!preview)}
          />
        )}
        <IconButton
          icon={Smile}
          label={t.emoji.title}
          aria-haspopup="dialog"
          onClick={({ currentTarget }) => setPicking(currentTarget.getBoundingClientRect())}
        />
        <IconButton icon={SendHorizontal} label={t.composer.send} onClick={send} disabled={empty || over > 0} />
      </div>
      {root === null ? <TypingLine room={room.id} /> : <div className={styles.typing} />}
      {picking && (
        <PickerWindow
          at={picking}
          onPick={(emoji) => {
            setPicking(null);
            setPreview(false);
            insert(emoji);
          }}
          onClose={() => {
            setPicking(null);
            box.current?.focus();
          }}
        />
      )}
    </div>
  );
}

function Replying({ user, text, cancel }: { user: number; text: string; cancel: () => void }) {
  const name = useName(useChat(), user);
  return (
    <div className={styles.replying}>
      <p>
        <b>{t.composer.replying(name)}</b> <span>{plainLine(text)}</span>
      </p>
      <IconButton small icon={X} label={t.composer.cancelReply} onClick={cancel} />
    </div>
  );
}

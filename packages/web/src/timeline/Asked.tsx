/** Windows about one message: delete it, what it said before, who has read it, and that its author can't be written to. */
import type { Message } from '@natter/client';
import type { ReaderPage } from '@natter/protocol';
import { navigate } from 'wouter/use-browser-location';
import { useAsked } from '../chat/asked.js';
import { useChat, useName } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { Markdown } from '../markdown/Markdown.js';
import { openDirect } from '../rooms/direct.js';
import { showFull, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Spinner } from '../ui/Empty.js';
import { Problem } from '../ui/Problem.js';
import ui from '../ui/ui.module.css';
import styles from './Asked.module.css';
import type { About } from './talk.js';

export default function Asked({ about, onClose }: { about: About; onClose: () => void }) {
  switch (about.is) {
    case 'delete':
      return <Delete message={about.message} onClose={onClose} />;
    case 'history':
      return <Versions message={about.message} onClose={onClose} />;
    case 'readers':
      return <Readers message={about.message} onClose={onClose} />;
    case 'write':
      return <Write message={about.message} onClose={onClose} />;
  }
}

interface AskedProps {
  message: Message;
  onClose: () => void;
}

function Delete({ message, onClose }: AskedProps) {
  const { client } = useChat();
  return (
    <Dialog title={t.message.deleteTitle} onClose={onClose}>
      <div className={styles.sample}>
        <Markdown text={message.text} />
      </div>
      <p>{t.message.deleteHint}</p>
      <div className={ui.row} data-end>
        <Button onClick={onClose}>{t.message.cancel}</Button>
        <Button
          kind="danger"
          onClick={() => {
            client.send('message.delete', { message: message.id }, { queue: true }).catch(() => {});
            onClose();
          }}
        >
          {t.message.delete}
        </Button>
      </div>
    </Dialog>
  );
}

function Versions({ message, onClose }: AskedProps) {
  const { api, client } = useChat();
  const {
    answer: versions,
    error,
    again,
  } = useAsked(String(message.id), async () => {
    const { versions: found, users } = await api.versions(message.id);
    client.people.learn(users);
    return found;
  });
  return (
    <Dialog title={t.message.history} onClose={onClose}>
      {error && <Problem error={error} again={again} />}
      {!versions && !error && <Spinner label={t.timeline.loading} />}
      <ol className={styles.versions}>
        {versions?.toReversed().map(({ text, at }, index) => (
          <li key={at}>
            <p className={ui.hint}>
              {index === 0 ? t.message.versionNow : ''} {showFull(at)}
            </p>
            <Markdown text={text} />
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

function Readers({ message, onClose }: AskedProps) {
  const { api, client } = useChat();
  const { rows, more, busy, error, again } = usePages<ReaderPage['readers'][number], number>(
    String(message.id),
    async (after) => {
      const { readers, users, next } = await api.readers(message.id, after === undefined ? {} : { after });
      client.people.learn(users);
      return { rows: readers, next };
    },
  );
  return (
    <Dialog title={t.message.readBy} onClose={onClose}>
      {error && <Problem error={error} again={again} />}
      {busy && !rows && <Spinner label={t.timeline.loading} />}
      {rows?.length === 0 && <p className={ui.hint}>{t.message.readByNobody}</p>}
      <ul className={ui.list}>
        {rows?.map((user) => (
          <Reader key={user} user={user} />
        ))}
      </ul>
      {more && (
        <Button onClick={more} disabled={busy}>
          {t.browse.more}
        </Button>
      )}
    </Dialog>
  );
}

function Write({ message, onClose }: AskedProps) {
  const chat = useChat();
  const { error, again } = useAsked(String(message.author), () => openDirect(chat, navigate, message.author));
  return (
    <Dialog title={t.message.writeTo} onClose={onClose}>
      {error ? <Problem error={error} again={again} /> : <Spinner label={t.timeline.loading} />}
    </Dialog>
  );
}

function Reader({ user }: { user: number }) {
  const name = useName(useChat(), user);
  return (
    <li className={ui.item}>
      <Avatar user={user} size={28} />
      <span className={ui.itemText}>{name || '…'}</span>
    </li>
  );
}

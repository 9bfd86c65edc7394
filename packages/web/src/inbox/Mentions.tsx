/** Every message that calls me, newest first. */
import type { Message } from '@natter/client';
import { callsMe } from '@natter/client/rows';
import { useEffect } from 'react';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { showError, t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Empty, Spinner } from '../ui/Empty.js';
import { Page } from '../ui/Page.js';
import { Card, Cards } from './Card.js';
import styles from './Inbox.module.css';

export default function Mentions() {
  const { api, client, me } = useChat();
  const { rows, busy, error, more, again } = usePages<Message, number>('mentions', async (before) => {
    const page = await api.mentions(before === undefined ? {} : { before });
    client.people.learn(page.users);
    return { rows: page.messages, next: page.next };
  });
  useEffect(
    () =>
      client.on('message.sent', ({ body: { mentions } }) => {
        if (callsMe(mentions, me)) again();
      }),
    [client, me, again],
  );
  return (
    <Page title={t.inbox.mentions}>
      {error && (
        <Empty title={t.timeline.failed} hint={showError(error)}>
          <Button onClick={again}>{t.timeline.retry}</Button>
        </Empty>
      )}
      {busy && !rows && (
        <div className={styles.waiting}>
          <Spinner label={t.timeline.loading} />
        </div>
      )}
      {rows?.length === 0 && !busy && <Empty title={t.inbox.noMentions} hint={t.inbox.noMentionsHint} />}
      {rows && rows.length > 0 && (
        <Cards>
          {rows.map((message) => (
            <Card key={message.id} message={message} where />
          ))}
        </Cards>
      )}
      {more && (
        <Button onClick={more} disabled={busy}>
          {t.browse.more}
        </Button>
      )}
    </Page>
  );
}

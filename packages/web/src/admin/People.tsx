/** All accounts of the server. */
import type { Account, User } from '@natter/protocol';
import { useState } from 'react';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { adminPath } from '../routes.js';
import { showFull, showShort, t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { Link } from '../ui/Link.js';
import { Rows } from '../ui/Rows.js';
import ui from '../ui/ui.module.css';
import styles from './Admin.module.css';
import { Find } from './Find.js';

/** Milliseconds without a key before the server is asked. */
const PAUSE = 150;

export function People() {
  const { api, client } = useChat();
  const [text, setText] = useState('');
  const q = text.trim();
  const people = usePages<Account | User, number>(
    q,
    async (after) => {
      const { users, next } = await api.users(q === '' ? { limit: 50, ...(after ? { after } : {}) } : { q, limit: 50 });
      client.people.learn(Object.fromEntries(users.map(({ id, name, fullName }) => [id, { name, fullName }])));
      return { rows: users, next };
    },
    q === '' ? 0 : PAUSE,
  );
  return (
    <>
      <Find label={t.people.find} value={text} onChange={setText} />
      <Rows pages={people} label={t.admin.parts.people} none={<p className={ui.hint}>{t.people.none(q)}</p>}>
        {(person) => (
          <li key={person.id} className={styles.row}>
            <Link href={adminPath('people', person.id)} className={styles.entry}>
              <Standing user={person.id} size={36} />
              <span className={styles.names}>
                <b>{person.fullName || person.name}</b>
                <span className={ui.hint}>
                  @{person.name}
                  {'email' in person && person.email && ` · ${person.email}`}
                </span>
              </span>
              <Badges person={person} />
              <span className={styles.when}>
                {person.online ? (
                  t.people.online
                ) : person.lastSeenAt ? (
                  <time dateTime={person.lastSeenAt} title={showFull(person.lastSeenAt)}>
                    {showShort(person.lastSeenAt)}
                  </time>
                ) : (
                  t.admin.never
                )}
              </span>
            </Link>
          </li>
        )}
      </Rows>
    </>
  );
}

/** What sets an account apart. */
export function Badges({ person }: { person: User }) {
  return (
    <span className={styles.badges}>
      {person.role === 'admin' && <span className={ui.badge}>{t.admin.roles.admin}</span>}
      {person.status !== 'active' && (
        <span className={ui.badge} data-kind="off">
          {t.admin.status[person.status]}
        </span>
      )}
      {person.placeholder && (
        <span className={ui.badge} data-kind="quiet">
          {t.admin.placeholder}
        </span>
      )}
      {person.verified && (
        <span className={ui.badge} data-kind="quiet">
          {t.admin.verified}
        </span>
      )}
    </span>
  );
}

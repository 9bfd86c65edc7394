/** What was done with power over people and user groups, newest first. */
import type { AuditRow } from '@natter/protocol';
import { useChat, useName } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { showFull, showStamp, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { Rows } from '../ui/Rows.js';
import ui from '../ui/ui.module.css';
import styles from './Admin.module.css';

export function Audit() {
  const { api, client } = useChat();
  const rows = usePages<AuditRow, number>('', async (before) => {
    const page = await api.audit({ limit: 50, ...(before ? { before } : {}) });
    client.people.learn(page.users);
    return { rows: page.rows, next: page.next };
  });
  return (
    <>
      <p className={styles.lead}>{t.admin.auditHint}</p>
      <Rows pages={rows} label={t.admin.parts.audit} none={<p className={ui.hint}>{t.admin.noAudit}</p>}>
        {(row) => <Row key={row.id} row={row} />}
      </Rows>
    </>
  );
}

function Row({ row }: { row: AuditRow }) {
  const chat = useChat();
  const { actor, stream, body } = row;
  const group = row.action.startsWith('usergroup.');
  const name = useName(chat, actor);
  const about = useName(chat, group ? 0 : stream);
  const called = group ? (typeof body.name === 'string' ? body.name : t.admin.group(stream)) : about || '…';
  return (
    <li className={styles.row}>
      <div className={styles.entry}>
        <Avatar user={actor} size={28} />
        <span className={styles.names}>
          <span>
            <b>{actor === 0 ? t.admin.system : name || '…'}</b> {whatWasDone(row)}{' '}
            {stream === actor ? t.admin.oneself : <b>{called}</b>}
          </span>
        </span>
        <time className={styles.when} dateTime={row.at} title={showFull(row.at)}>
          {showStamp(row.at)}
        </time>
      </div>
    </li>
  );
}

function whatWasDone({ action, body }: AuditRow): string {
  const { actions, changes } = t.admin;
  if (action === 'user.changed') {
    if (body.role !== undefined) return body.role === 'admin' ? changes.toAdmin : changes.toUser;
    if (body.verified !== undefined && body.email === undefined)
      return body.verified ? changes.verified : changes.unverified;
  }
  return (actions as Record<string, string>)[action] ?? action;
}

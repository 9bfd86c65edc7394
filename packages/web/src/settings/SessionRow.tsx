/** One session: on what, from where, and since when. */
import type { Session } from '@natter/protocol';
import { Monitor, Smartphone, Terminal } from 'lucide-react';
import type { ReactNode } from 'react';
import { showFull, showStamp, t } from '../texts/texts.js';
import ui from '../ui/ui.module.css';
import { agentOf } from './agent.js';
import styles from './Settings.module.css';

const ICONS = { phone: Smartphone, computer: Monitor, program: Terminal } as const;

export function SessionRow({ session, children }: { session: Session; children?: ReactNode }) {
  const { kind, browser, system } = agentOf(session.agent);
  const Icon = ICONS[kind];
  return (
    <li className={styles.session}>
      <Icon size={22} strokeWidth={1.5} aria-hidden />
      <div className={styles.sessionText}>
        <p title={session.agent}>
          <b>{browser === '' ? t.settings.unknownAgent : system === '' ? browser : t.settings.on(browser, system)}</b>
          {session.current && <span className={ui.badge}>{t.settings.current}</span>}
        </p>
        <p className={ui.hint}>
          {session.address} · {t.settings.lastUsed}{' '}
          <time dateTime={session.lastUsedAt} title={showFull(session.lastUsedAt)}>
            {showStamp(session.lastUsedAt)}
          </time>{' '}
          · {t.settings.since}{' '}
          <time dateTime={session.createdAt} title={showFull(session.createdAt)}>
            {showStamp(session.createdAt)}
          </time>
        </p>
      </div>
      {children}
    </li>
  );
}

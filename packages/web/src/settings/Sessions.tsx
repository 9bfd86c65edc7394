/** Where one is logged in, and the ways out. */
import { useState } from 'react';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { t } from '../texts/texts.js';
import { useAct } from '../ui/act.js';
import { Button } from '../ui/Button.js';
import { Confirm } from '../ui/Confirm.js';
import { Outcome } from '../ui/Outcome.js';
import { Rows } from '../ui/Rows.js';
import { SessionRow } from './SessionRow.js';
import styles from './Settings.module.css';

export function Sessions() {
  const { api, session } = useChat();
  const sessions = usePages('sessions', async () => ({ rows: (await api.sessions()).sessions, next: null }));
  const { busy, error, act } = useAct();
  const [leaving, setLeaving] = useState(false);
  const others = sessions.rows?.filter(({ current }) => !current) ?? [];
  const end = (what: () => Promise<unknown>) =>
    act(async () => {
      await what();
      sessions.again();
    });
  return (
    <>
      <p className={styles.lead}>{t.settings.sessionsHint}</p>
      <Outcome error={error} done={false} />
      <Rows pages={sessions} label={t.settings.parts.sessions}>
        {(one) => (
          <SessionRow key={one.id} session={one}>
            {!one.current && (
              <Button disabled={busy} onClick={() => void end(() => api.endSession(one.id))}>
                {t.settings.end}
              </Button>
            )}
          </SessionRow>
        )}
      </Rows>
      <div className={styles.ways}>
        {others.length > 0 && (
          <Button disabled={busy} onClick={() => void end(() => api.endSessions({ keepCurrent: true }))}>
            {t.settings.endOthers}
          </Button>
        )}
        <Button onClick={() => setLeaving(true)}>{t.settings.leave}</Button>
      </div>
      {leaving && (
        <Confirm
          title={t.settings.leaveTitle}
          hint={t.settings.leaveHint}
          go={t.settings.leave}
          onClose={() => setLeaving(false)}
          act={() => session.logOutEverywhere()}
        />
      )}
    </>
  );
}

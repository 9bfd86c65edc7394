/** What this device tells of while nobody looks at Natter. */
import { useChat, useView } from '../chat/chat.js';
import { LEVELS, type Level } from '../chat/notify-levels.js';
import { askPermission, permission } from '../chat/notify-permission.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Choice } from '../ui/Choice.js';
import styles from './Settings.module.css';

export function Notifications() {
  const { notifyLevels } = useChat();
  const { general } = useView(notifyLevels.view);
  const allowed = useView(permission);
  if (allowed === 'unsupported') return <p className={styles.lead}>{t.notify.unsupported}</p>;
  const choose = (level: Level) => {
    notifyLevels.choose(level);
    if (level !== 'none') void askPermission();
  };
  return (
    <div className={styles.form}>
      <p className={styles.lead}>{t.notify.hint}</p>
      <Choice
        legend={t.notify.legend}
        value={general}
        onChange={choose}
        options={LEVELS.map((value) => ({ value, ...t.notify.levels[value] }))}
      />
      {general !== 'none' && allowed !== 'granted' && (
        <div className={styles.blocked} role="status">
          <p>{allowed === 'denied' ? t.notify.denied : t.notify.asks}</p>
          {allowed === 'default' && <Button onClick={() => void askPermission()}>{t.notify.allow}</Button>}
        </div>
      )}
    </div>
  );
}

/** All keys, at a glance. */
import { t } from '../texts/texts.js';
import { Dialog } from '../ui/Dialog.js';
import styles from './KeySheet.module.css';
import { SHEET } from './keys.js';

export default function KeySheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t.keys.title} onClose={onClose} className={styles.sheet} toRead>
      <div className={styles.parts}>
        {SHEET.map(({ title, shortcuts }) => (
          <section key={title} aria-label={title}>
            <h3>{title}</h3>
            <dl>
              {shortcuts.map(({ keys, label }) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd>
                    {keys.map((way, at) => (
                      <span key={way.join('+')}>
                        {at > 0 && <span className={styles.or}> {t.keys.or} </span>}
                        {way.map((key) => (
                          <kbd key={key}>{key}</kbd>
                        ))}
                      </span>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

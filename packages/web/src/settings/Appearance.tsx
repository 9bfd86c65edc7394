/** How this device shows the app, and what Enter does on it. */
import { useView } from '../chat/chat.js';
import { changeLook, DENSITIES, lookView, THEMES } from '../look/theme.js';
import { t } from '../texts/texts.js';
import { Choice } from '../ui/Choice.js';
import styles from './Settings.module.css';

export function Appearance() {
  const { theme, density, enterSends } = useView(lookView);
  return (
    <div className={styles.form}>
      <p className={styles.lead}>{t.settings.lookHint}</p>
      <Choice
        legend={t.settings.theme}
        value={theme}
        onChange={(next) => changeLook({ theme: next })}
        options={THEMES.map((value) => ({ value, label: t.settings.themes[value] }))}
      />
      <Choice
        legend={t.settings.density}
        value={density}
        onChange={(next) => changeLook({ density: next })}
        options={DENSITIES.map((value) => ({ value, ...t.settings.densities[value] }))}
      />
      <Choice
        legend={t.settings.enter}
        value={enterSends ? 'sends' : 'breaks'}
        onChange={(next) => changeLook({ enterSends: next === 'sends' })}
        options={(['sends', 'breaks'] as const).map((value) => ({ value, ...t.settings.enters[value] }))}
      />
    </div>
  );
}

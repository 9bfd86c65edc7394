/** Another password. */
import { type FormEvent, useEffect, useRef } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { useAct } from '../ui/act.js';
import { Field } from '../ui/Field.js';
import { wrongIn } from '../ui/Outcome.js';
import { Save } from '../ui/Save.js';
import styles from './Settings.module.css';

export function Password() {
  const { api, session } = useChat();
  const state = useView(session.view);
  const form = useRef<HTMLFormElement>(null);
  const { busy, error, done, act } = useAct();
  useEffect(() => {
    if (done) form.current?.reset();
  }, [done]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    void act(() => api.changePassword(String(given.get('password')), String(given.get('newPassword'))));
  };
  return (
    <form ref={form} className={styles.form} onSubmit={submit} aria-label={t.settings.parts.password}>
      {/* For programs that keep passwords. */}
      <input
        type="hidden"
        autoComplete="username"
        name="username"
        value={state.is === 'in' ? state.user.name : ''}
        readOnly
      />
      <Field
        label={t.settings.passwordNow}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        problem={error?.code === 'bad_credentials' ? t.settings.passwordWrong : wrongIn(error, '/password')}
      />
      <Field
        label={t.settings.passwordNew}
        name="newPassword"
        type="password"
        autoComplete="new-password"
        required
        hint={t.settings.passwordHint}
        problem={wrongIn(error, '/newPassword')}
      />
      <Save
        label={t.settings.passwordSet}
        busy={busy}
        error={error?.code === 'bad_credentials' ? null : error}
        done={done && t.settings.passwordDone}
      />
    </form>
  );
}

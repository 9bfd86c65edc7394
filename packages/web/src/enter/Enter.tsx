/** The door: log in, or make an account. */
import { NatterError } from '@natter/client';
import { Eye, EyeOff } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { Session } from '../session.js';
import { showError, t } from '../texts/texts.js';
import { Button, IconButton } from '../ui/Button.js';
import { Field } from '../ui/Field.js';
import { wrongIn } from '../ui/Outcome.js';
import styles from './Enter.module.css';
import { Logo } from './Logo.js';

/** As short as the server takes them unless it is set otherwise; it says so itself when it is. */
const PASSWORD_MIN = 8;

export function Enter({ session, ended }: { session: Session; ended: boolean }) {
  const [mode, setMode] = useState<'log in' | 'register'>('log in');
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const [error, setError] = useState<NatterError | null>(null);
  const registering = mode === 'register';

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, password, fullName] = ['name', 'password', 'fullName'].map((key) => String(form.get(key) ?? ''));
    setBusy(true);
    setError(null);
    try {
      if (registering) await session.register(name?.trim() ?? '', password ?? '', fullName?.trim() ?? '');
      else await session.logIn(name?.trim() ?? '', password ?? '');
    } catch (thrown) {
      if (!(thrown instanceof NatterError)) throw thrown;
      setError(thrown);
      setBusy(false);
    }
  };

  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <Logo size={44} />
        <h1>{registering ? t.enter.register : t.enter.logIn}</h1>
        <p className={styles.lead}>{ended ? t.enter.ended : t.app.lead}</p>
        <form onSubmit={submit} key={mode}>
          <Field
            label={registering ? t.enter.name : t.enter.nameOrMail}
            name="name"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            problem={wrongIn(error, '/name')}
          />
          {registering && (
            <Field
              label={t.enter.fullName}
              name="fullName"
              autoComplete="name"
              hint={t.enter.fullNameHint}
              problem={wrongIn(error, '/fullName')}
            />
          )}
          <div className={styles.password}>
            <Field
              label={t.enter.password}
              name="password"
              type={shown ? 'text' : 'password'}
              autoComplete={registering ? 'new-password' : 'current-password'}
              required
              minLength={registering ? PASSWORD_MIN : undefined}
              hint={registering ? t.enter.passwordHint(PASSWORD_MIN) : undefined}
              problem={wrongIn(error, '/password')}
            />
            <IconButton
              icon={shown ? EyeOff : Eye}
              label={shown ? t.enter.hide : t.enter.show}
              onClick={() => setShown(!shown)}
            />
          </div>
          <p role="alert" className={styles.problem}>
            {error && error.fields.length === 0 ? showError(error) : ''}
          </p>
          <Button kind="main" type="submit" disabled={busy}>
            {registering ? t.enter.register : t.enter.logIn}
          </Button>
        </form>
        <p className={styles.other}>
          {registering ? t.enter.toLogIn : t.enter.toRegister}{' '}
          <Button
            kind="bare"
            onClick={() => {
              setMode(registering ? 'log in' : 'register');
              setError(null);
            }}
          >
            {registering ? t.enter.logIn : t.enter.register}
          </Button>
        </p>
      </div>
    </main>
  );
}

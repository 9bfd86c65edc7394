/** Who one is to others; and the end of the account. */
import type { Account } from '@natter/protocol';
import { type FormEvent, useState } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { useAct } from '../ui/act.js';
import { Button } from '../ui/Button.js';
import { Confirm } from '../ui/Confirm.js';
import { Field } from '../ui/Field.js';
import { wrongIn } from '../ui/Outcome.js';
import { Save } from '../ui/Save.js';
import ui from '../ui/ui.module.css';
import styles from './Settings.module.css';

export function Profile() {
  const { session } = useChat();
  const state = useView(session.view);
  return state.is === 'in' ? <Form account={state.user} /> : null;
}

function Form({ account }: { account: Account }) {
  const { api, client, session } = useChat();
  const { busy, error, done, act } = useAct();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const line = (name: string) => String(form.get(name) ?? '').trim();
    void act(async () => {
      const changed = await api.changeMe({
        fullName: line('fullName'),
        email: line('email') || null,
        about: line('about'),
      });
      session.changed(changed);
      client.people.learn({ [changed.id]: { name: changed.name, fullName: changed.fullName } });
    });
  };
  return (
    <>
      <form className={styles.form} onSubmit={submit} aria-label={t.settings.parts.profile}>
        <div className={styles.who}>
          <Avatar user={account.id} size={56} />
          <div>
            <b>{account.fullName || account.name}</b>
            <p className={ui.hint}>@{account.name}</p>
          </div>
        </div>
        <Field
          label={t.enter.fullName}
          name="fullName"
          autoComplete="name"
          defaultValue={account.fullName}
          hint={t.settings.fullNameHint}
          problem={wrongIn(error, '/fullName')}
        />
        <Field
          label={t.settings.email}
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={account.email ?? ''}
          hint={t.settings.emailHint}
          problem={wrongIn(error, '/email')}
        />
        <Field
          label={t.settings.about}
          name="about"
          autoComplete="off"
          defaultValue={account.about}
          hint={t.settings.aboutHint}
          problem={wrongIn(error, '/about')}
        />
        <Save label={t.message.save} busy={busy} error={error} done={done && t.settings.saved} />
      </form>
      <DeleteMe name={account.name} />
    </>
  );
}

function DeleteMe({ name }: { name: string }) {
  const { api, session } = useChat();
  const [asked, setAsked] = useState(false);
  return (
    <section className={styles.danger} aria-labelledby="delete-me">
      <h2 id="delete-me">{t.settings.delete}</h2>
      <p className={ui.hint}>{t.settings.deleteHint}</p>
      <Button onClick={() => setAsked(true)}>{t.settings.delete}</Button>
      {asked && (
        <Confirm
          title={t.settings.deleteTitle}
          hint={t.settings.deleteHint}
          word={name}
          go={t.settings.delete}
          onClose={() => setAsked(false)}
          act={async () => {
            await api.deleteMe();
            session.over(false);
          }}
        />
      )}
    </section>
  );
}

/** A new channel or group. */
import { NatterError } from '@natter/client';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { useChat } from '../chat/chat.js';
import { PeoplePicker, type Person } from '../people/PeoplePicker.js';
import { roomPath } from '../routes.js';
import { showError, t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Choice } from '../ui/Choice.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import { wrongIn } from '../ui/Outcome.js';
import ui from '../ui/ui.module.css';
import { Visibility } from './Visibility.js';

export function CreateRoom({ onClose }: { onClose: () => void }) {
  const { api } = useChat();
  const [, go] = useLocation();
  const [kind, setKind] = useState<'channel' | 'group'>('channel');
  const [visibility, setVisibility] = useState<'public' | 'private'>('public');
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<NatterError | null>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const line = (name: string) => String(form.get(name) ?? '').trim();
    const members = people.map(({ id }) => id);
    setBusy(true);
    setError(null);
    try {
      const made = await api.createRoom(
        kind === 'channel'
          ? { kind, name: line('name'), topic: line('topic'), visibility, members }
          : { kind, name: line('name'), members },
      );
      onClose();
      go(roomPath(made.id));
    } catch (thrown) {
      if (!(thrown instanceof NatterError)) throw thrown;
      setError(thrown);
      setBusy(false);
    }
  };

  return (
    <Dialog title={t.create.title} onClose={onClose}>
      <form onSubmit={submit} className={ui.dialogForm}>
        <Choice
          legend={t.create.kind}
          value={kind}
          onChange={setKind}
          options={[
            { value: 'channel', label: t.create.channel, hint: t.create.channelHint },
            { value: 'group', label: t.create.group, hint: t.create.groupHint },
          ]}
        />
        <Field
          label={t.create.name}
          name="name"
          autoFocus
          autoComplete="off"
          required={kind === 'channel'}
          problem={wrongIn(error, '/name')}
        />
        {kind === 'channel' && (
          <>
            <Field label={t.create.topic} name="topic" autoComplete="off" problem={wrongIn(error, '/topic')} />
            <Visibility value={visibility} onChange={setVisibility} />
          </>
        )}
        <PeoplePicker label={t.create.people} chosen={people} onChange={setPeople} />
        <p role="alert" className={ui.problem}>
          {error && error.fields.length === 0 ? showError(error) : ''}
        </p>
        <div className={ui.row} data-end>
          <Button onClick={onClose}>{t.message.cancel}</Button>
          <Button kind="main" type="submit" disabled={busy || (kind === 'group' && people.length === 0)}>
            {t.create.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

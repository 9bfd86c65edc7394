/** What a room is, for those who run it to change; and the ways out of it. */
import { NatterError, type RoomRow } from '@natter/client';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { useChat, useName } from '../chat/chat.js';
import { HOME } from '../routes.js';
import { showError, showFull, t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Choice } from '../ui/Choice.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import ui from '../ui/ui.module.css';
import styles from './Details.module.css';

export function About({ room, name }: { room: RoomRow; name: string }) {
  const runs = room.kind !== 'direct' && room.role !== 'member';
  const creator = useName(useChat(), room.createdBy);
  return (
    <>
      {runs && !room.archived ? (
        <Change key={room.id} room={room} />
      ) : (
        <dl className={styles.facts}>
          {room.topic && (
            <div>
              <dt>{t.create.topic}</dt>
              <dd>{room.topic}</dd>
            </div>
          )}
          <div>
            <dt>{t.details.kind}</dt>
            <dd>
              {room.kind === 'channel'
                ? room.visibility === 'public'
                  ? t.rooms.public
                  : t.rooms.private
                : room.kind === 'group'
                  ? t.rooms.group
                  : t.details.direct}
            </dd>
          </div>
        </dl>
      )}
      <dl className={styles.facts}>
        <div>
          <dt>{t.details.created}</dt>
          <dd>{creator ? t.details.createdBy(showFull(room.createdAt), creator) : showFull(room.createdAt)}</dd>
        </div>
      </dl>
      {room.kind !== 'direct' && <Leave room={room} name={name} />}
    </>
  );
}

/** What did not work, in words; a bug is thrown on. */
function problemOf(thrown: unknown): NatterError {
  if (thrown instanceof NatterError) return thrown;
  throw thrown;
}

function Change({ room }: { room: RoomRow }) {
  const { client } = useChat();
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState('');
  const [error, setError] = useState<NatterError | null>(null);
  const [visibility, setVisibility] = useState(room.visibility);
  const [history, setHistory] = useState(room.history);
  const wrong = (path: string) => error?.fields.find((field) => field.path === path)?.message;
  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const line = (field: string) => String(form.get(field) ?? '').trim();
    setBusy(true);
    setError(null);
    setSaid('');
    const change = { name: line('name'), topic: line('topic'), history };
    try {
      await client.send('room.change', {
        room: room.id,
        ...change,
        ...(room.kind === 'channel' ? { visibility } : {}),
      });
      setSaid(t.details.saved);
    } catch (thrown) {
      setError(problemOf(thrown));
    }
    setBusy(false);
  };
  return (
    <form className={styles.form} onSubmit={save}>
      <Field
        label={t.create.name}
        name="name"
        defaultValue={room.name}
        required={room.kind === 'channel'}
        autoComplete="off"
        problem={wrong('/name')}
      />
      <Field
        label={t.create.topic}
        name="topic"
        defaultValue={room.topic}
        autoComplete="off"
        problem={wrong('/topic')}
      />
      {room.kind === 'channel' && (
        <Choice
          legend={t.create.who}
          value={visibility}
          onChange={setVisibility}
          options={[
            { value: 'public', label: t.create.public },
            { value: 'private', label: t.create.private },
          ]}
        />
      )}
      <Choice
        legend={t.details.history}
        value={history}
        onChange={setHistory}
        options={[
          { value: 'shared', label: t.details.historyShared },
          { value: 'joined', label: t.details.historyJoined },
        ]}
      />
      <p role="status" className={error ? ui.problem : ui.hint}>
        {error && error.fields.length === 0 ? showError(error) : said}
      </p>
      <div className={ui.row}>
        <Button kind="main" type="submit" disabled={busy}>
          {t.message.save}
        </Button>
      </div>
    </form>
  );
}

type Way = 'leave' | 'archive' | 'delete';

function Leave({ room, name }: { room: RoomRow; name: string }) {
  const { client } = useChat();
  const [, go] = useLocation();
  const [asked, setAsked] = useState<Way | null>(null);
  const [problem, setProblem] = useState('');
  const runs = room.role !== 'member';
  const act = async (way: Way | 'unarchive') => {
    setProblem('');
    try {
      if (way === 'leave') await client.send('member.leave', { room: room.id });
      else if (way === 'delete') await client.send('room.delete', { room: room.id });
      else await client.send(way === 'archive' ? 'room.archive' : 'room.unarchive', { room: room.id });
      setAsked(null);
      if (way === 'leave' || way === 'delete') go(HOME);
    } catch (thrown) {
      setProblem(showError(problemOf(thrown)));
    }
  };
  return (
    <div className={styles.last}>
      <Button onClick={() => setAsked('leave')}>{t.details.leave}</Button>
      {runs &&
        (room.archived ? (
          <Button onClick={() => void act('unarchive')}>{t.details.unarchive}</Button>
        ) : (
          <Button onClick={() => setAsked('archive')}>{t.details.archive}</Button>
        ))}
      {room.role === 'owner' && (
        <Button kind="danger" onClick={() => setAsked('delete')}>
          {t.details.delete}
        </Button>
      )}
      {problem && !asked && (
        <p role="alert" className={ui.problem}>
          {problem}
        </p>
      )}
      {asked && (
        <Dialog title={t.details.ask[asked].title(name)} onClose={() => setAsked(null)}>
          <p>{t.details.ask[asked].hint}</p>
          {problem && (
            <p role="alert" className={ui.problem}>
              {problem}
            </p>
          )}
          <div className={ui.row} data-end>
            <Button onClick={() => setAsked(null)}>{t.message.cancel}</Button>
            <Button kind="danger" onClick={() => void act(asked)}>
              {t.details[asked]}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** What a room is, for those who run it to change; and the ways out of it. */
import type { RoomRow } from '@natter/client';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { useChat, useName } from '../chat/chat.js';
import { HOME } from '../routes.js';
import { showFull, t } from '../texts/texts.js';
import { useAct } from '../ui/act.js';
import { Button } from '../ui/Button.js';
import { Choice } from '../ui/Choice.js';
import { Confirm } from '../ui/Confirm.js';
import { Field } from '../ui/Field.js';
import { Outcome, wrongIn } from '../ui/Outcome.js';
import { Save } from '../ui/Save.js';
import styles from './Details.module.css';
import { NotifyChoice } from './NotifyChoice.js';
import { Visibility } from './Visibility.js';

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
      <div className={styles.form}>
        <NotifyChoice room={room} />
      </div>
      {room.kind !== 'direct' && <Leave room={room} name={name} />}
    </>
  );
}

function Change({ room }: { room: RoomRow }) {
  const { client } = useChat();
  const { busy, error, done, act } = useAct();
  const [visibility, setVisibility] = useState(room.visibility);
  const [history, setHistory] = useState(room.history);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const line = (field: string) => String(form.get(field) ?? '').trim();
    const change = { name: line('name'), topic: line('topic'), history };
    const seen = room.kind === 'channel' ? { visibility } : {};
    void act(() => client.send('room.change', { room: room.id, ...change, ...seen }));
  };
  return (
    <form className={styles.form} onSubmit={save}>
      <Field
        label={t.create.name}
        name="name"
        defaultValue={room.name}
        required={room.kind === 'channel'}
        autoComplete="off"
        problem={wrongIn(error, '/name')}
      />
      <Field
        label={t.create.topic}
        name="topic"
        defaultValue={room.topic}
        autoComplete="off"
        problem={wrongIn(error, '/topic')}
      />
      {room.kind === 'channel' && <Visibility value={visibility} onChange={setVisibility} />}
      <Choice
        legend={t.details.history}
        value={history}
        onChange={setHistory}
        options={[
          { value: 'shared', label: t.details.historyShared },
          { value: 'joined', label: t.details.historyJoined },
        ]}
      />
      <Save label={t.message.save} busy={busy} error={error} done={done && t.details.saved} />
    </form>
  );
}

const COMMANDS = { leave: 'member.leave', archive: 'room.archive', delete: 'room.delete' } as const;
type Way = keyof typeof COMMANDS;

function Leave({ room, name }: { room: RoomRow; name: string }) {
  const { client } = useChat();
  const [, go] = useLocation();
  const [asked, setAsked] = useState<Way | null>(null);
  const { error, act } = useAct();
  const runs = room.role !== 'member';
  const take = async (way: Way) => {
    await client.send(COMMANDS[way], { room: room.id });
    if (way === 'leave' || way === 'delete') go(HOME);
  };
  return (
    <div className={styles.last}>
      <Button onClick={() => setAsked('leave')}>{t.details.leave}</Button>
      {runs &&
        (room.archived ? (
          <Button onClick={() => void act(() => client.send('room.unarchive', { room: room.id }))}>
            {t.details.unarchive}
          </Button>
        ) : (
          <Button onClick={() => setAsked('archive')}>{t.details.archive}</Button>
        ))}
      {room.role === 'owner' && (
        <Button kind="danger" onClick={() => setAsked('delete')}>
          {t.details.delete}
        </Button>
      )}
      <Outcome error={error} done={false} />
      {asked && (
        <Confirm
          title={t.details.ask[asked].title(name)}
          hint={t.details.ask[asked].hint}
          go={t.details[asked]}
          onClose={() => setAsked(null)}
          act={() => take(asked)}
        />
      )}
    </div>
  );
}

/** Whom, where, when and how: what a search leaves out. */
import { ChevronDown } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useChat, useName, useRoom, useRooms } from '../chat/chat.js';
import { roomName, useRoomName } from '../chat/room-name.js';
import { usePeople } from '../people/find.js';
import { PeopleList } from '../people/PeopleList.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { showDate, t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Choice } from '../ui/Choice.js';
import { Field } from '../ui/Field.js';
import { Popup } from '../ui/Popup.js';
import ui from '../ui/ui.module.css';
import { MODES, NO_FILTER, type Query } from './query.js';
import styles from './Search.module.css';

interface FiltersProps {
  query: Query;
  onChange: (change: Partial<Query>) => void;
}

export function Filters({ query, onChange }: FiltersProps) {
  const chat = useChat();
  const { from, room, after, before, mode } = query;
  const author = useName(chat, from ?? 0);
  const inRoom = useRoomName(chat, useRoom(chat, room ?? 0));
  const [since, until] = [after && showDate(after), before && showDate(before)];
  const when = since && until ? t.search.between(since, until) : since ? t.search.since(since) : t.search.until(until);
  const choose = (change: Partial<Query>, close: () => void) => {
    onChange(change);
    close();
  };
  const any = from !== null || room !== null || after !== '' || before !== '' || mode !== 'auto';
  return (
    <div className={styles.filters}>
      <Filter label={t.search.from} value={from === null ? '' : author || '…'}>
        {(close) => <FromFilter chosen={from} choose={(user) => choose({ from: user }, close)} />}
      </Filter>
      <Filter label={t.search.in} value={room === null ? '' : inRoom || t.search.someRoom}>
        {(close) => <RoomFilter chosen={room} choose={(id) => choose({ room: id }, close)} />}
      </Filter>
      <Filter label={t.search.when} value={since || until ? when : ''}>
        {() => (
          <>
            <Field
              label={t.search.after}
              type="date"
              value={after}
              max={before || undefined}
              onChange={(event) => onChange({ after: event.target.value })}
            />
            <Field
              label={t.search.before}
              type="date"
              value={before}
              min={after || undefined}
              onChange={(event) => onChange({ before: event.target.value })}
            />
          </>
        )}
      </Filter>
      <Filter label={t.search.how} value={mode === 'auto' ? '' : t.search.modes[mode].label}>
        {() => (
          <Choice
            legend={t.search.how}
            value={mode}
            onChange={(next) => onChange({ mode: next })}
            options={MODES.map((value) => ({ value, ...t.search.modes[value] }))}
          />
        )}
      </Filter>
      {any && (
        <Button kind="bare" onClick={() => onChange(NO_FILTER)}>
          {t.search.clear}
        </Button>
      )}
    </div>
  );
}

interface FilterProps {
  label: string;
  value: string;
  children: (close: () => void) => ReactNode;
}

function Filter({ label, value, children }: FilterProps) {
  return (
    <Popup
      title={label}
      set={value !== ''}
      label={
        <>
          <span>{value === '' ? label : `${label}: ${value}`}</span>
          <ChevronDown size={14} aria-hidden />
        </>
      }
    >
      {children}
    </Popup>
  );
}

interface PickProps {
  chosen: number | null;
  choose: (id: number | null) => void;
}

function FromFilter({ chosen, choose }: PickProps) {
  const { me } = useChat();
  const [text, setText] = useState('');
  const found = usePeople(text);
  const { people } = found;
  return (
    <>
      <Field
        label={t.people.find}
        type="search"
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && people?.[0] && text !== '') choose(people[0].id);
        }}
      />
      <div>
        {chosen !== null && <Pick onClick={() => choose(null)}>{t.search.anyone}</Pick>}
        {text === '' && chosen !== me && <Pick onClick={() => choose(me)}>{t.search.me}</Pick>}
        <PeopleList found={found} people={people} query={text} onChoose={({ id }) => choose(id)} />
      </div>
    </>
  );
}

function RoomFilter({ chosen, choose }: PickProps) {
  const chat = useChat();
  const rooms = useRooms(chat);
  const [text, setText] = useState('');
  const wanted = text.trim().toLocaleLowerCase();
  const found = rooms.filter((room) => roomName(chat, room).toLocaleLowerCase().includes(wanted));
  return (
    <>
      <Field
        label={t.search.findRoom}
        type="search"
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && found[0] && text !== '') choose(found[0].id);
        }}
      />
      <div>
        {chosen !== null && <Pick onClick={() => choose(null)}>{t.search.anyRoom}</Pick>}
        {found.map((room) => (
          <Pick key={room.id} onClick={() => choose(room.id)}>
            <KindIcon room={room} size={16} />
            <RoomName id={room.id} />
          </Pick>
        ))}
        {found.length === 0 && <p className={ui.hint}>{t.browse.noneFor(text)}</p>}
      </div>
    </>
  );
}

function RoomName({ id }: { id: number }) {
  const chat = useChat();
  return <span>{useRoomName(chat, useRoom(chat, id)) || '…'}</span>;
}

function Pick({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={ui.item} onClick={onClick}>
      {children}
    </button>
  );
}

/** Ctrl/Cmd+K: to any room, channel that one may join, person or message by a few letters of its name. */
import type { RoomRow } from '@natter/client';
import type { SearchHit } from '@natter/protocol';
import { Hash, Search } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { type Chat, useChat, useName, useRooms, useView } from '../chat/chat.js';
import { useList } from '../chat/pages.js';
import { roomName } from '../chat/room-name.js';
import { type Person, usePeople } from '../people/find.js';
import { openDirect } from '../rooms/direct.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { roomPath } from '../routes.js';
import { excerptOf, ONE_LINE } from '../search/excerpt.js';
import { NO_FILTER, queryPath } from '../search/query.js';
import { showStamp, t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { useAct } from '../ui/act.js';
import { Dialog } from '../ui/Dialog.js';
import { Outcome } from '../ui/Outcome.js';
import ui from '../ui/ui.module.css';
import { closeness } from './fuzzy.js';
import { recentRooms } from './recent.js';
import styles from './Switcher.module.css';

/** Shown of each kind. */
const ROOMS_MAX = 8;
const CHANNELS_MAX = 5;
const PEOPLE_MAX = 5;
const HITS_MAX = 5;
/** Fewer letters find too much. */
const LETTERS = 3;
const PAUSE = 200;

interface Option {
  key: string;
  group: string;
  /** What is shown of it. */
  line: ReactNode;
  go: () => unknown;
}

/** Unread first, those that call me before others; then where I was last. */
function byNeed(recent: readonly number[]): (a: RoomRow, b: RoomRow) => number {
  const calls = ({ kind, unread, mentions }: RoomRow) => (kind === 'direct' ? unread : mentions);
  const place = ({ id }: RoomRow) => {
    const at = recent.indexOf(id);
    return at < 0 ? recent.length : at;
  };
  return (a, b) =>
    Math.sign(calls(b)) - Math.sign(calls(a)) || Math.sign(b.unread) - Math.sign(a.unread) || place(a) - place(b);
}

function useRoomsFor(chat: Chat, query: string): RoomRow[] {
  const rooms = useRooms(chat);
  // Names that come while it is open make rooms found.
  const names = useView(chat.client.people.view);
  const groups = useView(chat.groupNames.view);
  // biome-ignore lint/correctness/useExhaustiveDependencies: names are read where they are kept
  return useMemo(() => {
    const order = byNeed(recentRooms());
    return rooms
      .flatMap((room) => {
        const score = closeness(roomName(chat, room), query);
        return score === null ? [] : { room, score: room.archived ? score - 300 : score };
      })
      .sort((a, b) => b.score - a.score || order(a.room, b.room))
      .slice(0, ROOMS_MAX)
      .map(({ room }) => room);
  }, [chat, rooms, query, names, groups]);
}

/** What was found for other letters stays until there is something new: it is shown if it still fits. */
const fits = ({ name, fullName }: Person, query: string) =>
  closeness(name, query) !== null || closeness(fullName, query) !== null;

/** What the server finds, after a pause; nothing without it: then there are the rooms that are known. */
function useHits(query: string): readonly SearchHit[] {
  const { api, client } = useChat();
  const ask = async () => {
    const { hits, users } = await api.searchMessages({ q: query, limit: HITS_MAX });
    client.people.learn(users);
    return hits;
  };
  return useList<SearchHit>(query.length < LETTERS ? null : query, ask, PAUSE).rows ?? [];
}

type Channel = Awaited<ReturnType<Chat['api']['searchRooms']>>['rooms'][number];

/** Those that I am in are among the rooms. */
function useChannels(query: string): readonly Channel[] {
  const { api } = useChat();
  const ask = async () => {
    const { rooms } = await api.searchRooms({ q: query });
    return rooms.filter(({ kind, member }) => kind === 'channel' && !member);
  };
  return useList<Channel>(query === '' ? null : query, ask, PAUSE).rows ?? [];
}

export default function Switcher({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const [, navigate] = useLocation();
  const [written, setWritten] = useState('');
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const query = written.trim();
  const rooms = useRoomsFor(chat, query);
  const { people } = usePeople(query);
  const channels = useChannels(query);
  const hits = useHits(query);
  const going = useAct();
  const to = (path: string) => () => {
    onClose();
    navigate(path);
  };

  /** Where one has to be let in first: the window stays until then, and says what is in the way. */
  const after = (way: () => Promise<unknown>) => async () => {
    if (!going.busy && (await going.act(way))) onClose();
  };

  const options: Option[] = rooms.map((room) => ({
    key: `r${room.id}`,
    group: t.switcher.rooms,
    line: <RoomLine room={room} />,
    go: to(roomPath(room.id)),
  }));
  if (query !== '') {
    const mine = new Set(rooms.map(({ id }) => id));
    for (const channel of channels
      .filter(({ id, name }) => !mine.has(id) && closeness(name, query) !== null)
      .slice(0, CHANNELS_MAX)) {
      options.push({
        key: `c${channel.id}`,
        group: t.switcher.channels,
        line: (
          <>
            <Hash size={16} aria-hidden />
            <span className={ui.optionName}>{channel.name}</span>
            <span className={styles.hint}>{t.rooms.members(channel.memberCount)}</span>
          </>
        ),
        go: after(async () => {
          await chat.client.send('member.join', { room: channel.id });
          navigate(roomPath(channel.id));
        }),
      });
    }
    // Whoever has a room with me is among the rooms.
    const known = new Set(rooms.map(({ peer }) => peer));
    for (const person of (people ?? [])
      .filter((person) => !known.has(person.id) && fits(person, query))
      .slice(0, PEOPLE_MAX)) {
      options.push({
        key: `p${person.id}`,
        group: t.switcher.people,
        line: <PersonLine person={person} />,
        go: after(() => openDirect(chat, navigate, person.id)),
      });
    }
    for (const hit of hits) {
      options.push({
        key: `m${hit.message.id}`,
        group: t.switcher.messages,
        line: <HitLine hit={hit} />,
        go: to(roomPath(hit.message.room, hit.message.seq)),
      });
    }
    options.push({
      key: 'search',
      group: t.switcher.messages,
      line: (
        <>
          <Search size={16} aria-hidden />
          <span className={ui.optionName}>{t.switcher.search(query)}</span>
        </>
      ),
      go: to(queryPath({ ...NO_FILTER, text: query })),
    });
  }
  const at = Math.min(chosen, options.length - 1);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, at]);

  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const by = event.key === 'ArrowDown' ? 1 : -1;
      setChosen((at + by + options.length) % Math.max(1, options.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      options[at]?.go();
    }
  };
  return (
    <Dialog title={t.switcher.title} onClose={onClose} bare className={styles.switcher}>
      <input
        name="switcher"
        className={styles.box}
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={options.length > 0 ? `${id}-${at}` : undefined}
        aria-label={t.switcher.title}
        placeholder={t.switcher.title}
        autoComplete="off"
        autoFocus
        value={written}
        onChange={(event) => {
          setWritten(event.target.value);
          setChosen(0);
        }}
        onKeyDown={press}
      />
      <div id={id} role="listbox" aria-label={t.switcher.title} className={styles.options}>
        {options.map(({ key, group, line, go }, index) => (
          <div key={key} role="presentation">
            {(index === 0 || options[index - 1]?.group !== group) && (
              <p className={styles.group} role="presentation">
                {group}
              </p>
            )}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys are pressed in the box above */}
            <div
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              className={`${ui.option} ${styles.option}`}
              onClick={go}
              onPointerMove={() => setChosen(index)}
            >
              {line}
            </div>
          </div>
        ))}
      </div>
      <Outcome error={going.error} done={false} />
      {options.length === 0 && <p className={styles.none}>{t.switcher.none}</p>}
    </Dialog>
  );
}

function RoomLine({ room }: { room: RoomRow }) {
  const chat = useChat();
  const { kind, peer, unread, mentions } = room;
  const calls = kind === 'direct' ? unread : mentions;
  return (
    <>
      {kind === 'direct' && peer !== null ? <Standing user={peer} size={22} /> : <KindIcon room={room} size={16} />}
      <span className={ui.optionName}>{roomName(chat, room) || '…'}</span>
      {room.archived && <span className={styles.hint}>{t.rooms.archived}</span>}
      {unread > 0 && (
        <span className={ui.count} data-calls={calls > 0 || undefined}>
          {calls > 0 ? calls : unread}
          <span className="hidden">
            {' '}
            {calls > 0 && kind !== 'direct' ? t.rooms.mentions(calls) : t.rooms.unread(unread)}
          </span>
        </span>
      )}
    </>
  );
}

function PersonLine({ person }: { person: Person }) {
  return (
    <>
      <Standing user={person.id} size={22} />
      <span className={ui.optionName}>{person.fullName || person.name}</span>
      {person.fullName && <span className={styles.hint}>@{person.name}</span>}
    </>
  );
}

function HitLine({ hit: { message, ranges } }: { hit: SearchHit }) {
  const author = useName(useChat(), message.author);
  return (
    <>
      <span className={ui.optionName}>
        <b>{author}</b>{' '}
        {excerptOf(message.text, ranges, ONE_LINE).map(({ text, marked, at }) =>
          marked ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
        )}
      </span>
      <span className={styles.hint}>{showStamp(message.at)}</span>
    </>
  );
}

/** What a name that was begun may become: people and groups of them, rooms, emoji; those of lately first. */
import type { RoomRow } from '@natter/client';
import type { UserGroup } from '@natter/protocol';
import { Users, UsersRound } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useState } from 'react';
import { type Chat, useChat, useRooms } from '../chat/chat.js';
import { useList } from '../chat/pages.js';
import { type Emoji, findEmoji, loadEmoji, noteUse, tone, toned } from '../emoji/emoji.js';
import { FIND_PAUSE, type Person, usePeople } from '../people/find.js';
import { KindIcon } from '../rooms/KindIcon.js';
import { recentRooms } from '../switcher/recent.js';
import { t } from '../texts/texts.js';
import type { Talk } from '../timeline/talk.js';
import { Avatar } from '../ui/Avatar.js';
import ui from '../ui/ui.module.css';
import styles from './Completion.module.css';
import type { Token } from './token.js';

const SHOWN = 8;
/** Of these, at most so many are groups. */
const GROUPS_SHOWN = 3;

interface Option {
  readonly key: string;
  /** What is written in place of the token. */
  readonly insert: string;
  readonly line: ReactNode;
  readonly chosen?: () => void;
}

export interface Completion {
  /** Takes the keys that choose; false for all others. */
  press(event: KeyboardEvent): boolean;
  /** For the text area: what is chosen now. */
  readonly aria: { 'aria-autocomplete': 'list'; 'aria-controls'?: string; 'aria-activedescendant'?: string };
  readonly list: ReactNode;
}

interface CompletionInput {
  token: Token | null;
  room: RoomRow;
  conversation: Talk;
  onChoose: (insert: string) => void;
  onClose: () => void;
}

export function useCompletion({ token, room, conversation, onChoose, onClose }: CompletionInput): Completion {
  const id = useId();
  const people = usePersonOptions(token, room, conversation);
  const rooms = useRoomOptions(token);
  const emoji = useEmojiOptions(token);
  const options = token === null ? [] : token.sign === '@' ? people : token.sign === '#' ? rooms : emoji;
  const [at, setAt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another beginning begins at the top
  useEffect(() => setAt(0), [token?.letters, token?.at]);
  const now = Math.min(at, options.length - 1);
  const open = options.length > 0;
  const choose = (option: Option) => {
    option.chosen?.();
    onChoose(option.insert);
  };
  return {
    press(event) {
      const option = options[now];
      if (!open || !option || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
      if (event.key === 'ArrowDown') setAt((now + 1) % options.length);
      else if (event.key === 'ArrowUp') setAt((now - 1 + options.length) % options.length);
      else if (event.key === 'Enter' || event.key === 'Tab') choose(option);
      else if (event.key === 'Escape') onClose();
      else return false;
      event.preventDefault();
      return true;
    },
    aria: {
      'aria-autocomplete': 'list',
      ...(open ? { 'aria-controls': id, 'aria-activedescendant': `${id}-${now}` } : {}),
    },
    list: open && (
      <div id={id} role="listbox" aria-label={t.composer.completions} className={styles.list}>
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are pressed where one writes
          <div
            key={option.key}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === now}
            className={`${ui.option} ${styles.option}`}
            // The focus stays where one writes.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(option)}
            onPointerMove={() => setAt(index)}
          >
            {option.line}
          </div>
        ))}
      </div>
    ),
  };
}

/** Those who spoke here last, the last one first. */
function recentPeople({ client, me }: Chat, conversation: Talk): Person[] {
  const found = new Map<number, Person>();
  for (const { author } of conversation.messages().slice(-200).reverse()) {
    const name = client.people.view.getSnapshot().get(author);
    if (author !== me && name && !found.has(author)) found.set(author, { id: author, ...name });
  }
  return [...found.values()];
}

const EVERYONE = 'room';

const NO_GROUPS: readonly UserGroup[] = [];

/** User groups whose names have the letters; in a direct room there is nobody whom a group would call. */
function useGroups(asked: string | null, room: RoomRow): readonly UserGroup[] {
  const { usergroups } = useChat();
  const wanted = room.kind === 'direct' ? null : asked;
  const ask = () => usergroups.find(wanted ?? '');
  // Without an answer one writes the name oneself.
  return useList<UserGroup>(wanted, ask, wanted === '' ? 0 : FIND_PAUSE).rows ?? NO_GROUPS;
}

function usePersonOptions(token: Token | null, room: RoomRow, conversation: Talk): readonly Option[] {
  const chat = useChat();
  const asked = token?.sign === '@' ? token.letters : null;
  const { people: found, outside } = usePeople(asked, room.id);
  const groups = useGroups(asked, room);
  return useMemo(() => {
    if (asked === null) return [];
    const wanted = asked.toLowerCase();
    const fits = ({ name, fullName }: Person) =>
      name.toLowerCase().startsWith(wanted) ||
      fullName
        .toLowerCase()
        .split(/\s+/)
        .some((word) => word.startsWith(wanted));
    const people = new Map<number, Person>();
    for (const person of recentPeople(chat, conversation)) {
      if (fits(person) && !outside.has(person.id)) people.set(person.id, person);
    }
    // Those in the room come first, and nobody else is called.
    for (const person of found ?? []) if (!people.has(person.id)) people.set(person.id, person);
    // Nobody is called by a group without anybody in it. What was found for other letters is sorted out until the answer comes.
    const called = groups
      .filter(({ name, members }) => members.length > 0 && name.toLowerCase().includes(wanted))
      .slice(0, GROUPS_SHOWN);
    const options: Option[] = [...people.values()].slice(0, SHOWN - called.length).map((person) => ({
      key: String(person.id),
      insert: `@${person.name}`,
      line: (
        <>
          <Avatar user={person.id} size={22} />
          <span>{person.fullName || person.name}</span>
          {person.fullName && <span className={styles.hint}>@{person.name}</span>}
          {outside.has(person.id) && <span className={`${styles.hint} ${styles.outside}`}>{t.composer.outside}</span>}
        </>
      ),
    }));
    for (const { id, name, members, description } of called) {
      const line = (
        <>
          <UsersRound size={18} aria-hidden />
          <span>@{name}</span>
          <span className={styles.hint}>{description || t.composer.group(members.length)}</span>
        </>
      );
      options.push({ key: `group ${id}`, insert: `@${name}`, line });
    }
    const mayCallAll = room.kind === 'group' || (room.kind === 'channel' && room.role !== 'member');
    if (mayCallAll && EVERYONE.startsWith(wanted)) {
      const line = (
        <>
          <Users size={18} aria-hidden />
          <span>@{EVERYONE}</span>
          <span className={styles.hint}>{t.composer.everyone}</span>
        </>
      );
      options.push({ key: EVERYONE, insert: `@${EVERYONE}`, line });
    }
    return options;
  }, [asked, found, outside, groups, chat, conversation, room.kind, room.role]);
}

function useRoomOptions(token: Token | null): readonly Option[] {
  const chat = useChat();
  const rooms = useRooms(chat);
  const asked = token?.sign === '#' ? token.letters.toLowerCase() : null;
  return useMemo(() => {
    if (asked === null) return [];
    const recent = recentRooms();
    const place = (room: number) => (recent.includes(room) ? recent.indexOf(room) : recent.length);
    return rooms
      .filter(({ kind, name, archived }) => kind === 'channel' && !archived && name.toLowerCase().includes(asked))
      .sort((a, b) => place(a.id) - place(b.id))
      .slice(0, SHOWN)
      .map((room) => ({
        key: String(room.id),
        insert: `#${room.name}`,
        line: (
          <>
            <KindIcon room={room} size={16} />
            <span>{room.name}</span>
            {room.topic && <span className={styles.hint}>{room.topic}</span>}
          </>
        ),
      }));
  }, [asked, rooms]);
}

function useEmojiOptions(token: Token | null): readonly Option[] {
  const [all, setAll] = useState<readonly Emoji[] | null>(null);
  const asked = token?.sign === ':' ? token.letters : null;
  useEffect(() => {
    // Without them there is nothing to choose from, and one writes on.
    if (asked !== null) loadEmoji().then(setAll, () => {});
  }, [asked]);
  return useMemo(() => {
    if (asked === null || !all) return [];
    return findEmoji(all, asked, SHOWN).map((one) => ({
      key: one.emoji,
      insert: toned(one, tone()),
      chosen: () => noteUse(one.emoji),
      line: (
        <>
          <span className={styles.emoji}>{toned(one, tone())}</span>
          <span>:{one.codes[0]}:</span>
        </>
      ),
    }));
  }, [asked, all]);
}

/** My rooms: people, groups and channels, each with what I have not read. */
import type { RoomRow } from '@natter/client';
import { AtSign, ChevronDown, Inbox, type LucideIcon, Plus, Search, SquarePen } from 'lucide-react';
import { lazy, memo, Suspense, useMemo, useState } from 'react';
import { useRoute } from 'wouter';
import { useChat, useRooms, useView } from '../chat/chat.js';
import { useRoomName } from '../chat/room-name.js';
import { Me } from '../people/Me.js';
import { MENTIONS, roomPath, SEARCH, UNREAD } from '../routes.js';
import { t } from '../texts/texts.js';
import { Avatar, Standing } from '../ui/Avatar.js';
import { IconButton } from '../ui/Button.js';
import { Link } from '../ui/Link.js';
import ui from '../ui/ui.module.css';
import { KindIcon } from './KindIcon.js';
import { openPanel, panelView } from './panel.js';
import styles from './RoomList.module.css';

const Panels = lazy(() => import('./Panels.js'));

type Section = 'direct' | 'groups' | 'channels';
const SECTIONS: readonly Section[] = ['channels', 'groups', 'direct'];
const OF_KIND = { direct: 'direct', group: 'groups', channel: 'channels' } as const;

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Channels by name, where one finds them again; people by who spoke last. */
function sorted(section: Section, rooms: RoomRow[]): RoomRow[] {
  if (section === 'channels') return rooms.sort((a, b) => byName.compare(a.name, b.name));
  const when = (room: RoomRow) => room.lastMessageAt ?? room.createdAt;
  return rooms.sort((a, b) => (when(a) < when(b) ? 1 : -1));
}

export function RoomList({ current }: { current: number | null }) {
  const chat = useChat();
  const rooms = useRooms(chat);
  const panel = useView(panelView);
  const [searching] = useRoute(SEARCH);
  const sections = useMemo(() => {
    const found: Record<Section, RoomRow[]> = { direct: [], groups: [], channels: [] };
    for (const room of rooms) if (!room.archived) found[OF_KIND[room.kind]].push(room);
    for (const section of SECTIONS) sorted(section, found[section]);
    return found;
  }, [rooms]);
  return (
    <>
      <header className={styles.head}>
        <Me />
        <Link
          href={SEARCH}
          className={ui.icon}
          aria-label={t.search.title}
          title={t.search.title}
          aria-current={searching ? 'page' : undefined}
        >
          <Search size={18} strokeWidth={1.75} aria-hidden />
        </Link>
        <IconButton icon={SquarePen} label={t.rooms.create} data-pressed-by="+" onClick={() => openPanel('create')} />
      </header>
      <div className={styles.rooms}>
        <ul className={styles.views}>
          <View href={UNREAD} icon={Inbox} label={t.inbox.unread} />
          <View href={MENTIONS} icon={AtSign} label={t.inbox.mentions} />
        </ul>
        {SECTIONS.map((section) => (
          <Part key={section} section={section} rooms={sections[section]} current={current} />
        ))}
      </div>
      {panel && (
        <Suspense>
          <Panels panel={panel} />
        </Suspense>
      )}
    </>
  );
}

function View({ href, icon, label }: { href: string; icon: LucideIcon; label: string }) {
  const [here] = useRoute(href);
  return (
    <li>
      <Link href={href} className={`${ui.option} ${styles.entry}`} aria-current={here ? 'page' : undefined}>
        <Name icon={icon} label={label} />
      </Link>
    </li>
  );
}

function Name({ icon: Icon, label }: { icon: LucideIcon; label: string }) {
  return (
    <>
      <span className={styles.sign}>
        <Icon size={16} strokeWidth={1.75} aria-hidden />
      </span>
      <span className={ui.optionName}>{label}</span>
    </>
  );
}

const ADD: Record<Section, { label: string; panel: 'create' | 'direct' | 'browse'; icon: LucideIcon; key?: string }> = {
  direct: { label: t.rooms.message, panel: 'direct', icon: Plus, key: 'w' },
  groups: { label: t.rooms.create, panel: 'create', icon: Plus },
  channels: { label: t.rooms.browse, panel: 'browse', icon: Search, key: 'b' },
};

function Part({ section, rooms, current }: { section: Section; rooms: readonly RoomRow[]; current: number | null }) {
  const key = `natter:folded:${section}`;
  const [folded, setFolded] = useState(() => localStorage.getItem(key) === '1');
  const fold = () => {
    localStorage.setItem(key, folded ? '0' : '1');
    setFolded(!folded);
  };
  // What is unread stays in sight.
  const shown = folded ? rooms.filter(({ id, unread }) => id === current || unread > 0) : rooms;
  if (section === 'groups' && rooms.length === 0) return null;
  const { label, panel, icon, key: pressedBy } = ADD[section];
  return (
    <section className={styles.part} aria-label={t.rooms[section]}>
      <div className={styles.partHead}>
        <h2>
          <button type="button" aria-expanded={!folded} onClick={fold}>
            <ChevronDown size={14} aria-hidden /> {t.rooms[section]}
          </button>
        </h2>
        {rooms.length > 0 && (
          <IconButton small icon={icon} label={label} data-pressed-by={pressedBy} onClick={() => openPanel(panel)} />
        )}
      </div>
      <ul>
        {rooms.length === 0 && !folded && (
          <li>
            <button
              type="button"
              className={`${ui.option} ${styles.entry}`}
              data-pressed-by={pressedBy}
              onClick={() => openPanel(panel)}
            >
              <Name icon={icon} label={label} />
            </button>
          </li>
        )}
        {shown.map((room) => (
          <Entry key={room.id} room={room} current={room.id === current} />
        ))}
      </ul>
    </section>
  );
}

const Entry = memo(function Entry({ room, current }: { room: RoomRow; current: boolean }) {
  const chat = useChat();
  const name = useRoomName(chat, room);
  const { unread, mentions, kind } = room;
  // Everything said to me alone calls me.
  const calls = kind === 'direct' ? unread : mentions;
  return (
    <li>
      <Link
        href={roomPath(room.id)}
        className={`${ui.option} ${styles.entry}`}
        data-room={room.id}
        data-unread={unread > 0 || undefined}
        aria-current={current ? 'page' : undefined}
      >
        <Sign room={room} />
        <span className={ui.optionName}>{name || '…'}</span>
        {unread > 0 && (
          <span className={ui.count} data-calls={calls > 0 || undefined}>
            <span aria-hidden>{short(calls > 0 ? calls : unread)}</span>
            <span className="hidden">
              {calls > 0 && kind !== 'direct' ? t.rooms.mentions(calls) : t.rooms.unread(unread)}
            </span>
          </span>
        )}
      </Link>
    </li>
  );
});

function short(count: number): string {
  return count > 999 ? '999+' : String(count);
}

function Sign({ room }: { room: RoomRow }) {
  const size = 24;
  if (room.kind === 'direct') {
    return room.peer === null ? <Avatar user={0} size={size} /> : <Standing user={room.peer} size={size} />;
  }
  return (
    <span className={styles.sign}>
      <KindIcon room={room} size={room.kind === 'channel' && room.visibility === 'public' ? 17 : 15} />
    </span>
  );
}

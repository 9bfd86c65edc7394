/** The page of whoever is logged in: rooms to the left, what is read in the middle. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { Redirect, Route, Switch, useLocation, useRoute } from 'wouter';
import { useChat, useRooms, useView } from '../chat/chat.js';
import { RoomList } from '../rooms/RoomList.js';
import { ADMIN, HOME, ROOM, roomIn, roomPath, SEARCH, SETTINGS, searchPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Banner } from './Banner.js';
import styles from './Home.module.css';
import { lastRoom, rememberRoom } from './last-room.js';
import { Room } from './Room.js';
import { stepRegion } from './regions.js';
import { useDocumentTitle } from './title.js';
import { Welcome } from './Welcome.js';

const Search = lazy(() => import('../search/Search.js'));
const Settings = lazy(() => import('../settings/Settings.js'));
const Admin = lazy(() => import('../admin/Admin.js'));

export function Home() {
  const [path, go] = useLocation();
  const room = roomIn(path);
  useDocumentTitle();
  useEffect(() => {
    if (room !== null) rememberRoom(room);
  }, [room]);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'F6') {
        event.preventDefault();
        stepRegion(event.shiftKey ? -1 : 1);
      } else if (asksForSearch(event)) {
        event.preventDefault();
        const box = document.querySelector<HTMLElement>('[data-search]');
        // With the modifiers it is about where one is.
        if (box) box.focus();
        else go(searchPath(event.key === '/' ? null : room));
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [go, room]);
  return (
    <div className={styles.home} data-home data-at-home={path === HOME || undefined}>
      <nav className={styles.side} data-region tabIndex={-1} aria-label={t.rooms.title}>
        <RoomList current={room} />
      </nav>
      <div className={styles.middle}>
        <Banner />
        <Suspense>
          <Switch>
            <Route path={ROOM}>
              {({ room: id, seq }) => <Room key={id} id={Number(id)} target={seq === undefined ? null : Number(seq)} />}
            </Route>
            <Route path={SEARCH}>
              <Search />
            </Route>
            <Route path={`${SETTINGS}/:part?`}>
              <Settings />
            </Route>
            <Route path={`${ADMIN}/:part?/:id?`}>
              <Admin />
            </Route>
            <Route>
              <Start />
            </Route>
          </Switch>
        </Suspense>
      </div>
    </div>
  );
}

/** `/` where nothing is being written, and Ctrl+Shift+F or its like anywhere. */
function asksForSearch(event: KeyboardEvent): boolean {
  const { key, ctrlKey, metaKey, altKey, shiftKey, target } = event;
  if (document.querySelector('dialog[open]')) return false;
  if ((ctrlKey || metaKey) && shiftKey && !altKey) return key.toLowerCase() === 'f';
  const writing = target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
  return key === '/' && !writing && !ctrlKey && !metaKey && !altKey;
}

/** Wide pages begin in the room that was read last; a phone shows the list. */
function Start() {
  const chat = useChat();
  const rooms = useRooms(chat);
  const { state } = useView(chat.client.connection);
  const [wide] = useState(() => matchMedia('(min-width: 46rem)').matches);
  const last = lastRoom();
  const [atHome] = useRoute(HOME);
  if (!atHome) return <Redirect to={HOME} replace />;
  if (wide && last !== null && rooms.some(({ id }) => id === last)) return <Redirect to={roomPath(last)} replace />;
  if (rooms.length === 0 && state !== 'live') return null;
  return <Welcome />;
}

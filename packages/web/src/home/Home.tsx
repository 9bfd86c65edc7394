/** The page of whoever is logged in: rooms to the left, what is read in the middle. */
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { Redirect, Route, Switch, useLocation, useRoute } from 'wouter';
import { useChat, useRooms, useView } from '../chat/chat.js';
import { RoomList } from '../rooms/RoomList.js';
import { ADMIN, HOME, MENTIONS, ROOM, roomIn, roomPath, SEARCH, SETTINGS, UNREAD } from '../routes.js';
import { t } from '../texts/texts.js';
import { Banner } from './Banner.js';
import styles from './Home.module.css';
import { usePageKeys, type Window } from './keys.js';
import { lastRoom, rememberRoom } from './last-room.js';
import { useNotifications } from './notifications.js';
import { Room } from './Room.js';
import { useDocumentTitle } from './title.js';
import { Welcome } from './Welcome.js';

const Search = lazy(() => import('../search/Search.js'));
const Settings = lazy(() => import('../settings/Settings.js'));
const Admin = lazy(() => import('../admin/Admin.js'));
const Unread = lazy(() => import('../inbox/Unread.js'));
const Mentions = lazy(() => import('../inbox/Mentions.js'));
const Switcher = lazy(() => import('../switcher/Switcher.js'));
const KeySheet = lazy(() => import('./KeySheet.js'));

export function Home() {
  const [path] = useLocation();
  const room = roomIn(path);
  useDocumentTitle();
  useNotifications();
  useEffect(() => {
    if (room !== null) rememberRoom(room);
  }, [room]);
  const [shown, setShown] = useState<Window | null>(null);
  usePageKeys(useCallback((window) => setShown((now) => (now === window ? null : window)), []));
  const close = useCallback(() => setShown(null), []);
  return (
    <div className={styles.home} data-home data-at-home={path === HOME || undefined}>
      <Banner />
      <nav className={styles.side} data-region tabIndex={-1} aria-label={t.rooms.title}>
        <RoomList current={room} />
      </nav>
      <div className={styles.middle}>
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
            <Route path={UNREAD}>
              <Unread />
            </Route>
            <Route path={MENTIONS}>
              <Mentions />
            </Route>
            <Route>
              <Start />
            </Route>
          </Switch>
        </Suspense>
      </div>
      <Suspense>
        {shown === 'switcher' && <Switcher onClose={close} />}
        {shown === 'sheet' && <KeySheet onClose={close} />}
      </Suspense>
    </div>
  );
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

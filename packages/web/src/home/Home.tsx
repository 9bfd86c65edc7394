/** The page of whoever is logged in: rooms to the left, what is read in the middle. */
import { Suspense, useEffect, useState } from 'react';
import { Redirect, Route, Switch, useLocation, useRoute } from 'wouter';
import { useChat, useRooms, useView } from '../chat/chat.js';
import { RoomList } from '../rooms/RoomList.js';
import { HOME, ROOM, roomIn, roomPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Banner } from './Banner.js';
import styles from './Home.module.css';
import { lastRoom, rememberRoom } from './last-room.js';
import { Room } from './Room.js';
import { stepRegion } from './regions.js';
import { useDocumentTitle } from './title.js';
import { Welcome } from './Welcome.js';

export function Home() {
  const [path] = useLocation();
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
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
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
            <Route>
              <Start />
            </Route>
          </Switch>
        </Suspense>
      </div>
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

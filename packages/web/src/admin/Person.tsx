/** One account: what it is, where it is logged in, and what an admin may do to it. */
import type { Account, User } from '@natter/protocol';
import { ChevronLeft } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useLocation } from 'wouter';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { openDirect } from '../rooms/direct.js';
import { adminPath } from '../routes.js';
import { SessionRow } from '../settings/SessionRow.js';
import { showStamp, t } from '../texts/texts.js';
import { Avatar } from '../ui/Avatar.js';
import { useAct } from '../ui/act.js';
import { Button } from '../ui/Button.js';
import { Confirm } from '../ui/Confirm.js';
import { Link } from '../ui/Link.js';
import { Outcome } from '../ui/Outcome.js';
import { Rows } from '../ui/Rows.js';
import ui from '../ui/ui.module.css';
import styles from './Admin.module.css';
import { Badges } from './People.js';

export function Person({ id }: { id: number }) {
  const { api, client } = useChat();
  const found = usePages<Account | User, never>('', async () => {
    const person = await api.user(id);
    client.people.learn({ [id]: { name: person.name, fullName: person.fullName } });
    return { rows: [person], next: null };
  });
  return (
    <>
      <Link href={adminPath('people')} className={styles.up}>
        <ChevronLeft size={18} aria-hidden /> {t.admin.allPeople}
      </Link>
      <Rows pages={found} label={t.admin.person}>
        {(person) => (
          <li key={person.id}>
            <Details person={person} changed={found.again} />
          </li>
        )}
      </Rows>
    </>
  );
}

function Details({ person, changed }: { person: Account | User; changed: () => void }) {
  const chat = useChat();
  const [, go] = useLocation();
  const { id, name, fullName, status, role } = person;
  const opening = useAct();
  const gone = status === 'deleted';
  const email = 'email' in person ? person.email : null;
  return (
    <>
      <div className={styles.who}>
        <Avatar user={id} size={56} />
        <div className={styles.names}>
          <h2>{fullName || name}</h2>
          <p className={ui.hint}>@{name}</p>
        </div>
        <Badges person={person} />
      </div>
      <dl className={styles.facts}>
        <Fact name={t.settings.email}>{email ?? t.admin.noEmail}</Fact>
        <Fact name={t.admin.since}>{showStamp(person.createdAt)}</Fact>
        <Fact name={t.admin.seen}>
          {person.online ? t.people.online : person.lastSeenAt ? showStamp(person.lastSeenAt) : t.admin.never}
        </Fact>
        {person.about && <Fact name={t.settings.about}>{person.about}</Fact>}
      </dl>
      {!gone && (
        <>
          {status === 'active' && id !== chat.me && (
            <>
              <Button onClick={() => void opening.act(() => openDirect(chat, go, id))}>{t.rooms.message}</Button>
              <Outcome error={opening.error} done={false} />
            </>
          )}
          <Power person={person} changed={changed} role={role} />
          <PersonSessions id={id} />
        </>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type Question = 'role' | 'active' | 'delete' | null;

/** Each is said before it is done. */
function Power({ person, role, changed }: { person: User; role: User['role']; changed: () => void }) {
  const { api, me, session } = useChat();
  const [asked, setAsked] = useState<Question>(null);
  const { busy, error, act } = useAct();
  const { id, name, status, verified } = person;
  const shown = person.fullName || name;
  const admin = role === 'admin';
  const active = status === 'active';
  const done = async (what: Promise<unknown>) => {
    await what;
    changed();
    if (id === me) session.changed(await api.me());
  };
  const close = () => setAsked(null);
  return (
    <section className={styles.power} aria-labelledby="power">
      <h3 id="power">{t.admin.power}</h3>
      <Outcome error={error} done={false} />
      <div className={styles.buttons}>
        <Button onClick={() => setAsked('role')}>{admin ? t.admin.toUser : t.admin.toAdmin}</Button>
        <Button disabled={busy} onClick={() => void act(() => done(api.setUserVerified(id, !verified)))}>
          {verified ? t.admin.unverify : t.admin.verify}
        </Button>
        <Button onClick={() => setAsked('active')}>{active ? t.admin.deactivate : t.admin.reactivate}</Button>
        <Button onClick={() => setAsked('delete')}>{t.admin.delete}</Button>
      </div>
      {asked === 'role' && (
        <Confirm
          title={admin ? t.admin.toUserTitle(shown) : t.admin.toAdminTitle(shown)}
          hint={admin ? t.admin.toUserHint : t.admin.toAdminHint}
          go={admin ? t.admin.toUser : t.admin.toAdmin}
          onClose={close}
          act={() => done(api.setUserRole(id, admin ? 'user' : 'admin'))}
        />
      )}
      {asked === 'active' && (
        <Confirm
          title={active ? t.admin.deactivateTitle(shown) : t.admin.reactivateTitle(shown)}
          hint={active ? t.admin.deactivateHint : t.admin.reactivateHint}
          go={active ? t.admin.deactivate : t.admin.reactivate}
          onClose={close}
          act={() => done(api.setUserActive(id, !active))}
        />
      )}
      {asked === 'delete' && (
        <Confirm
          title={t.admin.deleteTitle(shown)}
          hint={t.admin.deleteHint}
          word={name}
          go={t.admin.delete}
          onClose={close}
          act={() => done(api.deleteUser(id))}
        />
      )}
    </section>
  );
}

function PersonSessions({ id }: { id: number }) {
  const { api } = useChat();
  const sessions = usePages(`${id}`, async () => ({ rows: (await api.userSessions(id)).sessions, next: null }));
  const { busy, error, act } = useAct();
  const end = () =>
    act(async () => {
      await api.endUserSessions(id);
      sessions.again();
    });
  return (
    <section className={styles.power} aria-labelledby="sessions">
      <h3 id="sessions">{t.settings.parts.sessions}</h3>
      <Outcome error={error} done={false} />
      <Rows pages={sessions} label={t.settings.parts.sessions} none={<p className={ui.hint}>{t.admin.noSessions}</p>}>
        {(one) => <SessionRow key={one.id} session={one} />}
      </Rows>
      {sessions.rows && sessions.rows.length > 0 && (
        <Button disabled={busy} onClick={() => void end()}>
          {t.admin.endSessions}
        </Button>
      )}
    </section>
  );
}

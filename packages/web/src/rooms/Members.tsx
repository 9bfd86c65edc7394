/** Who is in a room, as what; and for those who run it, what can be done about that. */
import type { RoomRow } from '@natter/client';
import type { Member } from '@natter/protocol';
import * as Menu from '@radix-ui/react-dropdown-menu';
import { Ellipsis, UserPlus } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { PeoplePicker, type Person } from '../people/PeoplePicker.js';
import { showError, t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Spinner } from '../ui/Empty.js';
import menu from '../ui/Menu.module.css';
import { Problem } from '../ui/Problem.js';
import ui from '../ui/ui.module.css';
import styles from './Details.module.css';
import { openDirect } from './direct.js';

const RANK = { member: 0, admin: 1, owner: 2 } as const;
const ROLES = ['owner', 'admin', 'member'] as const;

/** Those who are in a public channel may bring others, who could come by themselves. */
function mayInvite(room: RoomRow): boolean {
  if (room.kind === 'direct' || room.archived) return false;
  return room.role !== 'member' || (room.kind === 'channel' && room.visibility === 'public');
}

export function Members({ room }: { room: RoomRow }) {
  const { api, client } = useChat();
  const [inviting, setInviting] = useState(false);
  const [problem, setProblem] = useState('');
  const { rows, more, busy, error, again } = usePages<Member, number>(String(room.id), async (after) => {
    const page = await api.members(room.id, { limit: 100, ...(after === undefined ? {} : { after }) });
    client.people.learn(Object.fromEntries(page.members.map(({ user }) => [user.id, user])));
    return { rows: page.members, next: page.next };
  });
  useEffect(() => {
    const types = ['member.joined', 'member.left', 'member.removed', 'member.changed'] as const;
    const stops = types.map((type) => client.on(type, ({ stream }) => stream === room.id && again()));
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, room.id, again]);
  const ordered = rows?.toSorted((a, b) => RANK[b.role] - RANK[a.role]);
  return (
    <>
      <div className={ui.row}>
        <p className={`${ui.hint} ${styles.total}`}>{t.rooms.members(room.memberCount)}</p>
        {mayInvite(room) && (
          <Button onClick={() => setInviting(true)}>
            <UserPlus size={16} aria-hidden /> {t.details.invite}
          </Button>
        )}
      </div>
      {error && <Problem error={error} again={again} />}
      {problem && (
        <p role="alert" className={ui.problem}>
          {problem}
        </p>
      )}
      {busy && !rows && <Spinner label={t.timeline.loading} />}
      <ul className={ui.list}>
        {ordered?.map((member) => (
          <Entry key={member.user.id} member={member} room={room} failed={setProblem} />
        ))}
      </ul>
      {more && (
        <Button onClick={more} disabled={busy}>
          {t.browse.more}
        </Button>
      )}
      {inviting && <Invite room={room} onClose={() => setInviting(false)} />}
    </>
  );
}

function Entry({ member, room, failed }: { member: Member; room: RoomRow; failed: (problem: string) => void }) {
  const chat = useChat();
  const { client, me } = chat;
  const [, go] = useLocation();
  const { user, role } = member;
  const mine = RANK[room.role];
  const mayRemove = user.id !== me && !room.archived && mine > RANK[role];
  const mayChange = room.role === 'owner' && !room.archived;
  const run = (work: Promise<unknown>) => {
    failed('');
    work.catch((error) => failed(showError(error)));
  };
  return (
    <li className={styles.member}>
      <Standing user={user.id} size={28} />
      <span className={styles.who}>
        <span>
          {user.fullName || user.name}
          {user.id === me && ` (${t.people.you})`}
        </span>
        <span className={ui.hint}>@{user.name}</span>
      </span>
      {role !== 'member' && <span className={styles.role}>{t.details.roles[role]}</span>}
      <Menu.Root modal={false}>
        <Menu.Trigger className={ui.icon} data-small aria-label={t.details.about(user.fullName || user.name)}>
          <Ellipsis size={16} aria-hidden />
        </Menu.Trigger>
        {/* In the landmark that it belongs to. */}
        <Menu.Portal container={document.querySelector('aside')}>
          <Menu.Content className={menu.menu} align="end" collisionPadding={8} loop>
            {user.id !== me && (
              <Menu.Item className={`${ui.option} ${menu.item}`} onSelect={() => run(openDirect(chat, go, user.id))}>
                <span>{t.details.write}</span>
              </Menu.Item>
            )}
            {mayChange && (
              <Menu.RadioGroup
                value={role}
                onValueChange={(next) =>
                  run(client.send('member.change', { room: room.id, user: user.id, role: next as Member['role'] }))
                }
              >
                <Menu.Label className={menu.name}>{t.details.role}</Menu.Label>
                {ROLES.map((one) => (
                  <Menu.RadioItem key={one} value={one} className={`${ui.option} ${menu.item}`}>
                    <span>{t.details.roles[one]}</span>
                    <Menu.ItemIndicator>✓</Menu.ItemIndicator>
                  </Menu.RadioItem>
                ))}
              </Menu.RadioGroup>
            )}
            {mayRemove && (
              <>
                <Menu.Separator className={menu.line} />
                <Menu.Item
                  className={`${ui.option} ${menu.item}`}
                  data-danger
                  onSelect={() => run(client.send('member.remove', { room: room.id, user: user.id }))}
                >
                  <span>{t.details.remove}</span>
                </Menu.Item>
              </>
            )}
            {user.id === me && !mayChange && <Menu.Label className={menu.name}>{t.details.roles[role]}</Menu.Label>}
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </li>
  );
}

function Invite({ room, onClose }: { room: RoomRow; onClose: () => void }) {
  const { client } = useChat();
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const invite = async () => {
    setBusy(true);
    try {
      await client.send('member.add', { room: room.id, users: people.map(({ id }) => id) });
      onClose();
    } catch (error) {
      setProblem(showError(error as { code: string; message: string }));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t.details.invite} onClose={onClose}>
      <PeoplePicker label={t.create.people} chosen={people} onChange={setPeople} />
      {problem && (
        <p role="alert" className={ui.problem}>
          {problem}
        </p>
      )}
      <div className={ui.row} data-end>
        <Button onClick={onClose}>{t.message.cancel}</Button>
        <Button kind="main" onClick={() => void invite()} disabled={busy || people.length === 0}>
          {t.details.invite}
        </Button>
      </div>
    </Dialog>
  );
}

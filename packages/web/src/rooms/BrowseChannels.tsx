/** Channels that one may join, and those that one is in. */
import type { Api } from '@natter/client/api';
import { Hash, Lock } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { roomPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { useAct } from '../ui/act.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Spinner } from '../ui/Empty.js';
import { Field } from '../ui/Field.js';
import { Outcome } from '../ui/Outcome.js';
import { Problem } from '../ui/Problem.js';
import ui from '../ui/ui.module.css';

type Channel = Awaited<ReturnType<Api['searchRooms']>>['rooms'][number];
/** Milliseconds without a key before the server is asked. */
const PAUSE = 120;

export function BrowseChannels({ onClose }: { onClose: () => void }) {
  const { api, client } = useChat();
  const [, go] = useLocation();
  const [query, setQuery] = useState('');
  const {
    rows: found,
    busy,
    error,
    more,
    again,
  } = usePages<Channel, number>(
    query,
    async (after) => {
      const { rooms, next } = await api.searchRooms({
        limit: 50,
        ...(query === '' ? {} : { q: query }),
        ...(after === undefined ? {} : { after }),
      });
      return { rows: rooms.filter(({ kind }) => kind === 'channel'), next: query === '' ? next : null };
    },
    query === '' ? 0 : PAUSE,
  );
  const joining = useAct();
  const open = async (channel: Channel) => {
    const join = async () => void (await client.send('member.join', { room: channel.id }));
    if (!channel.member && !(await joining.act(join))) return;
    onClose();
    go(roomPath(channel.id));
  };
  return (
    <Dialog title={t.rooms.browse} onClose={onClose}>
      <Field
        label={t.browse.find}
        type="search"
        autoFocus
        autoComplete="off"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
      />
      {error && <Problem error={error} again={again} />}
      {busy && !found && <Spinner label={t.app.waiting} />}
      <Outcome error={joining.error} done={false} />
      {found?.length === 0 && !busy && (
        <p className={ui.hint}>{query === '' ? t.browse.none : t.browse.noneFor(query)}</p>
      )}
      <ul className={ui.list}>
        {found?.map((channel) => (
          <li key={channel.id} className={ui.item}>
            {channel.visibility === 'private' ? <Lock size={16} aria-hidden /> : <Hash size={16} aria-hidden />}
            <span className={ui.itemText}>
              <span>{channel.name}</span>
              <span className={ui.hint}>
                {t.rooms.members(channel.memberCount)}
                {channel.topic && ` · ${channel.topic}`}
              </span>
            </span>
            <Button kind={channel.member ? 'plain' : 'main'} disabled={joining.busy} onClick={() => void open(channel)}>
              {channel.member ? t.browse.open : t.browse.join}
              <span className="hidden"> {channel.name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {more && !error && (
        <Button onClick={more} disabled={busy}>
          {t.browse.more}
        </Button>
      )}
    </Dialog>
  );
}

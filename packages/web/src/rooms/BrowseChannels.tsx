/** Channels that one may join, and those that one is in. */
import type { Api } from '@natter/client/api';
import { Hash, Lock } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { useChat } from '../chat/chat.js';
import { roomPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import ui from '../ui/ui.module.css';

type Channel = Awaited<ReturnType<Api['searchRooms']>>['rooms'][number];
/** Milliseconds without a key before the server is asked. */
const PAUSE = 120;

export function BrowseChannels({ onClose }: { onClose: () => void }) {
  const { api, client } = useChat();
  const [, go] = useLocation();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<readonly Channel[] | null>(null);
  const [next, setNext] = useState<number | null>(null);
  useEffect(() => {
    let wanted = true;
    const ask = async () => {
      const page = await api.searchRooms(query === '' ? { limit: 50 } : { q: query, limit: 50 }).catch(() => null);
      if (!wanted || !page) return;
      setFound(page.rooms.filter(({ kind }) => kind === 'channel'));
      setNext(page.next);
    };
    const timer = setTimeout(ask, query === '' ? 0 : PAUSE);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [api, query]);
  const more = async () => {
    if (next === null) return;
    const page = await api.searchRooms({ limit: 50, after: next });
    setFound((before) => [...(before ?? []), ...page.rooms.filter(({ kind }) => kind === 'channel')]);
    setNext(page.next);
  };
  const open = async (channel: Channel) => {
    if (!channel.member) await client.send('member.join', { room: channel.id });
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
      {found?.length === 0 && <p className={ui.hint}>{query === '' ? t.browse.none : t.browse.noneFor(query)}</p>}
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
            <Button kind={channel.member ? 'plain' : 'main'} onClick={() => void open(channel)}>
              {channel.member ? t.browse.open : t.browse.join}
              <span className="hidden"> {channel.name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {next !== null && query === '' && <Button onClick={() => void more()}>{t.browse.more}</Button>}
    </Dialog>
  );
}

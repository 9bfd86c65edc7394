/** Oneself, at the head of the list: the ways to settings, to the server's own pages, and out. */
import { ChevronDown, LogOut, type LucideIcon, Settings, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useChat, useName, useView } from '../chat/chat.js';
import { ADMIN, SETTINGS } from '../routes.js';
import { t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { Confirm } from '../ui/Confirm.js';
import { Link } from '../ui/Link.js';
import { Popup } from '../ui/Popup.js';
import ui from '../ui/ui.module.css';
import styles from './Me.module.css';

export function Me() {
  const chat = useChat();
  const name = useName(chat, chat.me);
  const state = useView(chat.session.view);
  const admin = state.is === 'in' && state.user.role === 'admin';
  const unsent = useView(chat.client.outbox.view).filter(({ type }) => type === 'message.send');
  const [asking, setAsking] = useState(false);
  const discard = async () => {
    for (const { key } of unsent) chat.client.outbox.cancel(key);
    await chat.session.logOut();
  };
  return (
    <>
      <Popup
        title={t.me.menu}
        className={styles.me}
        label={
          <>
            <Standing user={chat.me} size={28} />
            <b>{name}</b>
            <span className="hidden">{t.me.menu}</span>
            <ChevronDown size={14} aria-hidden />
          </>
        }
      >
        {(close) => (
          <ul className={ui.list}>
            <Way href={SETTINGS} icon={Settings} label={t.settings.title} onClick={close} />
            {admin && <Way href={ADMIN} icon={ShieldCheck} label={t.admin.title} onClick={close} />}
            <li>
              <button
                type="button"
                className={ui.item}
                onClick={() => {
                  close();
                  if (unsent.length > 0) setAsking(true);
                  else void chat.session.logOut();
                }}
              >
                <LogOut size={18} strokeWidth={1.75} aria-hidden /> {t.me.logOut}
              </button>
            </li>
          </ul>
        )}
      </Popup>
      {asking && (
        <Confirm
          title={t.me.unsentTitle}
          hint={t.me.unsentHint(unsent.length)}
          go={t.me.discard}
          onClose={() => setAsking(false)}
          act={discard}
        />
      )}
    </>
  );
}

function Way({
  href,
  icon: Icon,
  label,
  onClick,
}: {
  href: string;
  icon: LucideIcon;
  label: string;
  onClick: () => void;
}) {
  return (
    <li>
      <Link href={href} className={ui.item} onClick={onClick}>
        <Icon size={18} strokeWidth={1.75} aria-hidden /> {label}
      </Link>
    </li>
  );
}

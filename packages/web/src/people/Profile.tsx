/** Somebody, as all may see them. */
import type { Account, User } from '@natter/protocol';
import { useEffect, useState } from 'react';
import { useChat } from '../chat/chat.js';
import styles from '../rooms/Details.module.css';
import { showError, showStamp, t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { Spinner } from '../ui/Empty.js';

export function Profile({ user: id }: { user: number }) {
  const { api } = useChat();
  const [user, setUser] = useState<User | Account | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    api.user(id).then(setUser, (error) => setProblem(showError(error)));
  }, [api, id]);
  if (problem) return <p role="alert">{problem}</p>;
  if (!user) return <Spinner label={t.timeline.loading} />;
  return (
    <div className={styles.profile}>
      <Standing user={user.id} size={72} />
      <h2>{user.fullName || user.name}</h2>
      <p>@{user.name}</p>
      {user.about && <p>{user.about}</p>}
      {!user.online && user.lastSeenAt && <p>{t.people.lastSeen(showStamp(user.lastSeenAt))}</p>}
    </div>
  );
}

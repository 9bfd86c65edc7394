/** Somebody, as all may see them. */
import { useAsked } from '../chat/asked.js';
import { useChat } from '../chat/chat.js';
import styles from '../rooms/Details.module.css';
import { showStamp, t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { Spinner } from '../ui/Empty.js';
import { Problem } from '../ui/Problem.js';

export function Profile({ user: id }: { user: number }) {
  const { api } = useChat();
  const { answer: user, error, again } = useAsked(String(id), () => api.user(id));
  if (error && !user) return <Problem error={error} again={again} />;
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

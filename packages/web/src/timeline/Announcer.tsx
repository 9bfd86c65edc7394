/** Says to screen readers what others write in this room, once, as it comes: history and one's own are not said. */
import { useEffect, useState } from 'react';
import { useChat } from '../chat/chat.js';
import { plainText } from '../markdown/plain.js';
import { t } from '../texts/texts.js';
import type { Conversation } from './conversation.js';

/** Lines that stay in the log: readers have said the others. */
const KEPT = 20;

export function Announcer({ conversation }: { conversation: Conversation }) {
  const { client, me } = useChat();
  const [said, setSaid] = useState<readonly { id: number; user: number; text: string }[]>([]);
  useEffect(() => {
    const stops = [
      client.on('message.sent', ({ stream, actor, id, body }) => {
        if (stream !== conversation.room || actor === me) return;
        setSaid((before) => [...before.slice(1 - KEPT), { id, user: actor, text: plainText(body.text) }]);
      }),
      // Deleted content is nowhere [L6].
      client.on('message.deleted', ({ body }) => {
        setSaid((before) => before.filter(({ id }) => id !== body.message));
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, conversation, me]);
  return (
    <div role="log" aria-live="polite" className="hidden">
      {said.map(({ id, user, text }) => (
        <p key={id}>{t.message.said(client.people.get(user)?.fullName || client.people.get(user)?.name || '', text)}</p>
      ))}
    </div>
  );
}

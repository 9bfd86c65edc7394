/** What opens over a timeline: the menu of a message, emoji for it, questions about it, another day. */
import { lazy, Suspense } from 'react';
import { useChat, useView } from '../chat/chat.js';
import { PickerWindow } from '../emoji/PickerWindow.js';
import { react } from './acts.js';
import type { Conversation } from './conversation.js';
import type { Talk } from './talk.js';

const MessageMenu = lazy(() => import('./MessageMenu.js'));
const Asked = lazy(() => import('./Asked.js'));
const DayDialog = lazy(() => import('./DayDialog.js'));

export function Windows({ conversation }: { conversation: Talk }) {
  const chat = useChat();
  const menu = useView(conversation.menu);
  const about = useView(conversation.about);
  const picking = useView(conversation.picking);
  return (
    <Suspense>
      {menu && <MessageMenu opened={menu} conversation={conversation} />}
      {about && <Asked about={about} onClose={() => conversation.show(null)} />}
      {picking && (
        <PickerWindow
          at={picking.at}
          onPick={(emoji) => {
            react(chat, picking.message, emoji);
            conversation.picked();
          }}
          onClose={() => conversation.picked()}
        />
      )}
    </Suspense>
  );
}

export function Days({ conversation }: { conversation: Conversation }) {
  const day = useView(conversation.day);
  return <Suspense>{day !== null && <DayDialog day={day} conversation={conversation} />}</Suspense>;
}

/** Keys on a message that has the focus: ways to the next one, and all that can be done to it. */
import type { Message } from '@natter/client';
import type { KeyboardEvent } from 'react';
import type { Chat } from '../chat/chat.js';
import { mayEdit } from './acts.js';
import type { Conversation } from './conversation.js';
import { indexFrom } from './rows.js';

function step(row: HTMLElement, by: 1 | -1): void {
  let next: Element | null = row;
  do next = by === 1 ? next.nextElementSibling : next.previousElementSibling;
  while (next && !(next as HTMLElement).dataset.seq);
  if (!(next instanceof HTMLElement)) return;
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

export function pressOnRow(event: KeyboardEvent<HTMLElement>, chat: Chat, conversation: Conversation): void {
  const row = (event.target as HTMLElement).closest<HTMLElement>('li[data-seq]');
  if (!row || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape') {
    document.querySelector<HTMLElement>('[data-composer]')?.focus();
    event.preventDefault();
    return;
  }
  if (event.target !== row) return;
  const seq = Number(row.dataset.seq);
  const { messages } = conversation.timeline.getSnapshot();
  const message: Message | undefined = messages[indexFrom(messages, seq)];
  const act = message?.seq === seq ? ACTS[event.key] : undefined;
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    event.preventDefault();
    step(row, event.key === 'ArrowUp' ? -1 : 1);
  } else if (act && message) {
    event.preventDefault();
    act(message, chat, conversation);
  }
}

const ACTS: Record<string, (message: Message, chat: Chat, conversation: Conversation) => void> = {
  r: (message, _chat, conversation) => {
    if (message.deletedAt === null) conversation.reply(message);
  },
  e: (message, chat, conversation) => {
    if (mayEdit(message, chat.client.rooms.get(message.room), chat.me)) conversation.edit(message);
  },
  u: (message, _chat, conversation) => conversation.markUnread(message.seq),
};

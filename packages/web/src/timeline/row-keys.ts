/** Keys on a message that has the focus: ways to the next one, and all that can be done to it. */
import type { Message } from '@natter/client';
import type { KeyboardEvent } from 'react';
import type { Chat } from '../chat/chat.js';
import { copy, linkTo, type May, mayDo, pin } from './acts.js';
import { indexFrom } from './rows.js';
import type { Talk } from './talk.js';

function step(row: HTMLElement, by: 1 | -1): void {
  let next: Element | null = row;
  do next = by === 1 ? next.nextElementSibling : next.previousElementSibling;
  while (next && !(next as HTMLElement).dataset.seq);
  if (!(next instanceof HTMLElement)) return;
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

/** The message of a row, as it is now. */
function messageIn(row: HTMLElement, conversation: Talk): Message | undefined {
  const seq = Number(row.dataset.seq);
  const messages = conversation.messages();
  const message = messages[indexFrom(messages, seq)];
  return message?.seq === seq ? message : undefined;
}

export function pressOnRow(event: KeyboardEvent<HTMLElement>, chat: Chat, conversation: Talk): void {
  const row = (event.target as HTMLElement).closest<HTMLElement>('li[data-seq]');
  if (!row || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape') {
    conversation.focusComposer();
    event.preventDefault();
    return;
  }
  if (event.target !== row) return;
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    event.preventDefault();
    step(row, event.key === 'ArrowUp' ? -1 : 1);
    return;
  }
  const message = messageIn(row, conversation);
  const act = ACTS[event.key];
  if (!message || !act) return;
  event.preventDefault();
  const may = mayDo(message, chat.client.rooms.get(message.room), chat.me);
  act({ message, chat, conversation, row, may });
}

interface Press {
  message: Message;
  chat: Chat;
  conversation: Talk;
  row: HTMLElement;
  may: May;
}

const ACTS: Record<string, (press: Press) => void> = {
  Enter: ({ message, conversation, row }) => {
    const { left, top } = row.getBoundingClientRect();
    conversation.openMenu(message, left + 56, top + 24);
  },
  r: ({ message, conversation, may }) => may.reply && conversation.reply(message),
  t: ({ message, conversation, may }) => may.thread && conversation.openThread(message),
  e: ({ message, conversation, may }) => may.edit && conversation.edit(message),
  a: ({ message, conversation, row, may }) => may.react && conversation.pick(message, row.getBoundingClientRect()),
  c: ({ message, may }) => may.copy && copy(message.text),
  l: ({ message }) => copy(linkTo(message)),
  p: ({ message, chat, may }) => may.pin && pin(chat, message),
  u: ({ message, conversation }) => conversation.markUnread(message.seq),
  h: ({ message, conversation, may }) => may.history && conversation.show('history', message),
  v: ({ message, conversation, may }) => may.readers && conversation.show('readers', message),
  w: ({ message, conversation, may }) => may.write && conversation.write(message),
  g: ({ message, conversation }) => conversation.askDay(message.at),
  Delete: ({ message, conversation, may }) => may.delete && conversation.show('delete', message),
};

/** All that can be done to a message, where it was asked for: by the bar, by the other mouse button, by a long press, by key. */
import * as Menu from '@radix-ui/react-dropdown-menu';
import {
  Copy,
  Eye,
  History,
  Link2,
  type LucideIcon,
  MailOpen,
  MessageCircle,
  MessageSquareText,
  Pencil,
  Pin,
  PinOff,
  Reply,
  SmilePlus,
  Trash2,
} from 'lucide-react';
import { useChat, useRoom } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import menu from '../ui/Menu.module.css';
import ui from '../ui/ui.module.css';
import { copy, linkTo, mayDo, pin } from './acts.js';
import type { Opened, Talk } from './talk.js';

export default function MessageMenu({ opened, conversation }: { opened: Opened; conversation: Talk }) {
  const chat = useChat();
  const { message, x, y } = opened;
  const room = useRoom(chat, message.room);
  const may = mayDo(message, room, chat.me);
  return (
    <Menu.Root
      open
      modal={false}
      onOpenChange={(open) => {
        if (!open) conversation.closeMenu();
      }}
    >
      <Menu.Trigger asChild>
        <span className={menu.point} style={{ left: x, top: y }} aria-hidden />
      </Menu.Trigger>
      {/* In the landmark that it belongs to. */}
      <Menu.Portal container={conversation.landmark}>
        <Menu.Content
          className={menu.menu}
          align="start"
          collisionPadding={8}
          loop
          aria-label={t.message.actions}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            conversation.menuClosed(message);
          }}
        >
          {may.react && (
            <Entry
              icon={SmilePlus}
              label={t.message.reactOther}
              hint="A"
              onSelect={() => conversation.pick(message, new DOMRect(x, y, 0, 0))}
            />
          )}
          {may.reply && (
            <Entry icon={Reply} label={t.message.reply} hint="R" onSelect={() => conversation.reply(message)} />
          )}
          {may.thread && (
            <Entry
              icon={MessageSquareText}
              label={t.message.thread}
              hint="T"
              onSelect={() => conversation.openThread(message)}
            />
          )}
          {may.edit && (
            <Entry icon={Pencil} label={t.message.edit} hint="E" onSelect={() => conversation.edit(message)} />
          )}
          {(may.react || may.thread) && <Menu.Separator className={menu.line} />}
          {may.copy && <Entry icon={Copy} label={t.message.copyText} hint="C" onSelect={() => copy(message.text)} />}
          <Entry icon={Link2} label={t.message.copyLink} hint="L" onSelect={() => copy(linkTo(message))} />
          <Entry
            icon={MailOpen}
            label={t.message.markUnread}
            hint="U"
            onSelect={() => conversation.markUnread(message.seq)}
          />
          {may.pin && (
            <Entry
              icon={message.pinned ? PinOff : Pin}
              label={message.pinned ? t.message.unpin : t.message.pin}
              hint="P"
              onSelect={() => pin(chat, message)}
            />
          )}
          <Menu.Separator className={menu.line} />
          {may.history && (
            <Entry
              icon={History}
              label={t.message.history}
              hint="H"
              onSelect={() => conversation.show('history', message)}
            />
          )}
          {may.readers && (
            <Entry
              icon={Eye}
              label={t.message.readBy}
              hint="V"
              onSelect={() => conversation.show('readers', message)}
            />
          )}
          {may.write && (
            <Entry
              icon={MessageCircle}
              label={t.message.writeTo}
              hint="W"
              onSelect={() => conversation.write(message)}
            />
          )}
          {may.delete && (
            <Entry
              icon={Trash2}
              label={t.message.delete}
              hint="Del"
              danger
              onSelect={() => conversation.show('delete', message)}
            />
          )}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

interface EntryProps {
  icon: LucideIcon;
  label: string;
  hint?: string;
  danger?: boolean;
  onSelect: () => void;
}

function Entry({ icon: Icon, label, hint, danger, onSelect }: EntryProps) {
  return (
    <Menu.Item className={`${ui.option} ${menu.item}`} data-danger={danger || undefined} onSelect={onSelect}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      <span>{label}</span>
      {hint && <kbd aria-hidden>{hint}</kbd>}
    </Menu.Item>
  );
}

/** What this device tells of one room, where that is not what it tells of all. */
import type { RoomRow } from '@natter/client';
import { useChat, useView } from '../chat/chat.js';
import { LEVELS, type Level } from '../chat/notify-levels.js';
import { askPermission, permission } from '../chat/notify-permission.js';
import { t } from '../texts/texts.js';
import { Choice } from '../ui/Choice.js';

const GENERAL = 'general';

export function NotifyChoice({ room }: { room: RoomRow }) {
  const { notifyLevels } = useChat();
  const { general, rooms } = useView(notifyLevels.view);
  const allowed = useView(permission);
  if (allowed === 'unsupported') return null;
  // In a direct room everything calls.
  const levels: readonly Level[] = room.kind === 'direct' ? LEVELS.filter((level) => level !== 'calls') : LEVELS;
  const choose = (chosen: Level | typeof GENERAL) => {
    notifyLevels.chooseIn(room.id, chosen === GENERAL ? null : chosen);
    if (chosen === 'all' || chosen === 'calls') void askPermission();
  };
  const chosen = rooms[room.id];
  return (
    <Choice
      legend={t.notify.legendHere}
      value={chosen !== undefined && levels.includes(chosen) ? chosen : GENERAL}
      onChange={choose}
      options={[
        { value: GENERAL, label: t.notify.general, hint: t.notify.levels[general].label },
        ...levels.map((value) => ({ value, label: t.notify.levels[value].label })),
      ]}
    />
  );
}

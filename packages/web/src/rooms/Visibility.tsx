/** Who finds a channel. */
import type { RoomRow } from '@natter/client';
import { t } from '../texts/texts.js';
import { Choice } from '../ui/Choice.js';

interface VisibilityProps {
  value: RoomRow['visibility'];
  onChange: (visibility: RoomRow['visibility']) => void;
}

export function Visibility({ value, onChange }: VisibilityProps) {
  return (
    <Choice
      legend={t.create.who}
      value={value}
      onChange={onChange}
      options={[
        { value: 'public', label: t.create.public },
        { value: 'private', label: t.create.private },
      ]}
    />
  );
}

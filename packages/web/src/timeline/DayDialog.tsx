/** Another day to read. */
import { NatterError } from '@natter/client';
import { type FormEvent, useState } from 'react';
import { showError, t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import ui from '../ui/ui.module.css';
import type { Conversation } from './conversation.js';

/** As the browser's own field has days: `2026-11-20`. */
function dayOf(at: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export default function DayDialog({ day, conversation }: { day: string; conversation: Conversation }) {
  const [chosen, setChosen] = useState(() => dayOf(new Date(day)));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const close = () => conversation.askDay(null);
  const go = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await conversation.goToDay(chosen);
      close();
    } catch (thrown) {
      if (!(thrown instanceof NatterError)) throw thrown;
      setProblem(showError(thrown));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t.timeline.jumpToDate} onClose={close}>
      <form className={ui.dialogForm} onSubmit={go}>
        <Field
          label={t.timeline.day}
          type="date"
          required
          autoFocus
          max={dayOf(new Date())}
          value={chosen}
          problem={problem || undefined}
          onChange={(event) => setChosen(event.target.value)}
        />
        <div className={ui.row} data-end>
          <Button onClick={close}>{t.message.cancel}</Button>
          <Button kind="main" type="submit" disabled={busy || chosen === ''}>
            {t.timeline.go}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The end of a form: how saving went, and the button that saves. */
import type { NatterError } from '@natter/client';
import { Button } from './Button.js';
import { Outcome } from './Outcome.js';
import ui from './ui.module.css';

interface SaveProps {
  /** What the button says. */
  label: string;
  busy: boolean;
  error: NatterError | null;
  /** What is said when it is done. */
  done: string | false;
}

export function Save({ label, busy, error, done }: SaveProps) {
  return (
    <>
      <Outcome error={error} done={done} />
      <div className={ui.row}>
        <Button kind="main" type="submit" disabled={busy}>
          {label}
        </Button>
      </div>
    </>
  );
}

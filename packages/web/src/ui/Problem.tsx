/** What could not be had, in a line, with the way to try again. */
import { showError, t } from '../texts/texts.js';
import { Button } from './Button.js';
import ui from './ui.module.css';

interface ProblemProps {
  error: { code: string; message: string };
  again: () => void;
}

export function Problem({ error, again }: ProblemProps) {
  return (
    <p role="alert" className={ui.problem}>
      {showError(error)}{' '}
      <Button kind="bare" onClick={again}>
        {t.timeline.retry}
      </Button>
    </p>
  );
}

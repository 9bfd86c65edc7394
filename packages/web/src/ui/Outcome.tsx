/** How something went, said to everybody. */
import type { NatterError } from '@natter/client';
import { showError } from '../texts/texts.js';
import ui from './ui.module.css';

/** What is wrong with one field, as the server said it. */
export function wrongIn(error: NatterError | null, path: string): string | undefined {
  return error?.fields.find((field) => field.path === path)?.message;
}

export function Outcome({ error, done }: { error: NatterError | null; done: string | false }) {
  return (
    <>
      <p role="alert" className={ui.problem}>
        {error && error.fields.length === 0 ? showError(error) : ''}
      </p>
      <p role="status" className={ui.done}>
        {done}
      </p>
    </>
  );
}

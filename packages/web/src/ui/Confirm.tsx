/** Asks whether it is meant; of what can't be undone, by the name of what it is done to. */
import { useState } from 'react';
import { showError, t } from '../texts/texts.js';
import { useAct } from './act.js';
import { Button } from './Button.js';
import { Dialog } from './Dialog.js';
import { Field } from './Field.js';
import ui from './ui.module.css';

interface ConfirmProps {
  title: string;
  hint: string;
  /** What its button says. */
  go: string;
  /** Has to be written first. */
  word?: string;
  act: () => Promise<void>;
  onClose: () => void;
}

export function Confirm({ title, hint, go, word, act: what, onClose }: ConfirmProps) {
  const { busy, error, act } = useAct();
  const [written, setWritten] = useState('');
  const meant = word === undefined || written.trim() === word;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={ui.dialogForm}
        onSubmit={async (event) => {
          event.preventDefault();
          if (meant && (await act(what))) onClose();
        }}
      >
        <p>{hint}</p>
        {word !== undefined && (
          <Field
            label={t.dialog.write(word)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={written}
            onChange={(event) => setWritten(event.target.value)}
          />
        )}
        <p role="alert" className={ui.problem}>
          {error ? showError(error) : ''}
        </p>
        <div className={ui.row} data-end>
          <Button onClick={onClose}>{t.message.cancel}</Button>
          <Button kind="danger" type="submit" disabled={busy || !meant}>
            {go}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

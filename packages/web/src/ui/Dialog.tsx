/** A window over the page: the browser's own, which keeps the focus inside and gives it back. */
import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { t } from '../texts/texts.js';
import { IconButton } from './Button.js';
import styles from './ui.module.css';

interface DialogProps {
  title: string;
  className?: string | undefined;
  onClose: () => void;
  children: ReactNode;
  /** Without a visible heading, for what explains itself. */
  bare?: boolean;
  /** Nothing inside takes the focus: where it scrolls, it must be reached by key. */
  toRead?: boolean;
}

export function Dialog({ title, onClose, children, bare, toRead, className }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    // Whoever opened it gets the focus back; what it was put into may be gone by then.
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className ? `${styles.dialog} ${className}` : styles.dialog}
      aria-labelledby={bare ? undefined : heading}
      aria-label={bare ? title : undefined}
      onKeyDown={(event) => {
        // What lies beneath is not closed with it.
        if (event.key === 'Escape') event.stopPropagation();
      }}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {!bare && (
        <header className={styles.dialogHead}>
          <h2 id={heading}>{title}</h2>
          <IconButton icon={X} label={t.dialog.close} onClick={onClose} />
        </header>
      )}
      <div className={bare ? undefined : styles.dialogBody} tabIndex={toRead ? 0 : undefined}>
        {children}
      </div>
    </dialog>
  );
}

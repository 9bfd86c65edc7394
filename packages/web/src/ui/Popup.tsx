/** A button that opens a small window beside itself. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import styles from './Popup.module.css';

interface PopupProps {
  /** What stands in the button. */
  label: ReactNode;
  /** The name of the window. */
  title: string;
  /** How the button looks, where it is no filter. */
  className?: string | undefined;
  /** Something is chosen in it. */
  set?: boolean;
  children: (close: () => void) => ReactNode;
}

export function Popup({ label, title, className, set, children }: PopupProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    panel.current?.querySelector<HTMLElement>('input:checked, input, a, button')?.focus();
    const outside = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    addEventListener('pointerdown', outside);
    addEventListener('focusin', outside);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('focusin', outside);
    };
  }, [open]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what is inside, wherever the focus is in it
    <div
      ref={root}
      className={styles.popup}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        type="button"
        className={className ?? styles.button}
        data-set={set || undefined}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {label}
      </button>
      {open && (
        <div ref={panel} className={styles.panel} role="dialog" aria-label={title}>
          {children(close)}
        </div>
      )}
    </div>
  );
}

/** Where there is nothing to show: what that means, and what to do next. */
import type { ReactNode } from 'react';
import styles from './ui.module.css';

export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      {hint && <p>{hint}</p>}
      {children && <div className={styles.actions}>{children}</div>}
    </div>
  );
}

export function Spinner({ label }: { label: string }) {
  return (
    <span role="status">
      <span className={styles.spinner} style={{ display: 'block' }} />
      <span className="hidden">{label}</span>
    </span>
  );
}

/** What is pressed: with words, or with a picture and a name. */
import type { LucideIcon } from 'lucide-react';
import type { ButtonHTMLAttributes } from 'react';
import styles from './ui.module.css';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'main' | 'plain' | 'danger' | 'bare';
}

export function Button({ kind = 'plain', type = 'button', ...rest }: ButtonProps) {
  return <button {...rest} type={type} className={styles.button} data-kind={kind} />;
}

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> {
  icon: LucideIcon;
  /** What it does: its name for who can't see the picture, and its tip. */
  label: string;
  small?: boolean;
  ref?: React.Ref<HTMLButtonElement>;
}

export function IconButton({ icon: Icon, label, small, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      className={styles.icon}
      data-small={small || undefined}
      {...rest}
    >
      <Icon size={small ? 16 : 18} strokeWidth={1.75} aria-hidden />
    </button>
  );
}

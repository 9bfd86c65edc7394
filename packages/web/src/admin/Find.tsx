/** A box that narrows a list as one types. */
import { Search } from 'lucide-react';
import styles from './Admin.module.css';

interface FindProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
}

export function Find({ label, value, onChange }: FindProps) {
  return (
    <div className={styles.find}>
      <Search size={16} strokeWidth={1.75} aria-hidden />
      <input
        name="find"
        type="search"
        autoComplete="off"
        maxLength={200}
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

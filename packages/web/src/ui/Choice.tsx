/** One of a few, all in sight. */
import { useId } from 'react';
import styles from './Choice.module.css';
import ui from './ui.module.css';

interface ChoiceProps<T extends string> {
  legend: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: string; hint?: string }[];
}

export function Choice<T extends string>({ legend, value, onChange, options }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className={styles.choice}>
      <legend className={ui.legend}>{legend}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>
            {option.label}
            {option.hint && <span className={ui.hint}>{option.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

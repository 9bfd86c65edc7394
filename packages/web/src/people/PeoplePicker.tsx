/** Several people, found by name. */
import { X } from 'lucide-react';
import { useState } from 'react';
import { t } from '../texts/texts.js';
import { Field } from '../ui/Field.js';
import { type Person, usePeople } from './find.js';
import { PeopleList } from './PeopleList.js';
import styles from './PeoplePicker.module.css';

export type { Person } from './find.js';

interface PeoplePickerProps {
  label: string;
  chosen: readonly Person[];
  onChange: (people: readonly Person[]) => void;
}

export function PeoplePicker({ label, chosen, onChange }: PeoplePickerProps) {
  const [query, setQuery] = useState('');
  const found = usePeople(query);
  const { people } = found;
  const left = people?.filter(({ id }) => !chosen.some((one) => one.id === id)) ?? null;
  return (
    <div className={styles.picker}>
      <Field
        label={label}
        type="search"
        autoComplete="off"
        placeholder={t.people.find}
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          if (left?.[0] && query !== '') {
            onChange([...chosen, left[0]]);
            setQuery('');
          }
        }}
      />
      {chosen.length > 0 && (
        <ul className={styles.chosen} aria-label={t.people.chosen}>
          {chosen.map((person) => (
            <li key={person.id}>
              {person.fullName || person.name}
              <button
                type="button"
                aria-label={t.people.remove(person.fullName || person.name)}
                onClick={() => onChange(chosen.filter(({ id }) => id !== person.id))}
              >
                <X size={14} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className={styles.found}>
        <PeopleList
          found={found}
          people={left}
          query={query}
          onChoose={(person) => {
            onChange([...chosen, person]);
            setQuery('');
          }}
        />
      </div>
    </div>
  );
}

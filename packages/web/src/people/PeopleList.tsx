/** People to choose from. */
import { t } from '../texts/texts.js';
import { Standing } from '../ui/Avatar.js';
import { Spinner } from '../ui/Empty.js';
import { Problem } from '../ui/Problem.js';
import ui from '../ui/ui.module.css';
import type { Found, Person } from './find.js';

interface PeopleListProps {
  found: Found;
  /** Those of them who may be chosen. */
  people: readonly Person[] | null;
  query: string;
  onChoose: (person: Person) => void;
}

export function PeopleList({ found: { error, again }, people, query, onChoose }: PeopleListProps) {
  if (error) return <Problem error={error} again={again} />;
  if (people === null) return <Spinner label={t.app.waiting} />;
  if (people.length === 0) {
    return <p className={ui.hint}>{query === '' ? t.people.alone : t.people.none(query)}</p>;
  }
  return (
    <ul className={ui.list}>
      {people.map((person) => (
        <li key={person.id}>
          <button type="button" className={ui.item} onClick={() => onChoose(person)}>
            <Standing user={person.id} size={28} />
            <span className={ui.itemText}>
              <span>{person.fullName || person.name}</span>
              {person.fullName && <span className={ui.hint}>@{person.name}</span>}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

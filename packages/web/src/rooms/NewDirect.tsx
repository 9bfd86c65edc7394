/** Somebody to write to. */
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useChat } from '../chat/chat.js';
import { type Person, usePeople } from '../people/find.js';
import { PeopleList } from '../people/PeopleList.js';
import { t } from '../texts/texts.js';
import { useAct } from '../ui/act.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import { Outcome } from '../ui/Outcome.js';
import { openDirect } from './direct.js';

export function NewDirect({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const [, go] = useLocation();
  const [query, setQuery] = useState('');
  const found = usePeople(query);
  const { people } = found;
  const opening = useAct();
  const open = async (person: Person) => {
    if (!opening.busy && (await opening.act(() => openDirect(chat, go, person.id)))) onClose();
  };
  return (
    <Dialog title={t.rooms.message} onClose={onClose}>
      <Field
        label={t.people.find}
        type="search"
        autoFocus
        autoComplete="off"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && people?.[0] && query !== '') void open(people[0]);
        }}
      />
      <Outcome error={opening.error} done={false} />
      <PeopleList found={found} people={people} query={query} onChoose={(person) => void open(person)} />
    </Dialog>
  );
}

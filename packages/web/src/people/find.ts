/** People by a part of their name, as one types. */
import { NatterError } from '@natter/client';
import type { Api } from '@natter/client/api';
import { useEffect, useState } from 'react';
import { useChat } from '../chat/chat.js';

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly fullName: string;
}

/** Milliseconds without a key before the server is asked. */
export const FIND_PAUSE = 120;

export interface Found {
  /** Null while the first answer is on the way. */
  readonly people: readonly Person[] | null;
  readonly error: NatterError | null;
  again(): void;
}

/** A query of null asks nothing. */
export function usePeople(query: string | null): Found {
  const { api, client, me } = useChat();
  const [people, setPeople] = useState<readonly Person[] | null>(null);
  const [error, setError] = useState<NatterError | null>(null);
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try asks anew
  useEffect(() => {
    if (query === null) return setPeople(null);
    let wanted = true;
    const ask = async () => {
      try {
        const found = await find(api, query);
        if (!wanted) return;
        client.people.learn(Object.fromEntries(found.map(({ id, name, fullName }) => [id, { name, fullName }])));
        setPeople(found.filter(({ id }) => id !== me));
        setError(null);
      } catch (thrown) {
        if (!(thrown instanceof NatterError)) throw thrown;
        if (wanted) setError(thrown);
      }
    };
    const timer = setTimeout(ask, query === '' ? 0 : FIND_PAUSE);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [api, client, me, query, tries]);
  return { people, error, again: () => setTries(tries + 1) };
}

async function find(api: Api, query: string): Promise<readonly Person[]> {
  const { users } = await api.users(query === '' ? { limit: 50 } : { q: query, limit: 20 });
  return users.filter(({ status }) => status === 'active');
}

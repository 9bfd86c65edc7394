/** People by a part of their name, as one types. */
import type { Api } from '@natter/client/api';
import { useEffect, useState } from 'react';
import { useChat } from '../chat/chat.js';

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly fullName: string;
}

/** Milliseconds without a key before the server is asked. */
const PAUSE = 120;

/** Null while the first answer is on the way; a query of null asks nothing. */
export function usePeople(query: string | null): readonly Person[] | null {
  const { api, client, me } = useChat();
  const [found, setFound] = useState<readonly Person[] | null>(null);
  useEffect(() => {
    if (query === null) return setFound(null);
    let wanted = true;
    const ask = async () => {
      const people = await find(api, query).catch(() => null);
      if (!wanted || people === null) return;
      client.people.learn(Object.fromEntries(people.map(({ id, name, fullName }) => [id, { name, fullName }])));
      setFound(people.filter(({ id }) => id !== me));
    };
    const timer = setTimeout(ask, query === '' ? 0 : PAUSE);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [api, client, me, query]);
  return found;
}

async function find(api: Api, query: string): Promise<readonly Person[]> {
  const { users } = await api.users(query === '' ? { limit: 50 } : { q: query, limit: 20 });
  return users.filter(({ status }) => status === 'active');
}

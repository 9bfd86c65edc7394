/** People by a part of their name, as one types. */
import type { NatterError } from '@natter/client';
import type { Api } from '@natter/client/api';
import { useChat } from '../chat/chat.js';
import { useList } from '../chat/pages.js';

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
  const ask = async () => {
    const found = await find(api, query ?? '');
    client.people.learn(Object.fromEntries(found.map(({ id, name, fullName }) => [id, { name, fullName }])));
    return found.filter(({ id }) => id !== me);
  };
  const { rows, error, again } = useList<Person>(query, ask, query === '' ? 0 : FIND_PAUSE);
  return { people: rows, error, again };
}

async function find(api: Api, query: string): Promise<readonly Person[]> {
  const { users } = await api.users(query === '' ? { limit: 50 } : { q: query, limit: 20 });
  return users.filter(({ status }) => status === 'active');
}

/** People by a part of their name, as one types. */
import type { NatterError } from '@natter/client';
import type { Api } from '@natter/client/api';
import { useMemo } from 'react';
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
  /** Who of them are not in the room that was named. */
  readonly outside: ReadonlySet<number>;
  readonly error: NatterError | null;
  again(): void;
}

interface FoundPerson extends Person {
  readonly outside: boolean;
}

/** A query of null asks nothing. Those in `room` come first. */
export function usePeople(query: string | null, room?: number): Found {
  const { api, client, me } = useChat();
  const ask = async () => {
    const found = await find(api, query ?? '', room);
    client.people.learn(Object.fromEntries(found.map(({ id, name, fullName }) => [id, { name, fullName }])));
    return found.filter(({ id }) => id !== me);
  };
  const key = query === null ? null : `${room ?? ''} ${query}`;
  const { rows, error, again } = useList<FoundPerson>(key, ask, query === '' ? 0 : FIND_PAUSE);
  const outside = useMemo(() => new Set(rows?.filter((row) => row.outside).map(({ id }) => id)), [rows]);
  return { people: rows, outside, error, again };
}

async function find(api: Api, query: string, room: number | undefined): Promise<readonly FoundPerson[]> {
  const asked = query === '' ? { limit: 50 } : { q: query, limit: 20 };
  const { users, members } = await api.users(room === undefined ? asked : { ...asked, room });
  return users
    .filter(({ status }) => status === 'active')
    .map((user) => ({ ...user, outside: members !== undefined && !members.includes(user.id) }));
}

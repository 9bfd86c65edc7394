/** What is searched for, as the address has it. */
import type { MessageSearch } from '@natter/client/api';
import { SEARCH } from '../routes.js';

export const MODES = ['auto', 'words', 'substring', 'fuzzy'] as const;

export interface Query {
  readonly text: string;
  /** A user, and a room. */
  readonly from: number | null;
  readonly room: number | null;
  /** Days as the browser's own field has them: `2026-11-20`. Both begin at midnight where the reader is. */
  readonly after: string;
  readonly before: string;
  readonly mode: (typeof MODES)[number];
}

export const NO_FILTER: Omit<Query, 'text'> = { from: null, room: null, after: '', before: '', mode: 'auto' };

const DAY = /^\d{4}-\d\d-\d\d$/;

export function readQuery(search: string): Query {
  const given = new URLSearchParams(search);
  const id = (name: string) => {
    const value = Number(given.get(name));
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  };
  const day = (name: string) => {
    const value = given.get(name) ?? '';
    return DAY.test(value) && !Number.isNaN(Date.parse(`${value}T00:00`)) ? value : '';
  };
  return {
    text: given.get('q') ?? '',
    from: id('from'),
    room: id('in'),
    after: day('after'),
    before: day('before'),
    mode: MODES.find((mode) => mode === given.get('mode')) ?? 'auto',
  };
}

export function queryPath({ text, from, room, after, before, mode }: Query): string {
  const said = { q: text, from, in: room, after, before, mode: mode === 'auto' ? '' : mode };
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(said)) if (value) given.set(name, String(value));
  return given.size === 0 ? SEARCH : `${SEARCH}?${given}`;
}

const midnight = (day: string) => (day === '' ? undefined : new Date(`${day}T00:00`).toISOString());

/** As the server is asked; null where nothing is searched for yet. */
export function questionOf({ text, from, room, after, before, mode }: Query): MessageSearch | null {
  const q = text.trim();
  if (q === '') return null;
  const [since, until] = [midnight(after), midnight(before)];
  return {
    q,
    ...(mode === 'auto' ? {} : { mode }),
    ...(from === null ? {} : { from }),
    ...(room === null ? {} : { room }),
    ...(since ? { after: since } : {}),
    ...(until ? { before: until } : {}),
  };
}

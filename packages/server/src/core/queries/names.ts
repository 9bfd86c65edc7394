/** Finding names: literal substrings, and names spelt nearly so. */
import { sql } from 'kysely';

/** Rows that are measured for one search, at most: the likeliest. */
export const NEAR_MAX = 1_000;

/** A LIKE pattern that takes every character literally. */
export function like(text: string, around: 'both' | 'end' = 'both') {
  const literal = text.replace(/[\\%_]/g, (sign) => `\\${sign}`);
  return sql<string>`${around === 'both' ? `%${literal}%` : `${literal}%`} escape '\\'`;
}

/** As SQLite's lower() does it: letters of ASCII alone. */
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The forms in which a text is written, to be compared with what lower() gives, which may know ASCII alone. Always three. */
export function spellings(text: string): [string, string, string] {
  const small = text.toLowerCase();
  const title = small.replace(/(?<![\p{L}\p{M}\p{N}])\p{L}/gu, (letter) => letter.toUpperCase());
  return [small, lower(title), lower(text.toUpperCase())];
}

/** How many slips a name of this length is forgiven. */
function slips(length: number): number {
  if (length < 3) return 0;
  return length <= 5 ? 1 : 2;
}

const PIECES = 5;

/**
 * Pieces of a text of which at least one stands unharmed in whatever is within the forgiven slips of it (each slip harms
 * one piece, a swap of neighbours may harm two): what to look for before measuring. Always five, the last one repeated.
 */
export function pieces(text: string): string[] {
  const letters = [...text];
  const count = Math.max(1, Math.min(slips(letters.length) * 2 + 1, letters.length));
  const size = Math.floor(letters.length / count);
  const found = Array.from({ length: count }, (_, index) =>
    letters.slice(index * size, index === count - 1 ? undefined : (index + 1) * size).join(''),
  );
  while (found.length < PIECES) found.push(found.at(-1) ?? '');
  return found;
}

/** Slips between what was wanted and the nearest word of a name, or beginning of one; null when there are too many. */
export function distance(wanted: string, name: string): number | null {
  const letters = [...wanted];
  const max = slips(letters.length);
  let best: number | null = null;
  for (const word of [name, ...name.split(/[^\p{L}\p{M}\p{N}]+/u)]) {
    const other = [...word];
    for (const candidate of other.length > letters.length ? [other, other.slice(0, letters.length)] : [other]) {
      const found = edits(letters, candidate, max);
      if (found !== null && (best === null || found < best)) best = found;
    }
  }
  return best;
}

/** Inserted, deleted, replaced and swapped neighbouring letters; null when they are more than `max`. */
function edits(a: readonly string[], b: readonly string[], max: number): number | null {
  if (Math.abs(a.length - b.length) > max) return null;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    if (Math.min(...row) > max) return null;
    before = above;
    above = row;
  }
  const found = above[b.length] ?? max + 1;
  return found <= max ? found : null;
}

/** Those that are near enough, nearest first. */
export function nearest<T>(rows: readonly T[], measure: (row: T) => (number | null)[], limit: number): T[] {
  const found: { row: T; slips: number }[] = [];
  for (const row of rows) {
    const measured = measure(row).filter((one) => one !== null);
    if (measured.length > 0) found.push({ row, slips: Math.min(...measured) });
  }
  found.sort((one, other) => one.slips - other.slips);
  return found.slice(0, limit).map(({ row }) => row);
}

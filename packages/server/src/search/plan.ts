/**
 * What a request asks of an index of words, and how a text is compared with it. The index only proposes: each message is
 * compared literally, so that what is found is what a scan of all texts would find, whichever index it is [M5].
 */
import type { RoomId, Seq } from '@natter/protocol';
import { type Term, termsOf } from './query.js';
import type { FoundMessage, Match, SearchRequest } from './search.js';
import { fold, occurrences, unfold, wordsAt } from './text.js';
import type { Place, Vocabulary } from './vocabulary.js';
import { authorWord, LONG_WORD, monthOf, monthWord, roomWord, WORD_UNITS_MAX } from './words.js';

export interface FinderLimits {
  /** Most words of the index that a part of a word, or a misspelt one, may stand for. */
  expansions: number;
  /** Most messages read for one page. */
  rows: number;
}

/** As many units of text are read for one page at most, whatever the number of messages. */
const UNITS_MAX = 4_000_000;
const RANGES_MAX = 100;
/** Asking the index for a room costs about as much as reading ten messages. */
const ROOM_COST = 10;
/** With more rooms than this the index is not asked for them: messages of others are told apart by reading. */
const ROOMS_IN_QUERY_MAX = 1_000;

/** Words that stand side by side. */
type Phrase = readonly string[];
/** Any of these phrases. */
export type Clause = readonly Phrase[];

/** What terms ask of the index (nothing, where there are no clauses), and how a text is compared with them. */
export interface Plan {
  clauses: Clause[];
  check: (text: string) => { match: Match; ranges: [number, number][] } | null;
}

/** What a user may read. */
export interface Readable {
  /** By room: the first seq. */
  fromSeq: ReadonlyMap<RoomId, Seq>;
  /** Is the index asked for the rooms? */
  asked: boolean;
}

export interface Budget {
  rows: number;
  units: number;
}

export interface FoundRows {
  hits: FoundMessage[];
  /** Where the next page begins; null at the end. */
  next: { tier: Match; before: number } | null;
}

export const budgetOf = ({ rows }: FinderLimits): Budget => ({ rows, units: UNITS_MAX });

/** The rooms of a user, each with the number of its messages, among `last` events. */
export function readable(
  rows: readonly { room: RoomId; from_seq: Seq; messages: number }[],
  last: number,
  limit: number,
): Readable {
  // Were the index not asked for the rooms, so many messages of others would have to be read for one page.
  const share = rows.reduce((sum, row) => sum + row.messages, 1) / last;
  const strangers = limit / Math.min(1, share) - limit;
  return {
    fromSeq: new Map(rows.map((row) => [row.room, row.from_seq])),
    asked: rows.length <= ROOMS_IN_QUERY_MAX && rows.length * ROOM_COST <= Math.max(strangers, ROOM_COST),
  };
}

/** What room, author and time ask of the index, of the months that it has; null when nothing can match. */
export function filtersOf(request: SearchRequest, rooms: Readable, months: readonly number[]): Clause[] | null {
  const filters: Clause[] = [];
  if (rooms.asked) filters.push(anyOf(Array.from(rooms.fromSeq.keys(), roomWord)));
  if (request.from !== undefined) filters.push(anyOf([authorWord(request.from)]));
  if (request.before === undefined && request.after === undefined) return filters;
  const first = monthOf(request.after ?? 0);
  const past = request.before === undefined ? Number.MAX_SAFE_INTEGER : monthOf(request.before);
  const inside = months.filter((month) => month >= first && month <= past);
  if (inside.length === 0) return null;
  if (inside.length < months.length) filters.push(anyOf(inside.map(monthWord)));
  return filters;
}

/** What is known of a message before its text is compared. */
export interface Candidate {
  room: RoomId;
  seq: Seq;
  author: number;
  at: number;
  deletedAt: number | null;
}

/** May the user read it [A2][A3], and does it pass the filters? */
export function passes(candidate: Candidate, request: SearchRequest, rooms: Readable): boolean {
  const fromSeq = rooms.fromSeq.get(candidate.room);
  if (fromSeq === undefined || candidate.seq < fromSeq || candidate.deletedAt !== null) return false;
  if (request.from !== undefined && candidate.author !== request.from) return false;
  if (request.before !== undefined && candidate.at >= request.before) return false;
  return request.after === undefined || candidate.at >= request.after;
}

/** `vocabulary` has to be up to date for the tiers beyond words. Null when nothing can match. */
export function planOf(
  tier: Match,
  request: SearchRequest,
  vocabulary: Vocabulary,
  { expansions }: FinderLimits,
): Plan | null {
  const terms = termsOf(request.text, request.mode === 'substring');
  const clauses: Clause[] = [];
  const near = new Map<Term, ReadonlySet<string>>();
  for (const term of terms) {
    if (term.words.length === 0) continue;
    if (tier === 'substring') {
      const asked = partClauses(term, vocabulary, expansions);
      if (!asked) return null;
      clauses.push(...asked);
    } else if (tier === 'typo' && mayBeMisspelt(term)) {
      const words = vocabulary.near(term.literal, term.literal.length <= 5 ? 1 : 2, expansions);
      if (words.length === 0) return null;
      near.set(term, new Set(words));
      clauses.push(anyOf(words));
    } else {
      clauses.push([term.words.map((word) => word.text)]);
    }
  }
  // Nothing differs from the words tier.
  if (tier === 'typo' && near.size === 0 && (request.mode ?? 'auto') === 'auto') return null;
  return { clauses: clauses.map(indexed), check: (text) => check(text, terms, tier, near) };
}

/** What must stand in the index for a term to occur as a part of a text; null when it can't. */
function partClauses(term: Term, vocabulary: Vocabulary, max: number): Clause[] | null {
  const { literal, words } = term;
  const first = words[0];
  const last = words.at(-1);
  if (!first || !last || /^\p{M}/u.test(literal)) return [];
  const open = { left: first.start === 0, right: last.end === literal.length };
  if (words.length === 1) {
    const place: Place | null = open.left ? (open.right ? 'anywhere' : 'end') : open.right ? 'start' : null;
    const found = expand(vocabulary, first.text, place, max);
    if (found === 'many') return [];
    return found.length === 0 ? null : [anyOf(found)];
  }
  const firsts = expand(vocabulary, first.text, open.left ? 'end' : null, max);
  const lasts = expand(vocabulary, last.text, open.right ? 'start' : null, max);
  if (firsts.length === 0 || lasts.length === 0) return null;
  const between = words.slice(1, -1).map((word) => word.text);
  if (firsts !== 'many' && lasts !== 'many' && firsts.length * lasts.length <= max) {
    return [firsts.flatMap((one) => lasts.map((other) => [one, ...between, other]))];
  }
  const asked: Clause[] = between.length > 0 ? [[between]] : [];
  if (firsts !== 'many') asked.push(anyOf(firsts));
  if (lasts !== 'many') asked.push(anyOf(lasts));
  return asked;
}

/** Words of the index that a part may belong to: with long words, which are not told apart in it. */
function expand(vocabulary: Vocabulary, part: string, place: Place | null, max: number): string[] | 'many' {
  if (place === null) return [part];
  if (part.length > WORD_UNITS_MAX) return [LONG_WORD];
  const found = vocabulary.withPart(part, place, max);
  return found ? [...found, LONG_WORD] : 'many';
}

const anyOf = (words: readonly string[]): Clause => words.map((word) => [word]);

/** As the index holds them. */
const indexed = (clause: Clause): Clause =>
  clause.map((phrase) => phrase.map((word) => (word.length > WORD_UNITS_MAX ? LONG_WORD : word)));

/** Short words and numbers have too many neighbours. */
function mayBeMisspelt(term: Term): boolean {
  return term.bare && term.literal.length >= 3 && term.literal.length <= WORD_UNITS_MAX && /\P{N}/u.test(term.literal);
}

/** Does a text match all terms, which way, and where? */
function check(
  text: string,
  terms: readonly Term[],
  tier: Match,
  near: ReadonlyMap<Term, ReadonlySet<string>>,
): { match: Match; ranges: [number, number][] } | null {
  const folded = fold(text);
  const ranges: [number, number][] = [];
  let match: Match = 'word';
  for (const term of terms) {
    let found = occurrences(folded.text, term.literal, true, RANGES_MAX);
    const whole = found.length > 0;
    if (tier === 'substring') found = occurrences(folded.text, term.literal, false, RANGES_MAX);
    for (const start of found) ranges.push(unfold(folded, start, start + term.literal.length));
    const words = near.get(term);
    const alike = words
      ? wordsAt(folded.text).filter((word) => word.text !== term.literal && words.has(word.text))
      : [];
    for (const word of alike) ranges.push(unfold(folded, word.start, word.end));
    if (found.length + alike.length === 0) return null;
    if (!whole) match = tier;
  }
  return { match, ranges: merged(ranges) };
}

/** Rising, and those that touch made one. */
function merged(ranges: [number, number][]): [number, number][] {
  const sorted = ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const out: [number, number][] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else out.push([range[0], range[1]]);
  }
  return out.slice(0, RANGES_MAX);
}

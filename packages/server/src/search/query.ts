/** What is asked for: a query cut into terms, and the cursor of a page. Everything in a query but `"` is data. */
import { createHash } from 'node:crypto';
import type { Limits } from '../limits.js';
import { codePoints, textProblem } from '../text.js';
import type { Match, SearchMode, SearchRequest } from './search.js';
import { fold, type Word, wordsAt } from './text.js';

/** Something that must occur: a folded literal, and the words in it. */
export interface Term {
  literal: string;
  words: readonly Word[];
  /** A single word as it was typed, without anything around it: may be misspelt. */
  bare: boolean;
}

const PHRASE_OR_CHUNK = /["“„](\s*[^\s"“”„][^"“”„]*)["“”](?=\s|$)|\S+/gu;
/** Signs that end sentences or quote: around a bare word they are rarely meant. */
const BEFORE = /^['"“„‘¿¡]+/u;
const AFTER = /[.,;:!?'"“”’…]+$/u;

/**
 * The terms of a query. `exact`: every sign counts, as in a search for a part of a text. Otherwise the punctuation
 * around words is left off, and what is nothing but punctuation goes, unless there is nothing else.
 */
export function termsOf(text: string, exact: boolean): Term[] {
  const terms = new Map<string, Term>();
  const signs = new Map<string, Term>();
  for (const match of text.matchAll(PHRASE_OR_CHUNK)) {
    const quoted = match[1];
    const raw = quoted ?? (exact ? match[0] : trimSigns(match[0]));
    const literal = fold(raw).text.trim();
    if (literal === '') continue;
    const words = wordsAt(literal);
    const first = words[0];
    const bare = quoted === undefined && words.length === 1 && first?.start === 0 && first.end === literal.length;
    const term = { literal, words, bare };
    if (words.length > 0 || exact || quoted !== undefined) terms.set(literal, term);
    else signs.set(literal, term);
  }
  return [...(terms.size > 0 ? terms : signs).values()];
}

function trimSigns(chunk: string): string {
  let text = chunk;
  for (;;) {
    let next = text.replace(BEFORE, '').replace(AFTER, '');
    const opens = next.startsWith('(');
    const closes = next.endsWith(')');
    if (opens && (closes || !next.includes(')'))) next = next.slice(1, closes ? -1 : undefined);
    else if (closes && !next.includes('(')) next = next.slice(0, -1);
    if (next === text) break;
    text = next;
  }
  return text === '' ? chunk : text;
}

const TIERS: Record<Exclude<SearchMode, 'auto'>, Match> = {
  words: 'word',
  substring: 'substring',
  fuzzy: 'typo',
};
const ORDER: readonly Match[] = ['word', 'substring', 'typo'];

/** Which tiers are tried, in order. */
export function tiersOf(mode: SearchMode): readonly Match[] {
  return mode === 'auto' ? ORDER : [TIERS[mode]];
}

/** Where the next page begins: below a message, in the tier that the first page came from. */
export interface Cursor {
  tier: Match;
  before: number;
}

/** Ties a cursor to its request, so that one of another request is refused and not answered with nonsense. */
function fingerprint(request: SearchRequest): string {
  const { user, text, mode = 'auto', room = 0, from = 0, before = null, after = null } = request;
  const asked = JSON.stringify([user, text, mode, room, from, before, after]);
  return createHash('sha256').update(asked).digest('base64url').slice(0, 12);
}

export function encodeCursor(cursor: Cursor, request: SearchRequest): string {
  return Buffer.from(`${ORDER.indexOf(cursor.tier)}.${cursor.before}.${fingerprint(request)}`).toString('base64url');
}

/** Null when it is not one of ours for this request. */
export function decodeCursor(text: string, request: SearchRequest): Cursor | null {
  if (!/^[\w-]{1,64}$/.test(text)) return null;
  const match = /^([0-2])\.([1-9]\d{0,15})\.([\w-]{12})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  const tier = ORDER[Number(match?.[1])];
  const before = Number(match?.[2]);
  if (!match || !tier || !Number.isSafeInteger(before) || match[3] !== fingerprint(request)) return null;
  return tiersOf(request.mode ?? 'auto').includes(tier) ? { tier, before } : null;
}

/** Why a request can't be answered, or null. Members are named as they are on the wire. */
export function requestProblem(request: SearchRequest, limits: Limits): { path: string; message: string } | null {
  const { text, limit } = request;
  const problem = textProblem(text, limits.SEARCH_TEXT_MAX);
  if (problem) return { path: '/q', message: problem };
  if (codePoints(text) > limits.SEARCH_TEXT_MAX) {
    return { path: '/q', message: `must be at most ${limits.SEARCH_TEXT_MAX} characters` };
  }
  if (termsOf(text, request.mode === 'substring').length === 0)
    return { path: '/q', message: 'has nothing to search for' };
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > limits.PAGE_MAX) {
    return { path: '/limit', message: `must be a whole number from 1 to ${limits.PAGE_MAX}` };
  }
  return null;
}

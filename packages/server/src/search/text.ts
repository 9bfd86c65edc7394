/**
 * How text is read for search: folded (case, diacritics, width and invisible characters do not count), and cut into words.
 * Pure and linear, and shared by every index, so that all of them find the same. A change here needs a new TEXT_VERSION.
 */

/** Indexes that were made with another version are made anew. */
export const TEXT_VERSION = 1;

export interface Folded {
  text: string;
  /** For each unit of the folded text: where the character that it comes from begins and ends. Null: they are the same. */
  starts: Uint32Array | null;
  ends: Uint32Array | null;
}

export interface Word {
  text: string;
  start: number;
  end: number;
}

const NON_ASCII = /[^\0-\x7f]/;
const WHITE_RUN = /\s\s|[\t-\r]/;
/** A character with the marks that belong to it; Hangul written in parts is one. */
const CLUSTER =
  /[\u1100-\u115f\ua960-\ua97c]+[\u1160-\u11a7\ud7b0-\ud7c6]*[\u11a8-\u11ff\ud7cb-\ud7fb]*\p{M}*|\P{M}\p{M}*|\p{M}+/gu;
/** Accents, vowel points and what can't be seen. Marks that are letters in their own right (in Indic scripts, kana) stay. */
const DROPPED_RANGES =
  '0300-036f 0483-0487 0591-05bd 05bf-05bf 05c1-05c2 05c4-05c5 05c7-05c7 064b-065f 0670-0670 1ab0-1aff 1dc0-1dff 20d0-20ff fe20-fe2f';
const DROPPED = new RegExp(
  `[${DROPPED_RANGES.replace(/\w+/g, '\\u$&').replaceAll(' ', '')}]|\\p{Default_Ignorable_Code_Point}`,
  'gu',
);

/** Typographic forms of what keyboards have. */
const TYPOGRAPHIC: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201b\u02bc\u2032]/g, "'"],
  [/[\u201c-\u201f\u2033]/g, '"'],
  [/[\u2010-\u2015\u2212]/g, '-'],
];

/** What a cluster folds to. Short ones come again and again. */
const clusters = new Map<string, string>();
const CLUSTERS_MAX = 20_000;

function bare(text: string): string {
  return text.normalize('NFKD').replace(DROPPED, '').normalize('NFC');
}

function foldCluster(cluster: string): string {
  const known = clusters.get(cluster);
  if (known !== undefined) return known;
  // Upper case first: it spells out what has no lower case of its own (ß is ss, ſ is s, and every sigma the same).
  let folded = bare(bare(cluster).toUpperCase().toLowerCase().replaceAll('ς', 'σ'));
  for (const [forms, plain] of TYPOGRAPHIC) folded = folded.replace(forms, plain);
  if (cluster.length <= 4) {
    if (clusters.size >= CLUSTERS_MAX) clusters.clear();
    clusters.set(cluster, folded);
  }
  return folded;
}

/** The folded form of a text, with the way back to where each unit stands in it. White space counts as one space. */
export function fold(text: string): Folded {
  if (!NON_ASCII.test(text) && !WHITE_RUN.test(text)) return { text: text.toLowerCase(), starts: null, ends: null };
  const parts: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let white = false;
  const put = (folded: string, start: number, end: number): void => {
    for (let unit = 0; unit < folded.length; unit += 1) {
      const space = isWhite(folded.charCodeAt(unit));
      if (space && white) {
        ends[ends.length - 1] = end;
        continue;
      }
      white = space;
      parts.push(space ? ' ' : (folded[unit] as string));
      starts.push(start);
      ends.push(end);
    }
  };
  if (NON_ASCII.test(text)) {
    for (const match of text.matchAll(CLUSTER)) {
      const cluster = match[0];
      const folded = cluster.length === 1 && cluster.charCodeAt(0) < 128 ? cluster.toLowerCase() : foldCluster(cluster);
      put(folded, match.index, match.index + cluster.length);
    }
  } else {
    const lower = text.toLowerCase();
    for (let unit = 0; unit < lower.length; unit += 1) put(lower[unit] as string, unit, unit + 1);
  }
  return { text: parts.join(''), starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
}

function isWhite(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13) || unit === 0x85 || unit === 0x2028 || unit === 0x2029;
}

/** Where a stretch of the folded text stands in the original. */
export function unfold(folded: Folded, start: number, end: number): [number, number] {
  return [folded.starts?.[start] ?? start, folded.ends?.[end - 1] ?? end];
}

/** Scripts that are written without spaces, and emoji: each character is a word. */
const ALONE =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}\\p{Extended_Pictographic}\\p{Regional_Indicator}';
const WORDS = new RegExp(`[[${ALONE}]--\\p{M}]\\p{M}*|[[\\p{L}\\p{N}\\p{M}]--[[${ALONE}]--\\p{M}]]+`, 'gv');
const IN_WORD = new RegExp(`^[\\p{L}\\p{N}\\p{M}${ALONE}]`, 'v');
const IS_ALONE = new RegExp(`^[[${ALONE}]--\\p{M}]`, 'v');
const IS_MARK = /^\p{M}/u;
const ASCII_WORDS = /[a-z0-9]+/g;

/** The words of a folded text: runs of letters and digits. */
export function wordsOf(folded: string): string[] {
  return folded.match(NON_ASCII.test(folded) ? WORDS : ASCII_WORDS) ?? [];
}

/** As wordsOf, with where each stands. */
export function wordsAt(folded: string): Word[] {
  const words: Word[] = [];
  for (const match of folded.matchAll(NON_ASCII.test(folded) ? WORDS : ASCII_WORDS)) {
    words.push({ text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return words;
}

function isAsciiWord(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57);
}

/** Does a word begin or end at this place of a folded text, or is there none on one of its sides? As wordsAt cuts it. */
export function isEdge(folded: string, at: number): boolean {
  if (at <= 0 || at >= folded.length) return true;
  const before = folded.charCodeAt(at - 1);
  const after = folded.charCodeAt(at);
  if (before < 128 && after < 128) return !isAsciiWord(before) || !isAsciiWord(after);
  const next = folded.slice(at, at + 2);
  if (!IN_WORD.test(next)) return true;
  let from = startOfCharacter(folded, at - 1);
  if (!IN_WORD.test(folded.slice(from, from + 2))) return true;
  if (IS_ALONE.test(next)) return true;
  if (IS_MARK.test(next)) return false;
  // Marks belong to what stands before them.
  while (from > 0 && IS_MARK.test(folded.slice(from, from + 2))) from = startOfCharacter(folded, from - 1);
  return IS_ALONE.test(folded.slice(from, from + 2));
}

function startOfCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 0 ? at - 1 : at;
}

/** Where a folded literal occurs in a folded text, none overlapping; with `whole`, only where it begins and ends with whole words. */
export function occurrences(folded: string, literal: string, whole: boolean, max: number): number[] {
  const found: number[] = [];
  if (literal === '') return found;
  let at = folded.indexOf(literal);
  while (at !== -1 && found.length < max) {
    let next = at + literal.length;
    if (whole && !isEdge(folded, at)) {
      // On to the next edge: a hostile text would have the literal compared at every place.
      next = at + 1;
      while (!isEdge(folded, next)) next += 1;
    } else if (whole && !isEdge(folded, next)) next = at + 1;
    else found.push(at);
    at = folded.indexOf(literal, next);
  }
  return found;
}

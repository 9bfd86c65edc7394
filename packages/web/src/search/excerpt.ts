/** The part of a message that shows what matched in it: pieces of plain text, never markup. */
import { plainFound, type Ranges } from '../markdown/plain.js';

export interface Piece {
  readonly text: string;
  readonly marked: boolean;
  /** Where it begins in what the message says. */
  readonly at: number;
}

/** Code units that are shown of a message, and how many of them come before what matched first: more, where little comes after it. */
const SOME_LINES = { length: 260, lead: 80, full: true };
/** Where the end of a line cuts off what is longer: what matched is to stand before it. */
export const ONE_LINE = { length: 60, lead: 8, full: false };

/** Not between the two halves of a character, and at the beginning of a word where one is near. */
function beginning(text: string, wanted: number, latest: number): number {
  if (wanted <= 0) return 0;
  const space = text.slice(wanted, Math.min(wanted + 24, latest)).search(/\s/);
  if (space >= 0) return wanted + space + 1;
  return isLowHalf(text, wanted) ? wanted - 1 : wanted;
}

/** Likewise at the other side. */
function ending(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  const space = text.slice(wanted - 24, wanted).search(/\s\S*$/);
  if (space >= 0) return wanted - 24 + space;
  return isLowHalf(text, wanted) ? wanted - 1 : wanted;
}

function isLowHalf(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

export function excerptOf(message: string, matched: Ranges, { length, lead, full } = SOME_LINES): readonly Piece[] {
  const { text, ranges } = plainFound(message, matched);
  const first = ranges[0]?.[0] ?? 0;
  const from = beginning(text, full ? Math.min(first - lead, text.length - length) : first - lead, first);
  const to = ending(text, from + length);
  const pieces: Piece[] = [];
  const put = (start: number, end: number, marked: boolean) => {
    if (end > start) pieces.push({ text: text.slice(start, end), marked, at: start });
  };
  let at = from;
  for (const [start, end] of ranges) {
    if (start < at || start >= to) continue;
    put(at, start, false);
    put(start, Math.min(end, to), true);
    at = Math.min(end, to);
  }
  put(at, to, false);
  if (from > 0) pieces.unshift({ text: '… ', marked: false, at: -1 });
  if (to < text.length) pieces.push({ text: ' …', marked: false, at: text.length });
  return pieces;
}

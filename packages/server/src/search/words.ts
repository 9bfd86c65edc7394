/** What an index holds of a message: the words of its text, and words of our own for room, author and month, so that filters run inside the index. */
import { fold, wordsOf } from './text.js';

/** Longer words (checksums, pasted data) are indexed as "some long word", and told apart by reading the text. */
export const WORD_UNITS_MAX = 64;
/** Marks words of ours among those of texts: no text has a word with it. */
const MARK = '\ue000';
export const LONG_WORD = `${MARK}long`;
export const roomWord = (room: number): string => `${MARK}r${room}`;
export const authorWord = (user: number): string => `${MARK}u${user}`;
export const monthWord = (month: number): string => `${MARK}m${month}`;
/** Is it a word of texts, as the vocabulary holds them? */
export const isPlain = (word: string): boolean => !word.startsWith(MARK);

/** Months since year 0, in UTC. */
export function monthOf(at: number): number {
  const date = new Date(at);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** The words of a text in their order, as the index holds them. */
export function indexWords(text: string): string[] {
  const words = wordsOf(fold(text).text);
  for (let at = 0; at < words.length; at += 1) {
    if ((words[at] as string).length > WORD_UNITS_MAX) words[at] = LONG_WORD;
  }
  return words;
}

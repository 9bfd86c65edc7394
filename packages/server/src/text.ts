/** What text may hold, and how long it is. Linear in its length. */

/** Length in code points. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      count -= 1;
      index += 1;
    }
  }
  return count;
}

/** Why this can't be stored as text, or null: NUL and lone surrogates have no place in UTF-8 text. */
export function textProblem(text: string, max: number): string | null {
  if (text.includes('\0')) return 'must not contain NUL';
  if (!text.isWellFormed()) return 'must not contain lone surrogates';
  // Code points are never more than code units: most texts need no count.
  if (text.length > max && codePoints(text) > max) return `must be at most ${max} characters`;
  return null;
}

const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

/** As textProblem, for what stands on one line and is read as a label: a room's name, a topic, a full name. */
export function lineProblem(text: string, max: number, min = 0): string | null {
  const problem = textProblem(text, max);
  if (problem) return problem;
  if (UNSEEN.test(text)) return 'must not contain control, direction or invisible characters';
  if (codePoints(text.trim()) < min) return min === 1 ? 'must not be blank' : `must be at least ${min} characters`;
  return null;
}

/** For what stands on one line here and did not elsewhere. */
export const onOneLine = (text: string): string => text.replace(/[\t\r\n\u2028\u2029]+/g, ' ');

/** One visible symbol or short code: no white space, nothing unseen (joiners of emoji aside). */
export function emojiProblem(emoji: string): string | null {
  const problem = textProblem(emoji, 64);
  if (problem) return problem;
  return /[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(emoji) ? 'must be one emoji or its short name' : null;
}

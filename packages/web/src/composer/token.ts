/** What is being written before the caret, when it is the beginning of a name. */

export interface Token {
  readonly sign: '@' | '#' | ':';
  /** What was written of the name. */
  readonly letters: string;
  /** Where the sign stands in the text. */
  readonly at: number;
}

/** Shorter beginnings of emoji are mostly times and smileys. */
const EMOJI_LETTERS = 2;
/** No name is looked back for further than this. */
const BACK = 60;

export function tokenBefore(text: string, caret: number): Token | null {
  const before = text.slice(Math.max(0, caret - BACK), caret);
  const found = /(?:^|[\s([{>"'])([@#:])([\p{L}\p{N}\p{M}._+-]*)$/u.exec(before);
  if (!found) return null;
  const [, sign = '', letters = ''] = found;
  if (sign === ':' && letters.length < EMOJI_LETTERS) return null;
  return { sign: sign as Token['sign'], letters, at: caret - letters.length - 1 };
}

/** The text with the token replaced, and where the caret goes. */
export function complete(text: string, caret: number, token: Token, insert: string): { text: string; caret: number } {
  const behind = text.slice(caret);
  const space = /^\s/.test(behind) ? '' : ' ';
  return { text: text.slice(0, token.at) + insert + space + behind, caret: token.at + insert.length + 1 };
}

/** The words that stores are filled with. */

const WORDS = 5_000;
const LETTERS = 'etaoinshrdlucmfw';

/** The same words for everybody: the first ones are frequent, the last ones rare. */
export function vocabulary(random: () => number): string[] {
  return Array.from({ length: WORDS }, () =>
    Array.from({ length: 3 + Math.floor(random() * 8) }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join(''),
  );
}

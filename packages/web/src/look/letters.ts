/** Letters of the app's own font: those of a language are fetched when a text has them. */

const FAMILY = '"Source Sans 3 Variable"';
/** Milliseconds that letters are waited for. */
const WITHIN = 1_000;
/** Letters that every page of the app has itself: they are here. */
const BEYOND = /[^\p{ASCII}]/gu;

/** A sign that stands alone, or three of them: two make a word bold. */
const SLANTED = /(?<![*_])[*_](?![*_])|\*{3}/;

/** Letters that are here, or were waited for once: asking the browser for a long text takes longer than drawing it. */
const upright = new Set<string>();
const slanted = new Set<string>();

/** Null where no letter of a text is waited for; else resolves when they are here, or are not to be had soon. */
export function lettersOf(text: string): Promise<void> | null {
  const rare = text.match(BEYOND) ?? [];
  const loads = [
    load(`1em ${FAMILY}`, upright, rare),
    // They are in files of their own.
    SLANTED.test(text) ? load(`italic 1em ${FAMILY}`, slanted, ['a', ...rare]) : null,
  ].filter((one) => one !== null);
  return loads.length === 0 ? null : Promise.all(loads).then(() => {});
}

/** Null where they are here. */
function load(font: string, here: Set<string>, letters: readonly string[]): Promise<void> | null {
  const asked = letters.filter((letter) => !here.has(letter));
  if (asked.length === 0) return null;
  const note = () => {
    for (const letter of asked) here.add(letter);
  };
  const text = asked.join('');
  if (!document.fonts.check(font, text)) {
    const late = new Promise((resolve) => setTimeout(resolve, WITHIN));
    return Promise.race([late, document.fonts.load(font, text)]).then(note, note);
  }
  note();
  return null;
}

/** Letters of the app's own font: those of a language are fetched when a text has them. */

const FAMILY = '"Source Sans 3 Variable"';
/** Milliseconds that letters are waited for. */
const WITHIN = 1_000;

/** Null where all letters of a text are here; else resolves when they are, or are not to be had soon. */
export function lettersOf(text: string): Promise<unknown> | null {
  // What may be slanted has a file of its own.
  const fonts = /[*_]/.test(text) ? [`1em ${FAMILY}`, `italic 1em ${FAMILY}`] : [`1em ${FAMILY}`];
  const missing = fonts.filter((font) => !document.fonts.check(font, text));
  if (missing.length === 0) return null;
  const late = new Promise((resolve) => setTimeout(resolve, WITHIN));
  return Promise.race([late, Promise.allSettled(missing.map((font) => document.fonts.load(font, text)))]);
}

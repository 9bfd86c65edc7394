/** How well a few letters fit a name: all of them in their order, best at the beginnings of words and next to each other. */

/** Higher is better; null where they do not fit at all. */
export function closeness(name: string, letters: string): number | null {
  const wanted = letters.toLowerCase();
  const text = name.toLowerCase();
  if (wanted === '') return 0;
  const whole = text.indexOf(wanted);
  if (whole >= 0) return 1_000 - whole * 4 + (begins(text, whole) ? 500 : 0) - (text.length - wanted.length);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    if (letter === ' ') continue;
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    score += next === at + 1 ? 8 : begins(text, next) ? 6 : 1;
    score -= Math.min(4, next - at - 1);
    at = next;
  }
  return score;
}

function begins(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '');
}

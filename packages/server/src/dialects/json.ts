/** JSON of clients that is kept, or given back as it came. Nothing here recurses: the nesting is theirs. */

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;
const membersOf = (value: object): unknown[] => (Array.isArray(value) ? value : Object.values(value));
const partsOf = (value: object): unknown[] => (Array.isArray(value) ? value : Object.entries(value).flat());

/** Is it nested deeper than so many levels? A list of numbers has one. */
export function isDeep(value: unknown, depthMax: number): boolean {
  let level = [value].filter(isNested);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > depthMax) return true;
    level = level.flatMap(membersOf).filter(isNested);
  }
  return false;
}

/** Escapes by which NUL and lone surrogates can stand in JSON that is itself good UTF-8. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i;

/** Is all of its text such as can be kept: without NUL and lone surrogates, in the names of members too? */
export function isPlain(json: string, value: unknown): boolean {
  if (!SUSPECT.test(json)) return true;
  for (let level = [value]; level.length > 0; level = level.filter(isNested).flatMap(partsOf)) {
    if (level.some((one) => typeof one === 'string' && (one.includes('\0') || !one.isWellFormed()))) return false;
  }
  return true;
}

/** The type of a frame that nobody knows, as Python would write it, or what it is. */
export function shownType(type: unknown): string {
  if (type === undefined || type === null) return 'None';
  if (typeof type === 'object') return Array.isArray(type) ? 'list' : 'dict';
  return String(type).slice(0, 100).toWellFormed();
}

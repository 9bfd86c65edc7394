/**
 * Ids that were not there when the index passed them. Ids are given before the commit, so a transaction may end after others
 * with higher ids; one that failed leaves a gap for ever. Pure.
 */

export interface Gap {
  first: number;
  last: number;
  /** Transactions from here on began after the gap was seen: none of them has an id of it. */
  nextXid: number;
}

/** The gaps between a position and the ids that were read after it. */
export function gapsIn(from: number, ids: readonly number[], nextXid: number): Gap[] {
  const gaps: Gap[] = [];
  let before = from;
  for (const id of ids) {
    if (id > before + 1) gaps.push({ first: before + 1, last: id - 1, nextXid });
    before = id;
  }
  return gaps;
}

/** What is left of gaps when these ids, rising, have come. */
export function without(gaps: readonly Gap[], ids: readonly number[]): Gap[] {
  return gaps.flatMap(({ first, last, nextXid }) => {
    const inside = ids.filter((id) => id >= first && id <= last);
    return gapsIn(first - 1, [...inside, last + 1], nextXid);
  });
}

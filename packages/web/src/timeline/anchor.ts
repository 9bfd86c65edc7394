/**
 * Where rows stand on the screen. Browsers that can keep what is read where it is while rows come and go around it
 * (scroll anchoring) do; for the others, and at the very top, where none of them does, `Reading` puts it back by hand.
 */

export const anchorsItself = (): boolean => CSS.supports('overflow-anchor', 'auto');

/** The first message that can be seen. */
export function topMessage(scroller: HTMLElement): HTMLElement | null {
  const edge = scroller.getBoundingClientRect().top;
  return first(scroller, (row) => row.getBoundingClientRect().bottom > edge + 1);
}

/** The row of a message, or of the next one that is there. */
export function rowAt(scroller: HTMLElement, seq: number): HTMLElement | null {
  return first(scroller, (row) => Number(row.dataset.seq) >= seq);
}

/** The first row that passes, where all behind it do; else the last one. */
function first(scroller: HTMLElement, passes: (row: HTMLElement) => boolean): HTMLElement | null {
  const rows = scroller.querySelectorAll<HTMLElement>('[data-seq]');
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(rows[middle] as HTMLElement)) high = middle;
    else low = middle + 1;
  }
  return rows[low] ?? rows[rows.length - 1] ?? null;
}

/** How far a row stands below the upper edge. */
export function offsetOf(scroller: HTMLElement, row: HTMLElement): number {
  return row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

/** How far below the edge a row is to stand that is led to. */
export function standsIn(scroller: HTMLElement, row: HTMLElement, align: 'middle' | 'upper'): number {
  const height = scroller.clientHeight;
  if (align === 'upper') return Math.min(height / 4, 160);
  return Math.max(16, (height - row.getBoundingClientRect().height) / 2);
}

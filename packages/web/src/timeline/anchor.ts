/**
 * Keeps what is read where it is while rows come and go around it. Browsers that can do so by themselves (scroll
 * anchoring) do; for the others, and at the very top, where none of them does, the row at the top is put back by hand.
 */

export interface Anchor {
  readonly key: string;
  readonly top: number;
}

export const anchorsItself = (): boolean => CSS.supports('overflow-anchor', 'auto');

/** The first row that can be seen. */
export function topRow(scroller: HTMLElement): HTMLElement | null {
  const edge = scroller.getBoundingClientRect().top;
  const rows = scroller.querySelectorAll<HTMLElement>('[data-key]');
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as HTMLElement).getBoundingClientRect().bottom <= edge + 1) low = middle + 1;
    else high = middle;
  }
  return rows[low] ?? null;
}

export function anchorOf(scroller: HTMLElement): Anchor | null {
  const row = topRow(scroller);
  return row && { key: row.dataset.key as string, top: row.getBoundingClientRect().top };
}

/** Puts the row back to where it was, if it is still there. */
export function restore(scroller: HTMLElement, { key, top }: Anchor): void {
  const row = scroller.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  if (row) scroller.scrollTop += row.getBoundingClientRect().top - top;
}

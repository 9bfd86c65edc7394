/** F6 goes around the parts of the page: rooms, messages, what is written, what stands at the side. */

export function stepRegion(by: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter((one) => one.checkVisibility());
  const now = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(now + by + regions.length) % regions.length];
  // What the region itself names as its beginning, else the region.
  (next?.querySelector<HTMLElement>('[data-region-start]') ?? next)?.focus();
}

/** Times as the APIs write them, from milliseconds since 1970. */

/** UTC with `Z`: `2026-11-20T13:30:14.123Z`. */
export const zulu = (at: number): string => new Date(at).toISOString();

/** UTC without saying so, as Python writes it: `2026-11-20T13:30:14.123000`. */
export const naive = (at: number): string => `${zulu(at).slice(0, -1)}000`;

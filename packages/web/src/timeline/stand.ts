/** Where a reader stands in a timeline. */
import type { Place } from '../chat/places.js';

export type Align = 'middle' | 'upper';

/** It is kept whatever is loaded, drawn, measured anew or dropped, until the reader scrolls. */
export type Stand =
  | { readonly is: 'end' }
  | { readonly is: 'place'; readonly place: Place }
  /** Not reached yet: where on the screen it comes to stand is seen when it is drawn. */
  | { readonly is: 'message'; readonly seq: number; readonly align: Align; readonly ifNear?: boolean };

export function placeOf(stand: Exclude<Stand, { is: 'end' }>): Place {
  return stand.is === 'place' ? stand.place : { seq: stand.seq, offset: 0 };
}

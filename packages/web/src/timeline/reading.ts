/**
 * Where the reader is in a timeline: which messages stand in the page, what is loaded next, and that nothing moves under
 * the eye while that happens. React draws what `window` says; all scrolling is done here.
 */
import type { Message, Timeline, TimelineSnapshot } from '@natter/client';
import { View } from '@natter/client/emitter';
import type { Place, Places } from '../chat/places.js';
import { type Anchor, anchorOf, anchorsItself, restore, topRow } from './anchor.js';
import { around, atEnd, grow, most, range, type Window } from './window.js';

export interface Sight {
  /** The newest message is in sight, and stays so when others come. */
  readonly atEnd: boolean;
  /** Seq of the first message in sight. */
  readonly top: number;
}

/** What the next drawing is to bring into sight. */
type Goal =
  | { readonly is: 'end' }
  | { readonly is: 'place'; readonly place: Place }
  | { readonly is: 'message'; readonly seq: number; readonly align: 'middle' | 'upper' };

/** Messages in a page. */
const PAGE = 100;
/** This near to the end, in pixels, counts as at the end. */
const NEAR = 4;

export interface ReadingOptions {
  room: number;
  timeline: Timeline;
  places: Places;
  /** Seq that an address names. */
  target: number | null;
  /** Seq of the first message that is new to me. */
  newFrom: number | null;
}

export class Reading {
  /** What stands in the page; null until there is something to show. */
  readonly window: View<Window | null> = new View(() => this.#window);
  readonly sight: View<Sight> = new View(() => this.#sight);
  readonly #options: ReadingOptions;
  #window: Window | null = null;
  #sight: Sight = { atEnd: false, top: 0 };
  #scroller: HTMLElement | null = null;
  #goal: Goal | null = null;
  #anchor: Anchor | null = null;
  /** A message that is to be loaded and shown. */
  #wanted: number | null;
  /** The present was asked for, and is not loaded yet. */
  #toEnd = false;
  #frame = 0;
  /** Of the scroller: asking for it in the middle of a change would have all of it laid out. */
  #height = 0;

  constructor(options: ReadingOptions) {
    this.#options = options;
    this.#wanted = options.target;
    this.#begin();
  }

  /** The page's elements are there. Answers the function that lets go of them. */
  attach(scroller: HTMLElement, content: HTMLElement): () => void {
    this.#scroller = scroller;
    const scrolled = () => this.#scrolled();
    scroller.addEventListener('scroll', scrolled, { passive: true });
    // What grows late (a picture, a font) moves neither the end nor what is read.
    const observer = new ResizeObserver(() => {
      this.#height = scroller.clientHeight;
      this.#keepEnd();
      this.#fillSoon();
    });
    observer.observe(content);
    observer.observe(scroller);
    // Before it is drawn.
    const stop = this.#options.timeline.subscribe(() => this.#hold());
    return () => {
      stop();
      this.#keepPlace();
      scroller.removeEventListener('scroll', scrolled);
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      this.#scroller = null;
    };
  }

  /** The timeline has changed; before it is drawn. */
  changed(): void {
    const { loaded, messages } = this.#snapshot;
    if (!loaded) {
      this.#put(null);
    } else if (this.#window === null || this.#wanted !== null) {
      this.#begin();
    } else if (this.#window.to === null) {
      const [begin, end] = range(this.#snapshot, this.#window);
      const max = most(this.#height);
      if (end - begin <= max + PAGE) return;
      // At the end the oldest go; above it, what came last.
      if (this.#sight.atEnd) this.#resize({ from: (messages[end - max] as Message).seq, to: null });
      else this.#resize({ from: this.#window.from, to: (messages[begin + max] as Message).seq });
    }
  }

  /** The page shows what `window` says. */
  drawn(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    const goal = this.#goal;
    this.#goal = null;
    if (goal) this.#reach(scroller, goal);
    else if (this.#anchor) restore(scroller, this.#anchor);
    this.#anchor = null;
    this.#keepEnd();
    this.#fillSoon();
  }

  /** Shows a message, wherever in the room it is. */
  go(seq: number, align: 'middle' | 'upper' = 'middle'): void {
    this.#wanted = seq;
    if (!this.#show(seq, align)) this.#options.timeline.around(seq, PAGE).catch(() => {});
  }

  /** Shows the present. */
  goToEnd(): void {
    this.#wanted = null;
    if (this.#snapshot.newer) {
      this.#toEnd = true;
      this.#put(null);
      this.#options.timeline.load(PAGE).catch(() => {});
      return;
    }
    this.#goal = { is: 'end' };
    this.#resize(atEnd(this.#snapshot.messages), true);
  }

  /** Reads again what could not be read. */
  retry(): void {
    const { loaded } = this.#snapshot;
    if (loaded) this.#fill(true);
    else if (this.#wanted === null) this.#options.timeline.load(PAGE).catch(() => {});
    else this.#options.timeline.around(this.#wanted, PAGE).catch(() => {});
  }

  get #snapshot(): TimelineSnapshot {
    return this.#options.timeline.getSnapshot();
  }

  /** What is shown first: what an address names, where I was, what is new, or the present. */
  #begin(): void {
    const { timeline, places, room, newFrom } = this.#options;
    const { loaded, loading, messages, newer } = this.#snapshot;
    const place = places.get(room);
    if (this.#wanted !== null && (!loaded || !this.#show(this.#wanted, 'middle'))) {
      if (!loading) timeline.around(this.#wanted, PAGE).catch(() => {});
      return;
    }
    if (this.#wanted !== null || this.#window !== null) return;
    if (!loaded) {
      if (!loading) timeline.load(PAGE).catch(() => {});
      return;
    }
    if (this.#toEnd && !newer) {
      this.#toEnd = false;
      this.#goal = { is: 'end' };
      this.#put(atEnd(messages));
      this.#set({ atEnd: true });
    } else if (place && this.#has(place.seq)) {
      this.#goal = { is: 'place', place };
      this.#put(around(messages, place.seq));
      this.#set({ atEnd: false });
    } else if (place) {
      timeline.around(place.seq, PAGE).catch(() => {});
    } else if (newer) {
      timeline.load(PAGE).catch(() => {});
    } else if (newFrom !== null && this.#has(newFrom)) {
      this.#goal = { is: 'message', seq: newFrom, align: 'upper' };
      this.#put(around(messages, newFrom));
      this.#set({ atEnd: false });
    } else {
      this.#goal = { is: 'end' };
      this.#put(atEnd(messages));
      this.#set({ atEnd: true });
    }
  }

  /** Is a place in the log among what is loaded? */
  #has(seq: number): boolean {
    const { messages, older, newer } = this.#snapshot;
    const [first, last] = [messages[0], messages.at(-1)];
    if (!first || !last) return !older && !newer;
    return (seq > first.seq || !older) && (seq <= last.seq || !newer);
  }

  #show(seq: number, align: 'middle' | 'upper'): boolean {
    if (!this.#has(seq)) return false;
    this.#wanted = null;
    this.#goal = { is: 'message', seq, align };
    this.#resize(around(this.#snapshot.messages, seq), true);
    this.#set({ atEnd: false });
    return true;
  }

  #reach(scroller: HTMLElement, goal: Goal): void {
    if (goal.is === 'end') {
      scroller.scrollTop = scroller.scrollHeight;
      this.#set({ atEnd: true });
      return;
    }
    const seq = goal.is === 'place' ? goal.place.seq : goal.seq;
    const rows = [...scroller.querySelectorAll<HTMLElement>('[data-seq]')];
    const row = rows.find((one) => Number(one.dataset.seq) >= seq) ?? rows.at(-1);
    if (!row) return;
    const edge = scroller.getBoundingClientRect().top;
    const { top, height } = row.getBoundingClientRect();
    const room = scroller.clientHeight;
    let offset: number;
    if (goal.is === 'place') offset = goal.place.offset;
    else if (goal.align === 'upper') offset = Math.min(room / 4, 160);
    else offset = Math.max(16, (room - height) / 2);
    scroller.scrollTop += top - edge - offset;
    this.#scrolled();
  }

  #scrolled(): void {
    const scroller = this.#scroller;
    if (!scroller || this.#window === null) return;
    // At the very top browsers anchor nothing: a pixel below it they do.
    if (scroller.scrollTop <= 0 && this.#moreAbove()) scroller.scrollTop = 1;
    const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    const { newer, messages } = this.#snapshot;
    const [, end] = range(this.#snapshot, this.#window);
    this.#set({ atEnd: left <= NEAR && end === messages.length && !newer, top: seqOf(topRow(scroller)) });
    this.#fill();
  }

  #moreAbove(): boolean {
    return this.#snapshot.older || (this.#window !== null && range(this.#snapshot, this.#window)[0] > 0);
  }

  /** Stays at the end, whatever came or grew. */
  #keepEnd(): void {
    if (this.#scroller && this.#sight.atEnd && this.#goal === null) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
    }
  }

  /** After the browser has put things back to where they were. */
  #fillSoon(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#frame = requestAnimationFrame(() => this.#fill());
    });
  }

  /** Rows for one and a half screens on both sides, loaded where they are not. */
  #fill(again = false): void {
    const scroller = this.#scroller;
    const window = this.#window;
    if (!scroller || window === null || this.#goal) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const margin = clientHeight * 1.5 + 200;
    const { older, newer, loading, error } = this.#snapshot;
    const max = most(clientHeight);
    if (scrollTop < margin) {
      const grown = grow(this.#snapshot, window, 'up', max);
      if (grown) return this.#resize(grown);
      if (older && !loading && (again || !error)) this.#options.timeline.older(PAGE).catch(() => {});
    }
    if (scrollHeight - scrollTop - clientHeight < margin) {
      const grown = grow(this.#snapshot, window, 'down', max);
      if (grown) return this.#resize(grown);
      if (newer && !loading && (again || !error)) this.#options.timeline.newer(PAGE).catch(() => {});
    }
  }

  /** `anew`: what is in sight changes on purpose. */
  #resize(window: Window, anew = false): void {
    if (!anew) this.#hold();
    this.#put(window);
  }

  /** Remembers what is at the top, where the browser does not, until the next drawing. */
  #hold(): void {
    const scroller = this.#scroller;
    if (scroller && (!anchorsItself() || scroller.scrollTop <= 0)) this.#anchor ??= anchorOf(scroller);
  }

  #put(window: Window | null): void {
    if (window === this.#window) return;
    this.#window = window;
    if (window === null) this.#set({ atEnd: false });
    this.window.touch();
  }

  #keepPlace(): void {
    const scroller = this.#scroller;
    if (!scroller || this.#window === null) return;
    const row = topRow(scroller);
    const seq = seqOf(row);
    const { places, room } = this.#options;
    const offset = row ? row.getBoundingClientRect().top - scroller.getBoundingClientRect().top : 0;
    places.set(room, this.#sight.atEnd || seq === 0 ? null : { seq, offset });
  }

  #set(change: Partial<Sight>): void {
    const next = { ...this.#sight, ...change };
    if (next.atEnd === this.#sight.atEnd && next.top === this.#sight.top) return;
    this.#sight = next;
    this.sight.touch();
  }
}

/** Of a row, or of the next one that is a message. */
function seqOf(row: HTMLElement | null): number {
  for (let one: Element | null = row; one; one = one.nextElementSibling) {
    const seq = (one as HTMLElement).dataset.seq;
    if (seq !== undefined) return Number(seq);
  }
  return 0;
}

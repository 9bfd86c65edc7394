/**
 * Where the reader is in a timeline: which messages stand in the page, what is loaded next, and that nothing moves under
 * the eye while that happens. React draws what `window` says; all scrolling is done here.
 */
import type { Message, Timeline, TimelineSnapshot } from '@natter/client';
import { View } from '@natter/client/emitter';
import { Again } from '../chat/again.js';
import type { Place, Places } from '../chat/places.js';
import { lettersOf } from '../look/letters.js';
import { anchorsItself, offsetOf, rowAt, standsIn, topMessage } from './anchor.js';
import { type Align, placeOf, type Stand } from './stand.js';
import { around, atEnd, grow, most, range, screenful, type Window } from './window.js';

export interface Sight {
  /** The newest message is in sight, and stays so when others come. */
  readonly atEnd: boolean;
  /** Seq of the first message in sight. */
  readonly top: number;
}

/** Messages in a page. */
const PAGE = 100;
/** This near to the end, in pixels, counts as at the end. */
const NEAR = 4;
/** This near to the top browsers anchor nothing, or not everything. */
const TOP = 8;
/** Times that filling is put off for a frame in which nothing else happens. */
const PATIENCE = 8;

export interface ReadingOptions {
  room: number;
  timeline: Timeline;
  places: Places;
  /** What somebody is called, as far as it is known. */
  called: (user: number) => string;
  /** Seq that an address names. */
  target: number | null;
  /** Seq of the first message that is new to me. */
  newFrom: number | null;
}

export class Reading {
  /** What stands in the page; null until there is something to show. */
  readonly window: View<Window | null> = new View(() => this.#window);
  readonly sight: View<Sight> = new View(() => this.#sight);
  /** For what could not be read. */
  readonly again = new Again(() => this.#proceed());
  readonly #options: ReadingOptions;
  #window: Window | null = null;
  #sight: Sight = { atEnd: false, top: 0 };
  #scroller: HTMLElement | null = null;
  #stand: Stand;
  /** The page brought the reader there: until the first scroll of their own, only the page moves. */
  #held = true;
  /** The next drawing is to bring the stand into sight. */
  #due = false;
  /** The stand is not among what is loaded. */
  #waiting = false;
  /** The browser does not keep the stand in the drawing that comes: it is put back by hand. */
  #byHand = false;
  /** Letters of the rows that come next are on the way. */
  #lettering = false;
  /** Seq that was read around last. */
  #asked: number | null = null;
  #frame = 0;
  /** Times that filling was put off, one after the other. */
  #postponed = 0;
  /** Of the scroller: asking for it in the middle of a change would have all of it laid out. */
  #height = 0;
  /** As they were when the stand was kept or read last: what differs then was scrolled, or measured anew. */
  #scrolledTo = 0;
  #length = 0;

  constructor(options: ReadingOptions) {
    this.#options = options;
    const left = options.places.left(options.room);
    const place = left === undefined ? options.places.get(options.room) : left;
    if (options.target !== null && left === undefined)
      this.#stand = { is: 'message', seq: options.target, align: 'middle' };
    else if (place) this.#stand = { is: 'place', place };
    else if (options.newFrom === null) this.#stand = { is: 'end' };
    else this.#stand = { is: 'message', seq: options.newFrom, align: 'upper', ifNear: true };
    // What failed when the room was open before is no reason not to ask.
    this.#begin(!this.#snapshot.loading);
  }

  /** The page's elements are there. Answers the function that lets go of them. */
  attach(scroller: HTMLElement, content: HTMLElement): () => void {
    this.#scroller = scroller;
    const listening = new AbortController();
    const { signal } = listening;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true, signal });
    // What only a reader does.
    const letGo = () => {
      this.#held = false;
      // At the very top nothing scrolls any more: this alone tells that they want more.
      if (scroller.scrollTop <= TOP) this.#fillSoon();
    };
    scroller.addEventListener('wheel', letGo, { passive: true, signal });
    scroller.addEventListener('touchmove', letGo, { passive: true, signal });
    // The bar at the side, and keys: what they scroll is heard of a frame later.
    scroller.addEventListener('pointerdown', letGo, { passive: true, signal });
    scroller.addEventListener('keydown', letGo, { passive: true, signal });
    // What grows late (a picture, a font) moves neither the end nor what is read.
    const observer = new ResizeObserver(() => {
      this.#height = scroller.clientHeight;
      this.#keep();
      this.#fillSoon();
    });
    observer.observe(content);
    observer.observe(scroller);
    // Before it is drawn.
    const stop = this.#options.timeline.subscribe(() => this.#hold());
    const left = this.#options.places.read({ room: this.#options.room, place: () => this.#place() });
    return () => {
      stop();
      left();
      listening.abort();
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      this.#postponed = 0;
      this.again.over();
      this.#scroller = null;
    };
  }

  /** The timeline has changed; before it is drawn. */
  changed(): void {
    const { loaded, messages } = this.#snapshot;
    this.again.went(this.#snapshot);
    if (!loaded) {
      // Dropped, and read again: the reader stays where they stood.
      this.#held = true;
      if (this.#window !== null) this.#asked = null;
      this.#put(null);
      this.#begin();
    } else if (this.#window === null || this.#waiting) {
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
    this.#keep();
    this.#byHand = false;
    this.#fillSoon();
  }

  /** Shows a message, wherever in the room it is. */
  go(seq: number, align: Align = 'middle'): void {
    const standing = this.#stand.is === 'end' ? null : placeOf(this.#stand).seq;
    if (this.#held && standing === seq) return;
    this.#moveTo({ is: 'message', seq, align });
  }

  /** Shows a place where the reader was before; null is the present. */
  goBack(place: Place | null): void {
    if (place) this.#moveTo({ is: 'place', place });
    else this.goToEnd();
  }

  /** Shows the present. */
  goToEnd(): void {
    this.#moveTo({ is: 'end' });
    if (this.#waiting) this.#put(null);
  }

  get #snapshot(): TimelineSnapshot {
    return this.#options.timeline.getSnapshot();
  }

  #moveTo(stand: Stand): void {
    this.#stand = stand;
    this.#held = true;
    this.#asked = null;
    this.#begin(true);
  }

  /** Shows where the reader stands, if it is loaded; else it is read. */
  #begin(again = false): void {
    const stand = this.#stand;
    const { loaded, loading, newer, error } = this.#snapshot;
    if (loaded && (stand.is === 'end' ? !newer : this.#has(placeOf(stand).seq))) {
      this.#show();
      return;
    }
    if (loaded && stand.is === 'message' && stand.ifNear) {
      this.#stand = { is: 'end' };
      this.#begin(again);
      return;
    }
    this.#waiting = true;
    if (!again && (loading || (error && !this.again.due))) return;
    // What was read around it is the nearest that there is.
    if (loaded && !error && stand.is !== 'end' && this.#asked === placeOf(stand).seq) this.#show();
    else this.#load();
  }

  #load(): void {
    const { timeline } = this.#options;
    const stand = this.#stand;
    const near = stand.is === 'end' || (stand.is === 'message' && stand.ifNear);
    this.#asked = near ? null : placeOf(stand).seq;
    this.#ask(this.#asked === null ? timeline.load(PAGE) : timeline.around(this.#asked, PAGE));
  }

  /** What goes wrong is in the snapshot. */
  #ask(answer: Promise<void>): void {
    this.again.asked();
    answer.catch(() => {});
  }

  /** Once more, wherever the reader is by now. */
  #proceed(): void {
    if (this.#window !== null && !this.#waiting) this.#fill();
    else this.#begin();
  }

  /** Is a place in the log among what is loaded? */
  #has(seq: number): boolean {
    const { messages, older, newer } = this.#snapshot;
    const [first, last] = [messages[0], messages.at(-1)];
    if (!first || !last) return !older && !newer;
    return (seq > first.seq || !older) && (seq <= last.seq || !newer);
  }

  #show(): void {
    const { messages } = this.#snapshot;
    const stand = this.#stand;
    const first = screenful(innerHeight);
    const window = stand.is === 'end' ? atEnd(messages, first) : around(messages, placeOf(stand).seq, first);
    this.#waiting = !this.#lettered(messages.slice(...range(this.#snapshot, window)));
    if (this.#waiting) return;
    this.#due = true;
    this.#put(window);
    this.#set({ atEnd: stand.is === 'end' });
  }

  /** Rows are drawn when their letters are here: a font that comes after them would move what is read. */
  #lettered(messages: readonly Message[]): boolean {
    if (this.#lettering) return false;
    const { called } = this.#options;
    const names = [...new Set(messages.map(({ author }) => author))].map(called);
    const letters = lettersOf([...names, ...messages.map(({ text }) => text)].join(' '));
    void letters?.then(() => {
      this.#lettering = false;
      if (this.#waiting) this.#begin();
      else this.#fillSoon();
    });
    this.#lettering = letters !== null;
    return letters === null;
  }

  /** Nothing but the reader moves what the reader sees. */
  #keep(): void {
    const scroller = this.#scroller;
    if (!scroller || this.#window === null || this.#waiting) return;
    const stand = this.#stand;
    if (stand.is === 'end') {
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      const away = scrollTop < this.#scrolledTo - 1 && scrollHeight - scrollTop - clientHeight > NEAR;
      // They have scrolled, and it has not been heard yet.
      if (away && !this.#held && !this.#due) return;
      scroller.scrollTop = scrollHeight;
    } else if (this.#due || this.#held || this.#byHand) {
      const row = rowAt(scroller, placeOf(stand).seq);
      if (!row) return;
      const { seq, offset } =
        stand.is === 'place' ? stand.place : { seq: stand.seq, offset: standsIn(scroller, row, stand.align) };
      const place = { seq, offset: offset - this.#scrolledSince(scroller) };
      const off = offsetOf(scroller, row) - place.offset;
      if (Math.abs(off) >= 0.5) scroller.scrollTop += off;
      this.#stand = { is: 'place', place };
    } else return;
    this.#due = false;
    this.#mark(scroller);
    if (this.#sight.atEnd) this.#stand = { is: 'end' };
  }

  /** Pixels that the reader scrolled after the last reading before this drawing: that is not undone. */
  #scrolledSince(scroller: HTMLElement): number {
    // Where the browser anchors, it may have moved there by itself.
    return this.#byHand && !this.#held && !this.#due && !anchorsItself() ? scroller.scrollTop - this.#scrolledTo : 0;
  }

  #scrolled(): void {
    const scroller = this.#scroller;
    if (!scroller || this.#window === null || this.#due || this.#waiting) return;
    const own = Math.abs(scroller.scrollTop - this.#scrolledTo) < 1;
    if (this.#held && (own || scroller.scrollHeight !== this.#length)) {
      this.#keep();
    } else {
      this.#held = false;
      this.#read(scroller);
    }
    // What is put back by hand is put back in a frame in which nobody scrolls: together the two would pass for a shift.
    if (scroller.scrollTop <= TOP) this.#fillSoon();
    else this.#fill();
  }

  /** The reader has scrolled: this is where they stand now. */
  #read(scroller: HTMLElement): void {
    const row = this.#mark(scroller);
    if (this.#sight.atEnd) this.#stand = { is: 'end' };
    else if (row) {
      this.#stand = { is: 'place', place: { seq: Number(row.dataset.seq), offset: offsetOf(scroller, row) } };
    }
  }

  /** Remembers how things stand, and tells what is in sight. Answers the message at the top. */
  #mark(scroller: HTMLElement): HTMLElement | null {
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    this.#scrolledTo = scrollTop;
    this.#length = scrollHeight;
    const { newer, messages } = this.#snapshot;
    const end = this.#window === null ? 0 : range(this.#snapshot, this.#window)[1];
    const left = scrollHeight - scrollTop - clientHeight;
    const row = topMessage(scroller);
    this.#set({ atEnd: left <= NEAR && end === messages.length && !newer, top: Number(row?.dataset.seq ?? 0) });
    return row;
  }

  /** After the browser has put things back to where they were. */
  #fillSoon(): void {
    // Whoever never rests is to get rows, too.
    if (this.#postponed >= PATIENCE) return;
    this.#postponed += 1;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#frame = requestAnimationFrame(() => {
        this.#postponed = 0;
        this.#fill();
      });
    });
  }

  /** Rows for one and a half screens on both sides, loaded where they are not. */
  #fill(): void {
    const scroller = this.#scroller;
    const window = this.#window;
    if (!scroller || window === null || this.#due || this.#waiting || this.#lettering) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const margin = clientHeight * 1.5 + 200;
    const { older, newer, loading, error } = this.#snapshot;
    const mayAsk = !loading && (!error || this.again.due);
    const max = most(clientHeight);
    if (scrollTop < margin) {
      const grown = grow(this.#snapshot, window, 'up', max);
      if (grown) return this.#grow(window, grown);
      if (older && mayAsk) this.#ask(this.#options.timeline.older(PAGE));
    }
    if (scrollHeight - scrollTop - clientHeight < margin) {
      const grown = grow(this.#snapshot, window, 'down', max);
      if (grown) return this.#grow(window, grown);
      if (newer && mayAsk) this.#ask(this.#options.timeline.newer(PAGE));
    }
  }

  #grow(window: Window, grown: Window): void {
    const { messages } = this.#snapshot;
    const [begin, end] = range(this.#snapshot, window);
    const [from, to] = range(this.#snapshot, grown);
    if (this.#lettered([...messages.slice(from, begin), ...messages.slice(end, to)])) this.#resize(grown);
  }

  #resize(window: Window): void {
    this.#hold();
    this.#put(window);
  }

  /** Before a drawing: where the browser will not keep the stand, it is read for the last time. */
  #hold(): void {
    const scroller = this.#scroller;
    if (!scroller || this.#due || this.#waiting || this.#byHand || this.#window === null) return;
    if (anchorsItself() && scroller.scrollTop > TOP) return;
    this.#byHand = true;
    if (!this.#held && this.#stand.is !== 'end') this.#read(scroller);
  }

  #put(window: Window | null): void {
    if (window === this.#window) return;
    this.#window = window;
    if (window === null) this.#set({ atEnd: false });
    this.window.touch();
  }

  /** What leads back here. Null: the present. */
  #place(): Place | null {
    return this.#stand.is === 'end' ? null : placeOf(this.#stand);
  }

  #set(change: Partial<Sight>): void {
    const next = { ...this.#sight, ...change };
    if (next.atEnd === this.#sight.atEnd && next.top === this.#sight.top) return;
    this.#sight = next;
    this.sight.touch();
  }
}

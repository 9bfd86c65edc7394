/**
 * Who is where, on all nodes, by open sockets: each node keeps its own list, tells the others what changes, and says now and
 * then how long it is and what it sums up to; whoever has it otherwise asks for the whole. Never stored.
 */
import type { UserId } from '@natter/protocol';
import type { Bus, RollMessage } from '../bus/bus.js';
import type { Clock, Timer } from '../clock.js';

/** The first change is told at once, others that come within this many milliseconds together. */
const GATHER_MS = 100;
/** A whole list is told at most once in so many milliseconds, however many ask. */
const ANSWER_MS = 1_000;
/** Words in one message of a whole list. */
const PART_WORDS = 5_000;

export interface RollOptions {
  bus: Bus;
  clock: Clock;
  /** This node's name among the nodes. */
  node: string;
  leaseSeconds: number;
  /** The user may have come there, or gone. */
  changed(place: string, user: UserId): void;
}

/** The list of another node. */
interface Sheet {
  words: Set<string>;
  sum: number;
  /** It is known to be so; else it was asked for. */
  whole: boolean;
  /** A list that is being told, part by part. */
  coming: { words: Set<string>; next: number } | null;
  until: number;
}

export class Roll {
  readonly #options: RollOptions;
  /** Sockets of this node, by place and user. */
  readonly #here = new Map<string, Map<UserId, number>>();
  /** Nodes, by place and user. */
  readonly #elsewhere = new Map<string, Map<UserId, number>>();
  readonly #sheets = new Map<string, Sheet>();
  #count = 0;
  #sum = 0;
  /** Words that changed since others were told: there now or not. */
  readonly #untold = new Map<string, boolean>();
  #gathering: Timer | null = null;
  #leaseAt: number;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #asked = false;
  #closed = false;

  constructor(options: RollOptions) {
    this.#options = options;
    this.#leaseAt = options.clock.ticks();
  }

  /** One more socket. True: the user was not there yet, on any node. */
  enter(place: string, user: UserId): boolean {
    const first = add(this.#here, place, user) === 1;
    if (first) this.#tell(wordOf(place, user), true);
    return first && !this.hasElsewhere(place, user);
  }

  /** One socket less. True: the user is there no more, on any node. */
  leave(place: string, user: UserId): boolean {
    const left = take(this.#here, place, user);
    if (left === 0) this.#tell(wordOf(place, user), false);
    return left === 0 && !this.hasElsewhere(place, user);
  }

  has(place: string, user: UserId): boolean {
    return this.hasHere(place, user) || this.hasElsewhere(place, user);
  }

  hasHere(place: string, user: UserId): boolean {
    return this.#here.get(place)?.has(user) === true;
  }

  hasElsewhere(place: string, user: UserId): boolean {
    return this.#elsewhere.get(place)?.has(user) === true;
  }

  /** Everybody there. */
  users(place: string): Set<UserId> {
    const users = new Set(this.#here.get(place)?.keys());
    for (const user of this.#elsewhere.get(place)?.keys() ?? []) users.add(user);
    return users;
  }

  /** All places that begin so and where somebody is. */
  places(prefix: string): string[] {
    const places = new Set<string>();
    for (const place of this.#here.keys()) if (place.startsWith(prefix)) places.add(place);
    for (const place of this.#elsewhere.keys()) if (place.startsWith(prefix)) places.add(place);
    return [...places];
  }

  /** From another node. */
  hear(message: RollMessage): void {
    const { node } = message;
    if (message.type === 'roll.ask') {
      if (message.of === null || message.of === this.#options.node) this.#asked = true;
      this.#answer();
      return;
    }
    const until = this.#options.clock.ticks() + this.#options.leaseSeconds * 1_000;
    const known = this.#sheets.get(node);
    const sheet = known ?? { words: new Set<string>(), sum: 0, whole: false, coming: null, until };
    sheet.until = until;
    if (!known) this.#sheets.set(node, sheet);
    switch (message.type) {
      case 'roll.change':
        for (const word of message.went) this.#strike(sheet, word);
        for (const word of message.came) this.#write(sheet, word);
        break;
      case 'roll.lease':
        sheet.whole = message.count === sheet.words.size && message.sum === sheet.sum;
        break;
      case 'roll.all':
        this.#part(sheet, message);
        return;
      default:
        message satisfies never;
    }
    if (!sheet.whole && (!known || message.type === 'roll.lease')) this.#ask(node);
  }

  /** Hints arrive again, or for the first time: what was said meanwhile is asked for. */
  greet(): void {
    if (this.#closed || !this.#options.bus.shared) return;
    this.#ask(null);
    this.#asked = true;
    this.#answer();
  }

  /** Called every second or so: renews this node's lease, and ends those of nodes that are silent. */
  beat(): void {
    const { bus, clock, node, leaseSeconds } = this.#options;
    const now = clock.ticks();
    for (const [name, sheet] of this.#sheets) {
      if (sheet.until > now) continue;
      this.#sheets.delete(name);
      for (const word of sheet.words) this.#goes(word);
    }
    if (!bus.shared) return;
    this.#answer();
    if (now < this.#leaseAt) return;
    this.#leaseAt = now + (leaseSeconds * 1_000) / 3;
    this.#tellChanges();
    bus.broadcast({ type: 'roll.lease', node, count: this.#count, sum: this.#sum });
  }

  /** Nobody is here any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gathering?.close();
    const { bus, node } = this.#options;
    if (bus.shared) bus.broadcast({ type: 'roll.all', node, part: 1, parts: 1, words: [] });
  }

  #tell(word: string, there: boolean): void {
    this.#count += there ? 1 : -1;
    this.#sum = (this.#sum + (there ? hashOf(word) : -hashOf(word))) >>> 0;
    if (!this.#options.bus.shared || this.#closed) return;
    if (this.#untold.get(word) === !there) this.#untold.delete(word);
    else this.#untold.set(word, there);
    if (this.#gathering) return;
    this.#tellChanges();
    this.#gathering = this.#options.clock.after(GATHER_MS, () => {
      this.#gathering = null;
      this.#tellChanges();
    });
  }

  #tellChanges(): void {
    if (this.#untold.size === 0) return;
    const came: string[] = [];
    const went: string[] = [];
    for (const [word, there] of this.#untold) (there ? came : went).push(word);
    this.#untold.clear();
    this.#options.bus.broadcast({ type: 'roll.change', node: this.#options.node, came, went });
  }

  #ask(of: string | null): void {
    this.#options.bus.broadcast({ type: 'roll.ask', node: this.#options.node, of });
  }

  /** Tells the whole list, where somebody wants it and it was not just told. */
  #answer(): void {
    const { bus, clock, node } = this.#options;
    if (!this.#asked || this.#closed || clock.ticks() - this.#answeredAt < ANSWER_MS) return;
    this.#asked = false;
    this.#answeredAt = clock.ticks();
    this.#untold.clear();
    const words: string[] = [];
    for (const [place, users] of this.#here) for (const user of users.keys()) words.push(wordOf(place, user));
    const parts = Math.max(1, Math.ceil(words.length / PART_WORDS));
    for (let part = 1; part <= parts; part += 1) {
      const some = words.slice((part - 1) * PART_WORDS, part * PART_WORDS);
      bus.broadcast({ type: 'roll.all', node, part, parts, words: some });
    }
  }

  /** A part that does not follow the last one is of no use: the next lease shows it, and the whole is asked for again. */
  #part(sheet: Sheet, { part, parts, words }: RollMessage & { type: 'roll.all' }): void {
    if (part === 1) sheet.coming = { words: new Set(), next: 1 };
    const { coming } = sheet;
    if (!coming || part !== coming.next) {
      sheet.coming = null;
      return;
    }
    coming.next += 1;
    for (const word of words) coming.words.add(word);
    if (part < parts) return;
    sheet.coming = null;
    for (const word of [...sheet.words]) if (!coming.words.has(word)) this.#strike(sheet, word);
    for (const word of coming.words) this.#write(sheet, word);
    sheet.whole = true;
  }

  #write(sheet: Sheet, word: string): void {
    const at = placeOf(word);
    if (!at || sheet.words.has(word)) return;
    sheet.words.add(word);
    sheet.sum = (sheet.sum + hashOf(word)) >>> 0;
    add(this.#elsewhere, ...at);
    this.#options.changed(...at);
  }

  #strike(sheet: Sheet, word: string): void {
    if (!sheet.words.delete(word)) return;
    sheet.sum = (sheet.sum - hashOf(word)) >>> 0;
    this.#goes(word);
  }

  #goes(word: string): void {
    const at = placeOf(word);
    if (!at) return;
    take(this.#elsewhere, ...at);
    this.#options.changed(...at);
  }
}

const wordOf = (place: string, user: UserId): string => `${place}/${user}`;

/** Null: no word of ours. */
function placeOf(word: string): [place: string, user: UserId] | null {
  const slash = word.lastIndexOf('/');
  const user = Number(word.slice(slash + 1));
  return slash > 0 && Number.isSafeInteger(user) && user > 0 ? [word.slice(0, slash), user] : null;
}

/** FNV-1a, of 32 bits. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i += 1) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** How many there are now. */
function add(places: Map<string, Map<UserId, number>>, place: string, user: UserId): number {
  const users = places.get(place) ?? new Map<UserId, number>();
  places.set(place, users);
  const count = (users.get(user) ?? 0) + 1;
  users.set(user, count);
  return count;
}

/** How many are left; null where there was none. */
function take(places: Map<string, Map<UserId, number>>, place: string, user: UserId): number | null {
  const users = places.get(place);
  const count = users?.get(user);
  if (!users || count === undefined) return null;
  if (count > 1) {
    users.set(user, count - 1);
    return count - 1;
  }
  users.delete(user);
  if (users.size === 0) places.delete(place);
  return 0;
}

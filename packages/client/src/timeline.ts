/** The messages of one room as they are to be shown: pages read by query, live events, and one's own that wait to be sent. */
import type { CommandResult, Event, HiddenEvent, Message, MessagePage } from '@natter/protocol';
import { View } from './emitter.js';
import { asNatterError, localError, type NatterError } from './errors.js';
import type { EntryState, OutboxEntry } from './outbox.js';
import { applyEvent, mergePage, type RoomState, trim, unknownRoom } from './reducer.js';

export interface PendingMessage {
  /** Its key: `client.outbox.cancel(key)` and `retry(key)`. */
  readonly key: string;
  readonly text: string;
  readonly replyTo: number | null;
  readonly at: string;
  /** As in the outbox; `sent` is committed, and its event is on the way. */
  readonly state: EntryState | { readonly is: 'sent' };
}

export interface TimelineSnapshot {
  readonly room: number;
  /** An unbroken run, rising by seq. */
  readonly messages: readonly Message[];
  /** My own that are not in the log yet: they stand after all others, in the order of sending. */
  readonly pending: readonly PendingMessage[];
  /** False until the first page is there. */
  readonly loaded: boolean;
  readonly loading: boolean;
  /** Are there more on that side? `newer` is false at the present: then new messages come by themselves. */
  readonly older: boolean;
  readonly newer: boolean;
  /** Why the last page could not be read. */
  readonly error: NatterError | null;
  /** I am not in the room (any more). */
  readonly gone: boolean;
}

/** The newest messages of a room as they stood at `seq`: what an app keeps of a timeline. */
export interface KeptPage {
  readonly room: number;
  readonly seq: number;
  readonly messages: readonly Message[];
  /** As in a page: null where there are no older ones. */
  readonly before: number | null;
}

export type PageQuery = { before?: number; after?: number; around?: number; limit?: number };

export interface TimelineOptions {
  page(query: PageQuery): Promise<MessagePage>;
  /** A page was read where the room's log was not followed yet: is it followed from the page's head now? */
  follow(page: MessagePage): boolean;
  outbox(): readonly OutboxEntry[];
  me(): number | undefined;
  send(input: { room: number; text: string; replyTo?: number }): string;
  closed(): void;
  /** Most messages that are kept. */
  max: number;
}

/** Seq of a room that is not followed yet. */
const UNFOLLOWED = -1;

export class Timeline {
  readonly room: number;
  readonly #options: TimelineOptions;
  readonly #view: View<TimelineSnapshot>;
  #state: RoomState;
  /** Events heard while a page is read: it may have been read before them. */
  #heard: (Event | HiddenEvent)[] = [];
  #running: Promise<void> | null = null;
  /** Rises when what is being read is not wanted any more. */
  #turn = 0;
  #wanted = false;
  #error: NatterError | null = null;
  #gone = false;
  /** Answered, and the event has not come yet. */
  readonly #landing = new Map<string, { entry: OutboxEntry; seq: number }>();
  /** Not answered yet, and seems to be in the log already. */
  readonly #seen = new Set<string>();

  constructor(room: number, cursor: number | undefined, options: TimelineOptions) {
    this.room = room;
    this.#options = options;
    this.#state = unknownRoom(room, cursor ?? UNFOLLOWED);
    this.#view = new View(() => this.#snapshot());
  }

  readonly getSnapshot = (): TimelineSnapshot => this.#view.getSnapshot();
  readonly subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);
  until(passes: (snapshot: TimelineSnapshot) => boolean): Promise<TimelineSnapshot> {
    return this.#view.until(passes);
  }

  /** The newest page, in place of what is here. */
  load(limit?: number): Promise<void> {
    return this.#load('replace', limit ? { limit } : {});
  }

  /** The page around a message's seq, in place of what is here. */
  around(seq: number, limit?: number): Promise<void> {
    return this.#load('replace', limit ? { around: seq, limit } : { around: seq });
  }

  older(limit?: number): Promise<void> {
    return this.#more('older', 'before', limit);
  }

  newer(limit?: number): Promise<void> {
    return this.#more('newer', 'after', limit);
  }

  /** What is here of the present, at most `max` messages; null where the present is not here. */
  kept(max: number): KeptPage | null {
    const { room, seq, window } = trim(this.#state, max, 'oldest');
    if (!window || seq === UNFOLLOWED || window.after !== null || window.ahead.length > 0) return null;
    return { room, seq, messages: window.messages, before: window.before };
  }

  /** Begins with what was kept, where the room is followed from there: the client's `position` has to say so. */
  restore({ seq, messages, before }: KeptPage): void {
    if (this.#state.seq !== seq || this.#wanted) return;
    this.#wanted = true;
    this.#state = { ...this.#state, window: { messages, before, after: null, ahead: [] } };
    this.find(messages);
    this.#view.touch();
  }

  /** Shown at once, sent as soon as can be. Answers its key. */
  send(text: string, replyTo?: number): string {
    return this.#options.send(replyTo === undefined ? { room: this.room, text } : { room: this.room, text, replyTo });
  }

  /** Lets go of everything; `client.timeline(room)` begins anew. */
  close(): void {
    this.#turn += 1;
    this.#options.closed();
  }

  /** The next event of the room. */
  apply(event: Event | HiddenEvent): void {
    // An own message belongs to the one of the same text that is being sent; its answer will say for certain.
    if (event.type === 'message.sent' && event.actor === this.#options.me()) {
      const { text, replyTo } = event.body;
      const match = this.#mine().find(
        // Of another tab it may not be known yet that it is.
        ({ key, state, input, elsewhere }) =>
          (state.is === 'sending' || (elsewhere && state.is !== 'failed')) &&
          !this.#seen.has(key) &&
          input.text === text &&
          input.replyTo === replyTo,
      );
      if (match) this.#seen.add(match.key);
    }
    this.#state = applyEvent(this.#state, event);
    if (this.#running !== null) this.#heard.push(event);
    if (this.#state.window?.after === null) this.#state = trim(this.#state, this.#options.max, 'oldest');
    this.#landed(event.seq);
    this.#view.touch();
  }

  answered(entry: OutboxEntry, result: CommandResult): void {
    this.#seen.delete(entry.key);
    if (result.seq !== undefined && result.seq > this.#state.seq) {
      this.#landing.set(entry.key, { entry, seq: result.seq });
    }
    this.#view.touch();
  }

  /** What was sent over a link that was lost before the answer may be in the log: then it is among what was read. */
  find(messages = this.#state.window?.messages ?? []): void {
    for (const { key, at, input } of this.#mine()) {
      const is = (message: Message) =>
        message.author === this.#options.me() &&
        message.text === input.text &&
        message.replyTo === (input.replyTo ?? null) &&
        message.at >= at;
      if (messages.some(is)) this.#seen.add(key);
    }
  }

  /** The outbox changed. */
  touch(): void {
    this.#view.touch();
  }

  /** The room is followed from `seq` on, whatever was heard before: with a hole behind it, what is here is dropped and read again. */
  rebase(seq: number, anew: boolean): void {
    if (this.#gone) this.#view.touch();
    this.#gone = false;
    const { seq: stood, window } = this.#state;
    if (stood === seq && !anew) return;
    if (stood === UNFOLLOWED && !anew && (window?.ahead.every(({ asOf }) => asOf >= seq) ?? true)) {
      // What was read holds everything up to there.
      this.#state = { ...this.#state, seq };
      this.#landed(seq);
      this.live();
      return;
    }
    this.#turn += 1;
    this.#running = null;
    this.#state = unknownRoom(this.room, seq);
    this.#landing.clear();
    this.#view.touch();
    this.live();
  }

  /** What could not be read before may be read now. */
  live(): void {
    this.#error = null;
    this.#view.touch();
    // What goes wrong is shown in the snapshot: nobody waits for this one.
    if (this.#wanted && !this.#state.window && this.#running === null) this.load().catch(() => {});
  }

  gone(): void {
    this.#turn += 1;
    this.#running = null;
    this.#gone = true;
    this.#state = unknownRoom(this.room, UNFOLLOWED);
    this.#view.touch();
  }

  #more(side: 'older' | 'newer', by: 'before' | 'after', limit?: number): Promise<void> {
    const { window } = this.#state;
    if (!window) return this.load(limit);
    const from = window[by];
    if (from === null) return Promise.resolve();
    return this.#running ?? this.#load(side, limit ? { [by]: from, limit } : { [by]: from });
  }

  #load(side: 'replace' | 'older' | 'newer', query: PageQuery): Promise<void> {
    const turn = ++this.#turn;
    this.#wanted = true;
    this.#error = null;
    const running = this.#read(side, query, turn)
      .catch((thrown) => {
        if (turn !== this.#turn) return;
        this.#error = asNatterError(thrown);
        throw this.#error;
      })
      .finally(() => {
        if (turn !== this.#turn) return;
        this.#running = null;
        this.#view.touch();
      });
    this.#running = running;
    this.#view.touch();
    return running;
  }

  async #read(side: 'replace' | 'older' | 'newer', query: PageQuery, turn: number): Promise<void> {
    // A second try is for a page read on a node that is behind this client's.
    for (let tries = 0; tries < 3; tries += 1) {
      this.#heard = [];
      const answer = await this.#options.page(query);
      const newest = !(query.before ?? query.after ?? query.around);
      // What came after a newest page was read is heard, or will be: nothing is between.
      const page = newest ? { ...answer, after: null } : answer;
      if (turn !== this.#turn) return;
      // Whoever is given a page is a member, whatever was heard before.
      this.#gone = false;
      if (this.#state.seq === UNFOLLOWED && this.#options.follow(page)) {
        this.#state = unknownRoom(this.room, page.head);
      }
      // Not followed yet: shown as it is, and read again when it is.
      const read = mergePage(this.#state, page, side, this.#heard);
      if (!read) continue;
      this.#state = trim(read, this.#options.max, side === 'older' ? 'newest' : 'oldest');
      this.find(page.messages);
      return;
    }
    throw localError('bad_answer', 'the server answers pages that are older than its events');
  }

  /** Everything up to there is in the state. */
  #landed(seq: number): void {
    for (const [key, landing] of this.#landing) if (landing.seq <= seq) this.#landing.delete(key);
  }

  #mine(): Extract<OutboxEntry, { type: 'message.send' }>[] {
    return this.#options.outbox().flatMap((entry) => {
      return entry.type === 'message.send' && entry.input.room === this.room ? entry : [];
    });
  }

  #snapshot(): TimelineSnapshot {
    const { window } = this.#state;
    const landing = [...this.#landing.values()].map(({ entry }) => pending(entry, { is: 'sent' }));
    const waiting = this.#mine()
      .filter(({ key, state }) => !this.#seen.has(key) || state.is === 'failed')
      .map((entry) => pending(entry, entry.state));
    return {
      room: this.room,
      messages: window?.messages ?? [],
      pending: [...landing, ...waiting],
      loaded: window !== null,
      loading: this.#running !== null,
      older: window?.before != null,
      newer: window?.after != null,
      error: this.#error,
      gone: this.#gone,
    };
  }
}

function pending(entry: OutboxEntry, state: PendingMessage['state']): PendingMessage {
  const { text, replyTo } = entry.input as { text: string; replyTo?: number };
  return { key: entry.key, text, replyTo: replyTo ?? null, at: entry.at, state };
}

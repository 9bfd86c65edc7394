/** The messages of one room, and where one writes: what is new, where one reads. */
import type { Message } from '@natter/client';
import { View } from '@natter/client/emitter';
import { navigate } from 'wouter/use-browser-location';
import { type Chat, nameOf } from '../chat/chat.js';
import { newStep } from '../chat/places.js';
import { roomPath } from '../routes.js';
import { Thread } from '../threads/thread.js';
import { Reading } from './reading.js';
import { Talk } from './talk.js';

/** What was new when the room was opened: the line before it stays where it is. */
export interface Newness {
  /** Seq of the first new message. */
  readonly from: number;
  readonly count: number;
}

export class Conversation extends Talk {
  readonly newness = new View<Newness | null>(() => this.#newness);
  /** The day from which another one is chosen. */
  readonly day = new View<string | null>(() => this.#day);
  /** What is read beside the room. */
  readonly thread = new View<Thread | null>(() => this.#thread);
  readonly reading: Reading;
  #thread: Thread | null = null;
  #day: string | null = null;
  #newness: Newness | null;
  /** It was marked unread here: then it stays so until the room is opened again. */
  #held = false;

  constructor(chat: Chat, room: number, target: number | null) {
    super(chat, room);
    const row = chat.client.rooms.get(room);
    this.#newness = row && row.unread > 0 ? { from: row.unreadFrom ?? row.readSeq + 1, count: row.unread } : null;
    this.reading = new Reading({
      room,
      timeline: this.timeline,
      places: chat.places,
      called: (user) => nameOf(chat, user),
      target,
      newFrom: this.#newness?.from ?? null,
    });
  }

  readonly askDay = (at: string | null): void => {
    this.#day = at;
    this.day.touch();
  };

  /** Leads to the first message of a day of the reader's own calendar, or of the next one that has any. */
  async goToDay(day: string): Promise<void> {
    const at = new Date(`${day}T00:00`).toISOString();
    const { messages } = await this.chat.api.messages(this.room, { at, limit: 1 });
    const [first] = messages;
    if (first) this.goTo(first.seq);
    else this.reading.goToEnd();
  }

  /** Leads to a message, and what follows it: going back leads to where one was. */
  goTo(seq: number): void {
    navigate(roomPath(this.room), { state: newStep() });
    this.reading.go(seq, 'upper');
  }

  override messages(): readonly Message[] {
    return this.timeline.getSnapshot().messages;
  }

  override openThread(message: Message): void {
    const root = message.thread ?? message.id;
    if (this.#thread?.root === root) return this.#thread.focusComposer();
    this.#thread = new Thread(this.chat, this, root);
    this.thread.touch();
  }

  /** The focus goes back to where it was opened from. */
  closeThread(): void {
    if (!this.#thread) return;
    const seq = this.#thread.messages()[0]?.seq;
    this.#thread = null;
    this.thread.touch();
    this.focusComposer();
    if (seq !== undefined) this.focusRow(seq);
  }

  override leadTo(message: Message): void {
    // The address leads there; going back, to where one was.
    navigate(roomPath(this.room, message.seq), { state: newStep() });
  }

  override escape(): boolean {
    this.markAllRead();
    return true;
  }

  override send(text: string): void {
    this.timeline.send(text, this.answered?.id);
    this.reply(null);
    // Who writes has seen what was new.
    this.#divide(null);
    this.reading.goToEnd();
  }

  /** A message came that nobody was there to see: what is new begins with it. */
  unseen(seq: number): void {
    if (this.#newness === null) this.#divide({ from: seq, count: 1 });
  }

  /** Everything in the room is read, as far as it is loaded at the present. */
  markRead(): void {
    const row = this.chat.client.rooms.get(this.room);
    if (!row || (row.unread === 0 && row.unreadFrom === null) || this.#held) return;
    const seq = this.timeline.getSnapshot().messages.at(-1)?.seq ?? row.head;
    this.chat.readMarks.read(this.room, Math.max(seq, row.readSeq));
  }

  /** Wherever I read, all of it counts as read from now on. */
  markAllRead(): void {
    const row = this.chat.client.rooms.get(this.room);
    this.#held = false;
    this.#divide(null);
    if (row) this.chat.readMarks.read(this.room, row.head);
  }

  override markUnread(seq: number): void {
    this.#held = true;
    void this.chat.readMarks.unread(this.room, seq).then((done) => {
      if (!done) this.#held = false;
    });
    this.#divide({ from: seq, count: 0 });
  }

  #divide(newness: Newness | null): void {
    this.#newness = newness;
    this.newness.touch();
  }
}

/** What timeline and composer of one room share: what is answered, what is edited, what is new, where one reads. */
import type { Message, Timeline } from '@natter/client';
import { View } from '@natter/client/emitter';
import type { Chat } from '../chat/chat.js';
import { Marks } from './marks.js';
import { Reading } from './reading.js';

/** What was new when the room was opened: the line before it stays where it is. */
export interface Newness {
  /** Seq of the first new message. */
  readonly from: number;
  readonly count: number;
}

/** A menu at a place in the page. */
export interface Opened {
  readonly message: Message;
  readonly x: number;
  readonly y: number;
}

/** A window about a message. */
export interface About {
  readonly is: 'delete' | 'history' | 'readers';
  readonly message: Message;
}

/** The emoji for a message, beside what they were asked for from. */
export interface Picking {
  readonly message: Message;
  readonly at: DOMRect;
}

export class Conversation {
  readonly room: number;
  readonly timeline: Timeline;
  readonly marks = new Marks();
  readonly replyTo = new View<Message | null>(() => this.#replyTo);
  readonly newness = new View<Newness | null>(() => this.#newness);
  readonly menu = new View<Opened | null>(() => this.#menu);
  readonly about = new View<About | null>(() => this.#about);
  /** The day from which another one is chosen. */
  readonly day = new View<string | null>(() => this.#day);
  readonly picking = new View<Picking | null>(() => this.#picking);
  readonly reading: Reading;
  readonly #chat: Chat;
  #replyTo: Message | null = null;
  #menu: Opened | null = null;
  #about: About | null = null;
  #picking: Picking | null = null;
  #day: string | null = null;
  #newness: Newness | null;
  /** It was marked unread here: then it stays so until the room is opened again. */
  #held = false;

  constructor(chat: Chat, room: number, target: number | null) {
    this.room = room;
    this.#chat = chat;
    this.timeline = chat.timelines.get(room);
    const row = chat.client.rooms.get(room);
    this.#newness = row && row.unread > 0 ? { from: row.unreadFrom ?? row.readSeq + 1, count: row.unread } : null;
    this.reading = new Reading({
      room,
      timeline: this.timeline,
      places: chat.places,
      target,
      newFrom: this.#newness?.from ?? null,
    });
  }

  reply(message: Message | null): void {
    this.#replyTo = message;
    this.replyTo.touch();
  }

  edit(message: Message | null): void {
    this.marks.set({ editing: message?.seq ?? null });
  }

  openMenu(message: Message, x: number, y: number): void {
    this.#menu = { message, x, y };
    this.marks.set({ menu: message.seq });
    this.menu.touch();
  }

  closeMenu(): void {
    this.#menu = null;
    this.marks.set({ menu: null });
    this.menu.touch();
  }

  /** The focus goes back to the message, unless something else was opened from the menu. */
  menuClosed(message: Message): void {
    const elsewhere = this.#about ?? this.#picking ?? this.#replyTo ?? this.marks.now.editing;
    if (elsewhere === null) focusRow(message.seq);
  }

  pick(message: Message, at: DOMRect): void {
    this.#picking = { message, at };
    this.marks.set({ menu: message.seq });
    this.picking.touch();
  }

  picked(): void {
    const message = this.#picking?.message;
    this.#picking = null;
    this.marks.set({ menu: null });
    this.picking.touch();
    if (message) focusRow(message.seq);
  }

  readonly askDay = (at: string | null): void => {
    this.#day = at;
    this.day.touch();
  };

  /** Leads to the first message of a day of the reader's own calendar, or of the next one that has any. */
  async goToDay(day: string): Promise<void> {
    const at = new Date(`${day}T00:00`).toISOString();
    const { messages } = await this.#chat.api.messages(this.room, { at, limit: 1 });
    const [first] = messages;
    if (first) this.reading.go(first.seq, 'upper');
    else this.reading.goToEnd();
  }

  /** Opens a window about a message; null closes it. */
  show(is: About['is'] | null, message?: Message): void {
    this.#about = is !== null && message ? { is, message } : null;
    this.about.touch();
  }

  /** My last message, if it is in what is loaded. */
  editLast(): boolean {
    const { messages } = this.timeline.getSnapshot();
    const mine = messages.findLast(({ author, deletedAt }) => author === this.#chat.me && deletedAt === null);
    if (mine) this.edit(mine);
    return mine !== undefined;
  }

  send(text: string): void {
    this.timeline.send(text, this.#replyTo?.id);
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
    const row = this.#chat.client.rooms.get(this.room);
    if (!row || (row.unread === 0 && row.unreadFrom === null) || this.#held) return;
    const seq = this.timeline.getSnapshot().messages.at(-1)?.seq ?? row.head;
    this.#chat.client.send('read.move', { room: this.room, seq: Math.max(seq, row.readSeq) }).catch(() => {});
  }

  /** Wherever I read, all of it counts as read from now on. */
  markAllRead(): void {
    const row = this.#chat.client.rooms.get(this.room);
    this.#held = false;
    this.#divide(null);
    if (row) this.#chat.client.send('read.move', { room: this.room, seq: row.head }).catch(() => {});
  }

  markUnread(seq: number): void {
    this.#held = true;
    this.#chat.client.send('read.unmark', { room: this.room, seq }).catch(() => {
      this.#held = false;
    });
    this.#divide({ from: seq, count: 0 });
  }

  #divide(newness: Newness | null): void {
    this.#newness = newness;
    this.newness.touch();
  }
}

function focusRow(seq: number): void {
  document.querySelector<HTMLElement>(`[data-timeline] [data-seq="${seq}"]`)?.focus();
}

/** What the rows of messages and a composer share, be it of a room or of one of its threads: what is answered, edited, opened. */
import type { Message, Timeline } from '@natter/client';
import { View } from '@natter/client/emitter';
import { navigate } from 'wouter/use-browser-location';
import type { Chat } from '../chat/chat.js';
import { openDirect } from '../rooms/direct.js';
import { Marks } from './marks.js';

/** A menu at a place in the page. */
export interface Opened {
  readonly message: Message;
  readonly x: number;
  readonly y: number;
}

/** A window about a message. */
export interface About {
  readonly is: 'delete' | 'history' | 'readers' | 'write';
  readonly message: Message;
}

/** The emoji for a message, beside what they were asked for from. */
export interface Picking {
  readonly message: Message;
  readonly at: DOMRect;
}

export abstract class Talk {
  readonly room: number;
  /** The message that began the thread; null for all of the room. */
  readonly root: number | null;
  readonly timeline: Timeline;
  readonly marks = new Marks();
  readonly replyTo = new View<Message | null>(() => this.answered);
  readonly menu = new View<Opened | null>(() => this.#menu);
  readonly about = new View<About | null>(() => this.#about);
  readonly picking = new View<Picking | null>(() => this.#picking);
  protected readonly chat: Chat;
  protected answered: Message | null = null;
  #menu: Opened | null = null;
  #about: About | null = null;
  #picking: Picking | null = null;

  constructor(chat: Chat, room: number, root: number | null = null) {
    this.chat = chat;
    this.room = room;
    this.root = root;
    this.timeline = chat.timelines.get(room);
  }

  /** Those that are here, rising by seq. */
  abstract messages(): readonly Message[];
  abstract send(text: string): void;
  abstract markUnread(seq: number): void;
  /** Where nothing is left to take back. Answers whether anything was done. */
  abstract escape(): boolean;
  /** Shows a message where it stands in the room. */
  abstract leadTo(message: Message): void;
  abstract openThread(message: Message): void;
  /** Offers other days to read, beginning with the one of this time. */
  abstract askDay(at: string): void;

  reply(message: Message | null): void {
    this.answered = message;
    this.replyTo.touch();
  }

  edit(message: Message | null): void {
    this.marks.set({ editing: message?.seq ?? null });
  }

  /** My last message, if it is in what is loaded. */
  editLast(): boolean {
    const mine = this.messages().findLast(({ author, deletedAt }) => author === this.chat.me && deletedAt === null);
    if (mine) this.edit(mine);
    return mine !== undefined;
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
    const elsewhere = this.#about ?? this.#picking ?? this.answered ?? this.marks.now.editing;
    if (elsewhere === null) this.focusRow(message.seq);
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
    if (message) this.focusRow(message.seq);
  }

  /** Opens a window about a message; null closes it. */
  show(is: About['is'] | null, message?: Message): void {
    this.#about = is !== null && message ? { is, message } : null;
    this.about.touch();
  }

  /** Leads to the direct room with its author; where that can't be had, a window says so, and tries again. */
  write(message: Message): void {
    openDirect(this.chat, navigate, message.author).catch(() => this.show('write', message));
  }

  /** The landmark that all of it stands in. */
  get landmark(): HTMLElement | null {
    return document.querySelector(this.root === null ? 'main' : '[data-thread]');
  }

  focusComposer(): void {
    this.landmark?.querySelector<HTMLElement>('[data-region-start]')?.focus();
  }

  focusRow(seq: number): void {
    this.landmark?.querySelector<HTMLElement>(`[data-seq="${seq}"]`)?.focus();
  }
}

/** One thread: the message that began it and all that answer it, kept true by the events of the room. */
import { type Event, type Message, NatterError, type PendingMessage } from '@natter/client';
import { View } from '@natter/client/emitter';
import { applyEvent, unknownRoom } from '@natter/client/reducer';
import { Again } from '../chat/again.js';
import type { Chat } from '../chat/chat.js';
import { Talk } from '../timeline/talk.js';

export interface ThreadSnapshot {
  /** The first one, where it can be read, and its replies. */
  readonly messages: readonly Message[];
  readonly pending: readonly PendingMessage[];
  readonly loaded: boolean;
  readonly error: NatterError | null;
}

/** Replies in a page. */
const PAGE = 100;

export class Thread extends Talk {
  readonly view: View<ThreadSnapshot> = new View(() => this.#snapshot());
  override readonly root: number;
  /** The room's own, beside which this one stands. */
  readonly #beside: Talk;
  #messages: readonly Message[];
  #loaded = false;
  #error: NatterError | null = null;
  readonly #again = new Again(() => void this.load());
  /** Heard while pages are read: they may have been read before it. */
  #heard: Event[] | null = null;
  /** Rises when what is being read is not wanted any more. */
  #turn = 0;

  constructor(chat: Chat, beside: Talk, root: number) {
    super(chat, beside.room, root);
    this.root = root;
    this.#beside = beside;
    // What the room shows of it already.
    this.#messages = beside.messages().filter(({ id, thread }) => id === root || thread === root);
  }

  /** Reads it, and follows it until the function that is answered is called. */
  open(): () => void {
    const { client } = this.chat;
    const stops = [
      client.on('event', (event) => event.stream === this.room && this.#hear(event)),
      client.on('reset', ({ stream }) => stream === this.room && void this.load()),
      client.on('connection', ({ state }) => {
        if (state === 'live' && this.#error) void this.load();
      }),
      this.timeline.subscribe(() => this.view.touch()),
    ];
    void this.load();
    return () => {
      this.#turn += 1;
      this.#again.over();
      for (const stop of stops) stop();
    };
  }

  async load(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#again.asked();
    const { api, client } = this.chat;
    this.#heard = [];
    this.#error = null;
    this.view.touch();
    try {
      const first = await api.message(this.root).catch((error: unknown) => {
        // Its replies stay readable.
        if (error instanceof NatterError && error.code === 'not_found') return null;
        throw error;
      });
      let messages: Message[] = first ? [first] : [];
      let after: number | null = 0;
      while (after !== null && turn === this.#turn) {
        const page = await api.thread(this.root, after === 0 ? { limit: PAGE } : { after, limit: PAGE });
        client.people.learn(page.users);
        messages = [...messages, ...page.messages];
        after = page.after;
      }
      if (turn !== this.#turn) return;
      this.#messages = messages;
      this.#loaded = true;
      this.#again.over();
      for (const event of this.#heard ?? []) this.#apply(event);
    } catch (error) {
      if (!(error instanceof NatterError)) throw error;
      if (turn !== this.#turn) return;
      this.#error = error;
      this.#again.went({ error, loading: false });
    }
    this.#heard = null;
    this.view.touch();
  }

  override messages(): readonly Message[] {
    return this.#messages;
  }

  override send(text: string): void {
    this.timeline.send(text, this.answered?.id ?? this.root);
    this.reply(null);
  }

  override markUnread(seq: number): void {
    this.#beside.markUnread(seq);
  }

  override escape(): boolean {
    return false;
  }

  override leadTo(message: Message): void {
    if (this.#messages.some(({ id }) => id === message.id)) this.focusRow(message.seq);
    else this.#beside.leadTo(message);
  }

  override askDay(at: string): void {
    this.#beside.askDay(at);
  }

  override openThread(): void {
    this.focusComposer();
  }

  #hear(event: Event): void {
    this.#heard?.push(event);
    this.#apply(event);
    this.view.touch();
  }

  /** By the rules of the room's own state; the same event twice changes nothing. */
  #apply(event: Event): void {
    if (event.type === 'message.sent' && event.body.thread !== this.root) return;
    const window = { messages: this.#messages, before: null, after: null, ahead: [] };
    const state = applyEvent({ ...unknownRoom(this.room, event.seq - 1), window }, event);
    this.#messages = state.window?.messages ?? [];
  }

  #snapshot(): ThreadSnapshot {
    const ids = new Set(this.#messages.map(({ id }) => id)).add(this.root);
    return {
      messages: this.#messages,
      pending: this.timeline.getSnapshot().pending.filter(({ replyTo }) => replyTo !== null && ids.has(replyTo)),
      loaded: this.#loaded,
      error: this.#error,
    };
  }
}

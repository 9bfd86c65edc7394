/**
 * Tells on the device's own screen what was said while nobody looked. Not at once: what is read within a moment, in another
 * tab or on another device, is not told; and what is read later is taken back.
 */
import type { NatterClient } from '@natter/client';
import { callsMe } from '@natter/client/rows';
import type { EventOf } from '@natter/protocol';
import { useEffect } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { type Chat, isOut, nameOf, useChat } from '../chat/chat.js';
import { followPermission, permission } from '../chat/notify-permission.js';
import { newStep } from '../chat/places.js';
import { roomName } from '../chat/room-name.js';
import { plainLine } from '../markdown/plain.js';
import { roomIn, roomPath } from '../routes.js';
import { t } from '../texts/texts.js';

/** Milliseconds in which somebody may read it. */
const PAUSE = 1_500;
/** What is older than this when the connection is back is in the list of rooms, and not told one by one. */
const LATE = 300_000;
/** Milliseconds that are waited for names. */
const NAMES_WITHIN = 2_000;
/** One tab of all has it, and tells. */
const LOCK = 'natter:notify';
const ICON = '/icon-192.png';

interface Heard {
  readonly seq: number;
  readonly author: number;
  readonly text: string;
  readonly calls: boolean;
}

/** What a notification carries for whoever finds it. */
interface Carried {
  readonly room: number;
  readonly seq: number;
  readonly path: string;
}

export function useNotifications(): void {
  const chat = useChat();
  useEffect(() => {
    const notifications = new Notifications(chat);
    return () => notifications.close();
  }, [chat]);
}

class Notifications {
  readonly #chat: Chat;
  readonly #client: NatterClient;
  readonly #stops: (() => void)[];
  readonly #listening = new AbortController();
  /** Of each room the newest that is to be told. */
  readonly #due = new Map<number, Heard>();
  /** Seq of what is on the screen or on its way there, by room. */
  readonly #shown = new Map<number, number>();
  #tells = false;
  #giveUp: () => void = () => {};

  constructor(chat: Chat) {
    this.#chat = chat;
    this.#client = chat.client;
    this.#stops = [
      this.#client.on('message.sent', (event) => this.#hear(event)),
      this.#client.on('message.deleted', ({ stream, body }) => {
        if (this.#due.get(stream)?.seq === body.messageSeq) this.#due.delete(stream);
        if (this.#shown.get(stream) === body.messageSeq) void this.#takeBack(stream);
      }),
      this.#client.rooms.subscribe(() => this.#lookAround()),
    ];
    if (permission.getSnapshot() === 'unsupported') return;
    followPermission();
    const { signal } = this.#listening;
    navigator.serviceWorker.addEventListener(
      'message',
      ({ data }) => {
        const path: unknown = data?.open;
        if (typeof path === 'string' && roomIn(path) !== null) navigate(path, { state: newStep() });
      },
      { signal },
    );
    const lead = () =>
      new Promise<void>((resolve) => {
        this.#giveUp = resolve;
        this.#tells = true;
        void this.#adopt();
      });
    // Given up before it was had: then nothing is to be told.
    navigator.locks.request(LOCK, { signal }, lead).catch(() => {});
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#due.clear();
    this.#tells = false;
    this.#listening.abort();
    this.#giveUp();
    // Whoever was here leaves nothing that others could read.
    if (isOut(this.#chat.session, this.#chat.me)) void this.#takeAllBack();
  }

  #hear({ stream: room, seq, actor, at, body }: EventOf<'message.sent'>): void {
    const { me, notifyLevels } = this.#chat;
    // Also in a tab that does not tell: the one that does may go in this moment.
    if (actor === me || notifyLevels.of(room) === 'none') return;
    const isLive = this.#client.connection.getSnapshot().state === 'live';
    if (!isLive && Date.now() - Date.parse(at) > LATE) return;
    const { mentions, text } = body;
    const calls = callsMe(mentions, me);
    const waits = this.#due.get(room);
    // Of several, what calls me is told.
    if (waits?.calls && !calls) return;
    this.#due.set(room, { seq, author: actor, text, calls });
    if (!waits) setTimeout(() => void this.#tell(room), PAUSE);
  }

  async #tell(room: number): Promise<void> {
    const heard = this.#due.get(room);
    this.#due.delete(room);
    const row = this.#client.rooms.get(room);
    permission.touch();
    if (!this.#tells || !heard || !row || permission.getSnapshot() !== 'granted') return;
    if (heard.seq <= row.readSeq || (document.hasFocus() && roomIn(location.pathname) === room)) return;
    const level = this.#chat.notifyLevels.of(room);
    if (level === 'none' || (level === 'calls' && !heard.calls && row.kind !== 'direct')) return;
    // From here on it is taken back where it is read or deleted, also on its way.
    this.#shown.set(room, heard.seq);
    const author = await this.#called(heard.author);
    const where = row.kind === 'direct' ? '' : roomName(this.#chat, row);
    const registration = await navigator.serviceWorker.getRegistration();
    if (!this.#tells || !this.#shown.has(room) || !registration?.active) return;
    const data: Carried = { room, seq: heard.seq, path: roomPath(room) };
    const options = {
      body: plainLine(heard.text),
      tag: this.#tag(room),
      icon: ICON,
      lang: document.documentElement.lang,
      data,
      // The one before it gives its place, and whoever looks away hears of this one too.
      renotify: true,
    };
    // Forbidden this very moment: the title and the list of rooms tell of it as well.
    await registration.showNotification(where ? t.notify.title(author, where) : author, options).catch(() => {});
    if (!this.#shown.has(room)) await this.#takeBack(room);
  }

  async #called(user: number): Promise<string> {
    const { people } = this.#client;
    if (!people.get(user)) {
      const late = new Promise((resolve) => setTimeout(resolve, NAMES_WITHIN));
      await Promise.race([people.view.until((names) => names.has(user)), late]);
    }
    return nameOf(this.#chat, user) || t.app.name;
  }

  /** What was read anywhere, or is not mine any more, leaves the screen. */
  #lookAround(): void {
    for (const [room, seq] of this.#shown) {
      const row = this.#client.rooms.get(room);
      if (!row || row.readSeq >= seq) void this.#takeBack(room);
    }
  }

  async #takeBack(room: number): Promise<void> {
    this.#shown.delete(room);
    for (const one of await onScreen(this.#tag(room))) one.close();
  }

  async #takeAllBack(): Promise<void> {
    for (const one of await onScreen()) one.close();
  }

  /** What the tab before this one has shown. */
  async #adopt(): Promise<void> {
    for (const { tag, data } of await onScreen()) {
      const { room, seq } = (data ?? {}) as Partial<Carried>;
      if (room !== undefined && seq !== undefined && tag === this.#tag(room)) this.#shown.set(room, seq);
    }
    if (this.#client.rooms.getSnapshot().length > 0) this.#lookAround();
  }

  #tag(room: number): string {
    return `${this.#chat.me}:${room}`;
  }
}

async function onScreen(tag?: string): Promise<readonly Notification[]> {
  if (permission.getSnapshot() === 'unsupported') return [];
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.getNotifications(tag === undefined ? {} : { tag })) ?? [];
}

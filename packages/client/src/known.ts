/**
 * What was known of the rooms, kept in a storage: it is there before the network answers, and where none does. Each room is
 * kept as of its own seq, and the client goes on from there, so that what was edited, deleted or lost meanwhile is put right
 * by the events that it missed.
 */
import type { Names, RoomRow } from '@natter/protocol';
import type { NatterClient } from './client.js';
import { memoryStorage, type Storage } from './storage.js';
import type { Position } from './streams.js';
import type { KeptPage } from './timeline.js';

export interface Known {
  readonly user: number;
  /** For the client's options. */
  readonly position: Position;
  readonly rooms: readonly RoomRow[];
  readonly names: Names;
  /** What was opened last comes last. */
  readonly pages: readonly KeptPage[];
}

export interface KnownOptions {
  /** Most rooms whose newest messages are kept (24), and most messages of each (100). */
  pages?: number | undefined;
  messages?: number | undefined;
  /** Most rooms of the list (1,000), and most names (2,000). */
  rooms?: number | undefined;
  names?: number | undefined;
  /** Whose names are kept besides those of authors and of direct chats. */
  also?: (() => readonly number[]) | undefined;
  /** Milliseconds between a change and its being written (2,000). */
  delay?: number | undefined;
  /** Asked before each write: false ends the keeping. */
  allowed?: (() => boolean) | undefined;
  failed?: ((error: unknown) => void) | undefined;
}

interface List {
  user: number;
  epoch: number;
  rooms: readonly RoomRow[];
  names: Names;
  /** Rooms of which there is a page. */
  pages: readonly number[];
}

type Page = KeptPage & { epoch: number };

const LIST = 'natter:known';
const pageKey = (room: number) => `${LIST}:${room}`;

/** Null when nothing of this user is kept, or nothing that can be read. A storage is for one server. */
export async function readKnown(storage: Storage, user: number): Promise<Known | null> {
  // All at once where that can be had: a start waits for it.
  const texts = await storage.all?.(LIST).catch(() => undefined);
  const source = texts ? memoryStorage(texts) : storage;
  const list = await readList(source, user);
  if (!list) return null;
  const { epoch, rooms, names } = list;
  const found = await Promise.all(list.pages.map((room) => read<Page>(source, pageKey(room))));
  const pages = found.flatMap((page) => (page?.epoch === epoch ? page : []));
  const cursors = Object.fromEntries(pages.map(({ room, seq }) => [room, seq]));
  return { user, position: { epoch, cursors }, rooms, names, pages };
}

/** Shows it in a client that was made with its `position`, and has not connected yet. */
export function restoreKnown(client: NatterClient, { user, rooms, names, pages }: Known): void {
  client.people.learn(names);
  client.rooms.replace(user, 0, rooms);
  for (const page of pages) client.timeline(page.room).restore(page);
}

export interface Keeping {
  /** Writes what has changed, at once. */
  flush(): Promise<void>;
  /** Ends it, and resolves when nothing is written any more. */
  close(): Promise<void>;
}

/** Keeps the rooms of a client, and the newest messages of its open timelines, from now on. */
export function keepKnown(client: NatterClient, storage: Storage, options: KnownOptions = {}): Keeping {
  const { pages: pagesMax = 24, messages: messagesMax = 100 } = options;
  const { rooms: roomsMax = 1_000, names: namesMax = 2_000, delay = 2_000 } = options;
  /** Seq by room. */
  const written = new Map<number, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** While a break is being made up for, rooms and timelines may be of two lives of the log. */
  let live = client.connection.getSnapshot().state === 'live';
  let closed = false;

  const look = (): (Omit<List, 'pages'> & { open: number[]; pages: KeptPage[] }) | null => {
    const { position, user } = client;
    if (closed || !live || !position || user === undefined) return null;
    const all = client.rooms.getSnapshot();
    const open = [...client.timelines].map(({ room }) => room).filter((room) => client.rooms.get(room));
    const pages = [...client.timelines].flatMap((timeline) => timeline.kept(messagesMax) ?? []);
    const named = [
      user,
      ...all.flatMap(({ peer }) => peer ?? []),
      ...(options.also?.() ?? []),
      ...pages.flatMap(({ messages }) => messages.map(({ author }) => author)),
    ];
    return { user, epoch: position.epoch, rooms: newest(all, roomsMax), names: namesOf(client, named), open, pages };
  };

  const write = async ({ open, pages, names, ...now }: NonNullable<ReturnType<typeof look>>): Promise<void> => {
    const ends = () => {
      closed ||= options.allowed?.() === false;
      return closed;
    };
    const before = await readList(storage, now.user);
    const mine = new Set(now.rooms.map(({ id }) => id));
    // Those of other tabs stay as long as there is room for them.
    const others = (before?.pages ?? []).filter((room) => mine.has(room) && !open.includes(room));
    const kept = [...others, ...open].slice(-pagesMax);
    for (const page of pages) {
      if (!kept.includes(page.room) || written.get(page.room) === page.seq) continue;
      if (ends()) return;
      await storage.set(pageKey(page.room), JSON.stringify({ ...page, epoch: now.epoch } satisfies Page));
      written.set(page.room, page.seq);
    }
    const room = Math.max(0, namesMax - Object.keys(names).length);
    const known = Object.fromEntries(Object.entries(before?.names ?? {}).slice(0, room));
    if (ends()) return;
    await storage.set(LIST, JSON.stringify({ ...now, names: { ...known, ...names }, pages: kept } satisfies List));
    for (const gone of new Set([...(before?.pages ?? []), ...written.keys()])) {
      if (kept.includes(gone)) continue;
      if (ends()) return;
      written.delete(gone);
      await storage.remove(pageKey(gone));
    }
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const now = look();
    if (now) writing = writing.then(() => (closed ? undefined : write(now))).catch((error) => options.failed?.(error));
    return writing;
  };
  const soon = () => {
    if (live && !closed) timer ??= setTimeout(() => void flush(), delay);
  };
  const stops = [
    client.rooms.subscribe(soon),
    client.people.view.subscribe(soon),
    client.on('event', soon),
    client.on('connection', ({ state }) => {
      if (state === 'live') live = true;
      // As it was when the link was lost.
      else if (live) void flush();
      live = state === 'live';
      soon();
    }),
  ];
  return {
    flush,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const stop of stops) stop();
      return writing;
    },
  };
}

/** That of another user is none. */
async function readList(storage: Storage, user: number): Promise<List | null> {
  const list = await read<List>(storage, LIST);
  return list?.user === user && Array.isArray(list.rooms) && Array.isArray(list.pages) ? list : null;
}

async function read<T>(storage: Storage, key: string): Promise<T | null> {
  try {
    return JSON.parse((await storage.get(key)) || 'null') as T | null;
  } catch {
    // What can't be read is not known: the server has it.
    return null;
  }
}

function namesOf(client: NatterClient, users: readonly number[]): Names {
  const names = client.people.view.getSnapshot();
  return Object.fromEntries(
    users.flatMap((user) => {
      const name = names.get(user);
      return name ? [[user, name]] : [];
    }),
  );
}

/** Where there are more than may be kept, those in which something was said last. */
function newest(rows: readonly RoomRow[], max: number): readonly RoomRow[] {
  const at = ({ lastMessageAt }: RoomRow) => lastMessageAt ?? '';
  return rows.length <= max ? rows : [...rows].sort((one, other) => (at(one) < at(other) ? 1 : -1)).slice(0, max);
}

/** What all views of somebody who is logged in stand on: the connection, and what is shown of it. */
import { NatterClient, type RoomRow } from '@natter/client';
import { Api } from '@natter/client/api';
import { type Known, keepKnown, readKnown, restoreKnown } from '@natter/client/known';
import { savedOutbox } from '@natter/client/saved-outbox';
import type { Account } from '@natter/protocol';
import { createContext, use, useSyncExternalStore } from 'react';
import type { Session } from '../session.js';
import { lookForUpdate } from '../shell/shell.js';
import {
  forgetRooms,
  forgetWritten,
  KEPT_MESSAGES,
  KEPT_ROOMS,
  keepGroups,
  knownRooms,
  outboxes,
  readGroups,
} from './device.js';
import { Drafts } from './drafts.js';
import { GroupNames } from './group-names.js';
import { NotifyLevels } from './notify-levels.js';
import { Places } from './places.js';
import { Presence } from './presence.js';
import { Quotes } from './quotes.js';
import { ReadMarks } from './read-marks.js';
import { Timelines } from './timelines.js';
import { Typing } from './typing.js';
import { UserGroups } from './usergroups.js';

export interface Chat {
  readonly client: NatterClient;
  readonly api: Api;
  readonly session: Session;
  /** My id. */
  readonly me: number;
  readonly drafts: Drafts;
  readonly readMarks: ReadMarks;
  readonly typing: Typing;
  readonly presence: Presence;
  readonly quotes: Quotes;
  readonly groupNames: GroupNames;
  readonly usergroups: UserGroups;
  readonly timelines: Timelines;
  /** What this device tells of while nobody looks. */
  readonly notifyLevels: NotifyLevels;
  /** Where I was reading, by room. */
  readonly places: Places;
  close(): void;
}

/** Messages that one room keeps in memory: those furthest from where one reads go first. */
const TIMELINE_MAX = 10_000;

/** What is known is there within this many milliseconds, or not at all. */
const KNOWN_WITHIN = 1_000;

/** What this device knows of the rooms, read before anything is asked for. */
async function readDevice(me: number): Promise<{ known: Known | null; groups: [number, number[]][] }> {
  const late = new Promise<null>((resolve) => setTimeout(resolve, KNOWN_WITHIN, null));
  const read = Promise.all([readKnown(knownRooms, me), readGroups()]).catch(() => null);
  const [known, groups] = (await Promise.race([read, late])) ?? [null, []];
  return { known, groups: known ? groups : [] };
}

let expected: { readonly me: number; readonly device: ReturnType<typeof readDevice> } | null = null;

/** Somebody is logged in: what is known is read while the page is still being set up. */
export function expectChat(me: number): void {
  expected = { me, device: readDevice(me) };
}

export async function openChat(session: Session, me: number): Promise<Chat> {
  const reading = expected?.me === me ? expected.device : readDevice(me);
  expected = null;
  const { known, groups } = await reading;
  const client = new NatterClient({
    url: session.url,
    token: session.token,
    user: me,
    position: known?.position,
    outbox: savedOutbox(outboxes),
    timelineMax: TIMELINE_MAX,
  });
  if (known) restoreKnown(client, known);
  const api = new Api(client.http);
  const stop = client.on('connection', (now) => {
    if (now.state === 'live') lookForUpdate();
    if (now.state !== 'closed') return;
    if (now.reason === 'session_ended' || now.reason === 'unauthenticated') session.over(true);
  });
  const showMe = (account: Account) => {
    session.changed(account);
    client.people.learn({ [account.id]: { name: account.name, fullName: account.fullName } });
  };
  const followMe = client.on('user.changed', ({ stream }) => {
    // Elsewhere, or by an admin: what is shown of me follows. Where it can't be had, the next change brings it.
    if (stream === me) api.me().then(showMe, () => {});
  });
  const readMarks = new ReadMarks(client, me);
  // What goes wrong is in the connection's state; the banner shows it.
  client.connect().catch(() => {});
  const drafts = new Drafts(me);
  const presence = new Presence(client);
  const typing = new Typing(client, me);
  const places = new Places();
  const groupNames = new GroupNames(client, api, me, groups);
  const notifyLevels = new NotifyLevels(me);
  const keeping = keepKnown(client, knownRooms, {
    pages: KEPT_ROOMS,
    messages: KEPT_MESSAGES,
    also: () => [...groupNames.view.getSnapshot().values()].flat(),
    allowed: () => session.isCurrent(),
  });
  const flush = () => {
    if (document.visibilityState === 'hidden') void keeping.flush();
  };
  document.addEventListener('visibilitychange', flush);
  const stopGroups = groupNames.view.subscribe(() => {
    if (session.isCurrent()) void keepGroups(groupNames.view.getSnapshot());
  });
  return {
    client,
    api,
    session,
    me,
    drafts,
    readMarks,
    typing,
    presence,
    quotes: new Quotes(client, api),
    groupNames,
    usergroups: new UserGroups(api),
    timelines: new Timelines(client),
    places,
    notifyLevels,
    close() {
      stop();
      followMe();
      drafts.close();
      readMarks.close();
      typing.close();
      presence.close();
      places.close();
      notifyLevels.close();
      document.removeEventListener('visibilitychange', flush);
      stopGroups();
      const kept = keeping.close();
      client.close();
      void forget(session, me, kept);
    },
  };
}

/** Is whoever this chat was of logged out, or somebody else in? */
export function isOut(session: Session, me: number): boolean {
  const state = session.view.getSnapshot();
  return state.is !== 'in' || state.user.id !== me;
}

/** Whoever is out leaves nothing behind that others could read; what was not sent waits where the server ended the session. */
async function forget(session: Session, me: number, kept: Promise<void>): Promise<void> {
  if (!isOut(session, me)) return;
  const state = session.view.getSnapshot();
  await kept;
  await forgetRooms();
  if (state.is === 'out' && !state.ended) await forgetWritten(session.url, me);
}

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = use(ChatContext);
  if (!chat) throw new Error('nobody is logged in here');
  return chat;
}

interface Watched<T> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
}

/** A value of the SDK that shows itself anew whenever it changes. */
export function useView<T>(view: Watched<T>): T {
  return useSyncExternalStore(view.subscribe, view.getSnapshot);
}

export function useRooms(chat: Chat): readonly RoomRow[] {
  return useView(chat.client.rooms);
}

export function useRoom(chat: Chat, room: number): RoomRow | undefined {
  return useSyncExternalStore(chat.client.rooms.subscribe, () => chat.client.rooms.get(room));
}

/** What somebody is called; '' until it is known. */
export function nameOf({ client }: Pick<Chat, 'client'>, user: number): string {
  const name = client.people.get(user);
  return name?.fullName || name?.name || '';
}

export function useName(chat: Chat, user: number): string {
  return useSyncExternalStore(chat.client.people.view.subscribe, () => nameOf(chat, user));
}

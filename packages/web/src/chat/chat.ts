/** What all views of somebody who is logged in stand on: the connection, and what is shown of it. */
import { NatterClient, type RoomRow, webStorage } from '@natter/client';
import { Api } from '@natter/client/api';
import type { Account } from '@natter/protocol';
import { createContext, use, useSyncExternalStore } from 'react';
import type { Session } from '../session.js';
import { Drafts } from './drafts.js';
import { GroupNames } from './group-names.js';
import { Places } from './places.js';
import { Presence } from './presence.js';
import { Quotes } from './quotes.js';
import { Timelines } from './timelines.js';
import { Typing } from './typing.js';

export interface Chat {
  readonly client: NatterClient;
  readonly api: Api;
  readonly session: Session;
  /** My id. */
  readonly me: number;
  readonly drafts: Drafts;
  readonly typing: Typing;
  readonly presence: Presence;
  readonly quotes: Quotes;
  readonly groupNames: GroupNames;
  readonly timelines: Timelines;
  /** Where I was reading, by room. */
  readonly places: Places;
  close(): void;
}

/** Messages that one room keeps in memory: those furthest from where one reads go first. */
const TIMELINE_MAX = 10_000;

export function openChat(session: Session, me: number): Chat {
  const client = new NatterClient({
    url: session.url,
    token: session.token,
    user: me,
    storage: webStorage(),
    timelineMax: TIMELINE_MAX,
  });
  const api = new Api(client.http);
  const stop = client.on('connection', (now) => {
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
  // What goes wrong is in the connection's state; the banner shows it.
  client.connect().catch(() => {});
  const drafts = new Drafts(me);
  const presence = new Presence(client);
  const typing = new Typing(client, me);
  return {
    client,
    api,
    session,
    me,
    drafts,
    typing,
    presence,
    quotes: new Quotes(client, api),
    groupNames: new GroupNames(client, api, me),
    timelines: new Timelines(client),
    places: new Places(),
    close() {
      stop();
      followMe();
      drafts.close();
      typing.close();
      presence.close();
      client.close();
    },
  };
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
export function useName(chat: Chat, user: number): string {
  const { people } = chat.client;
  return useSyncExternalStore(people.view.subscribe, () => {
    const name = people.get(user);
    return name?.fullName || name?.name || '';
  });
}

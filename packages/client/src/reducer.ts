/**
 * The state of one room as a pure function of its events. What a page of messages says and what events say are joined
 * here too: the state at n plus the events n+1..m is the state at m, whichever way either was come by.
 */
import type { Event, EventOf, HiddenEvent, Message, MessagePage, Room, RoomRole } from '@natter/protocol';

export type RoomInfo = Pick<
  Room,
  'kind' | 'name' | 'topic' | 'visibility' | 'history' | 'archived' | 'createdAt' | 'createdBy'
> & { readonly deleted: boolean };

/** An unbroken run of messages, rising by seq. */
export interface Window {
  readonly messages: readonly Message[];
  /** What to ask with for the messages before and after these; null where there are none. With `after` null, new messages are added as they come. */
  readonly before: number | null;
  readonly after: number | null;
  /** Runs of messages, read by query, that hold events up to `asOf` already: later than the state itself. */
  readonly ahead: readonly { readonly from: number; readonly to: number; readonly asOf: number }[];
}

export interface RoomState {
  readonly room: number;
  /** Seq of the last event that is in it. */
  readonly seq: number;
  /** These three are null where they are not known, and then events do not fill them. */
  readonly info: RoomInfo | null;
  readonly members: ReadonlyMap<number, RoomRole> | null;
  readonly window: Window | null;
}

/** A room before its first event: everything about it is known. */
export function emptyRoom(room: number): RoomState {
  return { room, seq: 0, info: null, members: null, window: { messages: [], before: null, after: null, ahead: [] } };
}

/** A room of which nothing is known but how far its log was heard. */
export function unknownRoom(room: number, seq: number): RoomState {
  return { room, seq, info: null, members: null, window: null };
}

/** What one page says of a room, as of the head that it was read at. */
export function roomFromPage(room: number, page: MessagePage): RoomState {
  const { messages, before, after, head } = page;
  return { ...unknownRoom(room, head), window: { messages, before, after, ahead: [] } };
}

/** The state after one more event. An event that is in it already changes nothing; one that leaves a gap is a bug of the caller. */
export function applyEvent(state: RoomState, event: Event | HiddenEvent): RoomState {
  if (event.stream !== state.room || event.seq <= state.seq) return state;
  if (event.seq !== state.seq + 1) throw new RangeError(`event ${event.seq} of room ${state.room} after ${state.seq}`);
  const next = change(state, event);
  const window = next.window && passed(next.window, event.seq);
  return { ...next, window, seq: event.seq };
}

function change(state: RoomState, event: Event | HiddenEvent): RoomState {
  switch (event.type) {
    case 'room.created': {
      const { kind, name, topic, visibility, history, members } = event.body;
      const made = { createdAt: event.at, createdBy: event.actor };
      const info = { kind, name, topic, visibility, history, archived: false, deleted: false, ...made };
      return { ...state, info, members: new Map(members.map(({ user, role }) => [user, role])) };
    }
    case 'room.changed':
      return about(state, event.body);
    case 'room.archived':
      return about(state, { archived: true });
    case 'room.unarchived':
      return about(state, { archived: false });
    case 'room.deleted':
      return {
        ...about(state, { deleted: true, name: '', topic: '' }),
        members: state.members && new Map(),
        window: state.window && { messages: [], before: null, after: null, ahead: [] },
      };
    case 'member.joined':
    case 'member.changed':
    case 'member.left':
    case 'member.removed': {
      if (!state.members) return state;
      const members = new Map(state.members);
      if ('role' in event.body) members.set(event.body.user, event.body.role);
      else members.delete(event.body.user);
      return { ...state, members };
    }
    case 'message.sent':
      return messageSent(state, event);
    case 'message.edited': {
      const { messageSeq, text, mentions } = event.body;
      return edit(state, event.seq, messageSeq, (message) => ({
        ...message,
        text,
        mentions: mentions ?? {},
        editedAt: event.at,
      }));
    }
    case 'message.deleted':
      return messageDeleted(state, event);
    case 'reaction.added':
    case 'reaction.removed': {
      const { messageSeq, emoji } = event.body;
      return edit(state, event.seq, messageSeq, (message) => ({
        ...message,
        reactions: react(message.reactions, emoji, event.actor, event.type === 'reaction.added'),
      }));
    }
    case 'pin.added':
    case 'pin.removed':
      return edit(state, event.seq, event.body.messageSeq, (message) => ({
        ...message,
        pinned: event.type === 'pin.added',
      }));
    default:
      // `hidden`, and what a newer server may tell: the place counts, the rest says nothing here.
      return state;
  }
}

function about(state: RoomState, changed: Partial<RoomInfo> | EventOf<'room.changed'>['body']): RoomState {
  return state.info ? { ...state, info: { ...state.info, ...(changed as Partial<RoomInfo>) } } : state;
}

/** The message that an event made. */
export function messageOf(event: EventOf<'message.sent'>): Message {
  const { id, stream, seq, actor, at, body } = event;
  return {
    id,
    room: stream,
    seq,
    author: actor,
    text: body.text,
    at,
    editedAt: null,
    deletedAt: null,
    replyTo: body.replyTo ?? null,
    thread: body.thread ?? null,
    replyCount: 0,
    mentions: body.mentions ?? {},
    reactions: [],
    pinned: false,
  };
}

function messageSent(state: RoomState, event: EventOf<'message.sent'>): RoomState {
  const next = countReply(state, event.seq, event.body.thread, 1);
  const { window } = next;
  if (!window || window.after !== null || isAhead(window, event.seq, event.seq)) return next;
  // A page that was read later may begin after this message, or hold it.
  if (event.seq <= (window.messages.at(-1)?.seq ?? 0)) return next;
  return { ...next, window: { ...window, messages: [...window.messages, messageOf(event)] } };
}

function messageDeleted(state: RoomState, event: EventOf<'message.deleted'>): RoomState {
  const { messageSeq, thread } = event.body;
  return edit(countReply(state, event.seq, thread, -1), event.seq, messageSeq, (message) => ({
    ...message,
    text: '',
    deletedAt: event.at,
    mentions: {},
    reactions: [],
    pinned: false,
  }));
}

/** The first message of a thread counts the replies. */
function countReply(state: RoomState, eventSeq: number, thread: number | undefined, by: 1 | -1): RoomState {
  const first = thread === undefined ? undefined : state.window?.messages[indexOf(state.window.messages, 'id', thread)];
  if (!first) return state;
  return edit(state, eventSeq, first.seq, (message) => ({ ...message, replyCount: message.replyCount + by }));
}

/** Changes one message, where it is known here and does not hold the event already. */
function edit(state: RoomState, eventSeq: number, seq: number, how: (message: Message) => Message): RoomState {
  const { window } = state;
  if (!window || isAhead(window, seq, eventSeq)) return state;
  const index = indexOf(window.messages, 'seq', seq);
  const message = window.messages[index];
  if (!message) return state;
  const messages = window.messages.slice();
  messages[index] = how(message);
  return { ...state, window: { ...window, messages } };
}

function react(reactions: Message['reactions'], emoji: string, user: number, add: boolean): Message['reactions'] {
  const there = reactions.find((reaction) => reaction.emoji === emoji);
  if (add && !there) return [...reactions, { emoji, users: [user] }];
  if (!there || there.users.includes(user) === add) return reactions;
  const users = add ? [...there.users, user] : there.users.filter((other) => other !== user);
  return reactions.flatMap((reaction) => (reaction !== there ? reaction : users.length > 0 ? { emoji, users } : []));
}

function isAhead(window: Window, messageSeq: number, eventSeq: number): boolean {
  return window.ahead.some(({ from, to, asOf }) => messageSeq >= from && messageSeq <= to && eventSeq <= asOf);
}

function passed(window: Window, seq: number): Window {
  if (!window.ahead.some(({ asOf }) => asOf <= seq)) return window;
  return { ...window, ahead: window.ahead.filter(({ asOf }) => asOf > seq) };
}

/** Ids and seqs rise together, so that a message is found by either. -1 when it is not here. */
function indexOf(messages: readonly Message[], by: 'id' | 'seq', value: number): number {
  let low = 0;
  let high = messages.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = (messages[middle] as Message)[by];
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/**
 * Joins a page to the state. `heard` are the newest events of the room, in order, of which those after the page's head
 * are applied to it; null when they don't reach back to it, and the page is to be read again.
 */
export function mergePage(
  state: RoomState,
  page: MessagePage,
  side: 'replace' | 'older' | 'newer',
  heard: readonly (Event | HiddenEvent)[] = [],
): RoomState | null {
  let read = roomFromPage(state.room, page);
  const missed = heard.filter(({ seq }) => seq > page.head && seq <= state.seq);
  if (page.head + missed.length < state.seq) return null;
  for (const event of missed) read = applyEvent(read, event);
  const add = read.window as Window;
  const { window } = state;
  const late = (from: number, to: number) => (page.head > state.seq ? [{ from, to, asOf: page.head }] : []);
  const from = page.before === null ? 0 : (page.messages[0]?.seq ?? page.head);
  const to = page.after === null ? page.head : (page.messages.at(-1)?.seq ?? 0);
  if (side === 'replace' || !window) return { ...state, window: { ...add, ahead: late(from, to) } };
  if (side === 'older') {
    const first = window.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
    const messages = [...add.messages.filter(({ seq }) => seq < first), ...window.messages];
    const ahead = [...window.ahead, ...late(from, Math.min(to, first - 1))];
    return { ...state, window: { messages, before: add.before, after: window.after, ahead } };
  }
  const last = window.messages.at(-1)?.seq ?? 0;
  const messages = [...window.messages, ...add.messages.filter(({ seq }) => seq > last)];
  const ahead = [...window.ahead, ...late(Math.max(from, last + 1), to)];
  return { ...state, window: { messages, before: window.before, after: add.after, ahead } };
}

/** Keeps at most `max` messages, letting go of the oldest or of the newest; they can be asked for again. */
export function trim(state: RoomState, max: number, side: 'oldest' | 'newest'): RoomState {
  const { window } = state;
  if (!window || window.messages.length <= max) return state;
  const messages = side === 'oldest' ? window.messages.slice(-max) : window.messages.slice(0, max);
  const [before, after] =
    side === 'oldest' ? [messages[0]?.seq ?? null, window.after] : [window.before, messages.at(-1)?.seq ?? null];
  return { ...state, window: { ...window, messages, before, after } };
}

/**
 * One room of mine as a pure function of events: what is unread, what calls me, my marker, name and members. Where an
 * event can't tell (it speaks of messages from before this client listened) the row says so and is read again.
 */
import type { Event, HiddenEvent, Mentions, RoomRow } from '@natter/protocol';

/** A message that was heard: whether it calls me. */
interface Heard {
  readonly seq: number;
  readonly mention: boolean;
}

export interface TrackedRow {
  readonly row: RoomRow;
  /** Every message after this seq that is not deleted is in `heard`, rising. */
  readonly since: number;
  readonly heard: readonly Heard[];
  /** The counts are not known for certain: read the row again. */
  readonly doubtful: boolean;
}

/** Most messages that are remembered of one room; beyond it a row is read again when need be. */
const HEARD_MAX = 1_000;

export function trackRow(row: RoomRow): TrackedRow {
  return { row, since: row.head, heard: [], doubtful: false };
}

/** After an event of the room itself. Null: the room is not mine any more. */
export function roomEvent(tracked: TrackedRow, event: Event | HiddenEvent, me: number): TrackedRow | null {
  if (event.seq <= tracked.row.head) return tracked;
  const next = { ...tracked, row: { ...tracked.row, head: event.seq } };
  const { row } = next;
  switch (event.type) {
    case 'room.changed':
      return { ...next, row: { ...row, ...(event.body as Partial<RoomRow>) } };
    case 'room.archived':
    case 'room.unarchived':
      return { ...next, row: { ...row, archived: event.type === 'room.archived' } };
    case 'room.deleted':
      return null;
    case 'member.joined':
      return { ...next, row: { ...row, memberCount: row.memberCount + 1 } };
    case 'member.left':
    case 'member.removed':
      return event.body.user === me ? null : { ...next, row: { ...row, memberCount: row.memberCount - 1 } };
    case 'member.changed':
      return event.body.user === me ? { ...next, row: { ...row, role: event.body.role } } : next;
    case 'message.sent': {
      const said = hear(next, { seq: event.seq, mention: callsMe(event.body.mentions, me) });
      const latest = { ...said, row: { ...said.row, lastMessageAt: event.at } };
      // One's own message is read, and so is everything before it [M2].
      return event.actor === me ? unsure(marked(latest, event.seq, null), row.unreadFrom) : latest;
    }
    case 'message.edited':
      return reMention(next, event.body.messageSeq, callsMe(event.body.mentions, me));
    case 'message.deleted':
      return forget(next, event.body.messageSeq);
    default:
      return next;
  }
}

/** After an event of my inbox about this room. */
export function readEvent(tracked: TrackedRow, event: Event): TrackedRow {
  const { row } = tracked;
  if (event.type === 'read.moved') {
    // A marker never falls [M2]; moved to where it is, it ends "unread from here" [M3].
    return event.body.seq < row.readSeq ? tracked : marked(tracked, event.body.seq, null);
  }
  return event.type === 'read.unmarked' ? unsure(marked(tracked, row.readSeq, event.body.seq), 0) : tracked;
}

/** The room and my inbox are two streams: whether I wrote before I marked or after, only the server knows. */
function unsure(tracked: TrackedRow, unreadFrom: number | null): TrackedRow {
  return unreadFrom === null ? tracked : { ...tracked, doubtful: true };
}

/** Does a message with these mentions call me? */
export function callsMe(mentions: Mentions | undefined, me: number): boolean {
  return mentions?.everyone === true || mentions?.users?.includes(me) === true;
}

/** The first seq that may count as unread. */
function start({ readSeq, unreadFrom }: RoomRow): number {
  return unreadFrom ?? readSeq + 1;
}

function hear(tracked: TrackedRow, message: Heard): TrackedRow {
  const { row } = tracked;
  const heard = [...tracked.heard, message];
  const since = heard.length > HEARD_MAX ? (heard.shift() as Heard).seq : tracked.since;
  const counts = { unread: row.unread + 1, mentions: row.mentions + (message.mention ? 1 : 0) };
  return { ...tracked, since, heard, row: { ...row, ...counts } };
}

/** The marker stands elsewhere: counted anew, which is certain when everything from there on was heard. */
function marked(tracked: TrackedRow, readSeq: number, unreadFrom: number | null): TrackedRow {
  const row = { ...tracked.row, readSeq, unreadFrom };
  const from = start(row);
  // A marker that moves on from where nothing was unread leaves nothing unread before the head.
  const none = tracked.row.unread === 0 && tracked.row.unreadFrom === null && !tracked.doubtful;
  const known = from > tracked.since || (none && unreadFrom === null);
  if (!known) return { ...tracked, row, doubtful: true };
  const unread = tracked.heard.filter(({ seq }) => seq >= from);
  return {
    ...tracked,
    row: { ...row, unread: unread.length, mentions: unread.filter(({ mention }) => mention).length },
    doubtful: tracked.doubtful && from <= tracked.since,
  };
}

function forget(tracked: TrackedRow, seq: number): TrackedRow {
  const { row } = tracked;
  if (seq < start(row)) return { ...tracked, heard: tracked.heard.filter((message) => message.seq !== seq) };
  const message = tracked.heard.find((heard) => heard.seq === seq);
  if (!message)
    return { ...tracked, row: { ...row, unread: row.unread - 1 }, doubtful: tracked.doubtful || row.mentions > 0 };
  return {
    ...tracked,
    heard: tracked.heard.filter((heard) => heard !== message),
    row: { ...row, unread: row.unread - 1, mentions: row.mentions - (message.mention ? 1 : 0) },
  };
}

function reMention(tracked: TrackedRow, seq: number, mention: boolean): TrackedRow {
  const { row } = tracked;
  const index = tracked.heard.findIndex((heard) => heard.seq === seq);
  const message = tracked.heard[index];
  if (!message) {
    // It called me before, or it did not: only the server knows.
    return seq < start(row) || (row.mentions === 0 && !mention) ? tracked : { ...tracked, doubtful: true };
  }
  const heard = tracked.heard.slice();
  heard[index] = { seq, mention };
  const by = seq < start(row) ? 0 : Number(mention) - Number(message.mention);
  return { ...tracked, heard, row: { ...row, mentions: row.mentions + by } };
}

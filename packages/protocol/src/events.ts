/** The facts that a log can hold: one schema for each event type, and what follows from it. See SPEC.md "Events". */
import { type Static, type TSchema, Type } from 'typebox';

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Seq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const RoomKind = Type.Enum(['direct', 'group', 'channel']);
export type RoomKind = Static<typeof RoomKind>;
export const RoomRole = Type.Enum(['owner', 'admin', 'member']);
export type RoomRole = Static<typeof RoomRole>;
export const Visibility = Type.Enum(['public', 'private']);
export type Visibility = Static<typeof Visibility>;
/** What a member who joins later may read: everything, or only what came after joining. */
export const History = Type.Enum(['shared', 'joined']);
export type History = Static<typeof History>;
export const UserRole = Type.Enum(['user', 'admin']);
export type UserRole = Static<typeof UserRole>;

/** Who a message calls: people by id (members of named user groups among them), or everybody in the room. */
export const Mentions = Type.Object({
  users: Type.Optional(Type.Array(Id)),
  everyone: Type.Optional(Type.Literal(true)),
});
export type Mentions = Static<typeof Mentions>;

const none = Type.Object({});
const ofMessage = { message: Id, messageSeq: Seq };

/** Bodies by event type. Rooms first, then inboxes, then user groups. */
export const EVENT_BODIES = {
  'room.created': Type.Object({
    kind: RoomKind,
    name: Type.String(),
    topic: Type.String(),
    visibility: Visibility,
    history: History,
    /** The API it was made through; absent for the native one. Scopes names and listings. */
    dialect: Type.Optional(Type.String()),
    members: Type.Array(Type.Object({ user: Id, role: RoomRole })),
  }),
  'room.changed': Type.Object({
    name: Type.Optional(Type.String()),
    topic: Type.Optional(Type.String()),
    visibility: Type.Optional(Visibility),
    history: Type.Optional(History),
  }),
  'room.archived': none,
  'room.unarchived': none,
  'room.deleted': none,
  /** The actor is the user who joined, or the one who added them. */
  'member.joined': Type.Object({ user: Id, role: RoomRole }),
  'member.left': Type.Object({ user: Id }),
  'member.removed': Type.Object({ user: Id }),
  'member.changed': Type.Object({ user: Id, role: RoomRole }),
  /** `text` is '' and `redacted` true once the message was deleted: deleted content is nowhere. */
  'message.sent': Type.Object({
    text: Type.String(),
    replyTo: Type.Optional(Id),
    /** The first message of the thread that a reply belongs to. */
    thread: Type.Optional(Id),
    mentions: Type.Optional(Mentions),
    /** What an edge keeps beside the text, returned as it was (a dialect's own members). */
    extra: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    redacted: Type.Optional(Type.Literal(true)),
  }),
  'message.edited': Type.Object({
    ...ofMessage,
    text: Type.String(),
    mentions: Type.Optional(Mentions),
    redacted: Type.Optional(Type.Literal(true)),
  }),
  /** `thread`: as the message had it, so that whoever shows the thread's first message can count its replies. `moderated`: somebody else than the author did it. */
  'message.deleted': Type.Object({
    ...ofMessage,
    thread: Type.Optional(Id),
    moderated: Type.Optional(Type.Literal(true)),
  }),
  'reaction.added': Type.Object({ ...ofMessage, emoji: Type.String() }),
  'reaction.removed': Type.Object({ ...ofMessage, emoji: Type.String() }),
  'pin.added': Type.Object(ofMessage),
  'pin.removed': Type.Object(ofMessage),

  'user.created': Type.Object({
    name: Type.String(),
    /** The folded form by which the name is unique and found. */
    nameKey: Type.String(),
    email: Type.Union([Type.String(), Type.Null()]),
    fullName: Type.String(),
    role: UserRole,
    /** Made by an import for an author who has no account here; nobody can log in to it. */
    placeholder: Type.Optional(Type.Literal(true)),
  }),
  'user.changed': Type.Object({
    email: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    fullName: Type.Optional(Type.String()),
    about: Type.Optional(Type.String()),
    role: Type.Optional(UserRole),
    verified: Type.Optional(Type.Boolean()),
  }),
  'user.deactivated': none,
  'user.reactivated': none,
  'user.deleted': none,
  'password.changed': none,
  'session.started': Type.Object({ session: Type.String(), agent: Type.String(), expiresAt: Type.String() }),
  'session.ended': Type.Object({ sessions: Type.Array(Type.String()) }),
  'membership.added': Type.Object({ room: Id }),
  'membership.removed': Type.Object({ room: Id }),
  /** My read marker in a room: everything up to and including `seq` is read. It never falls. */
  'read.moved': Type.Object({ room: Id, seq: Type.Integer({ minimum: 0 }) }),
  /** "Unread from here": until the marker is moved again, everything from `seq` on counts as unread. */
  'read.unmarked': Type.Object({ room: Id, seq: Seq }),

  'usergroup.created': Type.Object({ name: Type.String(), description: Type.String(), members: Type.Array(Id) }),
  'usergroup.changed': Type.Object({ name: Type.Optional(Type.String()), description: Type.Optional(Type.String()) }),
  'usergroup.members_added': Type.Object({ users: Type.Array(Id) }),
  'usergroup.members_removed': Type.Object({ users: Type.Array(Id) }),
  'usergroup.deleted': none,
} as const satisfies Record<string, TSchema>;

export type EventType = keyof typeof EVENT_BODIES;
export type EventBody<T extends EventType> = Static<(typeof EVENT_BODIES)[T]>;

/** One event as every reader sees it: a union told apart by `type`. */
export type Event = {
  [T in EventType]: {
    type: T;
    stream: number;
    seq: number;
    id: number;
    /** Who did it; 0 is the system. */
    actor: number;
    /** UTC, ISO 8601 with milliseconds. */
    at: string;
    body: EventBody<T>;
  };
}[EventType];

export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

/**
 * What a member with hidden history gets in place of an event about a message from before they joined: the place is
 * kept, so that their log has no hole, and nothing is told.
 */
export interface HiddenEvent {
  type: 'hidden';
  stream: number;
  seq: number;
}

/** Wire schema of one event frame, for the documents that are served. */
export function eventSchema(type: EventType): TSchema {
  return Type.Object(
    {
      type: Type.Literal(type),
      stream: Id,
      seq: Seq,
      id: Id,
      actor: Type.Integer({ minimum: 0 }),
      at: Type.String({ format: 'date-time' }),
      body: EVENT_BODIES[type],
    },
    { title: type },
  );
}

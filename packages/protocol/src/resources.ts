/** What queries answer: rooms, messages, users and pages of them. The OpenAPI document is made from these. */
import { type Static, type TSchema, Type } from 'typebox';
import { History, Mentions, RoomKind, RoomRole, UserRole, Visibility } from './events.js';

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Time = Type.String({ format: 'date-time' });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Somebody as others see them. A deleted account has the name `deleted-<id>` and the full name "Deleted User". */
export const User = Type.Object(
  {
    id: Id,
    name: Type.String(),
    fullName: Type.String(),
    about: Type.String(),
    role: UserRole,
    status: Type.Enum(['active', 'deactivated', 'deleted']),
    verified: Type.Boolean(),
    placeholder: Type.Boolean(),
    createdAt: Time,
    lastSeenAt: orNull(Time),
    online: Type.Boolean(),
  },
  { title: 'User' },
);
export type User = Static<typeof User>;

/** Oneself, and anybody as an admin sees them. */
export const Account = Type.Object({ ...User.properties, email: orNull(Type.String()) }, { title: 'Account' });
export type Account = Static<typeof Account>;

export const Session = Type.Object(
  {
    id: Type.String(),
    agent: Type.String(),
    address: Type.String(),
    createdAt: Time,
    lastUsedAt: Time,
    expiresAt: Time,
    current: Type.Boolean(),
  },
  { title: 'Session' },
);
export type Session = Static<typeof Session>;

/** A room as anybody who may find it sees it. */
export const Room = Type.Object(
  {
    id: Id,
    kind: RoomKind,
    name: Type.String(),
    topic: Type.String(),
    visibility: Visibility,
    history: History,
    archived: Type.Boolean(),
    createdAt: Time,
    createdBy: Type.Integer({ minimum: 0 }),
    memberCount: Type.Integer(),
    /** Do I belong to it? */
    member: Type.Boolean(),
  },
  { title: 'Room' },
);
export type Room = Static<typeof Room>;

/** A room of mine: the room, my part in it, and what I have not read. */
export const RoomRow = Type.Object(
  {
    ...Room.properties,
    role: RoomRole,
    /** Seq of the newest event. */
    head: Seq,
    /** First seq that I may read; 1 unless history is hidden from those who join later. */
    fromSeq: Seq,
    readSeq: Seq,
    unreadFrom: orNull(Seq),
    unread: Type.Integer(),
    mentions: Type.Integer(),
    /** The other one of a direct room. */
    peer: orNull(Id),
    lastMessageAt: orNull(Time),
  },
  { title: 'RoomRow' },
);
export type RoomRow = Static<typeof RoomRow>;

export const Member = Type.Object({ user: User, role: RoomRole, joinedAt: Time }, { title: 'Member' });
export type Member = Static<typeof Member>;

export const Message = Type.Object(
  {
    id: Id,
    room: Id,
    seq: Seq,
    author: Type.Integer({ minimum: 0 }),
    /** '' once deleted. */
    text: Type.String(),
    at: Time,
    editedAt: orNull(Time),
    deletedAt: orNull(Time),
    replyTo: orNull(Id),
    thread: orNull(Id),
    replyCount: Type.Integer(),
    mentions: Mentions,
    reactions: Type.Array(Type.Object({ emoji: Type.String(), users: Type.Array(Id) })),
    pinned: Type.Boolean(),
  },
  { title: 'Message' },
);
export type Message = Static<typeof Message>;

/** People named in a page, by id, so that a client need not ask for each. */
export const Names = Type.Record(Type.String(), Type.Object({ name: Type.String(), fullName: Type.String() }));
export type Names = Static<typeof Names>;

/** Messages in rising seq. `before` / `after` are the seqs to ask with for the pages on both sides; null at an end. */
export const MessagePage = Type.Object(
  {
    messages: Type.Array(Message),
    users: Names,
    /** Head of the room when the page was read: following the room from here misses nothing. */
    head: Seq,
    epoch: Type.Integer(),
    before: orNull(Seq),
    after: orNull(Seq),
  },
  { title: 'MessagePage' },
);
export type MessagePage = Static<typeof MessagePage>;

export const MessageVersion = Type.Object(
  { text: Type.String(), at: Time, by: Type.Integer({ minimum: 0 }) },
  { title: 'MessageVersion' },
);
export type MessageVersion = Static<typeof MessageVersion>;

export const SearchHit = Type.Object(
  {
    message: Message,
    /** Which way it was found: the words as they stand, a part of a word, or a word spelt nearly so. */
    match: Type.Enum(['word', 'substring', 'typo']),
    /** Ranges of the text that matched: [start, end) in UTF-16 code units. Never markup. */
    ranges: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
  },
  { title: 'SearchHit' },
);
export type SearchHit = Static<typeof SearchHit>;

export const SearchPage = Type.Object(
  { hits: Type.Array(SearchHit), users: Names, next: orNull(Type.String()) },
  { title: 'SearchPage' },
);
export type SearchPage = Static<typeof SearchPage>;

export const UserGroup = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: Type.String(),
    createdBy: Type.Integer({ minimum: 0 }),
    createdAt: Time,
    members: Type.Array(Id),
  },
  { title: 'UserGroup' },
);
export type UserGroup = Static<typeof UserGroup>;

export const Tokens = Type.Object(
  {
    accessToken: Type.String(),
    /** Seconds until the access token expires. */
    expiresIn: Type.Integer(),
    /** Works once; each use gives the next one. Absent where it was set as a cookie. */
    refreshToken: Type.Optional(Type.String()),
    session: Type.String(),
    user: Account,
  },
  { title: 'Tokens' },
);
export type Tokens = Static<typeof Tokens>;

/** RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.Optional(Type.String()),
    retryable: Type.Boolean(),
    retryAfter: Type.Optional(Type.Number()),
    fields: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { title: 'Problem' },
);
export type Problem = Static<typeof Problem>;

export const AuditRow = Type.Object(
  {
    id: Id,
    at: Time,
    actor: Type.Integer({ minimum: 0 }),
    action: Type.String(),
    stream: Id,
    seq: Seq,
    body: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: 'AuditRow' },
);
export type AuditRow = Static<typeof AuditRow>;

/** A group or channel as an admin sees it: never what is said in it. */
export const AdminRoom = Type.Object(
  {
    id: Id,
    kind: RoomKind,
    name: Type.String(),
    visibility: Visibility,
    archived: Type.Boolean(),
    memberCount: Type.Integer(),
    messages: Type.Integer(),
    createdAt: Time,
    createdBy: Type.Integer({ minimum: 0 }),
    lastEventAt: orNull(Time),
  },
  { title: 'AdminRoom' },
);
export type AdminRoom = Static<typeof AdminRoom>;

/** How a node, with all its workers, did between this note and the one before. */
export const Figure = Type.Object(
  {
    at: Time,
    /** Users with an open socket on this node (of several workers: for each that they have one on), and all of its sockets, as they were then. */
    online: Type.Integer(),
    sockets: Type.Integer(),
    /** A second: events committed, events given to sockets, HTTP requests answered. */
    events: Type.Number(),
    deliveries: Type.Number(),
    requests: Type.Number(),
    /** Of one, on the average; null where there was none. */
    commitMilliseconds: orNull(Type.Number()),
    requestMilliseconds: orNull(Type.Number()),
    /** The part of the time in which the main thread had work: 0 to 1; of several workers, that of the busiest. */
    busy: Type.Number(),
    /** Bytes of the process, or of all workers. */
    memory: Type.Integer(),
  },
  { title: 'Figure' },
);
export type Figure = Static<typeof Figure>;

// Pages and lists. `next` is what to ask with for the page that follows; null at the end.

/** My rooms, with the names of those whom direct rooms are with. */
export const RoomList = Type.Object({ rooms: Type.Array(RoomRow), users: Names }, { title: 'RoomList' });
export type RoomList = Static<typeof RoomList>;

/** Rooms that can be found: public channels, and one's own; with a search best match first, and then without a next page. */
export const RoomPage = Type.Object({ rooms: Type.Array(Room), next: orNull(Id) }, { title: 'RoomPage' });
export type RoomPage = Static<typeof RoomPage>;

export const MemberPage = Type.Object({ members: Type.Array(Member), next: orNull(Id) }, { title: 'MemberPage' });
export type MemberPage = Static<typeof MemberPage>;

/** Who has read a message, its author aside. */
export const ReaderPage = Type.Object(
  { readers: Type.Array(Id), users: Names, next: orNull(Id) },
  { title: 'ReaderPage' },
);
export type ReaderPage = Static<typeof ReaderPage>;

/** Messages from several rooms, newest first. */
export const MessageList = Type.Object(
  { messages: Type.Array(Message), users: Names, next: orNull(Id) },
  { title: 'MessageList' },
);
export type MessageList = Static<typeof MessageList>;

/** What a message said, oldest first; the last is what it says now. */
export const VersionList = Type.Object(
  { versions: Type.Array(MessageVersion), users: Names },
  { title: 'VersionList' },
);
export type VersionList = Static<typeof VersionList>;

/** Pinned messages of a room, newest pin first. */
export const PinList = Type.Object(
  {
    pins: Type.Array(Type.Object({ message: Message, by: Type.Integer({ minimum: 0 }), at: Time })),
    users: Names,
  },
  { title: 'PinList' },
);
export type PinList = Static<typeof PinList>;

/**
 * People; with a search best match first, and then without a next page. An admin sees their addresses. `members`, where a room was
 * named: those of them who are in it.
 */
export const UserPage = Type.Object(
  { users: Type.Array(Type.Union([Account, User])), next: orNull(Id), members: Type.Optional(Type.Array(Id)) },
  { title: 'UserPage' },
);
export type UserPage = Static<typeof UserPage>;

export const SessionList = Type.Object({ sessions: Type.Array(Session) }, { title: 'SessionList' });
export type SessionList = Static<typeof SessionList>;

/** What lets a bot or a back end in to NATS, and what it hears there. */
export const NatsCredentials = Type.Object(
  {
    /** User JWT of NATS. */
    jwt: Type.String(),
    publicKey: Type.String(),
    /** Of the pair that was made, where none was given; the two together, as files of credentials have them. */
    seed: Type.Optional(Type.String()),
    credentials: Type.Optional(Type.String()),
    servers: Type.Array(Type.String()),
    /** The only subjects that may be subscribed to; nothing may be published. */
    subjects: Type.Object({ room: Type.String(), rooms: Type.String(), status: Type.String() }),
    epoch: Type.Integer(),
    /** My rooms, and the place from which on each is heard. */
    rooms: Type.Array(Type.Object({ id: Id, subject: Type.String(), seq: Seq })),
    expiresAt: Time,
    expiresIn: Type.Integer(),
  },
  { title: 'NatsCredentials' },
);
export type NatsCredentials = Static<typeof NatsCredentials>;

export const UserGroupPage = Type.Object(
  { usergroups: Type.Array(UserGroup), users: Names, next: orNull(Id) },
  { title: 'UserGroupPage' },
);
export type UserGroupPage = Static<typeof UserGroupPage>;

/** Newest first. */
export const AuditPage = Type.Object(
  { rows: Type.Array(AuditRow), users: Names, next: orNull(Id) },
  { title: 'AuditPage' },
);
export type AuditPage = Static<typeof AuditPage>;

export const AdminRoomPage = Type.Object(
  { rooms: Type.Array(AdminRoom), next: orNull(Id) },
  { title: 'AdminRoomPage' },
);
export type AdminRoomPage = Static<typeof AdminRoomPage>;

/** How one node, with all its workers, did lately, oldest first, and how much all nodes hold together. */
export const FigurePage = Type.Object(
  {
    /** Another one: a node that was started anew, or another node. What it noted does not follow on. */
    node: Type.String(),
    startedAt: Time,
    /** Between two notes. */
    seconds: Type.Integer(),
    users: Type.Integer(),
    rooms: Type.Integer(),
    messages: Type.Integer(),
    figures: Type.Array(Figure),
  },
  { title: 'FigurePage' },
);
export type FigurePage = Static<typeof FigurePage>;

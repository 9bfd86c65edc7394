/** The frames of the native WebSocket, both ways. One JSON object a text frame. See docs/protocol.md. */
import { type Static, Type } from 'typebox';
import { CommandResult, KEY_MAX } from './commands.js';
import { RoomRow } from './resources.js';

const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Cursors = Type.Record(Type.String({ pattern: '^[1-9][0-9]{0,15}$' }), Seq, { additionalProperties: false });

/** First frame of a client. The token may instead come as a bearer header of the upgrade. */
export const HelloFrame = Type.Object(
  {
    type: Type.Literal('hello'),
    token: Type.Optional(Type.String({ maxLength: 4_096 })),
    /** The life of the log that the cursors belong to. */
    epoch: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    /** For each stream: the last seq that the client has applied. */
    cursors: Type.Optional(Cursors),
  },
  { additionalProperties: false },
);
export type HelloFrame = Static<typeof HelloFrame>;

/** Envelope of a command: the input's members stand beside these. */
export const CommandEnvelope = Type.Object({
  type: Type.String(),
  /** Chosen by the client, returned in the reply. */
  id: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** Idempotency key, printable ASCII; with it, sending again is safe for ever [L3]. */
  key: Type.Optional(Type.String({ minLength: 1, maxLength: KEY_MAX, pattern: '^[\\x21-\\x7e]+$' })),
});
export type CommandEnvelope = Static<typeof CommandEnvelope>;

/** I am typing, or stopped. Never stored, not answered. */
export const TypingFrame = Type.Object(
  { type: Type.Literal('typing'), room: Id, active: Type.Boolean() },
  { additionalProperties: false },
);
export type TypingFrame = Static<typeof TypingFrame>;

/** Whose presence to be told of from now on; replaces the former list. */
export const WatchFrame = Type.Object(
  { type: Type.Literal('presence.watch'), users: Type.Array(Id, { maxItems: 1_000, uniqueItems: true }) },
  { additionalProperties: false },
);
export type WatchFrame = Static<typeof WatchFrame>;

export const PingFrame = Type.Object({ type: Type.Literal('ping') }, { additionalProperties: false });

/** Answer to hello. The rooms' heads are those from which live events follow where no cursor was given. */
export const ReadyFrame = Type.Object({
  type: Type.Literal('ready'),
  epoch: Type.Integer(),
  user: Id,
  session: Type.String(),
  /** Head of the user's own inbox. */
  inbox: Seq,
  rooms: Type.Array(RoomRow),
  /** A client that has sent nothing for this long is closed: send ping in time. */
  heartbeatSeconds: Type.Integer(),
  maxFrameBytes: Type.Integer(),
  messageTextMax: Type.Integer(),
});
export type ReadyFrame = Static<typeof ReadyFrame>;

/** From here on these streams are live; each stands at the seq that is given. */
export const LiveFrame = Type.Object({ type: Type.Literal('live'), cursors: Cursors });
export type LiveFrame = Static<typeof LiveFrame>;

/** The cursor can't be followed: drop what is known of the stream, read a page by query, live goes on after `seq`. */
export const ResetFrame = Type.Object({ type: Type.Literal('reset'), stream: Id, seq: Seq });
export type ResetFrame = Static<typeof ResetFrame>;

/** The stream is not to be heard any more: left, removed, or the room was deleted. */
export const GoneFrame = Type.Object({ type: Type.Literal('gone'), stream: Id });
export type GoneFrame = Static<typeof GoneFrame>;

export const WireError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Boolean(),
  detail: Type.Optional(Type.String()),
  fields: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  retryAfter: Type.Optional(Type.Number()),
});
export type WireError = Static<typeof WireError>;

export const ReplyFrame = Type.Union([
  Type.Object({ type: Type.Literal('reply'), id: Type.Integer(), result: CommandResult }),
  Type.Object({ type: Type.Literal('reply'), id: Type.Union([Type.Integer(), Type.Null()]), error: WireError }),
]);
export type ReplyFrame = Static<typeof ReplyFrame>;

export const TypingSignal = Type.Object({
  type: Type.Literal('typing'),
  room: Id,
  user: Id,
  active: Type.Boolean(),
});
export type TypingSignal = Static<typeof TypingSignal>;

export const PresenceSignal = Type.Object({
  type: Type.Literal('presence'),
  users: Type.Array(
    Type.Object({ user: Id, online: Type.Boolean(), lastSeen: Type.Union([Type.String(), Type.Null()]) }),
  ),
});
export type PresenceSignal = Static<typeof PresenceSignal>;

export const PongFrame = Type.Object({ type: Type.Literal('pong') });

/** Last words before the server closes: the row of the close table, and how long to wait before coming back. */
export const GoodbyeFrame = Type.Object({
  type: Type.Literal('goodbye'),
  code: Type.Integer(),
  reason: Type.String(),
  reconnect: Type.Boolean(),
  retryAfter: Type.Optional(Type.Number()),
});
export type GoodbyeFrame = Static<typeof GoodbyeFrame>;

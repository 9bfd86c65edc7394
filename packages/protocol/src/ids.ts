/** Names for the numbers that cross the wire. All are integers from 1 to 2^53 - 1; see SPEC.md "Ids". */

/** What has a log: a room, one user's inbox, or a user group. One sequence of ids serves all three. */
export type StreamId = number;
/** A room's id is the id of its stream. */
export type RoomId = StreamId;
/** A user's id is the id of their inbox stream. */
export type UserId = StreamId;
/** A user group's id is the id of its stream. */
export type UserGroupId = StreamId;
/** Place of an event in its stream: 1, 2, 3, … without holes. */
export type Seq = number;
/** An event's id, unique over all streams and rising with seq within one. */
export type EventId = number;
/** A message's id is the id of the `message.sent` event that made it. */
export type MessageId = EventId;
/** Which life of the log: a restored log begins a new one. Seconds since 1970 at which that life began. */
export type Epoch = number;
/** A session's id: 22 characters of base64url. */
export type SessionId = string;
/** UTC, ISO 8601 with milliseconds: `2026-11-20T13:30:14.123Z`. */
export type Timestamp = string;

/** The actor of what no person did: migrations, jobs, the command line. */
export const SYSTEM_ACTOR = 0;

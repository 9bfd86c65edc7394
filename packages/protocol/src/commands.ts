/** What a client can ask for: one schema for each command. The same words run through rule, command and event. See SPEC.md "Commands". */
import { type Static, type TSchema, Type } from 'typebox';
import { History, RoomRole, UserRole, Visibility } from './events.js';

/** Hard ceilings of the wire; the settings (see the README's table) are at or below them. */
const CEILING = { text: 65_536, name: 200, list: 1_000 } as const;

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Name = Type.String({ minLength: 1, maxLength: CEILING.name });
const RoomName = Type.String({ maxLength: CEILING.name });
const Line = Type.String({ maxLength: 2_000 });
const Ids = Type.Array(Id, { maxItems: CEILING.list, uniqueItems: true });
const closed = { additionalProperties: false };

/** Input by command type. */
export const COMMAND_INPUTS = {
  'room.create': Type.Object(
    {
      kind: Type.Enum(['group', 'channel']),
      /** '' only for a group, which goes by its members then. */
      name: RoomName,
      topic: Type.Optional(Line),
      visibility: Type.Optional(Visibility),
      history: Type.Optional(History),
      members: Type.Optional(Ids),
      usergroups: Type.Optional(Ids),
    },
    closed,
  ),
  /** The direct room with one other user: made when there is none yet. */
  'room.open': Type.Object({ user: Id }, closed),
  'room.change': Type.Object(
    {
      room: Id,
      name: Type.Optional(RoomName),
      topic: Type.Optional(Line),
      visibility: Type.Optional(Visibility),
      history: Type.Optional(History),
    },
    closed,
  ),
  'room.archive': Type.Object({ room: Id }, closed),
  'room.unarchive': Type.Object({ room: Id }, closed),
  'room.delete': Type.Object({ room: Id }, closed),
  'member.join': Type.Object({ room: Id }, closed),
  'member.leave': Type.Object({ room: Id }, closed),
  'member.add': Type.Object({ room: Id, users: Type.Optional(Ids), usergroups: Type.Optional(Ids) }, closed),
  'member.remove': Type.Object({ room: Id, user: Id }, closed),
  'member.change': Type.Object({ room: Id, user: Id, role: RoomRole }, closed),
  'message.send': Type.Object(
    { room: Id, text: Type.String({ minLength: 1, maxLength: CEILING.text }), replyTo: Type.Optional(Id) },
    closed,
  ),
  'message.edit': Type.Object({ message: Id, text: Type.String({ minLength: 1, maxLength: CEILING.text }) }, closed),
  'message.delete': Type.Object({ message: Id }, closed),
  'reaction.add': Type.Object({ message: Id, emoji: Type.String({ minLength: 1, maxLength: 64 }) }, closed),
  'reaction.remove': Type.Object({ message: Id, emoji: Type.String({ minLength: 1, maxLength: 64 }) }, closed),
  'pin.add': Type.Object({ message: Id }, closed),
  'pin.remove': Type.Object({ message: Id }, closed),
  'read.move': Type.Object({ room: Id, seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) }, closed),
  'read.unmark': Type.Object({ room: Id, seq: Id }, closed),
  'user.change': Type.Object(
    {
      fullName: Type.Optional(Type.String({ maxLength: CEILING.name })),
      email: Type.Optional(Type.Union([Type.String({ maxLength: 254 }), Type.Null()])),
      about: Type.Optional(Line),
    },
    closed,
  ),
  'user.deactivate': Type.Object({ user: Id }, closed),
  'user.reactivate': Type.Object({ user: Id }, closed),
  'user.delete': Type.Object({ user: Id }, closed),
  'user.set_role': Type.Object({ user: Id, role: UserRole }, closed),
  'user.verify': Type.Object({ user: Id, verified: Type.Boolean() }, closed),
  /** The id is the server's own (base64url), so that what looks otherwise is none. */
  'session.end': Type.Object({ session: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) }, closed),
  'session.end_all': Type.Object({ user: Type.Optional(Id), keepCurrent: Type.Optional(Type.Boolean()) }, closed),
  'usergroup.create': Type.Object(
    { name: Name, description: Type.Optional(Line), members: Type.Optional(Ids) },
    closed,
  ),
  'usergroup.change': Type.Object(
    { usergroup: Id, name: Type.Optional(Name), description: Type.Optional(Line) },
    closed,
  ),
  'usergroup.add_members': Type.Object({ usergroup: Id, users: Ids }, closed),
  'usergroup.remove_members': Type.Object({ usergroup: Id, users: Ids }, closed),
  'usergroup.delete': Type.Object({ usergroup: Id }, closed),
} as const satisfies Record<string, TSchema>;

export type CommandType = keyof typeof COMMAND_INPUTS;
export type CommandInput<T extends CommandType> = Static<(typeof COMMAND_INPUTS)[T]>;
/** A command as the core takes it: its type and its input in one object. */
export type Command = { [T in CommandType]: { type: T } & CommandInput<T> }[CommandType];
export type CommandOf<T extends CommandType> = Extract<Command, { type: T }>;

/** Longest idempotency key, in characters (printable ASCII). */
export const KEY_MAX = 128;

/** What a command that was carried out answers. */
export const CommandResult = Type.Object(
  {
    /** Stream of the first event, which is the room's (or user group's) id where one was made. */
    stream: Id,
    /** Its place, and its id: a sent message's id. Absent where there was nothing to change. */
    seq: Type.Optional(Type.Integer()),
    id: Type.Optional(Type.Integer()),
    at: Type.Optional(Type.String()),
    /** Nothing had to change: it is already so. */
    unchanged: Type.Optional(Type.Literal(true)),
    /** The key was known: this is the answer of the first time [L3]. */
    replayed: Type.Optional(Type.Literal(true)),
  },
  { title: 'CommandResult' },
);
export type CommandResult = Static<typeof CommandResult>;

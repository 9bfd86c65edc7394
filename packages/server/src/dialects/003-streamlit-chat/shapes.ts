/** What this API answers: users, chats, groups and messages in its shapes. Times are UTC without saying so. */
import { Type } from 'typebox';
import type { Line, Person, Place } from '../../core/queries.js';
import { naive } from '../fastapi/times.js';

export const NAME = '003';

/** Longest message of this API, in code points. */
export const CONTENT_MAX = 5_000;

const orNull = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()]);
/** A date and time as Python writes them. */
const time = Type.String();

export const User = Type.Object(
  {
    username: Type.String(),
    email: Type.String(),
    full_name: orNull(Type.String()),
    id: Type.Integer(),
    is_active: Type.Boolean(),
    is_verified: Type.Boolean(),
    created_at: time,
  },
  { title: 'Dialect003User' },
);

export const Tokens = Type.Object(
  { access_token: Type.String(), refresh_token: Type.String(), token_type: Type.String() },
  { title: 'Dialect003Tokens' },
);

export const Said = Type.Object({ message: Type.String() }, { title: 'Dialect003Said' });

const message = {
  id: Type.Integer(),
  chat_room_id: Type.Integer(),
  sender_id: Type.Union([Type.Integer(), Type.Null()]),
  content: Type.String(),
  is_read: Type.Boolean(),
  created_at: time,
};

export const Sent = Type.Object({ message: Type.String(), data: Type.Object(message) }, { title: 'Dialect003Sent' });

export const Message = Type.Object(
  { ...message, sender_username: orNull(Type.String()), sender_full_name: orNull(Type.String()) },
  { title: 'Dialect003Message' },
);

export const Chat = Type.Object(
  {
    chat_room_id: Type.Integer(),
    other_user_id: Type.Integer(),
    other_user_username: Type.String(),
    other_user_full_name: orNull(Type.String()),
    last_message: Type.String(),
    last_message_time: time,
    unread_count: Type.Integer(),
  },
  { title: 'Dialect003Chat' },
);

const group = {
  id: Type.Integer(),
  name: Type.String(),
  room_type: Type.String(),
  created_by: Type.Integer(),
  member_count: Type.Integer(),
  created_at: time,
};

export const Group = Type.Object(group, { title: 'Dialect003Group' });

export const GroupRow = Type.Object(
  { ...group, last_message: orNull(Type.String()), last_message_time: orNull(time) },
  { title: 'Dialect003GroupRow' },
);

export const PageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
  offset: Type.Integer({ minimum: 0, default: 0 }),
});

const textOrNull = (text: string): string | null => (text === '' ? null : text);

export function toUser(person: Person): object {
  return {
    username: person.name,
    // An account of another API may have none, where this one promises text.
    email: person.email ?? '',
    full_name: textOrNull(person.fullName),
    id: person.id,
    is_active: person.status === 'active',
    is_verified: person.verified,
    created_at: naive(person.createdAt),
  };
}

/** Who wrote it: whoever is gone has no id here, and goes by the words that stand for them. */
export function toMessage(line: Line, isRead: boolean): object {
  return {
    id: line.id,
    chat_room_id: line.room,
    sender_id: line.authorDeleted ? null : line.author,
    content: line.text,
    is_read: isRead,
    created_at: naive(line.at),
    sender_username: line.authorDeleted ? line.authorFullName : line.authorName,
    sender_full_name: textOrNull(line.authorFullName),
  };
}

export function toChat(room: number, other: Person, last: Line, unread: number): object {
  return {
    chat_room_id: room,
    other_user_id: other.id,
    other_user_username: other.name,
    other_user_full_name: textOrNull(other.fullName),
    last_message: last.text,
    last_message_time: naive(last.at),
    unread_count: unread,
  };
}

export function toGroup(place: Place): object {
  return {
    id: place.id,
    name: place.name,
    room_type: 'group',
    created_by: place.createdBy,
    member_count: place.memberCount,
    created_at: naive(place.createdAt),
  };
}

export function toGroupRow(place: Place, last: Line | undefined): object {
  return {
    ...toGroup(place),
    last_message: last?.text ?? null,
    last_message_time: last ? naive(last.at) : null,
  };
}

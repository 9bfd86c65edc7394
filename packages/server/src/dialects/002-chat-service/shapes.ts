/** What this API answers: users, chats and messages in its shapes. */
import type { UserId } from '@natter/protocol';
import { Type } from 'typebox';
import type { Line, Person, Place, PlaceMember } from '../../core/queries.js';
import { zulu } from '../fastapi/times.js';

export const NAME = '002';

/** Longest message of this API, in code points. */
export const CONTENT_MAX = 10_000;

const orNull = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });

export const User = Type.Object(
  {
    username: Type.String(),
    email: Type.String(),
    full_name: orNull(Type.String()),
    id: Type.Integer(),
    is_active: Type.Boolean(),
    created_at: time,
    last_seen: time,
  },
  { title: 'Dialect002User' },
);

export const Chat = Type.Object(
  {
    name: orNull(Type.String()),
    chat_type: Type.Enum(['direct', 'group']),
    id: Type.Integer(),
    created_at: time,
    updated_at: time,
    is_active: Type.Boolean(),
    participants: Type.Array(User),
  },
  { title: 'Dialect002Chat' },
);

export const ChatRow = Type.Object(
  {
    id: Type.Integer(),
    name: orNull(Type.String()),
    chat_type: Type.Enum(['direct', 'group']),
    created_at: time,
    updated_at: time,
    participant_count: Type.Integer(),
    last_message: orNull(Type.String()),
    last_message_time: orNull(time),
  },
  { title: 'Dialect002ChatRow' },
);

export const Participant = Type.Object(
  {
    user_id: Type.Integer(),
    username: Type.String(),
    full_name: orNull(Type.String()),
    joined_at: time,
    is_admin: Type.Boolean(),
  },
  { title: 'Dialect002Participant' },
);

export const Message = Type.Object(
  {
    content: Type.String(),
    id: Type.Integer(),
    chat_id: Type.Integer(),
    sender_id: Type.Integer(),
    sender_username: Type.String(),
    timestamp: time,
    message_type: Type.String(),
    is_edited: Type.Boolean(),
    is_deleted: Type.Boolean(),
  },
  { title: 'Dialect002Message' },
);

export const Said = Type.Object({ message: Type.String() }, { title: 'Dialect002Said' });

export const pageOf = (rows: ReturnType<typeof Type.Object>) =>
  Type.Object({
    items: Type.Array(rows),
    total: Type.Integer(),
    page: Type.Integer(),
    limit: Type.Integer(),
    pages: Type.Integer(),
  });

export function toUser(person: Person, lastSeen: number | null): object {
  return {
    username: person.name,
    // An account of another API may have none, where this one promises text.
    email: person.email ?? '',
    full_name: person.fullName === '' ? null : person.fullName,
    id: person.id,
    is_active: person.status === 'active',
    created_at: zulu(person.createdAt),
    last_seen: zulu(Math.max(lastSeen ?? 0, person.lastSeenAt ?? person.createdAt)),
  };
}

const titleOf = ({ kind, name }: Place): string | null => (kind === 'direct' || name === '' ? null : name);
const kindOf = ({ kind }: Place): string => (kind === 'direct' ? 'direct' : 'group');

export function toChat(place: Place, participants: readonly object[]): object {
  return {
    name: titleOf(place),
    chat_type: kindOf(place),
    id: place.id,
    created_at: zulu(place.createdAt),
    updated_at: zulu(place.updatedAt),
    is_active: !place.archived,
    participants,
  };
}

export function toChatRow(place: Place, last: Line | undefined): object {
  return {
    id: place.id,
    name: titleOf(place),
    chat_type: kindOf(place),
    created_at: zulu(place.createdAt),
    updated_at: zulu(place.updatedAt),
    participant_count: place.memberCount,
    last_message: last?.text ?? null,
    last_message_time: last ? zulu(last.at) : null,
  };
}

/** Whoever opened a direct chat counts as its admin. */
export function isAdmin(place: Place, user: UserId, role: PlaceMember['role']): boolean {
  return place.kind === 'direct' ? place.createdBy === user : role !== 'member';
}

export function toParticipant(place: Place, { person, role, joinedAt }: PlaceMember): object {
  return {
    user_id: person.id,
    username: person.name,
    full_name: person.fullName === '' ? null : person.fullName,
    joined_at: zulu(joinedAt),
    is_admin: isAdmin(place, person.id, role),
  };
}

export function toMessage(
  line: Pick<Line, 'id' | 'room' | 'author' | 'authorName' | 'text' | 'at' | 'editedAt'>,
): object {
  return {
    content: line.text,
    id: line.id,
    chat_id: line.room,
    sender_id: line.author,
    sender_username: line.authorName,
    timestamp: zulu(line.at),
    message_type: 'text',
    is_edited: line.editedAt !== null,
    is_deleted: false,
  };
}

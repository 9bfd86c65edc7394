/** What this API shows: rows of ours in its shapes. */
import { Type } from 'typebox';
import type { Line, Person, Place } from '../../core/queries.js';
import { zulu } from '../fastapi/times.js';

export const NAME = '004';

const orNull = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });
const role = Type.Enum(['user', 'admin']);

export const User = Type.Object(
  {
    username: Type.String(),
    email: Type.String(),
    id: Type.Integer(),
    is_active: Type.Boolean(),
    role,
    created_at: time,
    updated_at: time,
  },
  { title: 'Dialect004User' },
);

/** What registering and logging in tell of the account. */
export const Account = Type.Object(
  { id: Type.Integer(), email: Type.String(), username: Type.String(), role },
  { title: 'Dialect004Account' },
);

export const Room = Type.Object(
  {
    name: Type.String(),
    description: orNull(Type.String()),
    id: Type.Integer(),
    is_active: Type.Boolean(),
    created_at: time,
    updated_at: time,
  },
  { title: 'Dialect004Room' },
);

export const Message = Type.Object(
  {
    content: Type.String(),
    id: Type.Integer(),
    user_id: Type.Integer(),
    room_id: Type.Integer(),
    created_at: time,
    updated_at: time,
    user: Type.Union([User, Type.Null()]),
  },
  { title: 'Dialect004Message' },
);

const roleOf = (person: Person): string => (person.role === 'admin' ? 'admin' : 'user');
// An account of another API may have none, where this one promises text.
const emailOf = (person: Person): string => person.email ?? '';

export function toUser(person: Person): object {
  return {
    username: person.name,
    email: emailOf(person),
    id: person.id,
    is_active: person.status === 'active',
    role: roleOf(person),
    created_at: zulu(person.createdAt),
    updated_at: zulu(person.createdAt),
  };
}

export function toAccount(person: Person): object {
  return { id: person.id, email: emailOf(person), username: person.name, role: roleOf(person) };
}

export function toRoom(place: Place): object {
  return {
    name: place.name,
    description: place.topic === '' ? null : place.topic,
    id: place.id,
    is_active: !place.archived,
    created_at: zulu(place.createdAt),
    updated_at: zulu(place.updatedAt),
  };
}

export function toMessage(line: Line, author: Person | undefined): object {
  return {
    content: line.text,
    id: line.id,
    user_id: line.author,
    room_id: line.room,
    created_at: zulu(line.at),
    updated_at: zulu(line.editedAt ?? line.at),
    user: author ? toUser(author) : null,
  };
}

/** A message as sockets show it. */
export function toFrameMessage({
  id,
  text,
  author,
  authorName,
  room,
  at,
}: Pick<Line, 'id' | 'text' | 'author' | 'authorName' | 'room' | 'at'>): object {
  return { id, content: text, user_id: author, username: authorName, room_id: room, created_at: zulu(at) };
}

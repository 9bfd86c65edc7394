/** What this API answers: users, rooms and messages in its shapes. */
import { Type } from 'typebox';
import type { Line, Person, Place } from '../../core/queries.js';
import { zulu } from '../fastapi/times.js';

export const NAME = '001';

const orNull = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });

export const User = Type.Object(
  { username: Type.String(), email: orNull(Type.String()), id: Type.Integer(), created_at: time },
  { title: 'Dialect001User' },
);

export const Token = Type.Object(
  { access_token: Type.String(), token_type: Type.String() },
  { title: 'Dialect001Token' },
);

export const Said = Type.Object({ message: Type.String() }, { title: 'Dialect001Said' });

const ROOM = { name: Type.String(), id: Type.Integer(), created_by: Type.Integer(), created_at: time };

export const Room = Type.Object(ROOM, { title: 'Dialect001Room' });

export const RoomDetail = Type.Object(
  { ...ROOM, creator_username: orNull(Type.String()), message_count: Type.Integer() },
  { title: 'Dialect001RoomDetail' },
);

export const Message = Type.Object(
  {
    content: Type.String(),
    id: Type.Integer(),
    user_id: Type.Integer(),
    room_id: Type.Integer(),
    timestamp: time,
    username: Type.String(),
  },
  { title: 'Dialect001Message' },
);

export const toUser = ({ id, name, email, createdAt }: Person) => ({
  username: name,
  email,
  id,
  created_at: zulu(createdAt),
});

export const toRoom = ({ id, name, createdBy, createdAt }: Place) => ({
  name,
  id,
  created_by: createdBy,
  created_at: zulu(createdAt),
});

export const toMessage = ({ id, room, author, authorName, text, at }: Line) => ({
  content: text,
  id,
  user_id: author,
  room_id: room,
  timestamp: zulu(at),
  username: authorName,
});

/** The other APIs that Natter serves, as their clients speak them. None of them confirms a send but by delivering it. */
import type { Speaker, Wire } from '../wire.js';

const shared = { opcode: 'text', confirms: false } as const;

const textOf = (bytes: Buffer, start: number, end: number): string => bytes.toString('latin1', start, end);
const refuse = (speaker: Speaker, text: string): void => speaker.refused(text.slice(0, 300));

/** Where a socket is in its rooms from the upgrade on, and is told nothing. */
const inAtOnce: Pick<Wire, 'joinsAtOnce' | 'open' | 'join'> = {
  joinsAtOnce: true,
  open(speaker) {
    speaker.loggedIn();
  },
  join(speaker) {
    speaker.joined();
  },
};

/** 000: one socket for all rooms, which go by their names. */
export const mulChat: Wire = {
  ...shared,
  ...inAtOnce,
  path: ({ token }) => `/ws/rooms?token=${token}`,
  message: (_speaker, room, _number, text) => `{"room":"${room}","message":"${text}"}`,
  control(speaker, bytes, start, end) {
    refuse(speaker, textOf(bytes, start, end));
  },
};

/** 001: a socket for each room; everybody in it is told of everybody who comes, oneself too. */
export const realTimeChat: Wire = {
  ...shared,
  joinsAtOnce: true,
  path: ({ rooms: [room], token }) => `/ws/${room}?token=${token}`,
  open(speaker) {
    speaker.loggedIn();
  },
  join() {
    // One's own coming is told when the room is heard.
  },
  message: (_speaker, _room, _number, text) => `{"content":"${text}"}`,
  control(speaker, bytes, start, end) {
    const text = textOf(bytes, start, end);
    const user = /^\{"type":"system","content":"User user(\d+) has (?:joined|left) the chat"\}$/.exec(text)?.[1];
    if (user === undefined) refuse(speaker, text);
    else if (Number(user) === speaker.member && speaker.stage !== 'live') speaker.joined();
  },
};

/** 002: a socket for each chat; the others in it are told of everybody who comes. */
export const chatService: Wire = {
  ...shared,
  ...inAtOnce,
  path: ({ rooms: [room], token }) => `/api/v1/ws/${room}?token=${token}`,
  message: (_speaker, room, _number, text) => `{"type":"message","chat_id":${room},"content":"${text}"}`,
  control(speaker, bytes, start, end) {
    const text = textOf(bytes, start, end);
    if (!/^\{"type":"user_(?:joined|left)",/.test(text)) refuse(speaker, text);
  },
};

/** 003: one socket, with the token in its path, that joins room after room. */
export const streamlitChat: Wire = {
  ...shared,
  path: ({ token }) => `/ws/${token}`,
  open() {
    // The first frame says that one is connected.
  },
  join(speaker) {
    joinNext(speaker, 0);
  },
  message: (_speaker, room, _number, text) => `{"type":"message","room_id":${room},"content":"${text}"}`,
  control(speaker, bytes, start, end) {
    const text = textOf(bytes, start, end);
    const [, type, room] = /^\{"type":"([a-z_]+)"(?:,"room_id":(\d+))?/.exec(text) ?? [];
    if (type === 'connected') speaker.loggedIn();
    else if (type === 'room_joined') joinNext(speaker, speaker.rooms.indexOf(Number(room)) + 1);
    else if (type !== 'user_joined' && type !== 'user_left') refuse(speaker, text);
  },
};

function joinNext(speaker: Speaker, place: number): void {
  const room = speaker.rooms[place];
  if (room === undefined) speaker.joined();
  else speaker.send(`{"type":"join_room","room_id":${room}}`);
}

/** 004: a socket for each room, which begins with the newest of its history. */
export const simpleChat: Wire = {
  ...shared,
  joinsAtOnce: true,
  path: ({ rooms: [room], token }) => `/api/v1/ws/${room}?token=${token}`,
  open() {
    // The first frame is the history.
  },
  join(speaker) {
    speaker.joined();
  },
  message: (_speaker, _room, _number, text) => `{"type":"message","content":"${text}"}`,
  control(speaker, bytes, start, end) {
    const text = textOf(bytes, start, end);
    if (text.startsWith('{"type":"messages_history",') && speaker.stage === 'opening') speaker.loggedIn();
    else refuse(speaker, text);
  },
};

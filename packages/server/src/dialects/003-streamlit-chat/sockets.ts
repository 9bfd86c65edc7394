/** The WebSocket of this API: one socket for a user, which joins the rooms that it asks for. The token is in the path. */
import { ERRORS, type RoomId } from '@natter/protocol';
import type { Encoding } from '../../hub/encoding.js';
import type { Roster } from '../../hub/rosters.js';
import { codePoints } from '../../text.js';
import { jsonFrame } from '../../websocket/wire.js';
import type { DialectContext } from '../dialect.js';
import { encodingOf } from '../encoding.js';
import { naive } from '../fastapi/times.js';
import { shownType } from '../json.js';
import type { DialectSocket, SocketRoute, Speaker } from '../socket.js';
import { CONTENT_MAX, NAME } from './shapes.js';

const NO_ACCESS = "You don't have access to this room";
const NOT_IN_IT = 'You are not in this room';
const MALFORMED = 'Invalid message format';
const FAILED = 'Internal server error';

function encoding(context: DialectContext): Encoding {
  const typing = (room: RoomId, user: number): Buffer | null => {
    const name = context.people.users.get(user)?.name;
    // Whose name is read only now is told of with the next sign.
    return name === undefined ? null : jsonFrame({ type: 'user_typing', room_id: room, user_id: user, username: name });
  };
  return encodingOf(
    NAME,
    context,
    ({ room, id, author, authorName, authorFullName, text, at }) => ({
      type: 'new_message',
      room_id: room,
      message_id: id,
      sender_id: author,
      sender_username: authorName,
      sender_full_name: authorFullName === '' ? null : authorFullName,
      content: text,
      created_at: naive(at),
    }),
    {
      typing: (room, user, active) => (active ? typing(room, user) : null),
      stillTyping: typing,
      visit: (room, { user, name, entered }) =>
        jsonFrame({ type: entered ? 'user_joined' : 'user_left', room_id: room, user_id: user, username: name }),
    },
  );
}

export function socketRoute(context: DialectContext): SocketRoute {
  const roster = context.hub.rosters.of(NAME);
  return {
    dialect: NAME,
    under: '/ws',
    // Numbers are rooms of another API, and so is the one word.
    path: /^\/ws\/(?!(?:[0-9]+|rooms)$)([^/]+)$/,
    encoding: encoding(context),
    token: ({ captured: [token] }) => token ?? null,
    async admit({ actor, name }) {
      const { user } = actor;
      const welcome = { type: 'connected', user_id: user, username: name.name, message: 'Connected to chat server' };
      return {
        rooms: [],
        follows: 'chosen',
        first: [jsonFrame(welcome)],
        speak: (socket) => new Chat(context, roster, socket),
      };
    },
  };
}

class Chat implements Speaker {
  readonly #context: DialectContext;
  readonly #roster: Roster;
  readonly #socket: DialectSocket;
  readonly #joined = new Set<RoomId>();
  /** While a room is being joined, what comes behind waits: whoever says something after it hears it too. */
  #line: Promise<void> | null = null;

  constructor(context: DialectContext, roster: Roster, socket: DialectSocket) {
    this.#context = context;
    this.#roster = roster;
    this.#socket = socket;
  }

  /** Nobody is told: this API has no word for whoever is gone without leaving. */
  closed(): void {
    for (const room of this.#joined) this.#roster.leave(room, this.#socket.actor.user);
    this.#joined.clear();
  }

  frame(text: string): void {
    const before = this.#line;
    const step = before ? before.then(() => this.#handle(text)) : this.#handle(text);
    if (!step) return;
    const line = step
      .catch(() => {})
      .then(() => {
        if (this.#line === line) this.#line = null;
      });
    this.#line = line;
    this.#socket.carryOut(
      () => step,
      () => this.#refuse(FAILED),
    );
  }

  /** A promise where the frames behind have to wait. */
  #handle(text: string): Promise<void> | void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#refuse('Invalid JSON format');
    }
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return this.#refuse(MALFORMED);
    const { type, room_id, content } = frame as Record<string, unknown>;
    const room = toRoom(room_id);
    switch (type) {
      case 'join_room':
        return this.#join(room);
      case 'leave_room':
        return this.#leave(room);
      case 'message':
        return this.#send(room, content || '');
      case 'typing':
        return this.#socket.typing(room, true);
      case 'ping':
        return this.#socket.onceSaid(() => this.#socket.send(jsonFrame({ type: 'pong' })));
      default:
        return this.#refuse(`Unknown message type: ${shownType(type)}`);
    }
  }

  async #join(room: RoomId): Promise<void> {
    const socket = this.#socket;
    // What was said before is none of what is heard from here on.
    await socket.onceSaid(() => {});
    const { user } = socket.actor;
    const joined = jsonFrame({ type: 'room_joined', room_id: room, message: `Joined room ${room}` });
    if (this.#joined.has(room) && socket.hears(room)) return socket.send(joined);
    if (!(await socket.follow(room, joined))) return this.#refuse(NO_ACCESS);
    if (socket.closing || this.#joined.has(room)) return;
    this.#joined.add(room);
    // A user's first socket in the room makes them appear, the last one that leaves it makes them go.
    if (this.#roster.enter(room, user)) socket.visit(room, true, { toSelf: false });
  }

  /** Also of a room that was not joined: one has left it already. What one said before is heard. */
  #leave(room: RoomId): Promise<void> | void {
    if (room === NOWHERE) return this.#refuse(NO_ACCESS);
    return this.#socket.onceSaid(() => this.#left(room));
  }

  #left(room: RoomId): void {
    const socket = this.#socket;
    if (this.#joined.delete(room)) {
      socket.unfollow(room);
      if (this.#roster.leave(room, socket.actor.user)) socket.visit(room, false, { toSelf: false });
    }
    socket.send(jsonFrame({ type: 'room_left', room_id: room, message: `Left room ${room}` }));
  }

  #send(room: RoomId, text: unknown): void {
    const { core, limits } = this.#context;
    if (typeof text !== 'string') return this.#refuse(MALFORMED);
    if (text.trim() === '') return;
    const max = Math.min(CONTENT_MAX, limits.MESSAGE_TEXT_MAX);
    if (room === NOWHERE) return this.#refuse(NOT_IN_IT);
    if (codePoints(text) > max) return this.#refuse(`String should have at most ${max} characters`);
    const { actor } = this.#socket;
    this.#socket.say(
      async () => {
        const done = await core.execute(actor, { type: 'message.send', room, text }, { dialect: NAME });
        if (done.ok) return;
        switch (done.code) {
          case 'not_found':
            return this.#refuse(NOT_IN_IT);
          case 'invalid':
            return this.#refuse(done.fields?.[0]?.message ?? MALFORMED);
          case 'rate_limited':
            return this.#refuse('Too many messages');
          default:
            return this.#refuse(ERRORS[done.code].title);
        }
      },
      () => this.#refuse(FAILED),
    );
  }

  #refuse(message: string): void {
    this.#socket.send(jsonFrame({ type: 'error', message }));
  }
}

/** No room has this id. */
const NOWHERE = 0;

function toRoom(id: unknown): RoomId {
  const number = typeof id === 'string' && /^[0-9]{1,16}$/.test(id) ? Number(id) : id;
  return Number.isSafeInteger(number) && (number as number) > 0 ? (number as number) : NOWHERE;
}

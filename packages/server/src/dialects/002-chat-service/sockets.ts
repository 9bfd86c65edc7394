/** The WebSocket of this API: one chat for each socket. */
import type { RoomId } from '@natter/protocol';
import type { Encoding } from '../../hub/encoding.js';
import type { Roster } from '../../hub/rosters.js';
import { codePoints } from '../../text.js';
import { jsonFrame } from '../../websocket/wire.js';
import type { DialectContext } from '../dialect.js';
import { encodingOf } from '../encoding.js';
import { zulu } from '../fastapi/times.js';
import type { DialectSocket, SocketRoute, Speaker } from '../socket.js';
import { NO_PARTICIPANT } from './messages.js';
import { CONTENT_MAX, NAME, toMessage } from './shapes.js';

const encoding = (context: DialectContext): Encoding =>
  encodingOf(
    NAME,
    context,
    ({ room, at, ...sent }) => ({
      type: 'new_message',
      chat_id: room,
      message: toMessage({ ...sent, room, at, editedAt: null }),
      timestamp: zulu(at),
    }),
    {
      typing: (room, user, active) =>
        jsonFrame({
          type: active ? 'typing_started' : 'typing_stopped',
          user_id: user,
          chat_id: room,
          timestamp: zulu(context.clock.now()),
        }),
      visit: (room, { user, entered, at }) =>
        jsonFrame({ type: entered ? 'user_joined' : 'user_left', user_id: user, chat_id: room, timestamp: zulu(at) }),
    },
  );

export function socketRoute(context: DialectContext, roster: Roster): SocketRoute {
  return {
    dialect: NAME,
    under: '/api/v1/ws',
    path: /^\/api\/v1\/ws\/([0-9]{1,15})$/,
    encoding: encoding(context),
    async admit({ actor }, { captured: [id] }) {
      const room = Number(id);
      const part = await context.queries.standing(actor.user, room);
      if (!part) return null;
      return {
        rooms: [{ stream: room, head: part.head, fromSeq: part.fromSeq }],
        follows: 'chosen',
        speak: (socket) => new Chat(context, roster, socket, room),
      };
    },
  };
}

class Chat implements Speaker {
  readonly #context: DialectContext;
  readonly #roster: Roster;
  readonly #socket: DialectSocket;
  readonly #room: RoomId;

  constructor(context: DialectContext, roster: Roster, socket: DialectSocket, room: RoomId) {
    this.#context = context;
    this.#roster = roster;
    this.#socket = socket;
    this.#room = room;
    // A user's first socket in the chat makes them appear, the last one that goes makes them leave.
    if (roster.enter(room, socket.actor.user)) socket.visit(room, true, { toSelf: false });
  }

  closed(): void {
    const socket = this.#socket;
    void socket.onceSaid(() => {
      if (!this.#roster.leave(this.#room, socket.actor.user)) return;
      socket.visit(this.#room, false, { toSelf: false });
      socket.typing(this.#room, false);
    });
  }

  frame(text: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#refuse('Invalid JSON format');
    }
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return this.#fail();
    const { type, chat_id, content } = frame as Record<string, unknown>;
    // The chat is the one of the path; the frame's own is only held to be an integer.
    if (typeof type !== 'string' || !isInteger(chat_id)) return this.#fail();
    switch (type) {
      case 'message':
        if (content != null && typeof content !== 'string') return this.#fail();
        return this.#send((content ?? '').trim());
      case 'typing':
        return this.#socket.typing(this.#room, content === 'start');
      case 'ping':
        void this.#socket.onceSaid(() => this.#socket.send(jsonFrame({ type: 'pong', timestamp: this.#now() })));
        return;
      default:
        return this.#refuse(`Unknown message type: ${type.slice(0, 100).toWellFormed()}`);
    }
  }

  #send(text: string): void {
    if (text === '') return;
    const max = Math.min(CONTENT_MAX, this.#context.limits.MESSAGE_TEXT_MAX);
    if (codePoints(text) > max) return this.#refuse(`String should have at most ${max} characters`);
    const { core } = this.#context;
    const { actor } = this.#socket;
    this.#socket.say(
      async () => {
        const done = await core.execute(actor, { type: 'message.send', room: this.#room, text }, { dialect: NAME });
        if (done.ok) return;
        switch (done.code) {
          case 'not_found':
            return this.#refuse(NO_PARTICIPANT);
          case 'invalid':
            return this.#refuse(done.fields?.[0]?.message ?? 'invalid');
          case 'archived':
            return this.#refuse('Chat is archived');
          case 'rate_limited':
            return this.#refuse('Too many messages');
          default:
            return this.#fail();
        }
      },
      () => this.#fail(),
    );
  }

  #refuse(message: string): void {
    this.#socket.send(jsonFrame({ type: 'error', message, timestamp: this.#now() }));
  }

  #fail(): void {
    this.#refuse('Internal server error');
  }

  #now(): string {
    return zulu(this.#context.clock.now());
  }
}

const isInteger = (value: unknown): boolean =>
  Number.isInteger(value) || (typeof value === 'string' && /^[+-]?[0-9]+$/.test(value));

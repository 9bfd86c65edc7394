/** The WebSocket of this API: one for all rooms of a user, those that are joined later too. */
import type { RoomId } from '@natter/protocol';
import type { Refusal } from '../../core/actor.js';
import type { Encoding } from '../../hub/encoding.js';
import { jsonFrame } from '../../websocket/wire.js';
import type { DialectContext } from '../dialect.js';
import { encodingOf, sentOnes } from '../encoding.js';
import { isDeep, isPlain } from '../json.js';
import type { DialectSocket, SocketRoute, Speaker } from '../socket.js';
import { labelOf, NAME, type Said, toFrame, toMessage } from './messages.js';
import { RoomsByName } from './rooms-by-name.js';

const NO_ROOMS = jsonFrame({ type: 'info', message: "You don't have any rooms available." });

/** Why a socket is closed, with codes of WebSocket itself. */
const POLICY = 1008;
const FAILED = 1011;
const NOT_IN_ROOM = 'Not subscribed to room';

function encoding(context: DialectContext): Encoding {
  const { users, rooms } = context.people;
  return encodingOf(
    NAME,
    context,
    ({ room, authorName, ...sent }) => {
      const name = rooms.get(room);
      return toFrame(name ? labelOf(room, name) : room, authorName, sent);
    },
    {
      prepare(events) {
        const sent = sentOnes(events);
        const authors = users.prepare(sent.map(({ actor }) => actor));
        const named = rooms.prepare(sent.map(({ stream }) => stream));
        return authors || named ? Promise.all([authors, named]).then(() => {}) : undefined;
      },
    },
  );
}

export function socketRoute(context: DialectContext): SocketRoute {
  const rooms = new RoomsByName(context);
  return {
    dialect: NAME,
    under: '/ws',
    path: /^\/ws(?:\/rooms)?$/,
    encoding: encoding(context),
    token({ query, request, bearer }) {
      const header = request.headers['x-user-jwt'];
      return query.get('token') ?? (typeof header === 'string' ? header : bearer);
    },
    async admit({ actor }) {
      const mine = await context.queries.roomRows(actor.user);
      return {
        rooms: mine.map(({ id, head, fromSeq }) => ({ stream: id, head, fromSeq })),
        follows: 'all',
        first: mine.length === 0 ? [NO_ROOMS] : [],
        speak: (socket) => new Chat(context, rooms, socket),
      };
    },
  };
}

class Chat implements Speaker {
  readonly #context: DialectContext;
  readonly #rooms: RoomsByName;
  readonly #socket: DialectSocket;

  constructor(context: DialectContext, rooms: RoomsByName, socket: DialectSocket) {
    this.#context = context;
    this.#rooms = rooms;
    this.#socket = socket;
  }

  frame(json: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(json);
    } catch {
      return this.#socket.destroy();
    }
    // What is no object breaks the connection, as it broke the original's.
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return this.#socket.destroy();
    const { room, ...own } = frame as Record<string, unknown>;
    if (!room) return this.#close(POLICY, 'No room specified');
    if (typeof room !== 'string' && typeof room !== 'number') return this.#close(POLICY, NOT_IN_ROOM);
    if (isDeep(own, this.#context.limits.JSON_DEPTH_MAX)) return this.#refuse(room, 'Message is nested too deeply');
    if (!isPlain(json, frame)) return this.#refuse(room, 'Message must not contain NUL or lone surrogates');
    const said = toMessage(own);
    this.#socket.carryOut(
      () => this.#send(room, said),
      () => this.#close(FAILED, 'Message could not be published'),
    );
  }

  async #send(room: string | RoomId, said: Said): Promise<void> {
    const refusal = await this.#publish(room, said);
    switch (refusal?.code) {
      case undefined:
        return;
      case 'not_found':
        return this.#close(POLICY, NOT_IN_ROOM);
      case 'invalid':
        return this.#refuse(room, `Message ${refusal.fields?.[0]?.message ?? 'is invalid'}`);
      case 'archived':
        return this.#refuse(room, 'Room is archived');
      case 'rate_limited':
        return this.#refuse(room, 'Too many messages');
      default:
        return this.#close(FAILED, 'Message could not be published');
    }
  }

  async #publish(room: string | RoomId, { text, extra }: Said): Promise<Refusal | null> {
    const { core } = this.#context;
    const { actor } = this.#socket;
    const send = async (id: RoomId): Promise<Refusal | null> => {
      const done = await core.execute(
        actor,
        { type: 'message.send', room: id, text },
        { dialect: NAME, ...(extra ? { extra } : {}) },
      );
      return done.ok ? null : done;
    };
    const missing: Refusal = { ok: false, code: 'not_found' };
    if (typeof room === 'number') return Number.isSafeInteger(room) && room > 0 ? send(room) : missing;
    const id = await this.#rooms.find(actor, room);
    const refusal = id === null ? missing : await send(id);
    if (refusal?.code !== 'not_found') return refusal;
    // Another room may have the name by now.
    this.#rooms.forget(room);
    const found = await this.#rooms.find(actor, room);
    return found === null || found === id ? missing : send(found);
  }

  /** Told to the sender alone; the socket stays. */
  #refuse(room: string | RoomId, message: string): void {
    this.#socket.send(jsonFrame({ type: 'error', room, message }));
  }

  #close(code: number, reason: string): void {
    this.#socket.closeWith(code, reason);
  }
}

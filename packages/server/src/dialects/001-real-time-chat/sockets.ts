/** The WebSocket of this API: one room for each socket, whose coming and going everybody in the room is told. */
import type { RoomId } from '@natter/protocol';
import type { Encoding } from '../../hub/encoding.js';
import { jsonFrame, textFrame } from '../../websocket/wire.js';
import type { DialectContext } from '../dialect.js';
import { encodingOf } from '../encoding.js';
import { enter } from '../entry.js';
import { zulu } from '../fastapi/times.js';
import type { DialectSocket, SocketRoute, Speaker } from '../socket.js';
import { NAME } from './shapes.js';

/** Not JSON itself: so the original says it. */
const NO_JSON = textFrame('Invalid JSON format. Please send proper JSON.');

const notice = (content: string): Buffer => jsonFrame({ type: 'system', content });

const encoding = (context: DialectContext): Encoding =>
  encodingOf(
    NAME,
    context,
    ({ author, authorName, text, at }) => ({
      type: 'message',
      user_id: author,
      username: authorName,
      content: text,
      timestamp: zulu(at),
    }),
    { visit: (_room, { name, entered }) => notice(`User ${name} has ${entered ? 'joined' : 'left'} the chat`) },
  );

export function socketRoute(context: DialectContext): SocketRoute {
  const { queries } = context;
  return {
    dialect: NAME,
    under: '/ws',
    path: /^\/ws\/([0-9]{1,15})$/,
    encoding: encoding(context),
    async admit({ actor }, { captured: [id] }) {
      const room = Number(id);
      let part = await queries.standing(actor.user, room);
      if (!part && (await enter(context, actor, room, NAME)).ok) part = await queries.standing(actor.user, room);
      if (!part) return null;
      return {
        rooms: [{ stream: room, head: part.head, fromSeq: part.fromSeq }],
        follows: 'chosen',
        speak: (socket) => new Visitor(context, socket, room),
      };
    },
  };
}

class Visitor implements Speaker {
  readonly #context: DialectContext;
  readonly #socket: DialectSocket;
  readonly #room: RoomId;
  #entered = false;

  constructor(context: DialectContext, socket: DialectSocket, room: RoomId) {
    this.#context = context;
    this.#socket = socket;
    this.#room = room;
  }

  /** Each socket is told of, to itself too: it may hear of itself only when it hears the room. */
  live(): void {
    if (this.#entered || !this.#socket.hears(this.#room)) return;
    this.#entered = true;
    this.#socket.visit(this.#room, true, { toSelf: true });
  }

  closed(): void {
    if (this.#entered) void this.#socket.onceSaid(() => this.#socket.visit(this.#room, false, { toSelf: true }));
  }

  frame(text: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#socket.send(NO_JSON);
    }
    // Whatever has no content says nothing, and an empty one is none.
    const { content } = Object(frame) as { content?: unknown };
    if (content === undefined || content === null || content === '') return;
    if (typeof content !== 'string') return this.#refuse('content should be a string');
    this.#send(content);
  }

  #send(text: string): void {
    const { core } = this.#context;
    const { actor } = this.#socket;
    this.#socket.say(
      async () => {
        const done = await core.execute(actor, { type: 'message.send', room: this.#room, text }, { dialect: NAME });
        if (done.ok) return;
        switch (done.code) {
          case 'not_found':
            return this.#refuse('you are not in this room');
          case 'invalid':
            return this.#refuse(`content ${done.fields?.[0]?.message ?? 'is not valid'}`);
          case 'archived':
            return this.#refuse('the room is archived');
          case 'rate_limited':
            return this.#refuse('too many messages');
          default:
            return this.#refuse('the server can not take it now');
        }
      },
      () => this.#refuse('the server can not take it now'),
    );
  }

  /** This API has no frame for errors; its clients show what the system says, and nobody else is told. */
  #refuse(why: string): void {
    this.#socket.send(notice(`Message not sent: ${why}`));
  }
}

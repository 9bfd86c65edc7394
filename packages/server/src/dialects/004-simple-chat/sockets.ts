/** The WebSocket of this API: one room for each socket, which begins with the newest of its history. */
import type { RoomId } from '@natter/protocol';
import type { Refusal } from '../../core/actor.js';
import type { Line } from '../../core/queries.js';
import { jsonFrame } from '../../websocket/wire.js';
import type { DialectContext } from '../dialect.js';
import { encodingOf } from '../encoding.js';
import { enter } from '../entry.js';
import { shownType } from '../json.js';
import type { DialectSocket, Knock, SocketRoute, Speaker } from '../socket.js';
import { PAGE } from './rooms.js';
import { NAME, toFrameMessage } from './shapes.js';

/** One page, oldest first, of lines that are newest first; one line more than the page has says that there are more. */
function historyFrame(lines: readonly Line[], limit: number): Buffer {
  const page = lines.slice(0, limit);
  const has_more = lines.length > limit;
  return jsonFrame({
    type: 'messages_history',
    data: {
      messages: page.toReversed().map(toFrameMessage),
      has_more,
      next_cursor: (has_more ? page.at(-1)?.id : null) ?? null,
    },
  });
}

export function socketRoutes(context: DialectContext): SocketRoute[] {
  const { records } = context.queries;
  const shared: Pick<SocketRoute, 'dialect' | 'encoding' | 'admit'> = {
    dialect: NAME,
    encoding: encodingOf(NAME, context, (sent) => ({ type: 'message', data: toFrameMessage(sent) })),
    async admit({ actor }, { captured: [id] }) {
      const room = Number(id);
      const entered = await enter(context, actor, room, NAME);
      if (!entered.ok || entered.value.archived) return null;
      // Its head is where live begins: what is committed from here on is told, and nothing that the page shows.
      const history = await records.history(actor, { room, skip: 0, limit: PAGE.default + 1 });
      if (!history) return null;
      return {
        rooms: [{ stream: room, head: history.head, fromSeq: history.fromSeq }],
        follows: 'chosen',
        first: [historyFrame(history.lines, PAGE.default)],
        speak: (socket) => new Room(context, socket, room),
      };
    },
  };
  return [
    {
      ...shared,
      under: '/api/v1/ws',
      path: /^\/api\/v1\/ws\/([0-9]{1,15})$/,
      // 002 has the same path: a token in the header is the custom of this API alone.
      foreign: (knock: Knock, roomDialect) => knock.bearer !== null || roomDialect === NAME,
    },
    // As websocket-info of the original had it; 001 has the path for all tokens but ours.
    { ...shared, under: '/ws', path: /^\/ws\/([0-9]{1,15})$/, ownTokens: true },
  ];
}

class Room implements Speaker {
  readonly #context: DialectContext;
  readonly #socket: DialectSocket;
  readonly #room: RoomId;
  /** What was asked for before: a page shows what the same socket sent before it, and comes after the page before. */
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(context: DialectContext, socket: DialectSocket, room: RoomId) {
    this.#context = context;
    this.#socket = socket;
    this.#room = room;
  }

  frame(text: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#refuse('Invalid JSON format');
    }
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return this.#fail();
    const { type, content = '', cursor, limit = PAGE.default } = frame as Record<string, unknown>;
    switch (type) {
      case 'message':
        return typeof content === 'string' ? this.#send(content.trim()) : this.#fail();
      case 'fetch_messages':
        if (!Number.isInteger(limit)) return this.#fail();
        return this.#fetch(cursor || undefined, limit as number);
      default:
        return this.#refuse(`Unknown message type: ${shownType(type)}`);
    }
  }

  #send(text: string): void {
    if (text === '') return this.#refuse('Message content cannot be empty');
    const { core } = this.#context;
    const { actor } = this.#socket;
    this.#carryOut('Failed to save message', async () => {
      const done = await core.execute(actor, { type: 'message.send', room: this.#room, text }, { dialect: NAME });
      if (!done.ok) this.#refuse(`Failed to save message${reasonOf(done)}`);
    });
  }

  #fetch(before: unknown, limit: number): void {
    const failed = 'Failed to fetch messages';
    if (limit < 1 || (before !== undefined && !Number.isSafeInteger(before))) return this.#refuse(failed);
    const socket = this.#socket;
    const size = Math.min(limit, PAGE.max);
    const earlier = this.#underWay;
    this.#carryOut(failed, async () => {
      await earlier;
      // [G1] Pages are large: the next one is made when the last one was taken.
      while (socket.blocked && !socket.closing) await new Promise<void>((resolve) => socket.onDrain(resolve));
      if (socket.closing) return;
      const history = await this.#context.queries.records.history(socket.actor, {
        room: this.#room,
        before: before as number | undefined,
        skip: 0,
        limit: size + 1,
      });
      if (history) socket.send(historyFrame(history.lines, size));
      else this.#refuse(failed);
    });
  }

  #carryOut(failed: string, doing: () => Promise<void>): void {
    const done = doing();
    this.#underWay = Promise.allSettled([this.#underWay, done]);
    this.#socket.carryOut(
      () => done,
      () => this.#refuse(failed),
    );
  }

  #refuse(message: string): void {
    this.#socket.send(jsonFrame({ type: 'error', message }));
  }

  #fail(): void {
    this.#refuse('Error processing message');
  }
}

/** Why a message was not saved, where its sender can do something about it. */
function reasonOf({ code, fields }: Refusal): string {
  const [field] = fields ?? [];
  if (code === 'invalid' && field) return `: ${field.message}`;
  if (code === 'archived') return ': the room is archived';
  return code === 'rate_limited' ? ': too many messages' : '';
}

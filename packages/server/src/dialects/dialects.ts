/** All dialects of this build, and the server's side of them: routes beside the native ones, sockets at their paths. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { DialectName } from '../config.js';
import type { Refusal } from '../core/actor.js';
import type { Sockets } from '../websocket/sockets.js';
import { mulChat } from './000-mul-chat/mul-chat.js';
import { realTimeChat } from './001-real-time-chat/real-time-chat.js';
import { chatService } from './002-chat-service/chat-service.js';
import { streamlitChat } from './003-streamlit-chat/streamlit-chat.js';
import { simpleChat } from './004-simple-chat/simple-chat.js';
import type { Dialect, DialectContext, DialectDocuments, OpenDialect } from './dialect.js';
import { Door } from './door.js';
import { failureOf } from './fastapi/failure.js';

const ALL: readonly Dialect[] = [mulChat, realTimeChat, chatService, streamlitChat, simpleChat];

export class Dialects {
  readonly #open: { dialect: Dialect; opened: OpenDialect }[];
  readonly #context: DialectContext;

  /** Opens those that are named; of the others there is nothing. */
  constructor(names: readonly DialectName[], context: DialectContext) {
    this.#context = context;
    this.#open = ALL.filter(({ name }) => names.includes(name)).map((dialect) => ({
      dialect,
      opened: dialect.open(context),
    }));
  }

  /** Groups of the documents, each with a sentence. */
  get tags(): [string, string][] {
    return this.#open.map(({ dialect }) => [dialect.title, dialect.description]);
  }

  /** Documents of single dialects: the tag of what they describe, and where they are. */
  get documents(): ({ tag: string } & DialectDocuments)[] {
    return this.#open.flatMap(({ dialect: { title, documents } }) => (documents ? [{ tag: title, ...documents }] : []));
  }

  async routes(app: FastifyInstance): Promise<void> {
    for (const { opened } of this.#open) await app.register(async (own) => opened.routes(own));
  }

  /** How refusals of the server itself look at this path; null: natively. */
  refusalsAt(path: string): ((reply: FastifyReply, refusal: Refusal) => FastifyReply) | null {
    const own = this.#open.some(({ dialect }) =>
      dialect.prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
    );
    return own ? (reply, refusal) => failureOf(refusal).send(reply) : null;
  }

  /** What dialects have at `/` and `/health`, told to those who want no page. Of what two say otherwise the first is believed. */
  get shared(): { root: object; health: object; unhealthy: object } | null {
    const said = this.#open.flatMap(({ dialect }) => dialect.shared ?? []).reverse();
    if (said.length === 0) return null;
    return {
      root: Object.assign({}, ...said.map(({ root }) => root)),
      health: Object.assign({}, ...said.map(({ health }) => health)),
      unhealthy: { status: 'unhealthy', detail: 'Service unhealthy' },
    };
  }

  serve(sockets: Sockets): void {
    const routes = this.#open.flatMap(({ opened }) => opened.sockets);
    if (routes.length > 0) new Door(routes, this.#context, sockets);
  }
}

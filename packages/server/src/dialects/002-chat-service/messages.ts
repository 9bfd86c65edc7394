/** Messages in this API. */
import { Type } from 'typebox';
import type { Actor } from '../../core/actor.js';
import type { DialectContext } from '../dialect.js';
import { type Api, fail, failureOf } from '../fastapi/api.js';
import { pageOf, skipOf } from '../fastapi/paging.js';
import { PageQuery } from './chats.js';
import { CONTENT_MAX, Message, NAME, pageOf as pageSchema, Said, toMessage } from './shapes.js';
import { FIELDS } from './users.js';

export const NO_PARTICIPANT = 'User is not a participant in this chat';

const MessagePath = Type.Object({ message_id: Type.Integer() });
const content = Type.String({ minLength: 1, maxLength: CONTENT_MAX });

export function messageRoutes(api: Api, { core, queries }: DialectContext): void {
  const { records } = queries;

  /** A message that the actor has sent and that is there. */
  const own = async (actor: Actor, id: number) => {
    const line = await records.line(actor, id);
    return line && line.author === actor.user && !line.deleted ? line : null;
  };

  api.route(
    {
      method: 'POST',
      path: '/api/v1/messages/',
      summary: 'Send a message',
      description: 'Everybody who is connected to the chat hears it too.',
      status: 201,
      body: Type.Object({ content, chat_id: Type.Integer() }),
      answer: Message,
    },
    async ({ actor, body: { chat_id: room, content: text } }) => {
      const stranger = fail(400, NO_PARTICIPANT);
      if (room < 1) return stranger;
      const done = await core.execute(actor, { type: 'message.send', room, text }, { dialect: NAME });
      if (!done.ok) return failureOf(done, { not_found: stranger }, FIELDS);
      const line = await records.line(actor, done.result.id ?? 0);
      return line ? toMessage(line) : stranger;
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/api/v1/messages/chat/:chat_id',
      summary: 'Get chat messages',
      description: 'Newest first; deleted ones are left out.',
      params: Type.Object({ chat_id: Type.Integer() }),
      query: PageQuery,
      answer: pageSchema(Message),
    },
    async ({ actor, params: { chat_id: room }, query: { page, limit } }) => {
      const [history, total] = await Promise.all([
        records.history(actor, { room, skip: skipOf(page, limit), limit }),
        records.messageCount(actor, room),
      ]);
      if (!history || total === null) return fail(400, NO_PARTICIPANT);
      return pageOf(history.lines.map(toMessage), total, page, limit);
    },
  );

  api.route(
    {
      method: 'PUT',
      path: '/api/v1/messages/:message_id',
      summary: 'Update message',
      params: MessagePath,
      body: Type.Object({ content }),
      answer: Message,
    },
    async ({ actor, params: { message_id: message }, body }) => {
      const denied = fail(400, "Message not found or you don't have permission to edit it");
      if (!(await own(actor, message))) return denied;
      const done = await core.execute(actor, { type: 'message.edit', message, text: body.content }, { dialect: NAME });
      if (!done.ok) return failureOf(done, { not_found: denied, forbidden: denied, message_deleted: denied }, FIELDS);
      const line = await own(actor, message);
      return line ? { ...toMessage(line), is_edited: true } : denied;
    },
  );

  api.route(
    {
      method: 'DELETE',
      path: '/api/v1/messages/:message_id',
      summary: 'Delete message',
      params: MessagePath,
      answer: Said,
    },
    async ({ actor, params: { message_id: message } }) => {
      const denied = fail(400, "Message not found or you don't have permission to delete it");
      if (!(await own(actor, message))) return denied;
      const done = await core.execute(actor, { type: 'message.delete', message }, { dialect: NAME });
      return done.ok ? { message: 'Message deleted successfully' } : failureOf(done, { not_found: denied });
    },
  );
}

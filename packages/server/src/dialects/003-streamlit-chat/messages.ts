/** Direct messages in this API: addressed to a user, whose direct room is made with the first one. */
import { Type } from 'typebox';
import type { Actor, Reply } from '../../core/actor.js';
import type { DialectContext } from '../dialect.js';
import { type Api, fail, failureOf } from '../fastapi/api.js';
import { naive } from '../fastapi/times.js';
import { Chat, CONTENT_MAX, Message, NAME, PageQuery, Sent, toChat, toMessage } from './shapes.js';

/** What core calls otherwise. */
export const FIELDS = { text: 'content' };

export const content = Type.String({ minLength: 1, maxLength: CONTENT_MAX });

/** What is answered for a message that was sent just now: nobody has read it. */
export function toSent(actor: Actor, text: string, { stream, id, at = '' }: (Reply & { ok: true })['result']): object {
  return {
    message: 'Message sent successfully',
    data: {
      id,
      chat_room_id: stream,
      sender_id: actor.user,
      content: text,
      is_read: false,
      created_at: naive(Date.parse(at)),
    },
  };
}

export function messageRoutes(api: Api, { core, queries }: DialectContext): void {
  const { records } = queries;

  api.route(
    {
      method: 'POST',
      path: '/messages/send',
      summary: 'Send Message',
      description: 'Those who have joined the room on a socket hear it too.',
      status: 201,
      body: Type.Object({ recipient_id: Type.Integer(), content }),
      answer: Sent,
    },
    async ({ actor, body: { recipient_id: recipient, content: text } }) => {
      const nobody = fail(400, 'Recipient user not found');
      if (recipient < 1) return nobody;
      if (recipient === actor.user) return fail(400, 'Cannot send message to yourself');
      let room = await records.directRoom(actor, recipient);
      if (room === null) {
        const opened = await core.execute(actor, { type: 'room.open', user: recipient }, { dialect: NAME });
        if (!opened.ok) return failureOf(opened, { not_found: nobody, user_unavailable: nobody });
        room = opened.result.stream;
      }
      const done = await core.execute(actor, { type: 'message.send', room, text }, { dialect: NAME });
      return done.ok ? toSent(actor, text, done.result) : failureOf(done, { not_found: nobody }, FIELDS);
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/messages/chat/:other_user_id',
      summary: 'Get Chat History',
      description: 'The newest messages after those that are skipped, oldest first. They all count as read then.',
      params: Type.Object({ other_user_id: Type.Integer() }),
      query: PageQuery,
      answer: Type.Array(Message),
    },
    async ({ actor, params: { other_user_id: other }, query: { limit, offset } }) => {
      const person = (await records.persons([other])).get(other);
      if (!person || person.status === 'deleted') return fail(404, 'User not found');
      const room = await records.directRoom(actor, other);
      if (room === null) return [];
      const [history, marks] = await Promise.all([
        records.history(actor, { room, skip: offset, limit }),
        records.readMarks(actor, room),
      ]);
      if (!history || !marks) return [];
      if (marks.mine < history.head || marks.unmarked) {
        const read = await core.execute(actor, { type: 'read.move', room, seq: history.head }, { dialect: NAME });
        if (!read.ok && read.code !== 'not_found') return failureOf(read);
      }
      const isRead = (line: (typeof history.lines)[number]): boolean =>
        line.author !== actor.user || marks.readByOthers(line);
      return history.lines.toReversed().map((line) => toMessage(line, isRead(line)));
    },
  );

  api.route(
    {
      method: 'GET',
      path: '/messages/chats',
      summary: 'Get All Chats',
      description: 'Direct chats in which there is a message, the one with the newest message first.',
      answer: Type.Array(Chat),
    },
    async ({ actor }) => {
      const mine = await queries.myRooms(actor);
      const direct = mine.value.rooms.filter(({ kind }) => kind === 'direct');
      const [last, people] = await Promise.all([
        records.lastLines(
          actor,
          direct.map(({ id }) => id),
        ),
        records.persons(direct.flatMap(({ peer }) => peer ?? [])),
      ]);
      return direct
        .flatMap(({ id, peer, unread }) => {
          const line = last.get(id);
          const person = peer === null ? undefined : people.get(peer);
          return line && person && person.status !== 'deleted'
            ? [{ line, chat: toChat(id, person, line, unread) }]
            : [];
        })
        .sort((a, b) => b.line.id - a.line.id)
        .map(({ chat }) => chat);
    },
  );
}

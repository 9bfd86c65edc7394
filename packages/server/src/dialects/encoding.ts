/** The encoding of a dialect: of all that the hub tells, each shows new messages, and what it names itself beside them. */
import type { EventBody } from '@natter/protocol';
import type { DialectName } from '../config.js';
import type { Encoding, StoredEvent } from '../hub/encoding.js';
import { jsonFrame } from '../websocket/wire.js';
import type { DialectContext } from './dialect.js';

/** A message as it was sent, with who its author is. */
export interface Sent {
  text: string;
  /** What only one dialect knows of it. */
  extra: EventBody<'message.sent'>['extra'] | undefined;
  id: number;
  room: number;
  author: number;
  /** '' where the account is gone. */
  authorName: string;
  authorFullName: string;
  at: number;
}

export const sentOnes = (events: readonly StoredEvent[]): StoredEvent[] =>
  events.filter(({ type }) => type === 'message.sent');

export function encodingOf(
  name: DialectName,
  { people: { users } }: DialectContext,
  toFrame: (sent: Sent) => object,
  beside: Partial<Omit<Encoding, 'name' | 'event'>> = {},
): Encoding {
  return {
    name,

    event({ type, stream: room, id, actor: author, at, body }) {
      if (type !== 'message.sent') return null;
      const { text, extra, redacted } = JSON.parse(body) as EventBody<'message.sent'>;
      if (redacted) return null;
      const { name: authorName = '', fullName: authorFullName = '' } = users.get(author) ?? {};
      return jsonFrame(toFrame({ id, room, author, authorName, authorFullName, text, extra, at }));
    },

    prepare: (events) => users.prepare(sentOnes(events).map(({ actor }) => actor)),

    hidden: () => null,
    live: () => null,
    reset: () => null,
    gone: () => null,
    typing: () => null,
    presence: () => null,
    ...beside,
  };
}

/** Histories of one room made up by fast-check, and what a plain scan says of them. */
import type { Event, EventBody, EventType, Message, MessagePage } from '@natter/protocol';
import fc from 'fast-check';

export const ROOM = 7;

/** What somebody tries; it becomes an event where the rules allow it at that moment. */
export interface Move {
  kind: 'send' | 'edit' | 'delete' | 'react' | 'unreact' | 'pin' | 'unpin' | 'member' | 'role' | 'room';
  /** Picks a message, by its place among those there are. */
  pick: number;
  user: number;
  /** Picks an emoji, whether it is a reply, whom it calls. */
  more: number;
}

export const moves = (length: number): fc.Arbitrary<Move[]> =>
  fc.array(
    fc.record({
      kind: fc.oneof(
        { weight: 6, arbitrary: fc.constant<Move['kind']>('send') },
        {
          weight: 8,
          arbitrary: fc.constantFrom<Move['kind']>(
            'edit',
            'delete',
            'react',
            'unreact',
            'pin',
            'unpin',
            'member',
            'role',
            'room',
          ),
        },
      ),
      pick: fc.nat(1_000),
      user: fc.integer({ min: 1, max: 4 }),
      more: fc.nat(1_000),
    }),
    { maxLength: length },
  );

/** A log that the server could have written. */
export function logOf(all: readonly Move[]): Event[] {
  const log: Event[] = [];
  const sent: Extract<Event, { type: 'message.sent' }>[] = [];
  const deleted = new Set<number>();
  const members = new Map<number, 'owner' | 'member' | 'admin'>([[1, 'owner']]);
  const add = <T extends EventType>(type: T, actor: number, body: EventBody<T>): Event => {
    const seq = log.length + 1;
    const event = { type, stream: ROOM, seq, id: 1_000 + seq * 3, actor, at: timeOf(seq), body } as Event;
    log.push(event);
    return event;
  };
  add('room.created', 1, {
    kind: 'group',
    name: 'r',
    topic: '',
    visibility: 'private',
    history: 'shared',
    members: [{ user: 1, role: 'owner' }],
  });
  for (const { kind, pick, user, more } of all) {
    const target = sent[pick % Math.max(1, sent.length)];
    const alive = target && !deleted.has(target.id) ? target : undefined;
    const of = alive && { message: alive.id, messageSeq: alive.seq };
    const emoji = ['👍', '🎉', '👀'][more % 3] as string;
    const mentions = more % 5 === 0 ? { everyone: true as const } : more % 5 === 1 ? { users: [1 + (more % 4)] } : null;
    if (kind === 'send') {
      const reply = of && more % 2 === 0 ? { replyTo: of.message, thread: alive.body.thread ?? of.message } : {};
      sent.push(
        add('message.sent', user, { text: `t${log.length}`, ...reply, ...(mentions ? { mentions } : {}) }) as never,
      );
    } else if (kind === 'room') {
      if (more % 3 === 0) add('room.archived', user, {});
      else if (more % 3 === 1) add('room.unarchived', user, {});
      else add('room.changed', user, { name: `n${log.length}` });
    } else if (kind === 'member') {
      if (!members.has(user)) {
        members.set(user, 'member');
        add('member.joined', user, { user, role: 'member' });
      } else if (members.size > 1) {
        members.delete(user);
        add(more % 2 ? 'member.left' : 'member.removed', user, { user });
      }
    } else if (kind === 'role') {
      if (members.has(user)) add('member.changed', 1, { user, role: more % 2 ? 'admin' : 'member' });
    } else if (of) {
      if (kind === 'edit')
        add('message.edited', alive.actor, { ...of, text: `e${log.length}`, ...(mentions ? { mentions } : {}) });
      else if (kind === 'react') add('reaction.added', user, { ...of, emoji });
      else if (kind === 'unreact') add('reaction.removed', user, { ...of, emoji });
      else if (kind === 'pin') add('pin.added', user, of);
      else if (kind === 'unpin') add('pin.removed', user, of);
      else {
        deleted.add(of.message);
        const { thread } = alive.body;
        add('message.deleted', user, { ...of, ...(thread ? { thread } : {}) });
      }
    }
  }
  return log;
}

export const timeOf = (seq: number): string => new Date(1_700_000_000_000 + seq * 1_000).toISOString();

/** [L6] The log as it reads once what was deleted is nowhere. */
export function redacted(log: readonly Event[]): Event[] {
  const gone = new Set(log.flatMap((event) => (event.type === 'message.deleted' ? event.body.message : [])));
  return log.map((event) => {
    if (event.type === 'message.sent' && gone.has(event.id)) {
      const { replyTo, thread } = event.body;
      const kept = { ...(replyTo ? { replyTo } : {}), ...(thread ? { thread } : {}) };
      return { ...event, body: { text: '', ...kept, redacted: true } };
    }
    if (event.type === 'message.edited' && gone.has(event.body.message)) {
      const { message, messageSeq } = event.body;
      return { ...event, body: { message, messageSeq, text: '', redacted: true } };
    }
    return event;
  });
}

/** All messages by a scan for each of them, which knows nothing of states. */
export function scan(log: readonly Event[]): Message[] {
  return log.flatMap((sent): Message[] => {
    if (sent.type !== 'message.sent') return [];
    const about = log.filter((event) => 'message' in event.body && event.body.message === sent.id);
    const removed = about.find(({ type }) => type === 'message.deleted');
    const edits = about.flatMap((event) => (event.type === 'message.edited' ? event : []));
    const last = edits.at(-1);
    const pins = about.filter(({ type }) => type.startsWith('pin.'));
    const replies = log.filter((event) => event.type === 'message.sent' && event.body.thread === sent.id);
    const standing = replies.filter(
      ({ id }) => !log.some((event) => event.type === 'message.deleted' && event.body.message === id),
    );
    const emoji = new Map<string, Set<number>>();
    for (const event of about) {
      if (event.type === 'reaction.added') {
        emoji.set(event.body.emoji, (emoji.get(event.body.emoji) ?? new Set()).add(event.actor));
      } else if (event.type === 'reaction.removed') {
        emoji.get(event.body.emoji)?.delete(event.actor);
      }
    }
    const reactions = [...emoji].flatMap(([face, users]) => (users.size ? [{ emoji: face, users: [...users] }] : []));
    return [
      {
        id: sent.id,
        room: ROOM,
        seq: sent.seq,
        author: sent.actor,
        text: removed ? '' : (last ?? sent).body.text,
        at: sent.at,
        editedAt: last?.at ?? null,
        deletedAt: removed?.at ?? null,
        replyTo: sent.body.replyTo ?? null,
        thread: sent.body.thread ?? null,
        replyCount: standing.length,
        mentions: removed ? {} : ((last ?? sent).body.mentions ?? {}),
        reactions: removed ? [] : reactions,
        pinned: !removed && pins.at(-1)?.type === 'pin.added',
      },
    ];
  });
}

export interface Ask {
  before?: number;
  after?: number;
  around?: number;
  limit: number;
}

/** What a query answers when the log stands at `head`. */
export function pageOf(log: readonly Event[], head: number, { before, after, around, limit }: Ask): MessagePage {
  const all = scan(log.slice(0, head));
  let from = Math.max(0, all.length - limit);
  if (before !== undefined) from = Math.max(0, all.filter(({ seq }) => seq < before).length - limit);
  if (after !== undefined) from = all.filter(({ seq }) => seq <= after).length;
  if (around !== undefined) from = Math.max(0, all.filter(({ seq }) => seq < around).length - (limit >> 1));
  const to = before === undefined ? from + limit : all.filter(({ seq }) => seq < before).length;
  const messages = all.slice(from, to);
  return {
    messages,
    users: {},
    head,
    epoch: 1,
    before: from > 0 ? (messages[0]?.seq ?? before ?? null) : null,
    after: to < all.length ? (messages.at(-1)?.seq ?? after ?? null) : null,
  };
}

/** Reactions stand in the order in which they were heard of, which a page read later need not have. */
export function ordered(messages: readonly Message[]): Message[] {
  return messages.map((message) => ({
    ...message,
    reactions: message.reactions
      .map(({ emoji, users }) => ({ emoji, users: [...users].sort() }))
      .sort((a, b) => (a.emoji < b.emoji ? -1 : 1)),
  }));
}

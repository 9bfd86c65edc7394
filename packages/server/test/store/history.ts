/** Random histories: numbers become commands that were well decided on what a model holds, some of them on an older state. */
import type { Draft, Entry } from '@natter/server/store/store';
import * as fc from 'fast-check';
import type { Facts } from './facts.js';
import type { Model } from './model.js';

const KINDS = [
  'send',
  'send',
  'send',
  'send',
  'reply',
  'mention',
  'edit',
  'edit',
  'delete',
  'react',
  'unreact',
  'pin',
  'unpin',
  'join',
  'remove',
  'role',
  'change',
  'archive',
  'read',
  'read',
  'unmark',
  'profile',
  'group',
] as const;

export interface Op {
  kind: (typeof KINDS)[number];
  who: number;
  where: number;
  what: number;
}

const op = fc.record({ kind: fc.constantFrom(...KINDS), who: fc.nat(99), where: fc.nat(99), what: fc.nat(999) });

/** Batches, each decided on what stood before it: what collides within one is for the store to tell apart. */
export const batches = fc.array(fc.array(op, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 30 });

export interface Cast {
  users: readonly number[];
  rooms: readonly number[];
  group: number;
}

const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % list.length];

/** One entry, or null where nothing can be done. */
export function decide(facts: Facts, model: Model, cast: Cast, { kind, who, where, what }: Op): Entry | null {
  const room = pick(cast.rooms, where) as number;
  const members = model.membersOf(room);
  const actor = pick(members, who)?.user_id;
  if (actor === undefined || model.room(room).deleted_at !== null) return null;
  const version = (stream: number) => model.streams.get(stream)?.version ?? 0;
  const visible = model.messagesOf(room).filter(({ row }) => row.deleted_at === null);
  const message = pick(visible, what);
  const expect = [[room, version(room)]] as const;
  const inRoom = (type: Draft['type'], body: object, more: Draft[] = []): Entry =>
    facts.entry(actor, [{ stream: room, type, body } as Draft, ...more], { expect });
  const onMessage = (type: Draft['type'], body: object = {}): Entry | null => {
    if (!message) return null;
    const { id, seq } = message.row;
    const draft = { stream: room, type, body: { message: id, messageSeq: seq, ...body } } as Draft;
    return facts.entry(actor, [draft], { expect, expectMessages: [[id, message.row.version]] });
  };
  const called = what % 3 === 0 ? { everyone: true } : { users: cast.users.filter((_, i) => (what >> i) % 2 === 1) };
  const text = `text ${who} ${where} ${what}`;
  switch (kind) {
    case 'send':
      return inRoom('message.sent', { text, ...(what % 5 === 0 ? { extra: { n: what } } : {}) });
    case 'reply':
      if (!message) return inRoom('message.sent', { text });
      return inRoom('message.sent', { text, replyTo: message.row.id, thread: message.row.thread ?? message.row.id });
    case 'mention':
      return inRoom('message.sent', { text, mentions: called });
    case 'edit':
      return onMessage('message.edited', { text: `${text} edited`, ...(what % 2 === 0 ? { mentions: called } : {}) });
    case 'delete': {
      const thread = message?.row.thread ?? undefined;
      const moderated = message?.row.author === actor ? undefined : true;
      return onMessage('message.deleted', { ...(thread ? { thread } : {}), ...(moderated ? { moderated } : {}) });
    }
    case 'react':
    case 'unreact':
      return onMessage(kind === 'react' ? 'reaction.added' : 'reaction.removed', { emoji: pick(['👍', '🎉'], what) });
    case 'pin':
    case 'unpin':
      return onMessage(kind === 'pin' ? 'pin.added' : 'pin.removed');
    case 'join': {
      const user = cast.users.find((one) => !members.some((member) => member.user_id === one));
      if (user === undefined) return null;
      const inbox: Draft = { stream: user, type: 'membership.added', body: { room } };
      return inRoom('member.joined', { user, role: 'member' }, [inbox]);
    }
    case 'remove': {
      const user = pick(members, what)?.user_id as number;
      const inbox: Draft = { stream: user, type: 'membership.removed', body: { room } };
      return inRoom(user === actor ? 'member.left' : 'member.removed', { user }, [inbox]);
    }
    case 'role':
      return inRoom('member.changed', { user: pick(members, what)?.user_id, role: pick(['admin', 'member'], what) });
    case 'change':
      return inRoom(
        'room.changed',
        what % 2 === 0 ? { topic: text } : { history: pick(['joined', 'shared'], what >> 1) },
      );
    case 'archive':
      return inRoom(model.room(room).archived_at === null ? 'room.archived' : 'room.unarchived', {});
    case 'read':
    case 'unmark': {
      const head = model.streams.get(room)?.head ?? 1;
      const seq = (what % head) + 1;
      const type = kind === 'read' ? 'read.moved' : 'read.unmarked';
      return facts.entry(actor, [{ stream: actor, type, body: { room, seq } }]);
    }
    case 'profile': {
      const states = ['user.deactivated', 'user.reactivated', 'user.changed', 'user.changed'] as const;
      const type = pick(states, what) as (typeof states)[number];
      const body = type === 'user.changed' ? { about: text, verified: what % 2 === 0 } : {};
      const user = pick(cast.users, where) as number;
      return facts.entry(actor, [{ stream: user, type, body } as Draft]);
    }
    case 'group': {
      const there = [...(model.groups.get(cast.group)?.members ?? [])];
      const gone = cast.users.filter((user) => !there.includes(user));
      const [type, users] =
        what % 2 === 0 ? (['usergroup.members_added', gone] as const) : (['usergroup.members_removed', there] as const);
      const draft: Draft = { stream: cast.group, type, body: { users: users.slice(0, 2) } };
      return facts.entry(actor, [draft], { expect: [[cast.group, version(cast.group)]] });
    }
    default:
      throw new Error(`unknown kind ${kind satisfies never}`);
  }
}

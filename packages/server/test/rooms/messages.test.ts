import * as messages from '@natter/server/rooms/messages';
import * as pins from '@natter/server/rooms/pins';
import * as reactions from '@natter/server/rooms/reactions';
import * as reads from '@natter/server/rooms/reads';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, messageState, NOBODY_CALLED, ROOM, roomState, verdict } from './states.js';

const room = roomState([
  [1, 'owner'],
  [2, 'member'],
]);
/** A member who joined at 20, and a room that hides what was before. */
const hiding = roomState([[1, 'owner']], { history: 'joined' });
hiding.members.set(2, { role: 'admin', fromSeq: 20 });
const send = (
  input: { text?: string; replyTo?: number },
  target: ReturnType<typeof messageState> | null = null,
  actor = 1,
) =>
  messages.send(
    hiding,
    actor,
    { type: 'message.send', room: ROOM, text: 'x', ...input },
    { target, called: NOBODY_CALLED },
    LIMITS,
  );
const edit = (text: string, message: ReturnType<typeof messageState> | null) =>
  messages.edit(room, 1, { type: 'message.edit', message: 500, text }, { message, called: NOBODY_CALLED }, LIMITS);

describe('messages', () => {
  it('answer one of the same room, in the thread that it belongs to', () => {
    expect(send({ replyTo: 500 }, messageState())).toMatchObject({ drafts: [{ body: { replyTo: 500, thread: 500 } }] });
    expect(send({ replyTo: 500 }, messageState({ thread: 400 }))).toMatchObject({
      drafts: [{ body: { replyTo: 500, thread: 400 } }],
    });
    expect(verdict(send({ replyTo: 500 }, messageState({ room: ROOM + 1 })))).toBe('invalid');
    expect(verdict(send({ replyTo: 500 }, null))).toBe('invalid');
    expect(verdict(send({ replyTo: 500 }, messageState({ deleted: true })))).toBe('message_deleted');
  });

  it('[A3] from before one’s time can not be answered, edited, deleted, reacted to or pinned', () => {
    const before = messageState({ seq: 19, author: 2 });
    const after = messageState({ seq: 20, author: 2 });
    const tries = (message: typeof before) => [
      verdict(send({ replyTo: 500 }, message, 2)),
      verdict(
        messages.edit(
          hiding,
          2,
          { type: 'message.edit', message: 500, text: 'y' },
          { message, called: NOBODY_CALLED },
          LIMITS,
        ),
      ),
      verdict(messages.remove(hiding, 2, message)),
      verdict(reactions.add(hiding, 2, '👍', { message, reactions: new Map() }, LIMITS)),
      verdict(reactions.remove(hiding, 2, '👍', { message, reactions: new Map([['👍', new Set([2])]]) })),
      verdict(pins.add(hiding, 2, { message, pinned: false, pins: 0 }, LIMITS)),
      verdict(pins.remove(hiding, 2, { message, pinned: true, pins: 1 })),
      verdict(reads.unmark(hiding, 2, message.seq, { readSeq: 30, unreadFrom: null }, 50)),
    ];
    expect(tries(before)).toEqual(['invalid', ...Array(7).fill('not_found')]);
    expect(tries(after)).toEqual(Array(8).fill('commit'));
  });

  it('are edited by their author, to another text, while they are there', () => {
    expect(edit('new', messageState())).toMatchObject({
      drafts: [{ type: 'message.edited', body: { message: 500, messageSeq: 10, text: 'new' } }],
    });
    expect(verdict(edit('text', messageState()))).toBe('unchanged');
    expect(verdict(edit('new', messageState({ author: 2 })))).toBe('forbidden');
    expect(verdict(edit('new', messageState({ deleted: true })))).toBe('message_deleted');
    expect(verdict(edit('x'.repeat(10_001), messageState()))).toBe('invalid');
    expect(verdict(edit('new', null))).toBe('not_found');
  });

  it('are deleted once, and say who did it when it was not the author', () => {
    const body = { message: 500, messageSeq: 10 };
    expect(messages.remove(room, 1, messageState())).toMatchObject({ drafts: [{ type: 'message.deleted', body }] });
    expect(messages.remove(room, 1, messageState({ author: 2, thread: 400 }))).toEqual({
      kind: 'commit',
      drafts: [{ stream: ROOM, type: 'message.deleted', body: { ...body, thread: 400, moderated: true } }],
    });
    expect(verdict(messages.remove(room, 2, messageState()))).toBe('forbidden');
    expect(verdict(messages.remove(room, 1, messageState({ deleted: true })))).toBe('unchanged');
  });

  it('take one reaction of a kind from each, and so many kinds', () => {
    const kinds = new Map(Array.from({ length: 50 }, (_, i) => [`:e${i}:`, new Set([2])]));
    const add = (emoji: string, user = 1) =>
      verdict(reactions.add(room, user, emoji, { message: messageState(), reactions: kinds }, LIMITS));
    expect(add(':e0:')).toBe('commit');
    expect(add(':e0:', 2)).toBe('unchanged');
    expect(add('👍')).toBe('limit_reached');
    kinds.delete(':e49:');
    expect(add('👍')).toBe('commit');
    expect(add('two words')).toBe('invalid');
    const gone = { message: messageState({ deleted: true }), reactions: kinds };
    expect(verdict(reactions.add(room, 1, '👍', gone, LIMITS))).toBe('message_deleted');
    expect(verdict(reactions.remove(room, 1, ':e0:', { message: messageState(), reactions: kinds }))).toBe('unchanged');
    expect(verdict(reactions.remove(room, 2, ':e0:', { message: messageState(), reactions: kinds }))).toBe('commit');
  });

  it('are pinned once, and so many in a room', () => {
    const add = (known: { pinned: boolean; pins: number; deleted?: boolean }) =>
      verdict(pins.add(room, 1, { ...known, message: messageState({ deleted: known.deleted ?? false }) }, LIMITS));
    expect(add({ pinned: false, pins: 99 })).toBe('commit');
    expect(add({ pinned: false, pins: 100 })).toBe('limit_reached');
    expect(add({ pinned: true, pins: 100 })).toBe('unchanged');
    expect(add({ pinned: false, pins: 0, deleted: true })).toBe('message_deleted');
    expect(verdict(pins.remove(room, 1, { message: messageState(), pinned: false, pins: 0 }))).toBe('unchanged');
  });
});

describe('read markers', () => {
  const marker = (readSeq: number, unreadFrom: number | null = null) => ({ readSeq, unreadFrom });

  it('[M2] only move forward, and never beyond the head', () => {
    const seq = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(seq, seq, seq, (to, at, head) => {
        const answer = verdict(reads.move(room, 2, to, marker(at), head));
        expect(answer).toBe(to > head ? 'invalid' : to > at ? 'commit' : 'unchanged');
      }),
    );
  });

  it('[M3] end "unread from here" by moving to where they stand already', () => {
    expect(verdict(reads.move(room, 2, 9, marker(9, 4), 50))).toBe('commit');
    expect(verdict(reads.move(room, 2, 8, marker(9, 4), 50))).toBe('unchanged');
    expect(reads.move(room, 2, 12, marker(9), 50)).toEqual({
      kind: 'commit',
      drafts: [{ stream: 2, type: 'read.moved', body: { room: ROOM, seq: 12 } }],
      expectMarkers: [[ROOM, 2, 12]],
    });
  });

  it('[M3] can be set back for the eye, not for the log', () => {
    expect(reads.unmark(room, 2, 4, marker(9), 50)).toEqual({
      kind: 'commit',
      drafts: [{ stream: 2, type: 'read.unmarked', body: { room: ROOM, seq: 4 } }],
    });
    expect(verdict(reads.unmark(room, 2, 4, marker(9, 4), 50))).toBe('unchanged');
    expect(verdict(reads.unmark(room, 2, 51, marker(9), 50))).toBe('invalid');
  });
});

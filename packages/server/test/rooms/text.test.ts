import { calledNames, mentionsIn } from '@natter/server/rooms/mentions';
import * as messages from '@natter/server/rooms/messages';
import * as rooms from '@natter/server/rooms/rooms';
import { codePoints, emojiProblem, lineProblem, textProblem } from '@natter/server/text';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, NOBODY_CALLED, ROOM, roomState, verdict } from './states.js';

const send = (text: string) =>
  messages.send(
    roomState([[1, 'owner']]),
    1,
    { type: 'message.send', room: ROOM, text },
    { target: null, called: NOBODY_CALLED },
    LIMITS,
  );

describe('text', () => {
  it('is counted in code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        expect(codePoints(text)).toBe([...text].length);
      }),
    );
    // Whatever the units are: a lone surrogate counts as one.
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe000 })), (units) => {
        const text = String.fromCharCode(...units);
        expect(codePoints(text)).toBe([...text].length);
      }),
    );
  });

  it.each([
    ['letters', 'x'],
    ['characters beyond the first plane', '👋'],
    ['combining marks', '\u0301'],
  ])('of 10,000 %s is sent, of 10,001 is refused', (_, character) => {
    expect(verdict(send(character.repeat(10_000)))).toBe('commit');
    expect(send(character.repeat(10_001))).toEqual({
      kind: 'refused',
      code: 'invalid',
      detail: { fields: [{ path: '/text', message: 'must be at most 10000 characters' }] },
    });
  });

  it('may be anything in Unicode but NUL and lone surrogates, and is kept as it came', () => {
    const odd = ['<script>', '\u202edesrever', 'a\r\nb', '\x1b[31m', '\uffff', ' ', "' or 1=1 --", 'e\u0301', '\u00e9'];
    for (const text of odd) {
      expect(send(text)).toEqual({ kind: 'commit', drafts: [{ stream: ROOM, type: 'message.sent', body: { text } }] });
    }
    for (const text of ['a\0b', '\0', '\ud83d', 'x\udc4by', '\udc4b\ud83d'])
      expect(verdict(send(text))).toBe('invalid');
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (text) => {
          const storable = !text.includes('\0') && Buffer.from(text, 'utf8').toString('utf8') === text;
          expect(textProblem(text, 1_000) === null).toBe(storable);
        },
      ),
    );
  });

  it('is judged in time that grows with its length alone', () => {
    const million = 1_000_000;
    const hostile = [
      '@'.repeat(million),
      '@a'.repeat(million / 2),
      ' @a._-'.repeat(million / 6),
      `@${'a.'.repeat(million / 2)}`,
    ];
    const started = performance.now();
    for (const text of [
      ...hostile,
      '\u0301'.repeat(million),
      '\ud83d\udc4b'.repeat(million / 2),
      ' '.repeat(million),
    ]) {
      calledNames(text);
      textProblem(text, 10);
      lineProblem(text, 10, 1);
      emojiProblem(text);
    }
    // Some 0.3 s; what is quadratic takes minutes.
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('of a name, a topic or an emoji has nothing that is not seen', () => {
    for (const bad of ['a\u200bb', 'a\u202eb', 'a\nb', 'a\u2028b', '\ufeffa', 'a\u2066b', 'a\tb', 'a\0b']) {
      expect(lineProblem(bad, 50)).not.toBe(null);
    }
    for (const good of ['général', '日本', 'a b', '👩‍👩‍👧 family', 'naïve – café'])
      expect(lineProblem(good, 50, 1)).toBe(null);
    expect(lineProblem('   ', 50, 1)).toBe('must not be blank');
    expect(lineProblem('', 50)).toBe(null);
    for (const good of ['👍', ':tada:', '👩‍👩‍👧', '🇩🇪', '1️⃣']) expect(emojiProblem(good)).toBe(null);
    for (const bad of ['a b', '\n', 'x\u202e', 'a\0']) expect(emojiProblem(bad)).not.toBe(null);
  });

  it('of a room’s name is held to its limit after the blanks around it are gone', () => {
    const make = (name: string, kind: 'group' | 'channel' = 'group') =>
      rooms.create(1, { type: 'room.create', kind, name }, { room: ROOM, users: [], dialect: '' }, LIMITS);
    expect(verdict(make('👋'.repeat(100)))).toBe('commit');
    expect(verdict(make('👋'.repeat(101)))).toBe('invalid');
    expect(verdict(make(' \u3000 ', 'channel'))).toBe('invalid');
    // A group may go without a name.
    expect(make(' \u3000 ')).toMatchObject({ drafts: [{ body: { name: '' } }, {}] });
    expect(make('  lobby ')).toMatchObject({ drafts: [{ body: { name: 'lobby' } }, {}] });
  });
});

describe('who a text calls', () => {
  it.each([
    ['@ada hello', ['ada']],
    ['hello @ada, @ben and @ada', ['ada', 'ben']],
    ['ends with @ada.', ['ada.', 'ada']],
    ['(@ada) "@ben"!', ['ada', 'ben']],
    ['@ada-lovelace_1.x', ['ada-lovelace_1.x']],
    ['@müller @日本 @Ελένη', ['müller', '日本', 'Ελένη']],
    ['mail to ada@example.com', []],
    ['a/@x/y http://x/@ada', []],
    ['@@ada @ @- @.x', []],
    ['no one', []],
    ['@all @Room', ['all', 'Room']],
    ['@ada\n@ben', ['ada', 'ben']],
  ] as [string, string[]][])('%j: %j', (text, names) => {
    expect(calledNames(text)).toEqual(names);
  });

  it('is found whatever stands around it', () => {
    const around = fc.constantFrom(' ', '\n', '(', '"', '¡', '👋', '', ',', '*', '。');
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/);
    fc.assert(
      fc.property(around, name, around, (before, called, after) => {
        expect(calledNames(`${before}@${called}${after}`)).toEqual([called]);
      }),
    );
  });

  it('is looked up for so many names only', () => {
    expect(calledNames(Array.from({ length: 5_000 }, (_, i) => `@n${i}`).join(' '))).toHaveLength(1_000);
  });

  it('[M4] is a member, and never the author', () => {
    const room = roomState([
      [1, 'owner'],
      [2, 'member'],
      [3, 'member'],
    ]);
    const called = { names: ['x'], users: [1, 2, 2, 99, 3] };
    expect(mentionsIn(room, 1, called, 100)).toEqual({ users: [2, 3] });
    expect(mentionsIn(room, 1, called, 1)).toEqual({ users: [2] });
    expect(mentionsIn(room, 1, { names: ['x'], users: [1, 99] }, 100)).toBe(undefined);
  });

  it.each(['room', 'all', 'everyone', 'channel', 'ALL'])(
    '[M4] is everybody with @%s, by whom the room lets',
    (name) => {
      const called = { names: [name], users: [] };
      const people = [
        [1, 'owner'],
        [2, 'admin'],
        [3, 'member'],
      ] as const;
      const by = (kind: 'direct' | 'group' | 'channel') =>
        people.map(([user]) => mentionsIn(roomState(people, { kind }), user, called, 100)?.everyone ?? false);
      expect(by('group')).toEqual([true, true, true]);
      expect(by('channel')).toEqual([true, true, false]);
      expect(by('direct')).toEqual([true, true, true]);
    },
  );
});

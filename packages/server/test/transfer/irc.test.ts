/** The import of IRC logs: every line counted, every message once and in order, however often and however far it ran. */

import type { CoreParts } from '@natter/server/app';
import { readIrcLine, readLinks } from '@natter/server/transfer/irc-lines';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Data, importInto, makeData, said } from './data.js';

let data: Data;
let parts: CoreParts;

beforeEach(async () => {
  data = await makeData();
  parts = await data.open();
});
afterEach(async () => {
  await parts.close();
  await data.remove();
});

const DAY_ONE = [
  '=== ann [host removed]  has joined #ubuntu',
  '[09:14] <ann> hello, does apt-get work?',
  '[09:14] <Ben> ann: yes',
  '=== Ben is now known as Ben|away',
  '[09:15] <|QuaD-> ann: see /etc/apt/sources.list',
  '[09:15]  * ann thanks',
  '-ChanServ:#ubuntu- welcome',
  '[09:16] <ben>  two  spaces, and a <tag>',
  '[09:16] <ann>',
  '[25:99] <ann> no such time',
  '',
  'garbage',
  '=== mode/#ubuntu [+o Ben] by ChanServ',
  '=== |QuaD- [host removed]  has left #ubuntu []',
  '[09:17] <ann> Ben: thanks again',
].join('\n');
/** 2 answers 1, 4 answers 1 and 2, 5 (an action) answers 4, 14 answers 3 (no message) and 2, 1 begins; 7 answers a later line. */
const LINKS_ONE = '1 1 -\n1 2 -\n1 4 -\n2 4 -\n4 5 -\n3 14 -\n2 14 -\n14 7 -\nnonsense\n';
const DAY_TWO = '[00:00] <Ben> good morning\r\n[00:01] <carl> morning\n';

function writeDays(): string {
  data.file('days/2005-01-02.raw.txt', DAY_TWO);
  data.file('days/2004-12-25.raw.txt', `${DAY_ONE}\n`);
  data.file('days/2004-12-25.annotation.txt', LINKS_ONE);
  return data.file('days/README.md', 'not a log').replace('/README.md', '');
}

describe('lines', () => {
  it('are told apart', () => {
    const kinds = Object.fromEntries(DAY_ONE.split('\n').map((line) => [line, readIrcLine(line).kind]));
    expect(Object.values(kinds)).toEqual([
      'join', 'message', 'message', 'nick', 'message', 'action', 'notice', 'message', 'message', 'other', 'other', 'other', 'system', 'leave',
      'message',
    ]); // biome-ignore format: a list
    expect(readIrcLine('[23:59] <a b> [x] <y> z')).toEqual({
      kind: 'message',
      minute: 1439,
      nick: 'a b',
      text: '[x] <y> z',
    });
    expect(readIrcLine('[00:00]  * ann waves')).toEqual({ kind: 'action', minute: 0, nick: 'ann', text: 'waves' });
    expect(readIrcLine('=== a [h]  has joined #Ubuntu')).toEqual({ kind: 'join' });
    expect(readIrcLine('[05:12]  [removed]')).toEqual({ kind: 'other' });
  });

  it('link to others by number, from 0', () => {
    expect(readLinks('1 1 -\n1 2 -\n0 2 -\nx\n-1 2 -\n')).toEqual({
      parents: new Map([[2, [1, 0]]]),
      count: 2,
      unread: 2,
    });
  });
});

describe('an import', () => {
  it('makes a channel with every message in order, with its time, author and parent', async () => {
    const report = await importInto(parts, { paths: [writeDays()] });
    expect(await said(parts, report.room.id)).toEqual([
      { name: 'ann', text: 'hello, does apt-get work?', at: '2004-12-25T09:14:00.000Z', answers: null, thread: null },
      {
        name: 'Ben',
        text: 'ann: yes',
        at: '2004-12-25T09:14:00.000Z',
        answers: 'hello, does apt-get work?',
        thread: 'hello, does apt-get work?',
      },
      {
        name: '|QuaD-',
        text: 'ann: see /etc/apt/sources.list',
        at: '2004-12-25T09:15:00.000Z',
        answers: 'hello, does apt-get work?',
        thread: 'hello, does apt-get work?',
      },
      { name: 'ben-2', text: ' two  spaces, and a <tag>', at: '2004-12-25T09:16:00.000Z', answers: null, thread: null },
      { name: 'ann', text: '', at: '2004-12-25T09:16:00.000Z', answers: null, thread: null },
      {
        name: 'ann',
        text: 'Ben: thanks again',
        at: '2004-12-25T09:17:00.000Z',
        answers: 'ann: yes',
        thread: 'hello, does apt-get work?',
      },
      { name: 'Ben', text: 'good morning', at: '2005-01-02T00:00:00.000Z', answers: null, thread: null },
      { name: 'carl', text: 'morning', at: '2005-01-02T00:01:00.000Z', answers: null, thread: null },
    ]);
    const room = await parts.store.db
      .selectFrom('rooms')
      .selectAll()
      .where('id', '=', report.room.id)
      .executeTakeFirstOrThrow();
    expect(room).toMatchObject({ name: 'ubuntu', kind: 'channel', visibility: 'public', member_count: 0 });
  });

  it('counts every line once, and says what became of it', async () => {
    const { seconds, ...report } = await importInto(parts, { paths: [writeDays()] });
    expect(report).toEqual({
      room: { id: expect.any(Number), name: 'ubuntu', made: true },
      files: 2,
      lines: { read: 17, messages: 8, joins: 1, leaves: 1, nicks: 1, system: 1, actions: 1, notices: 1, other: 3 },
      made: { messages: 8, known: 0, changed: 0, replies: 3, authors: 5 },
      authors: 5,
      links: { read: 7, further: 1, unusable: 3, unread: 1 },
      text: { replaced: 0, shortened: 0, empty: 1 },
    });
    expect(seconds.searchable).toBeGreaterThanOrEqual(seconds.committed);
  });

  it('[M5] can be found when it ends', async () => {
    await parts.accounts.create({ name: 'reader', password: null }, 'user');
    const { room } = await importInto(parts, { paths: [writeDays()], owner: 'reader' });
    const [reader] = await parts.store.db.selectFrom('users').select('id').where('name', '=', 'reader').execute();
    const answer = await parts.search.find({
      user: reader?.id ?? 0,
      text: '/etc/apt/sources.list',
      room: room.id,
      limit: 10,
    });
    expect(answer).toMatchObject({ ok: true, value: { hits: [{ match: 'word' }] } });
  });

  it('[L3] run again adds nothing', async () => {
    const paths = [writeDays()];
    await importInto(parts, { paths });
    const before = await parts.store.db.selectFrom('events').selectAll().orderBy('id').execute();
    const again = await importInto(parts, { paths });
    expect(again.made).toEqual({ messages: 0, known: 8, changed: 0, replies: 0, authors: 0 });
    expect(again.room.made).toBe(false);
    expect(await parts.store.db.selectFrom('events').selectAll().orderBy('id').execute()).toEqual(before);
  });

  it('[L3] that was broken off goes on, and ends as one that was not', async () => {
    for (let day = 1; day <= 9; day += 1) {
      const lines = Array.from({ length: 700 }, (_, at) => `[12:00] <nick${(at * 7) % 90}> day ${day} line ${at}`);
      const links = Array.from({ length: 650 }, (_, at) => `${at + 49 - ((at * 13) % 50)} ${at + 50} -`);
      data.file(`log/2010-01-0${day}.raw.txt`, lines.join('\n'));
      data.file(`log/2010-01-0${day}.annotation.txt`, links.join('\n'));
    }
    const paths = [`${data.dir}/log`];
    const whole = await importInto(parts, { paths, room: 'whole' });
    for (const stopAt of ['2010-01-02.raw.txt', '2010-01-05.raw.txt']) {
      const stop = new AbortController();
      const broken = importInto(
        parts,
        { paths, room: 'parts' },
        ({ file }) => file === stopAt && stop.abort(),
        stop.signal,
      );
      await expect(broken).rejects.toThrow(/abort/i);
    }
    const rest = await importInto(parts, { paths, room: 'parts' });
    expect(rest.made.known).toBeGreaterThan(0);
    expect(rest.made.messages).toBeGreaterThan(0);
    const plain = async (room: number) =>
      (await said(parts, room)).map(({ name, ...message }) => ({ ...message, name: name.replace(/-\d$/, '') }));
    expect(await plain(rest.room.id)).toEqual(await plain(whole.room.id));
    expect(await said(parts, rest.room.id)).toHaveLength(6_300);
  });

  it('takes what was added to a log since, and leaves alone what was changed in it', async () => {
    const path = data.file('2004-12-25.raw.txt', '[09:00] <ann> one\n[09:01] <ann> two\n');
    await importInto(parts, { paths: [path], room: 'talk' });
    data.file('2004-12-25.raw.txt', '[09:00] <ann> one\n[09:01] <ann> changed\n[09:02] <ann> three\n');
    const { made, room } = await importInto(parts, { paths: [path], room: '#talk' });
    expect(made).toMatchObject({ messages: 1, known: 1, changed: 1 });
    expect((await said(parts, room.id)).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  it('shows what can not be stored as U+FFFD, and counts it', async () => {
    const bytes = Buffer.concat([
      Buffer.from('[09:00] <ann> a\0b\n[09:01] <a\u202eb> rtl nick\n[09:02] <ann> caf'),
      Buffer.from([0xe9]),
      Buffer.from(
        `\n[09:03] <ann> \ufffd as it came\n[09:04] <ann> ${'x'.repeat(20_000)}\n[09:05] <ann> ${'y'.repeat(2 << 20)}\n`,
      ),
    ]);
    const { room, text, lines } = await importInto(parts, {
      paths: [data.file('2004-12-25.raw.txt', bytes)],
      room: 'odd',
    });
    const rows = await said(parts, room.id);
    expect(rows.map((row) => row.text.slice(0, 20))).toEqual([
      'a\ufffdb', 'rtl nick', 'caf\ufffd', '\ufffd as it came', 'x'.repeat(20), 'y'.repeat(20),
    ]); // biome-ignore format: a list
    expect(rows[4]?.text).toHaveLength(10_000);
    expect(rows[4]?.text.endsWith('…')).toBe(true);
    expect(rows[1]?.name).toBe('a\ufffdb');
    expect(text).toEqual({ replaced: 2, shortened: 2, empty: 0 });
    expect(lines).toMatchObject({ read: 6, messages: 6 });
  });

  it('takes actions as messages where that is asked for', async () => {
    const { room, made } = await importInto(parts, { paths: [writeDays()], actions: true });
    expect(made.messages).toBe(9);
    expect((await said(parts, room.id)).find(({ text }) => text.startsWith('/me'))).toMatchObject({
      text: '/me thanks',
      answers: 'ann: see /etc/apt/sources.list',
    });
  });

  it('[L5] makes one placeholder for each nickname, and takes no name that somebody has', async () => {
    const ann = await parts.accounts.create({ name: 'Ann', password: null }, 'user');
    const { room } = await importInto(parts, { paths: [writeDays()] });
    const users = await parts.store.db
      .selectFrom('users')
      .selectAll()
      .where('placeholder', '=', 1)
      .orderBy('id')
      .execute();
    expect(users.map((user) => [user.name, user.full_name])).toEqual([
      ['ann-2', 'ann'],
      ['Ben', 'Ben'],
      ['|QuaD-', '|QuaD-'],
      ['ben-2', 'ben'],
      ['carl', 'carl'],
    ]);
    expect(users.every((user) => user.role === 'user' && user.email === null)).toBe(true);
    expect(ann.ok && (await said(parts, room.id)).some(({ name }) => name === 'Ann')).toBe(false);
    const login = await parts.accounts.logIn({ name: 'Ben', password: '' }, { address: '', agent: '', dialect: '' });
    expect(login).toMatchObject({ ok: false, code: 'bad_credentials' });
    expect(await parts.store.db.selectFrom('credentials').selectAll().execute()).toEqual([]);
  });

  it('says what it can not import before it writes anything', async () => {
    const events = async () => (await parts.store.db.selectFrom('events').selectAll().execute()).length;
    const owner = await parts.accounts.create({ name: 'owner', password: null }, 'user');
    const actor = { user: owner.ok ? owner.value : 0, role: 'user' as const, session: null };
    await parts.core.execute(actor, { type: 'room.create', kind: 'channel', name: 'ubuntu', visibility: 'public' });
    const before = await events();
    const cases: [object, RegExp][] = [
      [{ paths: [`${data.dir}/nowhere`] }, /there is no .*nowhere/],
      [{ paths: [data.file('empty/x.txt', '').replace('/x.txt', '')] }, /no logs there/],
      [{ paths: [data.file('log.raw.txt', 'x')] }, /does not begin with a day/],
      [{ paths: [data.file('2004-13-01.raw.txt', 'x')] }, /does not begin with a day/],
      [{ paths: [data.file('a/2004-12-25.raw.txt', 'x'), data.file('b/2004-12-25.raw.txt', 'x')] }, /same name/],
      [{ paths: [writeDays()] }, /public channel "ubuntu" that no import has made/],
      [{ paths: [writeDays()], room: 'a\nb' }, /room's name/],
      [{ paths: [writeDays()], owner: 'nobody' }, /no user nobody/],
      [{ paths: [] }, /invalid/],
    ];
    for (const [input, reason] of cases) {
      await expect(importInto(parts, input as { paths: string[] }), JSON.stringify(input)).rejects.toThrow(reason);
    }
    expect(await events()).toBe(before);
  });

  it('is one at a time', async () => {
    const paths = [writeDays()];
    const first = importInto(parts, { paths });
    await expect(importInto(parts, { paths, room: 'other' })).rejects.toThrow(/another import is running/);
    await first;
  });
});

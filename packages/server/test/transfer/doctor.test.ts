/** The doctor: silent about any history that the core has made, and about nothing that was changed behind its back. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@natter/protocol';
import type { CoreParts } from '@natter/server/app';
import { examineStored } from '@natter/server/cli/doctor';
import type { Actor } from '@natter/server/core/actor';
import { examine } from '@natter/server/doctor/doctor';
import { compareSearch } from '@natter/server/storage';
import { DatabaseSync } from '@photostructure/sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Data, importInto, makeData } from './data.js';

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

const storeFile = () => (data.config.database as { path: string }).path;
const searchFile = () => join(data.config.dataDir, 'search.db');
const doctor = () => examineStored(data.config, () => {}, new AbortController().signal);
/** Of a store that has no search index. */
const examineAlone = (file: string) => {
  const database = { driver: 'sqlite' as const, path: file };
  return examine(
    file,
    () => compareSearch({ ...data.config, database }, () => {}),
    () => {},
  );
};

/** Names of the users of a history. */
const PEOPLE = ['ann', 'ben', 'cat', 'dan', 'eve'];

async function makePeople(): Promise<number[]> {
  const ids: number[] = [];
  for (const name of PEOPLE) {
    const made = await parts.accounts.create({ name, password: null, email: `${name}@example.org` }, 'user');
    if (!made.ok) throw new Error(made.code);
    ids.push(made.value);
  }
  return ids;
}

const TYPES = [
  'room.create', 'room.open', 'room.change', 'room.archive', 'room.unarchive', 'room.delete', 'member.join', 'member.leave', 'member.add',
  'member.remove', 'member.change', 'message.send', 'message.send', 'message.send', 'message.send', 'message.send', 'message.send',
  'message.reply', 'message.reply', 'message.reply', 'message.edit', 'message.edit', 'message.delete', 'reaction.add', 'reaction.add',
  'reaction.remove', 'pin.add', 'pin.remove', 'read.move', 'read.unmark', 'user.change', 'user.deactivate', 'user.reactivate', 'user.delete', 'user.set_role', 'usergroup.create', 'usergroup.change', 'usergroup.add_members',
  'usergroup.remove_members', 'usergroup.delete',
] as const; // biome-ignore format: a list

interface Step {
  type: (typeof TYPES)[number];
  who: number;
  a: number;
  b: number;
  c: number;
}

const steps = fc.array(
  fc.record({ type: fc.constantFrom(...TYPES), who: fc.nat(), a: fc.nat(), b: fc.nat(), c: fc.nat() }),
  { minLength: 150, maxLength: 400, size: 'max' },
);

/** Carries out a step if there is anything to do it with; most are refused, as most of what people try is not allowed. */
async function play(step: Step, users: readonly number[]): Promise<void> {
  const { db } = parts.store;
  const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];
  const user = pick(users, step.who) as number;
  // Mostly in rooms that one is in: what others do there is refused.
  const mine = await db.selectFrom('members').select('room').where('user_id', '=', user).execute();
  const all = await db.selectFrom('rooms').select('id as room').execute();
  const rooms = (mine.length > 0 && step.a % 5 > 0 ? mine : all).map((row) => row.room);
  const room = pick(rooms, step.b) ?? 1;
  const messages = await db.selectFrom('messages').select(['id', 'room']).where('room', '=', room).execute();
  const groups = (await db.selectFrom('usergroups').select('id').execute()).map((row) => row.id);
  const other = pick(users, step.a) as number;
  const message = pick(messages, step.c);
  const usergroup = pick(groups, step.b) ?? 1;
  const account = await db
    .selectFrom('users')
    .select(['role', 'status'])
    .where('id', '=', user)
    .executeTakeFirstOrThrow();
  if (account.status !== 'active') return;
  const actor: Actor = { user, role: step.c % 7 === 0 ? 'admin' : account.role, session: null };
  const text = `text ${step.a} @${PEOPLE[step.b % 5]} ${step.c % 5 === 0 ? '@room' : ''}`;
  const emoji = step.a % 2 === 0 ? '👍' : '🎉';
  const commands: Record<Step['type'], Command | null> = {
    'room.create': {
      type: 'room.create',
      kind: step.a % 3 === 0 ? 'group' : 'channel',
      name: `room ${step.b % 9}`,
      visibility: step.a % 3 === 1 ? 'public' : 'private',
      history: step.c % 2 === 0 ? 'shared' : 'joined',
      members: [...new Set([other, pick(users, step.c) as number])],
    },
    'room.open': { type: 'room.open', user: other },
    'room.change': {
      type: 'room.change',
      room,
      name: `name ${step.a % 9}`,
      visibility: step.c % 2 === 0 ? 'public' : 'private',
      history: step.c % 3 === 0 ? 'shared' : 'joined',
    },
    'room.archive': { type: 'room.archive', room },
    'room.unarchive': { type: 'room.unarchive', room },
    'room.delete': step.c % 4 === 0 ? { type: 'room.delete', room } : null,
    'member.join': { type: 'member.join', room },
    'member.leave': { type: 'member.leave', room },
    'member.add': { type: 'member.add', room, users: [other] },
    'member.remove': { type: 'member.remove', room, user: other },
    'member.change': {
      type: 'member.change',
      room,
      user: other,
      role: (['owner', 'admin', 'member'] as const)[step.c % 3] ?? 'member',
    },
    'message.send': { type: 'message.send', room, text },
    'message.reply': message ? { type: 'message.send', room: message.room, text, replyTo: message.id } : null,
    'message.edit': message ? { type: 'message.edit', message: message.id, text } : null,
    'message.delete': message ? { type: 'message.delete', message: message.id } : null,
    'reaction.add': message ? { type: 'reaction.add', message: message.id, emoji } : null,
    'reaction.remove': message ? { type: 'reaction.remove', message: message.id, emoji } : null,
    'pin.add': message ? { type: 'pin.add', message: message.id } : null,
    'pin.remove': message ? { type: 'pin.remove', message: message.id } : null,
    'read.move': { type: 'read.move', room, seq: step.c % 30 },
    'read.unmark': { type: 'read.unmark', room, seq: 1 + (step.c % 20) },
    'user.change': {
      type: 'user.change',
      fullName: `Full ${step.a % 9}`,
      email: step.c % 2 ? `x${step.a % 9}@example.org` : null,
    },
    'user.deactivate': step.c % 5 === 0 ? { type: 'user.deactivate', user: other } : null,
    'user.reactivate': { type: 'user.reactivate', user: other },
    'user.delete': step.c % 9 === 0 ? { type: 'user.delete', user: other } : null,
    'user.set_role': { type: 'user.set_role', user: other, role: step.c % 2 === 0 ? 'admin' : 'user' },
    'usergroup.create': { type: 'usergroup.create', name: `group${step.a % 9}`, members: [other] },
    'usergroup.change': { type: 'usergroup.change', usergroup, name: `group${step.a % 9}`, description: 'x' },
    'usergroup.add_members': { type: 'usergroup.add_members', usergroup, users: [other] },
    'usergroup.remove_members': { type: 'usergroup.remove_members', usergroup, users: [other] },
    'usergroup.delete': step.c % 3 === 0 ? { type: 'usergroup.delete', usergroup } : null,
  };
  const command = commands[step.type];
  if (command) await parts.core.execute(actor, command, step.a % 3 === 0 ? { key: `key-${step.a % 50}` } : {});
}

describe('the doctor', () => {
  it('finds nothing after any history of commands, while the jobs run and after them', async () => {
    await fc.assert(
      fc
        .asyncProperty(steps, async (history) => {
          const users = await makePeople();
          for (const step of history) await play(step, users);
          expect((await doctor()).findings).toEqual([]);
          await parts.jobs.settled();
          await parts.search.settled();
          const result = await doctor();
          expect(result.findings).toEqual([]);
          expect(result.notes).toEqual([]);
        })
        .beforeEach(async () => {
          await parts.close();
          await data.remove();
          data = await makeData();
          parts = await data.open();
        }),
      { numRuns: 8, endOnFailure: true },
    );
  }, 120_000);

  it('finds nothing after an import, and needs no search index', async () => {
    const [, ben = 0] = await makePeople();
    data.file('log/2004-12-25.raw.txt', '[09:00] <ann> one\n[09:01] <ben> two\n[09:02] <ann>\n');
    data.file('log/2004-12-25.annotation.txt', '0 1 -\n1 2 -\n');
    const { room } = await importInto(parts, { paths: [`${data.dir}/log`], room: 'talk' });
    expect(await doctor()).toMatchObject({ differences: 0, notes: [], events: 11 });
    // Nobody owns it until an admin of the server comes [A5].
    const actor = { user: ben, role: 'user' as const, session: null };
    expect(await parts.core.execute(actor, { type: 'member.join', room: room.id })).toMatchObject({ ok: true });
    await parts.search.settled();
    expect((await doctor()).findings).toEqual([]);
    const alone = join(data.dir, 'alone', 'natter.db');
    mkdirSync(join(alone, '..'));
    const db = new DatabaseSync(storeFile());
    db.prepare('vacuum into ?').run(alone);
    db.close();
    const without = await examineAlone(alone);
    expect(without).toMatchObject({ differences: 0, notes: [expect.stringContaining('no search index')] });
    expect(existsSync(join(alone, '..', 'search.db'))).toBe(false);
  });

  /** A little of everything, on which each table can be spoilt. */
  async function makeHistory(): Promise<void> {
    const [ann = 0, ben = 0, cat = 0] = await makePeople();
    const as = (user: number): Actor => ({ user, role: 'admin', session: null });
    const done = async (user: number, command: Command, key?: string): Promise<number> => {
      const reply = await parts.core.execute(as(user), command, key === undefined ? {} : { key });
      if (!reply.ok) throw new Error(`${command.type}: ${reply.code}`);
      return command.type === 'message.send' ? (reply.result.id as number) : reply.result.stream;
    };
    const room = await done(ann, {
      type: 'room.create',
      kind: 'channel',
      name: 'one',
      visibility: 'public',
      members: [ben],
    });
    const gone = await done(ann, { type: 'room.create', kind: 'channel', name: 'gone', members: [ben] });
    await done(ann, { type: 'message.send', room: gone, text: 'of the deleted room' });
    await done(ann, { type: 'room.delete', room: gone });
    const first = await done(ann, { type: 'message.send', room, text: 'first @ben' }, 'key-1');
    await done(ben, { type: 'message.send', room, text: 'reply', replyTo: first });
    const edited = await done(ann, { type: 'message.send', room, text: 'before' });
    await done(ann, { type: 'message.edit', message: edited, text: 'after' });
    const deleted = await done(ann, { type: 'message.send', room, text: 'regret' });
    await done(ann, { type: 'message.edit', message: deleted, text: 'regretted' });
    await done(ann, { type: 'message.delete', message: deleted });
    await done(ben, { type: 'reaction.add', message: first, emoji: '👍' });
    await done(ann, { type: 'pin.add', message: first });
    await done(ben, { type: 'read.move', room, seq: 3 });
    await done(ann, { type: 'usergroup.create', name: 'team', members: [ann, ben] });
    await done(ann, { type: 'user.delete', user: cat });
    const origin = { address: '127.0.0.1', agent: 'test', dialect: '' };
    const made = await parts.accounts.register({ name: 'zoe', password: 'correct horse battery' }, origin);
    if (!made.ok) throw new Error(made.code);
    await parts.jobs.settled();
    await parts.search.settled();
  }

  it('finds what was changed in any table, row added or taken away', async () => {
    await makeHistory();
    expect((await doctor()).findings).toEqual([]);
    await parts.close();
    const spoilt: [string, RegExp][] = [
      [
        `update messages set text = 'other' where text = 'reply'`,
        /messages id \d+: text is "other", and "reply" by the log/,
      ],
      ['update messages set reply_count = 7 where reply_count = 1', /number of replies/],
      [`update messages set num = num + 1 where text = 'after'`, /nums are not/],
      [`delete from messages where text = 'reply'`, /a sent message has no row/],
      [`update messages set text = 'regretted' where deleted_at is not null`, /deleted message still has content/],
      [
        `update events set body = json_set(body, '$.text', 'regret') where json_extract(body, '$.redacted') and type = 'message.sent' and stream in (select id from rooms where deleted_at is null)`,
        /the event of a deleted message still has content/,
      ],
      [
        `update events set body = json_set(body, '$.text', 'x') where type = 'message.edited' and json_extract(body, '$.redacted')`,
        /still has content/,
      ],
      [
        `update events set body = json_set(body, '$.text', 'x') where stream in (select id from rooms where deleted_at is not null) and type = 'message.sent'`,
        /deleted room still has content/,
      ],
      [
        `update events set seq = seq + 100 where id = (select max(id) from events where type = 'message.sent')`,
        /seqs are not/,
      ],
      [`delete from events where type = 'message.sent' and json_extract(body, '$.text') = 'reply'`, /seqs are not/],
      [`update streams set head = head + 1 where kind = 'room'`, /head is not the seq/],
      [`update streams set version = version + 1 where kind = 'user'`, /streams id \d+: version is/],
      ['update streams set messages = messages + 1 where messages > 1', /counts another number/],
      ['update keys set event = 999999', /key names an event/],
      ['update keys set author = author + 1', /key names an event/],
      [`delete from claims where space = 'user.name'`, /does not hold their own name/],
      [`delete from claims where space = 'user.email'`, /does not hold their own address/],
      [`delete from claims where space = 'room.name:'`, /public channel does not hold/],
      [`insert into claims values ('user.name', 'ghost', 99999)`, /claim belongs to nobody/],
      ['update rooms set member_count = member_count + 1 where deleted_at is null', /member count/],
      [`update rooms set topic = 'x' where deleted_at is null`, /rooms id \d+: topic is "x"/],
      [`update rooms set name = 'gone' where deleted_at is not null`, /deleted room still has content/],
      [`delete from members where role = 'member'`, /is missing/],
      [`update members set role = 'admin' where role = 'member'`, /role is "admin"/],
      [`update members set role = 'member'`, /has no owner/],
      [
        'insert into members select room, 99999, role, joined_at, joined_seq, from_seq, read_seq, read_num, null, null from members limit 1',
        /follows from no event/,
      ],
      ['update members set read_seq = 1000', /beyond the head/],
      [`update members set read_num = read_num + 1 where role = 'member'`, /unread messages of user/],
      ['delete from mentions', /calls somebody, and no row/],
      [`insert into mentions select 1, room, seq, id from messages where text = 'after'`, /stands for no call/],
      ['delete from reactions', /reactions .*is missing/],
      ['update pins set by_id = 77', /pins .*by_id is 77/],
      [`update message_edits set text = 'x'`, /message_edits .*text is "x", and "before"/],
      ['delete from usergroup_members where user_id = 1', /usergroup_members .*is missing/],
      [`update usergroups set name = 'x'`, /usergroups id \d+: name is "x"/],
      ['delete from audit', /audit event \d+: is missing/],
      [`update users set email = 'x@y.z' where status = 'deleted'`, /deleted account still has/],
      [`update users set role = 'admin' where role = 'user' and status = 'active'`, /users id \d+: role is "admin"/],
      [`update sessions set id = 'forged'`, /session follows from no log-in/],
      ['update credentials set user_id = 99999', /password belongs to no user/],
    ];
    const file = join(data.dir, 'spoilt.db');
    for (const [sql, finding] of spoilt) {
      for (const suffix of ['', '-wal']) {
        rmSync(file + suffix, { force: true });
        if (existsSync(storeFile() + suffix)) copyFileSync(storeFile() + suffix, file + suffix);
      }
      const db = new DatabaseSync(file);
      const { changes } = db.prepare(sql).run();
      db.close();
      expect(Number(changes), sql).toBeGreaterThan(0);
      const result = await examineAlone(file);
      expect(result.findings.map(({ text }) => text).join('\n'), sql).toMatch(finding);
      expect(result.differences).toBeGreaterThan(0);
    }
    parts = await data.open();
  });

  it('[M5] finds a search index that holds something else than the store', async () => {
    await makeHistory();
    await parts.close();
    for (const [sql, finding] of [
      ['delete from words where rowid = (select min(id) from words_docsize)', /is not in the search index/],
      [`insert into words (rowid, text) values (999999, 'ghost')`, /message 999999 is in the search index/],
      [`delete from vocabulary where word = 'reply'`, /"reply" is not in the vocabulary/],
    ] as const) {
      const db = new DatabaseSync(searchFile());
      db.exec(sql);
      db.close();
      const result = await doctor();
      expect(result.findings.map(({ text }) => text).join('\n'), sql).toMatch(finding);
    }
    parts = await data.open();
  });
});

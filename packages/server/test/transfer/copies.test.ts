/** Move, backup and restore: everything arrives, at one moment, on either store; what is broken off goes on; nothing is overwritten by accident. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from '@natter/protocol';
import { openCore } from '@natter/server/app';
import type { Session } from '@natter/server/cli/commands';
import { backup, move, restore } from '@natter/server/cli/copies';
import { examineStored } from '@natter/server/cli/doctor';
import { Printer } from '@natter/server/cli/print';
import { reset } from '@natter/server/cli/reset';
import { type Config, loadConfig } from '@natter/server/config';
import type { Actor } from '@natter/server/core/actor';
import { makeLogger } from '@natter/server/logger';
import { openSource, openTarget } from '@natter/server/storage';
import type { Row, TableName, Target } from '@natter/server/store/copying';
import { copyStore, originOf } from '@natter/server/transfer/copy';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asOwner, makePostgresDatabase } from '../databases.js';

type Postgres = Awaited<ReturnType<typeof makePostgresDatabase>>;

const KEY = 'a key for tests, the same on all nodes';
const never = new AbortController().signal;

let folder: string;
let postgres: Postgres;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'natter-copies-'));
  postgres = await makePostgresDatabase();
});
afterEach(async () => {
  await postgres.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The settings of a server on SQLite, or on PostgreSQL. */
function settings(store: 'sqlite' | 'postgres', name = 'natter.db'): Config {
  const url = store === 'sqlite' ? `sqlite:${name}` : postgres.url;
  const loaded = loadConfig(
    { DATA_DIR: join(folder, store), DATABASE_URL: url, SECRET_KEY: KEY, LOG_LEVEL: 'silent' },
    folder,
  );
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

const open = (config: Config) => openCore(config, { logger: makeLogger('silent') });
const state = async (config: Config) => {
  const { state: hash, findings, notes } = await examineStored(config, () => {}, never);
  expect(findings).toEqual([]);
  return { hash, notes };
};

function epochOf(config: Config): number {
  const db = new DatabaseSync((config.database as { path: string }).path, { readOnly: true });
  const { value } = db.prepare(`select value from meta where key = 'epoch'`).get() as { value: string };
  db.close();
  return Number(value);
}

/** What stands in the folder of the data. */
const filesOf = ({ dataDir }: Config): string[] =>
  readdirSync(dataDir).filter((name) => /^natter\.(db|lock)/.test(name));

/** A command of the command line, in this process; answers what it said. */
async function said(config: Config, command: (session: Session) => Promise<number>): Promise<string> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const printer = new Printer(out as unknown as NodeJS.WriteStream, err as unknown as NodeJS.WriteStream);
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream;
  const code = await command({ config, printer, stdin, stderr: err as unknown as NodeJS.WriteStream, signal: never });
  expect(code).toBe(0);
  return String(out.read() ?? '');
}

/** A little of everything; answers a member of a room. */
async function live(config: Config): Promise<{ user: number; room: number }> {
  const parts = await open(config);
  try {
    const people: number[] = [];
    for (const name of ['ann', 'ben', 'cat']) {
      const made = await parts.accounts.create(
        { name, password: 'correct horse battery', email: `${name}@example.org` },
        'user',
      );
      if (!made.ok) throw new Error(JSON.stringify(made));
      people.push(made.value);
    }
    const [ann = 0, ben = 0, cat = 0] = people;
    const as = (user: number): Actor => ({ user, role: 'user', session: null });
    const done = async (user: number, command: Command, key?: string): Promise<{ stream: number; id: number }> => {
      const reply = await parts.core.execute(as(user), command, key === undefined ? {} : { key });
      if (!reply.ok) throw new Error(JSON.stringify(reply));
      return { stream: reply.result.stream, id: reply.result.id ?? 0 };
    };
    await parts.accounts.logIn(
      { name: 'ann', password: 'correct horse battery' },
      { address: '::1', agent: 'é "', dialect: '' },
    );
    const { stream: room } = await done(ann, {
      type: 'room.create',
      kind: 'channel',
      name: 'Küche',
      visibility: 'public',
      members: [ben],
    });
    await done(cat, { type: 'member.join', room });
    await done(ann, { type: 'room.open', user: ben });
    const texts = [
      'hello @ben',
      "it's; drop table events --",
      '{"a":[1,"\\u0000"]}',
      '日本 👋 \u{1f468}\u200d\u{1f469}',
      '\\ "quoted" \\',
      'line\nbreak',
    ];
    for (let at = 0; at < 60; at += 1)
      await done(at % 2 ? ann : ben, { type: 'message.send', room, text: `${at} ${texts[at % 6]}` }, `k${at}`);
    const message = (await done(ann, { type: 'message.send', room, text: 'one' })).id;
    await done(ann, { type: 'message.edit', message, text: 'two @all' });
    await done(ben, { type: 'reaction.add', message, emoji: '👍' });
    await done(ann, { type: 'pin.add', message });
    await done(ben, { type: 'message.send', room, text: 'reply', replyTo: message });
    const gone = (await done(ann, { type: 'message.send', room, text: 'a secret that is gone' })).id;
    await done(ann, { type: 'message.delete', message: gone });
    await done(cat, { type: 'read.move', room, seq: 20 });
    await done(ann, { type: 'usergroup.create', name: 'crew', description: '', members: [ann, cat] });
    await parts.search.settled();
    return { user: ann, room };
  } finally {
    await parts.close();
  }
}

describe('natter move', () => {
  it('takes everything to PostgreSQL and back, where it goes on, and both say the same state', async () => {
    const [here, there] = [settings('sqlite'), settings('postgres')];
    const { user, room } = await live(here);
    const before = (await state(here)).hash;
    expect(await said(here, (session) => move(session, { to: postgres.url }))).toContain(
      `Both have the state ${before}.`,
    );
    expect((await state(here)).hash).toBe(before);
    expect((await state(there)).hash).toBe(before);

    const parts = await open(there);
    const { epoch } = parts.store;
    expect(epoch).toBe(epochOf(here));
    const actor: Actor = { user, role: 'user', session: null };
    const again = await parts.core.execute(
      actor,
      { type: 'message.send', room, text: "1 it's; drop table events --" },
      { key: 'k1' },
    );
    expect(again).toMatchObject({ ok: true, result: { replayed: true } });
    for (let at = 0; at < 5; at += 1) {
      expect(await parts.core.execute(actor, { type: 'message.send', room, text: `moved ${at}` })).toMatchObject({
        ok: true,
      });
    }
    expect(
      await parts.core.execute(actor, { type: 'room.create', kind: 'group', name: 'new', members: [] }),
    ).toMatchObject({ ok: true });
    await parts.search.settled();
    const found = await parts.search.find({ user, text: 'drop table', limit: 50 });
    expect(found.ok && found.value.hits).toHaveLength(10);
    await parts.close();

    const after = await state(there);
    expect(after.hash).not.toBe(before);
    expect(after.notes).toEqual([]);
    await said(there, (session) => move(session, { to: `sqlite:${join(folder, 'back', 'natter.db')}` }));
    const back = settings('sqlite', join(folder, 'back', 'natter.db'));
    expect((await state(back)).hash).toBe(after.hash);
    const home = await open(back);
    expect(home.store.epoch).toBe(epoch);
    expect(await home.core.execute(actor, { type: 'message.send', room, text: 'home' })).toMatchObject({ ok: true });
    await home.close();
  });

  it.each([
    ['sqlite', 'postgres'],
    ['postgres', 'sqlite'],
  ] as const)(
    'goes on where it was broken off from %s to %s, and until then no node opens what is there',
    async (from, to) => {
      const [here, there] = [settings(from), settings(to)];
      const url = to === 'postgres' ? postgres.url : `sqlite:${join(folder, 'sqlite', 'natter.db')}`;
      await live(here);
      const before = (await state(here)).hash;
      for (const rows of [100, 200]) {
        const source = await openSource(here.database, here, true);
        const origin = await originOf(source);
        const target = await openTarget(there.database, here, origin, false);
        const breaking = new AbortController();
        const slow: Target = {
          begun: target.begun,
          // Few at a time, so that there is a middle in which to break off.
          async write(table: TableName, all: readonly Row[]) {
            for (let at = 0; at < all.length; at += 10) {
              breaking.signal.throwIfAborted();
              await target.write(table, all.slice(at, at + 10));
              written += 10;
              if (written > rows) breaking.abort(new Error('broken off'));
            }
          },
          source: () => target.source(),
          finish: () => target.finish(),
          discard: () => target.discard(),
          close: () => target.close(),
        };
        let written = 0;
        await expect(copyStore(source, slow, origin, {}, () => {}, breaking.signal)).rejects.toThrow('broken off');
        await target.close();
        await source.close();
        if (to === 'postgres')
          await expect(open(there)).rejects.toThrow(/was broken off: run it again, or natter reset/);
        else expect(filesOf(there)).toEqual(['natter.db.partial']);
      }
      expect(await said(here, (session) => move(session, { to: url }))).toMatch(
        /Moved .* rows \([1-9]\d* of them before\)/,
      );
      if (to === 'sqlite') expect(filesOf(there)).toEqual(['natter.db', 'natter.lock']);
      expect((await state(there)).hash).toBe(before);
    },
  );

  it('begins anew on SQLite where what is there is a part of something else, or spoilt', async () => {
    const [here, there] = [settings('postgres'), settings('sqlite')];
    const { user, room } = await live(here);
    const to = { to: `sqlite:${join(folder, 'sqlite', 'natter.db')}` };
    const partial = join(there.dataDir, 'natter.db.partial');
    const source = await openSource(here.database, here, true);
    await (await openTarget(there.database, here, await originOf(source), false)).close();
    await source.close();
    expect(statSync(partial).mode & 0o777).toBe(0o600);
    const parts = await open(here);
    await parts.core.execute({ user, role: 'user', session: null }, { type: 'message.send', room, text: 'meanwhile' });
    await parts.close();
    expect(await said(here, (session) => move(session, to))).toMatch(/Moved [\d,]+ rows in/);
    rmSync(join(there.dataDir, 'natter.db'));
    writeFileSync(partial, 'no database at all');
    expect(await said(here, (session) => move(session, to))).toMatch(/Moved [\d,]+ rows in/);
    expect((await state(there)).hash).toBe((await state(here)).hash);
  });

  it('refuses to go on with a copy of something else', async () => {
    const here = settings('sqlite');
    const { user, room } = await live(here);
    const source = await openSource(here.database, here, true);
    await (await openTarget(settings('postgres').database, here, await originOf(source), false)).close();
    await source.close();
    const parts = await open(here);
    await parts.core.execute({ user, role: 'user', session: null }, { type: 'message.send', room, text: 'meanwhile' });
    await parts.close();
    await expect(said(here, (session) => move(session, { to: postgres.url }))).rejects.toThrow(
      /copy of something else/,
    );
    // Who does not want it any more empties the place.
    expect(await said(settings('postgres'), (session) => reset(session, { yes: true }))).toContain(
      'Everything is deleted',
    );
    expect(await said(here, (session) => move(session, { to: postgres.url }))).toMatch(/Moved [\d,]+ rows in/);
  });

  it('refuses a place that is not empty, a place that is in use, and the place that it comes from', async () => {
    const [here, there] = [settings('sqlite'), settings('postgres')];
    await live(here);
    await live(there);
    const to = { to: postgres.url };
    await expect(said(here, (session) => move(session, to))).rejects.toThrow(/is not empty/);
    await expect(
      said(there, (session) => move(session, { to: `sqlite:${join(folder, 'sqlite', 'natter.db')}` })),
    ).rejects.toThrow(/is not empty/);
    await expect(said(there, (session) => move(session, to))).rejects.toThrow(/it is there already/);
    await expect(said(here, (session) => move(session, { to: 'mysql://x' }))).rejects.toThrow(/names no database/);
    const node = await open({ ...there, dataDir: join(folder, 'another-node') });
    await node.search.settled();
    await expect(
      said(there, (session) => move(session, { to: `sqlite:${join(folder, 'elsewhere.db')}` })),
    ).rejects.toThrow(/nodes run on this database/);
    await expect(said(there, (session) => reset(session, { yes: true }))).rejects.toThrow(/nodes run on this database/);
    await node.close();
    const server = await open(here);
    await expect(
      said(settings('postgres'), (session) => move(session, { from: `sqlite:${join(folder, 'sqlite', 'natter.db')}` })),
    ).rejects.toThrow(/another Natter process uses/);
    await server.close();
    expect(readdirSync(folder).filter((name) => name.includes('elsewhere'))).toEqual([]);
  });

  it('does not believe a copy that is not what it was made of', async () => {
    const here = settings('sqlite');
    await live(here);
    const source = await openSource(here.database, here, true);
    const origin = await originOf(source);
    const target = await openTarget(settings('postgres').database, here, origin, false);
    const forgetful: Target = {
      begun: null,
      write: (table, rows) => target.write(table, table === 'reactions' ? rows.slice(1) : rows),
      source: () => target.source(),
      finish: () => target.finish(),
      discard: () => target.discard(),
      close: () => target.close(),
    };
    await expect(copyStore(source, forgetful, origin, {}, () => {}, never)).rejects.toThrow(/was not what it is of/);
    await target.close();
    await source.close();
    // Nothing of it is left to go on with.
    expect(await said(here, (session) => move(session, { to: postgres.url }))).toMatch(/Moved [\d,]+ rows in/);
  });
});

describe.each(['sqlite', 'postgres'] as const)('natter backup and restore on %s', (store) => {
  const other = store === 'sqlite' ? 'postgres' : 'sqlite';

  it('take everything at one moment while people talk, and bring it back on either store, in another life of the log', async () => {
    const config = settings(store);
    const { user, room } = await live(config);
    const parts = await open(config);
    const actor: Actor = { user, role: 'user', session: null };
    const file = join(folder, 'backup.db');
    let talking = true;
    let sent = 0;
    const talk = (async () => {
      while (talking) {
        const some = Array.from({ length: 5 }, () =>
          parts.core.execute(actor, { type: 'message.send', room, text: `live ${sent}` }),
        );
        sent += (await Promise.all(some)).filter(({ ok }) => ok).length;
      }
    })();
    await expect.poll(() => sent).toBeGreaterThan(20);
    expect(await said(config, (session) => backup(session, file))).toMatch(/Wrote .* rows/);
    const during = sent;
    await expect.poll(() => sent).toBeGreaterThan(during);
    talking = false;
    await talk;
    const { epoch } = parts.store;
    await parts.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const kept = await state(settings('sqlite', file));
    const heads = new DatabaseSync(file, { readOnly: true });
    const count = heads.prepare(`select count(*) as count from messages where text like 'live %'`).get() as {
      count: number;
    };
    heads.close();
    expect(count.count).toBeGreaterThan(0);
    expect(count.count).toBeLessThan(sent);

    for (const target of [other, store] as const) {
      const fresh = settings(target);
      if (target === store) {
        await expect(said(fresh, (session) => restore(session, file, {}))).rejects.toThrow(/is not empty/);
        // Who is not asked on a terminal has to say that it is meant.
        await expect(said(fresh, (session) => restore(session, file, { replace: true }))).rejects.toThrow(
          /no terminal/,
        );
      }
      expect(await said(fresh, (session) => restore(session, file, { replace: target === store, yes: true }))).toMatch(
        /Restored/,
      );
      const back = await open(fresh);
      expect(back.store.epoch).toBeGreaterThan(epoch);
      expect(await back.core.execute(actor, { type: 'message.send', room, text: 'back' })).toMatchObject({ ok: true });
      await back.search.settled();
      const found = await back.search.find({ user, text: 'drop table', limit: 50 });
      expect(found.ok && found.value.hits).toHaveLength(10);
      await back.close();
      // The same but for the epoch, and for what was said since.
      expect((await state(fresh)).hash).not.toBe(kept.hash);
    }
  });

  it('restore what an older version has written', async () => {
    const file = join(folder, 'old.db');
    const old = new DatabaseSync(file);
    old.exec(readFileSync(join(import.meta.dirname, '../store/frozen/001-core.sql'), 'utf8'));
    old.close();
    const bytes = readFileSync(file);
    const config = settings(store);
    await said(config, (session) => restore(session, file, {}));
    const parts = await open(config);
    const rows = await parts.store.db
      .selectFrom('messages')
      .select('text')
      .where('room', '=', 3)
      .orderBy('seq')
      .execute();
    expect(rows.map(({ text }) => text)).toEqual(['hello', 'edited', '', 'grüße 👋']);
    expect(await parts.store.reserveStreams(1)).toBe(4);
    await parts.close();
    // The backup itself is left as it was.
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(readdirSync(config.dataDir).filter((name) => name.startsWith('restore-'))).toEqual([]);
  });

  it('restore nothing that is no backup, and leave what is there', async () => {
    const config = settings(store);
    await live(config);
    const before = (await state(config)).hash;
    const broken = join(folder, 'broken.db');
    writeFileSync(broken, 'this is no database, however long it may go on '.repeat(100));
    const foreign = join(folder, 'foreign.db');
    new DatabaseSync(foreign).exec('create table x (y)');
    const newer = join(folder, 'newer.db');
    await said(config, (session) => backup(session, newer));
    const damaged = join(folder, 'damaged.db');
    const bytes = readFileSync(newer);
    // A page in the middle, as a disk loses one.
    const middle = Math.floor(bytes.length / 8_192) * 4_096;
    writeFileSync(damaged, bytes.fill(0x55, middle, middle + 4_096));
    new DatabaseSync(newer).exec(`insert into schema_migrations (name, applied_at) values ('999-future', 1)`);
    for (const [file, why] of [
      [broken, /is no store of Natter/],
      [foreign, /is no store of Natter/],
      [damaged, /is damaged/],
      [newer, /written by a newer Natter.*999-future/],
      [join(folder, 'nowhere.db'), /there is no/],
    ] as const) {
      await expect(
        said(config, (session) => restore(session, file, { replace: true, yes: true })),
        file,
      ).rejects.toThrow(why);
    }
    expect((await state(config)).hash).toBe(before);
    await expect(said(config, (session) => backup(session, newer))).rejects.toThrow(/is there already/);
  });
});

describe('natter doctor on PostgreSQL', () => {
  it('finds what was changed behind its back, and a search index that holds something else', async () => {
    const config = settings('postgres');
    await live(config);
    await state(config);
    for (const [sql, finding] of [
      ['update messages set num = num + 1 where num = 5', /num is/],
      ['delete from members where user_id = (select max(user_id) from members)', /is missing/],
      [`update streams set head = head + 1 where kind = 'room'`, /head is not the seq of the newest event/],
      [`update events set body = '{"text":"forged"}' where type = 'message.sent' and seq = 5`, /text is/],
      [`delete from search_words where word = 'reply'`, /"reply" is not in the vocabulary/],
      [
        'delete from search_messages where message = (select max(message) from search_messages)',
        /is not in the search index/,
      ],
      [`insert into search_messages (message, words) values (999999, '')`, /999999 is in the search index/],
    ] as const) {
      const found = await asOwner(async (client) => {
        const { rowCount } = await client.query(sql);
        expect(rowCount, sql).toBeGreaterThan(0);
        return examineStored(config, () => {}, never);
      }, postgres.url);
      expect(found.findings.map(({ text }) => text).join('\n'), sql).toMatch(finding);
    }
  });

  it.runIf(process.platform === 'linux')(
    'says what room it takes before it takes any, and ends where there is too little',
    async () => {
      const config = settings('postgres');
      await live(config);
      const rooms: string[] = [];
      await examineStored(
        config,
        () => {},
        never,
        (room) => rooms.push(room),
      );
      expect(rooms).toEqual([expect.stringMatching(/ needs about [1-9]\d* MB for it, and has [\d,]+ MB$/)]);
      const { TMPDIR } = process.env;
      try {
        // Of which nobody has any.
        process.env.TMPDIR = '/proc';
        await expect(state(config)).rejects.toThrow(/^\/proc needs about \d+ MB for it, and has 0 MB: .*TMPDIR/);
      } finally {
        if (TMPDIR === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = TMPDIR;
      }
    },
  );

  it('leaves no copy behind', async () => {
    // Of its own: other tests have doctors at work at the same time.
    const place = mkdtempSync(join(tmpdir(), 'natter-copies-tmp-'));
    vi.stubEnv('TMPDIR', place);
    try {
      const config = settings('postgres');
      await live(config);
      await state(config);
      expect(readdirSync(place)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(place, { recursive: true, force: true });
    }
    expect(existsSync(join(folder, 'postgres', 'natter.db'))).toBe(false);
  });
});

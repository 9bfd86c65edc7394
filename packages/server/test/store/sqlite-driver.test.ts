import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitBatch } from '@natter/server/store/commit';
import { MIGRATIONS } from '@natter/server/store/migrations/index';
import { openSqliteStore } from '@natter/server/store/sqlite';
import { assertVersion, SqliteConnection } from '@natter/server/store/sqlite-connection';
import { StoreError } from '@natter/server/store/store';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { allEvents, Facts } from './facts.js';
import { InlineThread, openInlineStore } from './inline.js';
import { everything } from './site.js';
import { makeSqliteSite, type SqliteSite } from './sqlite-site.js';

describe('the SQLite driver', () => {
  let site: SqliteSite;

  beforeEach(async () => {
    site = await makeSqliteSite();
  });
  afterEach(() => site.remove());

  function open(file: string): InstanceType<typeof DatabaseSync> {
    return new DatabaseSync(file);
  }

  it('commits with a write-ahead log and full synchronisation, in every connection that writes', () => {
    const connection = SqliteConnection.openWriter(site.file);
    const one = (sql: string) => Object.values(connection.query(sql, [])[0] ?? {})[0];
    expect(one('pragma journal_mode')).toBe('wal');
    expect(one('pragma synchronous')).toBe(2);
    expect(one('pragma secure_delete')).toBe(1);
    connection.close();
  });

  it('refuses a database that can not have a write-ahead log', () => {
    // An unnamed database lives in a temporary file that knows no write-ahead log.
    expect(() => SqliteConnection.openWriter('')).toThrow(/does not give durable commits: journal_mode=delete/);
  });

  it('refuses a SQLite that could lose committed pages', () => {
    for (const version of ['3.51.2', '3.50.9', '3.9.0', '2.99.99']) {
      expect(() => assertVersion(version)).toThrow(`SQLite ${version} is older than 3.51.3`);
    }
    for (const version of ['3.51.3', '3.51.10', '3.52.0', '3.53.0', '4.0.0']) assertVersion(version);
  });

  it('refuses a database that a newer version wrote, and leaves it as it was', async () => {
    await (await site.open()).close();
    const db = open(site.file);
    db.exec(`insert into schema_migrations (name, applied_at) values ('999-future', 1)`);
    db.close();
    await expect(site.open()).rejects.toThrow(/newer Natter.*999-future/);
    expect(() => SqliteConnection.openWriter(site.file)).toThrow(/999-future/);
    const after = open(site.file);
    expect(after.prepare('select count(*) as n from schema_migrations').get()?.n).toBe(MIGRATIONS.length + 1);
    after.close();
  });

  it('upgrades a database of the first schema to the schema of a new one, with all that is in it', async () => {
    const frozen = readFileSync(join(import.meta.dirname, 'frozen/001-core.sql'), 'utf8');
    const db = open(site.file);
    db.exec(frozen);
    db.close();
    const store = await site.open();
    const facts = new Facts(store);
    expect(store.epoch).toBe(1_700_000_000);
    expect(await allEvents(store, 3)).toHaveLength(8);
    const texts = await store.db.selectFrom('messages').select(['id', 'text']).where('room', '=', 3).execute();
    expect(texts.map(({ text }) => text)).toEqual(['hello', 'edited', '', 'grüße 👋']);
    const again = facts.sending(3, 1, { text: 'hello' }, { key: { key: 'frozen-1', hash: 'frozen-hash' } });
    expect(await store.commit([again])).toMatchObject([{ kind: 'replayed', event: { stream: 3, seq: 2 } }]);
    expect((await facts.send(3, 2, 'after the upgrade')).seq).toBe(9);
    expect(await store.reserveStreams(1)).toBe(4);
    await store.close();

    const fresh = await makeSqliteSite();
    await (await fresh.open()).close();
    expect(schemaOf(site.file)).toEqual(schemaOf(fresh.file));
    await fresh.remove();
  });

  function schemaOf(file: string): unknown[] {
    const db = open(file);
    const rows = db
      .prepare(`select type, name, sql from sqlite_master where name not like 'sqlite_%' order by name`)
      .all();
    db.close();
    return rows.map((row) => ({ ...row, sql: String(row.sql).replace(/\s+/g, ' ') }));
  }

  it('refuses a file that is none of SQLite, and a folder that is not there', async () => {
    writeFileSync(site.file, 'this is no database, however long it may go on '.repeat(100));
    await expect(site.open()).rejects.toThrow(/not a database/);
    const nowhere = join(site.folder, 'nowhere', 'natter.db');
    await expect(openSqliteStore({ file: nowhere, readers: 1 })).rejects.toThrow(/unable to open/);
  });

  it('has no way to write but a commit', async () => {
    const store = await site.open();
    await expect(store.db.insertInto('meta').values({ key: 'x', value: 'y' }).execute()).rejects.toThrow(/readonly/);
    await expect(store.db.deleteFrom('meta').execute()).rejects.toThrow(/readonly/);
    await expect(store.db.transaction().execute(async () => {})).rejects.toThrow(/reads need no transaction/);
    await store.close();
  });

  it('[L6] deleted text is in no file, while the server runs and after', async () => {
    const store = await site.open();
    const facts = new Facts(store);
    const [ada] = (await facts.users(1)) as [number];
    const [room, doomed] = [await facts.room([ada]), await facts.room([ada], { name: 'damson-name' })];
    const filler = (n: number) => ({ text: `${n} ${'long enough to spread over pages '.repeat(30)}` });
    for (let i = 0; i < 40; i += 1) {
      const sent = await facts.send(room, ada, `damson-${i} ${'damson '.repeat(i * 20)}`);
      await facts.send(doomed, ada, `damson-doomed-${i}`);
      const about = { message: sent.id, messageSeq: sent.seq };
      const edited = { stream: room, type: 'message.edited' as const, body: { ...about, text: `damson-again-${i}` } };
      await facts.done(facts.entry(ada, [edited]));
      await store.commit(Array.from({ length: 5 }, (_, n) => facts.sending(room, ada, filler(n))));
      await facts.done(facts.entry(ada, [{ stream: room, type: 'message.deleted', body: about }]));
    }
    await facts.done(facts.entry(ada, [{ stream: doomed, type: 'room.deleted', body: {} }]));
    while (!(await store.purgeRoom(doomed, 15)));
    await vi.waitFor(() => expect(filesWith('damson')).toEqual([]), { timeout: 10_000, interval: 50 });
    expect(filesWith('long enough to spread')).not.toEqual([]);
    await store.close();
    expect(filesWith('damson')).toEqual([]);
    // The write-ahead log is gone too: the file alone is the whole database.
    expect(readdirSync(site.folder)).toEqual(['natter.db']);
  });

  function filesWith(text: string): string[] {
    return readdirSync(site.folder).filter((name) => {
      const file = join(site.folder, name);
      return existsSync(file) && readFileSync(file).includes(text);
    });
  }

  it('[L1] leaves nothing of a commit for which the disk has no room, and goes on when it has', async () => {
    const thread = new InlineThread(site.file);
    const store = await openInlineStore(thread);
    const facts = new Facts(store);
    const [ada] = (await facts.users(1)) as [number];
    const room = await facts.room([ada]);
    const pages = Number(thread.connection.query('pragma page_count', [])[0]?.page_count);
    const text = 'x'.repeat(1_000);
    let refused = 0;
    for (let room_left = 0; room_left < 40; room_left += 4) {
      thread.connection.query(`pragma max_page_count = ${pages + room_left}`, []);
      const before = await everything(store);
      const batch = Array.from({ length: 30 }, () => facts.sending(room, ada, { text }));
      try {
        await store.commit(batch);
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(StoreError);
        expect((error as Error).message).toMatch(/full/);
        expect(await everything(store)).toBe(before);
      }
    }
    expect(refused).toBeGreaterThan(3);
    thread.connection.query('pragma max_page_count = 1000000', []);
    const sent = await facts.send(room, ada, 'room again');
    expect((await allEvents(store, room)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: sent.seq }, (_, i) => i + 1),
    );
    await store.close();
  });

  it('[L1] rolls back when a program of steps breaks off, and keeps the connection usable', () => {
    const connection = SqliteConnection.openWriter(site.file);
    const half = { kind: 'write' as const, sql: `insert into meta (key, value) values (?, 'x')`, params: [['half']] };
    const wrong = { kind: 'write' as const, sql: 'insert into nowhere values (?)', params: [['x']] };
    const broken = { reads: [], decide: () => ({ value: null, writes: [half, wrong] }) };
    const undecided = {
      reads: [],
      decide(): never {
        throw new Error('broke off');
      },
    };
    expect(() => connection.transaction(broken)).toThrow('no such table');
    expect(() => connection.transaction(undecided)).toThrow('broke off');
    expect(connection.query(`select * from meta where key = 'half'`, [])).toEqual([]);
    expect(connection.transaction(commitBatch([]))).toEqual([]);
    connection.close();
  });
});

/** The index of the embedded store: it follows, comes back, and is made anew when it can't be trusted. */
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, expect, it } from 'vitest';
import { findAll, openSqliteStack, type Stack } from './stack.js';

let stack: Stack;
afterEach(() => stack.close());

/** A stack with one room of one user, who said `count` words. */
async function openTalk(count: number): Promise<{ ann: number; room: number }> {
  stack = await openSqliteStack();
  const ann = await stack.user('ann');
  const room = await stack.room([ann]);
  for (let index = 0; index < count; index += 1) await stack.say(room, ann, `word number${index}`);
  return { ann, room };
}

async function shut(): Promise<string> {
  await stack.search.close();
  await stack.log.drain();
  await stack.store.close();
  return stack.dir;
}

const file = (dir: string) => join(dir, 'search.db');

function write(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

it('[M5] follows the log by itself, and settles at the head of the moment of asking', async () => {
  const { ann } = await openTalk(10);
  await stack.search.settled();
  const { position, messages } = await stack.search.state();
  const last = await stack.store.db.selectFrom('events').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow();
  expect({ position, messages }).toEqual({ position: last.id, messages: 10 });
  const answer = await stack.search.find({ user: ann, text: 'number9', limit: 5 });
  expect(answer).toMatchObject({ ok: true, value: { hits: [{ match: 'word' }] } });
});

it('[M5] goes on after a restart from where it was, also with what was said while it was away', async () => {
  const { ann, room } = await openTalk(5);
  await stack.search.settled();
  await stack.search.close();
  await stack.say(room, ann, 'meanwhile');
  const dir = await shut();
  stack = await openSqliteStack(dir);
  expect(await findAll(stack, { user: ann, text: 'meanwhile' })).toHaveLength(1);
  expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(5);
  expect(stack.troubles).toEqual([]);
});

it('[M5] is made anew when it is missing, of another version, of another life of the log, ahead of the log, or no database', async () => {
  const { ann } = await openTalk(5);
  await stack.search.settled();
  const spoil: [string, (dir: string) => void, RegExp | null][] = [
    ['missing', (dir) => rmSync(file(dir)), null],
    ['version', (dir) => write(file(dir), `update meta set value = 0 where key = 'schema'`), /another version/],
    ['text', (dir) => write(file(dir), `update meta set value = 0 where key = 'text'`), /another version/],
    [
      'epoch',
      (dir) => write(join(dir, 'natter.db'), `update meta set value = value + 1 where key = 'epoch'`),
      /another life/,
    ],
    ['ahead', (dir) => write(file(dir), `update meta set value = 1000000 where key = 'position'`), /ahead of the log/],
    ['no database', (dir) => copyFileSync(import.meta.filename, file(dir)), /not a database/],
    ['no schema', (dir) => write(file(dir), 'drop table meta'), null],
  ];
  for (const [name, how, reason] of spoil) {
    const dir = await shut();
    how(dir);
    stack = await openSqliteStack(dir);
    expect(await findAll(stack, { user: ann, text: 'word' }), name).toHaveLength(5);
    expect(stack.troubles, name).toEqual(reason ? [expect.stringMatching(reason)] : []);
  }
});

it('[M5] is made anew also when rooms were deleted and their content purged', async () => {
  const { ann, room } = await openTalk(3);
  const id = await stack.say(room, ann, 'word before');
  await stack.append(ann, { stream: room, type: 'message.edited', body: { message: id, messageSeq: 5, text: 'word' } });
  const other = await stack.room([ann]);
  const kept = await stack.say(other, ann, 'word kept');
  await stack.append(ann, { stream: room, type: 'room.deleted', body: {} });
  expect(await stack.store.purgeRoom(room, 100)).toBe(true);
  const dir = await shut();
  rmSync(file(dir));
  stack = await openSqliteStack(dir);
  expect(await findAll(stack, { user: ann, text: 'word' })).toEqual([kept]);
  expect((await stack.search.state()).messages).toBe(1);
});

it('[M5] is made anew when pages of it turn out to be damaged', async () => {
  const { ann, room } = await openTalk(300);
  await stack.search.settled();
  const dir = await shut();
  const { size } = statSync(file(dir));
  const handle = openSync(file(dir), 'r+');
  // All but the first page, which says what the tables are.
  writeSync(handle, Buffer.alloc(size - 4_096, 0x5a), 0, size - 4_096, 4_096);
  closeSync(handle);
  stack = await openSqliteStack(dir);
  await stack.say(room, ann, 'afterwards');
  const found = async () => {
    try {
      return await findAll(stack, { user: ann, text: 'word' });
    } catch {
      // The thread is on its way back.
      return [];
    }
  };
  await expect.poll(found, { timeout: 20_000 }).toHaveLength(300);
  expect(await findAll(stack, { user: ann, text: 'afterwards' })).toHaveLength(1);
  expect(stack.troubles.join()).toMatch(/made anew/);
});

it('[L6] has no word of a deleted message in its files after a while', async () => {
  stack = await openSqliteStack(undefined, { SEARCH_FORGET_SECONDS: 0 });
  const ann = await stack.user('ann');
  const room = await stack.room([ann]);
  const filler = Array.from({ length: 200 }, (_, index) => stack.say(room, ann, `word number${index}`));
  const id = await stack.say(room, ann, 'the hunter2secret is out');
  await Promise.all(filler);
  await stack.search.settled();
  const inFiles = (text: string) =>
    ['', '-wal'].some(
      (suffix) => existsSync(file(stack.dir) + suffix) && readFileSync(file(stack.dir) + suffix).includes(text),
    );
  expect(inFiles('hunter2secret')).toBe(true);
  expect((await stack.find({ user: ann, text: 'hunter2sec' })).hits).toHaveLength(1);
  const { seq } = await stack.store.db
    .selectFrom('messages')
    .select('seq')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await stack.append(ann, { stream: room, type: 'message.deleted', body: { message: id, messageSeq: seq } });
  await expect.poll(() => inFiles('hunter2secret'), { timeout: 10_000 }).toBe(false);
  expect((await stack.find({ user: ann, text: 'hunter2sec' })).hits).toHaveLength(0);
  expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(200);
  expect(await findAll(stack, { user: ann, text: 'umber19', mode: 'substring' })).toHaveLength(11);
});

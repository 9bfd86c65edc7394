/** The index on PostgreSQL: one node makes it follow for all, another one takes over, and nothing that is committed late is passed over. */
import { gapsIn, without } from '@natter/server/search/postgres-gaps';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asOwner, makePostgresDatabase } from '../databases.js';
import { findAll, openPostgresStack, type Stack } from './stack.js';

type Database = Awaited<ReturnType<typeof makePostgresDatabase>>;

describe('the search index on PostgreSQL', () => {
  let database: Database;
  const open: Stack[] = [];
  beforeEach(async () => {
    database = await makePostgresDatabase();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((stack) => stack.close()));
    await database.remove();
  });

  async function node(limits = {}): Promise<Stack> {
    const stack = await openPostgresStack(database.options, limits);
    open.push(stack);
    return stack;
  }
  async function close(stack: Stack): Promise<void> {
    open.splice(open.indexOf(stack), 1);
    await stack.close();
  }
  const sql = (text: string): Promise<unknown[]> =>
    asOwner(async (client) => (await client.query(text)).rows, database.url);

  it('[M5] is one for all nodes, and finds on each of them what was said on any', async () => {
    const nodes = [await node(), await node(), await node()] as const;
    const ann = await nodes[0].user('ann');
    const room = await nodes[0].room([ann]);
    const said: number[] = [];
    for (let at = 0; at < 30; at += 1) said.push(await (nodes[at % 3] as Stack).say(room, ann, `word ${at}`));
    for (const one of nodes) expect(await findAll(one, { user: ann, text: 'word' })).toEqual([...said].reverse());
    expect(await nodes[1].search.state()).toMatchObject({ messages: 30, words: 31 });
  });

  it('[M5] is taken over by another node when the one that sees to it goes', async () => {
    const [first, second] = [await node(), await node()];
    const ann = await first.user('ann');
    const room = await first.room([ann]);
    await first.say(room, ann, 'word one');
    expect(await findAll(second, { user: ann, text: 'word' })).toHaveLength(1);
    await close(first);
    await second.say(room, ann, 'word two');
    expect(await findAll(second, { user: ann, text: 'word' })).toHaveLength(2);
  });

  it('[M5] goes on when its connections are cut', async () => {
    const stack = await node();
    const ann = await stack.user('ann');
    const room = await stack.room([ann]);
    for (let round = 0; round < 3; round += 1) {
      await stack.say(room, ann, `word ${round}`);
      expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(round + 1);
      await sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'natter %' and datname = current_database()`,
      );
    }
  });

  it('[M5] has what was committed behind the position, and closes gaps that stay empty', async () => {
    const stack = await node();
    const ann = await stack.user('ann');
    const room = await stack.room([ann]);
    const gaps = () => sql('select first from search_gaps');
    // A transaction that has ids and takes its time, while others with higher ids are committed; one that never ends well.
    await asOwner(async (slow) => {
      await slow.query('begin');
      const { rows } = await slow.query(`select nextval('event_ids') as id, pg_current_xact_id()`);
      const id = Number(rows[0]?.id);
      await sql(`select nextval('event_ids')`);
      await stack.say(room, ann, 'word later');
      expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(1);
      expect(await gaps()).not.toEqual([]);
      await slow.query(
        `insert into events (id, stream, seq, type, actor, at, body) values ($1, $2, 99, 'message.sent', $3, 0, '{"text":"word late"}')`,
        [id, room, ann],
      );
      await slow.query(
        `insert into messages (id, room, seq, num, author, text, at, reply_count, version) values ($1, $2, 99, 99, $3, 'word late', 0, 0, 0)`,
        [id, room, ann],
      );
      // An edit that is taken in before it brings it, too.
      await sql(`insert into search_messages (message, words) values (${id}, '''word''')`);
      await slow.query('commit');
    }, database.url);
    expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(2);
    await expect.poll(gaps, { timeout: 10_000 }).toEqual([]);
    expect(stack.troubles).toEqual([]);
  });

  it('[M5] is made anew when it is of another version, of another life of the log, or ahead of it; not when it is newer', async () => {
    let stack = await node();
    const ann = await stack.user('ann');
    const room = await stack.room([ann]);
    for (let at = 0; at < 5; at += 1) await stack.say(room, ann, `word ${at}`);
    await stack.search.settled();
    for (const [change, reason] of [
      [`update search_meta set value = 0 where key = 'schema'`, /another version/],
      [`update search_meta set value = 0 where key = 'text'`, /another version/],
      [`update search_meta set value = value - 1 where key = 'epoch'`, /another life/],
      [`update search_meta set value = 1000000 where key = 'position'`, /ahead of the log/],
      ['delete from search_meta', null],
    ] as const) {
      await close(stack);
      await sql(change);
      await sql('delete from search_messages');
      stack = await node();
      await expect.poll(() => findAll(stack, { user: ann, text: 'word' }), { timeout: 10_000 }).toHaveLength(5);
      expect(stack.troubles).toEqual(reason ? [expect.stringMatching(reason)] : []);
    }
    await close(stack);
    await sql(`update search_meta set value = 999 where key = 'text'`);
    stack = await node();
    await expect.poll(() => stack.troubles.join()).toMatch(/newer version/);
    expect(await findAll(stack, { user: ann, text: 'word' })).toHaveLength(5);
  });

  it('[L6] takes the words of deleted messages out of the vocabulary, and keeps those that stand elsewhere', async () => {
    const stack = await node({ SEARCH_FORGET_SECONDS: 0 });
    const ann = await stack.user('ann');
    const room = await stack.room([ann]);
    const id = await stack.say(room, ann, 'hunter2secret and word');
    await stack.say(room, ann, 'another word');
    expect((await stack.find({ user: ann, text: 'hunter2sec' })).hits).toHaveLength(1);
    const about = { message: id, messageSeq: 2 };
    await stack.append(ann, { stream: room, type: 'message.deleted', body: about });
    await expect
      .poll(async () =>
        (await sql('select word from search_words order by word')).map((row) => (row as { word: string }).word),
      )
      .toEqual(['another', 'word']);
    expect((await stack.find({ user: ann, text: 'hunter2sec' })).hits).toHaveLength(0);
    expect((await stack.find({ user: ann, text: 'nothe', mode: 'substring' })).hits).toHaveLength(1);
  });

  it('[M5] takes texts with more words than a vector has room for', async () => {
    const stack = await node();
    const ann = await stack.user('ann');
    const room = await stack.room([ann]);
    const words = Array.from({ length: 20_000 }, (_, at) => `${at}`.padStart(60, 'x'));
    const id = await stack.say(room, ann, `${words.join(' ')} needle`);
    expect(await findAll(stack, { user: ann, text: 'needle' })).toEqual([id]);
    expect(await findAll(stack, { user: ann, text: 'needles', mode: 'words' })).toEqual([]);
    expect(await sql(`select 1 from search_messages where words @@ '''\ue000endless'''::tsquery`)).toHaveLength(1);
    expect(stack.troubles).toEqual([]);
  });
});

describe('gaps', () => {
  it('are what is missing between ids, however these come in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }), fc.nat(40), (ids, cut) => {
        const rising = (list: readonly number[]) => [...list].sort((a, b) => a - b);
        const [early, late] = [rising(ids.slice(0, cut)), rising(ids.slice(cut))];
        const gaps = gapsIn(0, early, 7);
        const last = early.at(-1) ?? 0;
        const open = (list: typeof gaps) =>
          list.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
        const missing = (known: readonly number[]) =>
          Array.from({ length: last }, (_, i) => i + 1).filter((id) => !known.includes(id));
        expect(open(gaps)).toEqual(missing(early));
        expect(open(without(gaps, late))).toEqual(missing(ids));
      }),
    );
  });
});

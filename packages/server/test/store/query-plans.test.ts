import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { House } from '../core/house.js';
import { walkHotPaths } from './hot-paths.js';
import { InlineThread, openInlineStore } from './inline.js';

/** Looks at one row after the other on purpose: people and rooms are searched by parts of their names. */
const SCANS_ALLOWED = /like|escape/;

describe('the statements of the hot paths', () => {
  let house: House;
  let thread: InlineThread;
  let ada: number;
  let room: number;

  beforeAll(async () => {
    thread = new InlineThread();
    house = await House.open({ store: await openInlineStore(thread) });
    ada = await house.user('ada', 'admin');
    const others = await house.users(5);
    room = await house.channel([ada, ...others], 'hot');
    for (let i = 0; i < 2_000; i += 1) await house.send(ada, room, `message ${i}`);
  });
  afterAll(() => house.close());

  const plan = (sql: string): string[] => {
    const params = Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => 1);
    return thread.connection.query(`explain query plan ${sql}`, params).map((row) => String(row.detail));
  };

  /** What a statement goes through from end to end, tables that are made for it aside. */
  const scans = (sql: string): string[] =>
    plan(sql).filter(
      (step) => /^SCAN/.test(step) && !/^SCAN (json_each|wanted|CONSTANT ROW|\(|\d+ CONSTANT)/i.test(step),
    );

  it('use an index, each of them', async () => {
    thread.statements.clear();
    await walkHotPaths(house, ada, room);

    const seen = [...thread.statements].filter((sql) => !SCANS_ALLOWED.test(sql));
    expect(seen.length).toBeGreaterThan(50);
    const scanning = seen.map((sql) => ({ sql, scans: scans(sql) })).filter((statement) => statement.scans.length > 0);
    expect(scanning).toEqual([]);
  });

  it('read a page of history in the middle as they do at the end: by key, without sorting', async () => {
    const asked = async (request: { before?: number; after?: number }): Promise<string[]> => {
      thread.statements.clear();
      const page = await house.queries.messagePage(house.actor(ada), { room, ...request });
      expect(page.ok && page.value.messages).toHaveLength(50);
      return [...thread.statements].filter((sql) => /from "messages"/.test(sql));
    };
    const end = await asked({});
    const middle = await asked({ before: 1_000 });
    expect(middle).toEqual(end);
    for (const sql of [...middle, ...(await asked({ after: 1_000 }))]) {
      expect(sql).not.toMatch(/offset/i);
      expect(plan(sql).join('\n')).not.toMatch(/TEMP B-TREE/);
    }
  });

  it('read the page before a message, as other APIs ask for it, by key and without sorting', async () => {
    const newest = await house.queries.records.history(house.actor(ada), { room, skip: 0, limit: 1_000 });
    const before = newest?.lines.at(-1)?.id ?? 0;
    thread.statements.clear();
    const page = await house.queries.records.history(house.actor(ada), { room, before, skip: 0, limit: 50 });
    expect(page?.lines).toHaveLength(50);
    const [statement, ...others] = [...thread.statements].filter((sql) => /messages"."text"/.test(sql));
    expect(others).toEqual([]);
    const steps = plan(statement ?? '').join('\n');
    // One bound above: it is the one at which the index is entered.
    expect(statement?.match(/"seq" <=? \?/g)).toHaveLength(1);
    expect(steps).toMatch(/messages_room_seq \(room=\? AND seq>\? AND seq<\?\)/);
    expect(steps).not.toMatch(/TEMP B-TREE/);
  });

  it('are few: a prepared one is kept for ever', async () => {
    const run = async (count: number) => {
      const users = await house.users(count);
      await house.done(ada, 'member.add', { room, users });
      await house.queries.messagePage(house.actor(ada), { room, limit: count });
    };
    for (let count = 1; count <= 8; count += 1) await run(count);
    const before = thread.statements.size;
    for (let count = 9; count <= 40; count += 1) await run(count);
    // Lists are padded to powers of two.
    expect(thread.statements.size - before).toBeLessThan(20);
  });
});

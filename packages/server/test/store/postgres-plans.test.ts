/** On PostgreSQL too each statement of the hot paths goes by an index. */
import { afterEach, describe, expect, it } from 'vitest';
import { House } from '../core/house.js';
import { asOwner } from '../databases.js';
import { walkHotPaths } from './hot-paths.js';
import { makePostgresSite } from './postgres-site.js';

/** Tables that grow with what is said and with those who say it. */
const GROWING = ['events', 'keys', 'members', 'mentions', 'message_edits', 'messages', 'reactions', 'streams', 'users'];

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** How often each table was read from end to end by connections that are closed. */
async function scans(url: string): Promise<Record<string, number>> {
  return asOwner(async (client) => {
    const { rows } = await client.query('select relname as name, seq_scan as scans from pg_stat_user_tables');
    return Object.fromEntries(rows.map(({ name, scans: count }) => [name, Number(count)]));
  }, url);
}

describe('the statements of the hot paths on PostgreSQL', () => {
  it('read no table that grows from end to end, where an index can be used', async () => {
    const site = await makePostgresSite();
    closing.push(() => site.remove());
    const { url } = site.options;
    // Small tables are read whole by choice: so, only where there is no index for it.
    const name = new URL(url).pathname.slice(1);
    await asOwner((client) => client.query(`alter database ${name} set enable_seqscan = off`), url);

    const made = await House.open({ store: await site.open() });
    const ada = await made.user('ada', 'admin');
    const room = await made.channel([ada, ...(await made.users(5))], 'hot');
    for (let i = 0; i < 50; i += 1) await made.send(ada, room, `message ${i}`);
    await made.store.close();
    const before = await scans(url);

    const walked = await House.open({ store: await site.open() });
    await walked.store.check();
    await walkHotPaths(walked, ada, room);
    await walked.store.close();
    const after = await scans(url);
    const read = GROWING.filter((table) => after[table] !== before[table]);
    expect(read).toEqual([]);

    // It would be seen: a text has no index.
    const careless = await site.open();
    await careless.db.selectFrom('messages').select('id').where('text', '=', 'message 7').execute();
    await careless.close();
    expect((await scans(url)).messages).toBe((after.messages ?? 0) + 1);
  });
});

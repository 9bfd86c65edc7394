/** A node that was cut off from PostgreSQL while a restore replaced what is there: it says so, and goes on in the new life of the log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatterClient } from '@natter/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../bus/contract.js';
import { makePlace, type Place } from '../cli/natter.js';
import { asOwner, makePostgresDatabase } from '../databases.js';
import { NodeProcess } from '../faults/node-process.js';
import { Wire } from '../faults/wire.js';

const SECRET_KEY = 'the same for the node and the command line';
const closing: (() => unknown)[] = [];
let folder: string;
let place: Place;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'natter-restored-'));
  place = makePlace();
  closing.push(() => place.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** The command line beside the node, past the wire. */
async function natter(url: string, ...args: string[]): Promise<void> {
  const { code, err } = await place.natter(args, { env: { DATABASE_URL: url, SECRET_KEY } });
  expect(code, err).toBe(0);
}

describe('a node that was cut off while a restore took place', () => {
  it('[H4] sends its clients away with "come back", is not ready, and begins anew: they have what was restored, and nothing of before', async () => {
    const database = await makePostgresDatabase();
    closing.push(() => database.remove());
    const direct = new URL(database.url);
    const wire = await Wire.to(Number(direct.port));
    closing.push(() => wire.close());
    const through = new URL(database.url);
    through.port = String(wire.port);
    const node = await NodeProcess.make({
      name: 'node',
      env: { DATABASE_URL: through.href, SECRET_KEY, LIMITS: 'off', LOG_LEVEL: 'warn', DIALECTS: 'none' },
    });
    closing.push(() => node.remove());
    await node.start();
    const ask = async (path: string, body: object, token = '') => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const response = await fetch(node.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(response.status).toBe(201);
      return (await response.json()) as { id: number; user: { id: number }; accessToken: string };
    };
    const ready = async (): Promise<number> => (await fetch(`${node.url}/health/ready`)).status;
    const ann = await ask('/v1/users', { name: 'ann', password: 'correct horse battery' });
    const { id: room } = await ask('/v1/rooms', { kind: 'group', name: 'all' }, ann.accessToken);
    const client = new NatterClient({
      url: node.url,
      token: async () => ann.accessToken,
      WebSocket,
      timing: { backoffFirst: 10, backoffMax: 100 },
    });
    closing.push(() => client.close());
    await client.connect();
    await client.timeline(room).load(20);
    const texts = (): string[] =>
      client
        .timeline(room)
        .getSnapshot()
        .messages.map(({ text }) => text);
    await client.send('message.send', { room, text: 'kept' });
    await until(() => expect(texts()).toEqual(['kept']));

    await natter(database.url, 'backup', join(folder, 'backup.db'));
    await client.send('message.send', { room, text: 'said after the backup' });
    await until(() => expect(texts()).toEqual(['kept', 'said after the backup']));
    const before = client.position?.epoch ?? 0;

    wire.refuses = true;
    wire.cut();
    expect(await ready()).toBe(503);
    // Its connections end when PostgreSQL hears of it.
    await until(async () => {
      const others = `select 1 from pg_stat_activity where datname = current_database() and application_name like 'natter %'`;
      const { rowCount } = await asOwner((asking) => asking.query(others), database.url);
      expect(rowCount).toBe(0);
    });
    await natter(database.url, 'restore', join(folder, 'backup.db'), '--replace', '--yes');
    expect(await ready()).toBe(503);
    wire.heal();

    await until(() => expect(client.position?.epoch).toBeGreaterThan(before));
    await until(() => expect(texts()).toEqual(['kept']));
    await client.send('message.send', { room, text: 'in the new life' });
    await until(() => expect(texts()).toEqual(['kept', 'in the new life']));
    expect(await ready()).toBe(200);
    expect(node.running).toBe(true);
    expect(node.logged.join('')).toMatch(/was restored.*another life of the log was taken up/s);
  });
});

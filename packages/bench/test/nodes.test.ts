/** Two nodes: what a message takes to each, and that one without members of a room has nothing to do for it. */
import { removeFolders } from '@natter/bench/folders';
import { measureNodes } from '@natter/bench/nodes';
import { afterAll, expect, it } from 'vitest';
import { makePostgresDatabase } from '../../server/test/databases.js';

afterAll(() => removeFolders());

it('a message is timed at both nodes, and a node hears of no room that nobody there is in', async () => {
  const database = await makePostgresDatabase();
  const natsServer = process.env.TEST_NATS_SERVER ?? 'nats-server';
  const { near, far, ratio, hints, hintsForNothing } = await measureNodes(60, { database: database.url, natsServer });
  await database.remove();
  expect(near.p50).toBeGreaterThan(0);
  expect(near.p99).toBeGreaterThanOrEqual(near.p50);
  expect(far.p50).toBeGreaterThan(0);
  expect(ratio).toBeGreaterThan(0);
  expect(hints).toBeGreaterThanOrEqual(1);
  // Only what is not of the room: that somebody came, that markers moved.
  expect(hintsForNothing).toBeLessThan(0.2);
});

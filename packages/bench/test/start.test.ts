/** Starts are timed on what users start, on an empty store and on one with messages. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, removeFolders } from '@natter/bench/folders';
import { measureStarts, startOnce } from '@natter/bench/start';
import { afterAll, describe, expect, it } from 'vitest';

afterAll(() => removeFolders());

describe('starts', () => {
  it('of both stores are timed until the first answer, by the clock and by the processor', async () => {
    const { empty, filled } = await measureStarts(2_000, 2);
    expect([empty.length, filled.length]).toEqual([2, 2]);
    for (const { ms, cpuMs } of [...empty, ...filled]) {
      expect(ms).toBeGreaterThan(100);
      // Node alone takes some; what is pinned to one core can't take more than there was, but for a tick of each thread.
      expect(cpuMs).toBeGreaterThan(30);
      expect(cpuMs).toBeLessThan(ms + 200);
    }
  });

  it('that fail are an error', async () => {
    const dir = makeFolder();
    // Where the lock of the folder belongs.
    mkdirSync(join(dir, 'natter.lock'));
    await expect(startOnce(dir)).rejects.toThrow('the server ended before it listened');
  });
});

/** An import is measured by what it really brought in. */
import { makeFolder, removeFolders } from '@natter/bench/folders';
import { makeLogs, measureImport } from '@natter/bench/import';
import { afterAll, describe, expect, it } from 'vitest';

afterAll(() => removeFolders());

describe('an import of logs', () => {
  it('brings in each message, which can be found when it ends', async () => {
    const logs = makeFolder();
    makeLogs(logs, 6_000);
    const { messages, authors, committedSeconds, searchableSeconds } = await measureImport(logs);
    expect(messages).toBe(6_000);
    expect(authors).toBeGreaterThan(100);
    expect(committedSeconds).toBeGreaterThan(0);
    expect(searchableSeconds).toBeGreaterThanOrEqual(committedSeconds);
  });

  it('of a folder without logs is an error', async () => {
    await expect(measureImport(makeFolder())).rejects.toThrow(/the import was refused: invalid no logs there/);
  });
});

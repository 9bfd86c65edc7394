/** The growth of a store is measured on what really stands in it. */
import { growthTable, measureGrowth } from '@natter/bench/growth';
import { describe, expect, it } from 'vitest';

describe('growth', () => {
  it('fills a store step by step, and times what users ask of it at each', { timeout: 60_000 }, async () => {
    const said: string[] = [];
    const grown = await measureGrowth([40, 400], (line) => said.push(line));
    expect(grown.map(({ messages, rooms }) => [messages, rooms])).toEqual([
      [40, 20],
      [400, 40],
    ]);
    expect(said).toHaveLength(2);
    for (const { times, startMs, storeBytes, searchBytes } of grown) {
      for (const { p50, p95 } of Object.values(times)) {
        expect(p50).toBeGreaterThan(0);
        expect(p95).toBeGreaterThanOrEqual(p50);
      }
      for (const figure of [startMs, storeBytes, searchBytes]) expect(figure).toBeGreaterThan(0);
    }
    const lines = growthTable(grown).trim().split('\n');
    expect(lines[0]).toBe('|  | 40 messages, 20 rooms | 400 messages, 40 rooms |');
    expect(lines).toHaveLength(2 + 8 + 5);
    for (const line of lines) expect(line.split('|')).toHaveLength(5);
  });
});

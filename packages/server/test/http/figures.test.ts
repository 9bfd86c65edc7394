/** What several workers noted becomes one line of charts. */
import type { Figure } from '@natter/protocol';
import { together } from '@natter/server/figures';
import { describe, expect, it } from 'vitest';

const SECONDS = 5;
const START = Date.parse('2026-11-22T08:00:00.000Z');

/** Noted so many milliseconds after the start. */
function noted(after: number, figure: Partial<Figure> = {}): Figure {
  return {
    at: new Date(START + after).toISOString(),
    online: 1,
    sockets: 2,
    events: 0.1,
    deliveries: 3,
    requests: 4,
    commitMilliseconds: null,
    requestMilliseconds: null,
    busy: 0.1,
    memory: 100,
    ...figure,
  };
}

const worker = (node: string, startedAfter: number, figures: Figure[]) => ({
  node,
  startedAt: START + startedAfter,
  figures,
});

describe('the figures of several workers', () => {
  it('are added up, step by step, though none of them notes at the same time as another', () => {
    const a = worker('a', 0, [noted(5_000), noted(10_000), noted(15_010)]);
    const b = worker('b', 20, [
      noted(8_000, { online: 5 }),
      noted(13_000, { online: 7 }),
      noted(18_000, { online: 9 }),
    ]);
    const page = together([b, a], SECONDS);
    expect(page.node).toBe('a');
    expect(page.startedAt).toBe(START);
    expect(page.figures.map(({ at }) => at)).toEqual(a.figures.map(({ at }) => at));
    expect(page.figures.map(({ online }) => online)).toEqual([1, 6, 8]);
    expect(page.figures[1]).toEqual(
      noted(10_000, { online: 6, sockets: 4, events: 0.2, deliveries: 6, requests: 8, memory: 200 }),
    );
  });

  it('have nothing of one that is gone, or was not there yet', () => {
    const a = worker('a', 0, [noted(5_000), noted(10_000), noted(15_000), noted(20_000), noted(25_000)]);
    const gone = worker('b', 1, [noted(4_000)]);
    const late = worker('c', 17_000, [noted(22_000)]);
    const page = together([a, gone, late], SECONDS);
    expect(page.figures.map(({ sockets }) => sockets)).toEqual([4, 4, 2, 2, 4]);
  });

  it('have times that are means of all that happened, and the work of the busiest', () => {
    const a = worker('a', 0, [noted(5_000, { events: 30, commitMilliseconds: 2, requestMilliseconds: 8 })]);
    const b = worker('b', 1, [noted(4_000, { events: 10, commitMilliseconds: 6, busy: 0.9 })]);
    const c = worker('c', 2, [noted(4_000, { events: 0 })]);
    const [figure] = together([a, b, c], SECONDS).figures;
    expect(figure).toMatchObject({ events: 40, commitMilliseconds: 3, requestMilliseconds: 8, busy: 0.9 });
  });

  it('are those of one alone, where it is alone; and none, where nobody answered', () => {
    const a = worker('a', 0, [noted(5_000), noted(10_000, { requests: 0.001, requestMilliseconds: 3 })]);
    expect(together([a], SECONDS)).toEqual(a);
    expect(together([], SECONDS).figures).toEqual([]);
  });
});

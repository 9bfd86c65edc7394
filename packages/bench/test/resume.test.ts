/** Clients who come back at once: what they lack is held against what was sent, and is read from the log once for all of them. */
import { removeFolders } from '@natter/bench/folders';
import { runOnce } from '@natter/bench/run';
import { ejabberd } from '@natter/bench/servers/ejabberd';
import { natter } from '@natter/bench/servers/natter';
import { bareWrites, wsFramed } from '@natter/bench/servers/node-peers';
import { fits } from '@natter/bench/servers/server';
import { workPoints } from '@natter/bench/works';
import { afterAll, describe, expect, it } from 'vitest';

const options = { seed: 1, cores: { server: 0, load: 1 } };
const storm = { kind: 'resume', name: 'storm', members: 60, rooms: 10, roomsEach: 5, behind: 50 } as const;

afterAll(() => removeFolders());

describe('clients who come back at once', () => {
  it.each([
    ['natter', natter],
    ['nothing but the writes', bareWrites],
  ])('get from %s what they lack, each once and in order', async (_, contestant) => {
    const { verdict, why, figures } = await runOnce(contestant, storm, options);
    // So few clients that who writes alone may be less busy than who reads: that says nothing against what was read.
    if (verdict === 'refused') expect(why.join('; ')).toContain('the load generator was the bottleneck');
    if (figures?.kind !== 'resume') throw new Error('no figures of a storm');
    expect(figures.clients).toBe(60);
    expect(figures.bytes).toBeGreaterThan(60 * 5 * 50 * 200);
    // The first event of a room made it, and is on the same page of the log.
    expect(figures.reads).toBe(contestant === natter ? 51 / 50 : null);
  });

  it('come back only to servers that keep something for them', () => {
    const { resume, sat10 } = workPoints(true);
    expect([natter, bareWrites, wsFramed, ejabberd].map((each) => [fits(each, resume), fits(each, sat10)])).toEqual([
      [true, true],
      [true, false],
      [false, true],
      [false, true],
    ]);
  });
});

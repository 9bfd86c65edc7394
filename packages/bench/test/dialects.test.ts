/** Natter under load, natively and as each other API that it serves: every delivery of every run is held against what was sent. */
import { removeFolders } from '@natter/bench/folders';
import { type RunOptions, runOnce } from '@natter/bench/run';
import { dialects, natter } from '@natter/bench/servers/natter';
import type { Contestant } from '@natter/bench/servers/server';
import type { Work } from '@natter/bench/works';
import { DIALECTS } from '@natter/server/config';
import { afterAll, describe, expect, it } from 'vitest';

const options: RunOptions = { seed: 1, cores: { server: 0, load: 1 } };

const room: Work = {
  kind: 'closed',
  name: 'one room',
  members: 20,
  rooms: 1,
  senders: 3,
  inFlight: 2,
  complete: 'own',
  warmup: 50,
  window: 300,
};
const rooms: Work = { ...room, name: 'many rooms', rooms: 4, senders: 1, inFlight: 1, complete: 'all' };

// What was made for the work points is kept for the next run, and else removed when the bench ends.
afterAll(() => removeFolders());

const contestants = [natter, ...dialects];

async function runOf(contestant: Contestant, work: Work) {
  const judgement = await runOnce(contestant, work, options);
  // Not what the figures are worth: others may take part of the cores meanwhile.
  expect(judgement.sound, judgement.why.join('; ')).toBe(true);
  return judgement.figures;
}

describe('a closed loop', () => {
  const pairs = contestants.flatMap((contestant) =>
    [room, rooms].map((work) => [work.name, contestant.name, contestant, work] as const),
  );
  it.each(pairs)('in %s is delivered to all members, in one order, by %s', async (_, __, contestant, work) => {
    const figures = await runOf(contestant, work);
    if (figures?.kind !== 'load') throw new Error('no figures of a load');
    expect(figures.sends).toBeGreaterThan(0);
    expect(figures.deliveries).toBeGreaterThan(figures.sends);
  });
});

describe('connections that are in several rooms each', () => {
  const able = contestants.filter(({ oneRoom = false }) => !oneRoom);
  it.each(able.map((contestant) => [contestant.name, contestant] as const))('are held by %s', async (_, contestant) => {
    const idle: Work = { kind: 'idle', name: 'idle', members: 30, rooms: 20, roomsEach: 10, before: 10, settle: 50 };
    expect(await runOf(contestant, idle)).toMatchObject({ kind: 'idle', connections: 30 });
  });
});

it('Natter is measured in every dialect that there is', () => {
  expect(dialects.map(({ name }) => name)).toEqual(DIALECTS.map((name) => `natter-${name}`));
});

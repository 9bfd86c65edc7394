/** The bench's own judgement, against servers that do one thing wrong. */
import { fileURLToPath } from 'node:url';
import { start } from '@natter/bench/children';
import { type RunOptions, runOnce } from '@natter/bench/run';
import { wsFramed } from '@natter/bench/servers/node-peers';
import type { Contestant } from '@natter/bench/servers/server';
import type { Work } from '@natter/bench/works';
import { describe, expect, it } from 'vitest';

const options: RunOptions = { seed: 1, cores: { server: 0, load: 1 }, silence: 400 };
const PROGRAM = fileURLToPath(new URL('./broken-server.mjs', import.meta.url));

const closed: Work = {
  kind: 'closed',
  name: 'small',
  members: 20,
  rooms: 1,
  senders: 3,
  inFlight: 2,
  complete: 'own',
  warmup: 50,
  window: 300,
};

function broken(fault: string): Contestant {
  return {
    name: `broken: ${fault}`,
    title: fault,
    wire: 'plain',
    stores: false,
    order: 'room',
    onNode: true,
    missing: () => null,
    version: () => '',
    start: async (place) => ({
      child: start(process.execPath, [PROGRAM], {
        core: place.core,
        env: { PORT: String(place.port), FAULT: fault },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
      rooms: ['room'],
      tokens: [],
    }),
  };
}

describe('a run is refused when a server', () => {
  it.each([
    ['loses a message', 'lose', /^1 lost .*receiver 7 lacks 1 of/],
    ['tells one receiver a message twice', 'double', /^1 doubled .*receiver 7: message \d+ of sender \d came twice/],
    ['swaps two messages of one sender', 'reorder', /^1 reordered .*receiver 7: message \d+ of sender \d came after/],
    ['swaps two senders for one receiver', 'disagree', /^1 disagreed .*1 receivers of room 0 saw another order/],
    ['delivers a message of another run', 'foreign', /^1 foreign .*receiver 7: of another run/],
    ['cuts a text short', 'corrupt', /^1 damaged .*receiver 7: not what was sent/],
    ['closes a connection', 'close', /member 7 \(live\): the server closed with code 4005 too slow/],
  ])('%s', async (_what, fault, why) => {
    const judgement = await runOnce(broken(fault), closed, options);
    expect(judgement.why.join('; ')).toMatch(why);
    expect(judgement.verdict).toBe('refused');
  });

  it('dies', async () => {
    const judgement = await runOnce(broken('die'), closed, options);
    expect(judgement.verdict).toBe('refused');
    expect(judgement.why[0]).toMatch(/closed|ended|ECONNRESET/);
  });

  it('is another one than was started', async () => {
    const other = broken('');
    const impostor: Contestant = {
      ...other,
      async start(place) {
        const { child } = await other.start(place);
        // Another process listens on the port; the one that is presented as the server does not.
        const idle = start('sleep', ['30'], { core: place.core, stdio: 'ignore' });
        idle.once('exit', () => child.kill('SIGKILL'));
        return { child: idle, rooms: ['room'], tokens: [] };
      },
    };
    const judgement = await runOnce(impostor, closed, options);
    expect(judgement).toMatchObject({
      verdict: 'refused',
      why: [expect.stringMatching(/^another process listens on port/)],
    });
  });
});

describe('a run is sound when a server', () => {
  it.each([
    ['does nothing wrong', ''],
    ['pings one receiver in between, which then is not byte for byte like the others', 'notice'],
  ])('%s', async (_what, fault) => {
    const judgement = await runOnce(broken(fault), closed, options);
    expect(judgement.sound, judgement.why.join('; ')).toBe(true);
    expect(judgement.figures).toMatchObject({ kind: 'load', deliveries: expect.any(Number) });
  });

  it('delivers to all members of many rooms', async () => {
    const rooms: Work = { ...closed, rooms: 4, senders: 1, inFlight: 1, complete: 'all' };
    const judgement = await runOnce(wsFramed, rooms, options);
    expect(judgement.sound, judgement.why.join('; ')).toBe(true);
  });

  it('is loaded in an open loop, whose latencies count from the due times', async () => {
    const open: Work = {
      kind: 'open',
      name: 'open',
      members: 20,
      rooms: 1,
      senders: 3,
      rate: 200,
      warmup: 50,
      window: 500,
    };
    const judgement = await runOnce(broken(''), open, options);
    const { figures } = judgement;
    if (figures?.kind !== 'load' || !figures.late) throw new Error(judgement.why.join('; '));
    expect(judgement.why.filter((why) => !/others took|sent late/.test(why))).toEqual([]);
    expect(figures.sends).toBeGreaterThan(50);
    expect(figures.latency.p50).toBeGreaterThan(0);
    expect(figures.latency.p99).toBeGreaterThanOrEqual(figures.late.p50);
  });

  it('holds idle connections, each of which is proved to be live in all its rooms', async () => {
    const idle: Work = { kind: 'idle', name: 'idle', members: 60, rooms: 40, roomsEach: 20, before: 10, settle: 50 };
    const judgement = await runOnce(wsFramed, idle, options);
    expect(judgement).toMatchObject({
      verdict: 'clean',
      figures: { kind: 'idle', connections: 60, joined: expect.any(Number) },
    });
  });
});

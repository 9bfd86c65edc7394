/** From runs to tables: what counts, medians, ratios, targets, and the command line. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compareCounts } from '@natter/bench/instructions';
import { judge } from '@natter/bench/judge';
import type { LoadFigures, Report } from '@natter/bench/load/job';
import { type Run, spread, summarise } from '@natter/bench/metrics';
import { plotSvg } from '@natter/bench/plot';
import { selfTimes } from '@natter/bench/profile';
import { markdownText, type Results, terminalText } from '@natter/bench/report';
import { holdTargets } from '@natter/bench/targets';
import { describe, expect, it } from 'vitest';

const none = { lost: 0, doubled: 0, reordered: 0, foreign: 0, damaged: 0, disagreed: 0, examples: [] };

function figures(change: Partial<LoadFigures> = {}): LoadFigures {
  const latency = { p50: 5, p99: 10, max: 12 };
  const busy = { serverCpu: 1, serverCore: 1.01, loadCpu: 0.5, loadCore: 0.51 };
  return {
    kind: 'load',
    from: 0,
    to: 1e6,
    seconds: 1,
    deliveries: 1_000_000,
    sends: 1_000,
    ...busy,
    latency,
    late: null,
    perWrite: null,
    ...change,
  };
}

function report(change: Partial<LoadFigures> = {}): Report {
  return { kind: 'done', figures: figures(change), faults: none, connectSeconds: 1 };
}

describe('a run', () => {
  it('counts when nothing is wrong with it', () => {
    expect(judge(report())).toMatchObject({ verdict: 'clean', why: [], sound: true, again: false });
  });

  it('is refused when the load generator was busy and the server was not', () => {
    const judged = judge(report({ loadCpu: 0.97, loadCore: 0.98, serverCpu: 0.7, serverCore: 0.71 }));
    expect(judged).toMatchObject({
      verdict: 'refused',
      why: [expect.stringMatching(/the load generator was the bottleneck: 97 %/)],
      sound: true,
    });
  });

  it('in which clients come back is judged as all others are', () => {
    const storm = (serverCpu: number): Report => {
      const busy = { loadCpu: 0.97, loadCore: 0.98, serverCpu, serverCore: serverCpu };
      const figures = { kind: 'resume' as const, clients: 10, seconds: 1, bytes: 1, reads: null, ...busy };
      return { kind: 'done', figures, faults: none, connectSeconds: 1 };
    };
    expect(judge(storm(0.96))).toMatchObject({ verdict: 'clean' });
    expect(judge(storm(0.8))).toMatchObject({ verdict: 'refused' });
  });

  it('counts when both were busy', () => {
    expect(judge(report({ loadCpu: 0.97, loadCore: 0.98 }))).toMatchObject({ verdict: 'clean' });
  });

  it('is refused when its open loop did not keep to its times', () => {
    expect(judge(report({ late: { p50: 0, p99: 6, max: 9 } }))).toMatchObject({ verdict: 'refused' });
    expect(judge(report({ late: { p50: 0, p99: 1, max: 9 } }))).toMatchObject({ verdict: 'clean' });
  });

  it('is marked, and tried again, when others took part of a core', () => {
    expect(judge(report({ serverCpu: 0.8 }))).toMatchObject({ verdict: 'disturbed', again: true });
  });

  it('is refused when a message was lost, whatever its figures', () => {
    const judged = judge({ ...report(), faults: { ...none, lost: 2, examples: ['receiver 3 lacks 2'] } } as Report);
    expect(judged).toMatchObject({ verdict: 'refused', why: ['2 lost (receiver 3 lacks 2)'], sound: false });
  });

  it('is refused when it broke off, and what was in flight then is not called lost', () => {
    const judged = judge({ kind: 'failed', why: 'member 1: closed', faults: { ...none, lost: 2 } });
    expect(judged).toEqual({
      verdict: 'refused',
      why: ['member 1: closed'],
      figures: null,
      sound: false,
      again: false,
    });
  });
});

function run(round: number, server: string, deliveries: number, verdict: Run['verdict'] = 'clean'): Run {
  return {
    round,
    work: 'sat10',
    server,
    verdict,
    why: verdict === 'refused' ? ['lost'] : [],
    figures: figures({ deliveries }),
    sound: verdict !== 'refused',
    again: false,
  };
}

describe('a table', () => {
  const runs = [
    run(1, 'natter', 900_000),
    run(1, 'nats-server', 300_000),
    run(2, 'natter', 400_000),
    run(2, 'nats-server', 100_000),
    run(3, 'natter', 1_000_000),
    run(3, 'nats-server', 200_000, 'refused'),
    run(3, 'ws', 50_000, 'disturbed'),
  ];
  const rows = summarise(runs, ['sat10'], ['natter', 'nats-server', 'ws']);

  it('has medians with their spread', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, count: 3 });
    expect(spread([4, 1, 2, 3])).toMatchObject({ median: 2.5 });
    expect(spread([])).toBeNull();
    expect(rows[0]?.figures.deliveries).toEqual({ median: 900_000, low: 400_000, high: 1_000_000, count: 3 });
  });

  it('has ratios of runs of the same round, and leaves refused runs out', () => {
    expect(rows[1]?.ratios.deliveries).toEqual({ median: 3.5, low: 3, high: 4, count: 2 });
    expect(rows[1]?.refused).toEqual(['lost']);
  });

  it('takes disturbed runs where there is nothing better, and says so', () => {
    expect(rows[2]).toMatchObject({ disturbed: true, ratios: { deliveries: { median: 20, count: 1 } } });
  });

  it('holds the targets against the ratios', () => {
    const held = holdTargets(rows).map(({ target, found, met }) => [target.work, target.text, found, met]);
    expect(held[0]).toEqual(['sat10', 'deliveries/s ≥ 3 × nats-server', 3.5, true]);
    expect(held[3]).toEqual(['sat10', 'cpu/M ≤ 1.2', expect.closeTo(1 / 0.9), true]);
    expect(held.at(-1)?.slice(2)).toEqual([null, null]);
  });

  it('is told in the terminal and in Markdown with what was refused and skipped', () => {
    const machine = {
      date: '2026-11-20T12:00:00.000Z',
      processor: 'P',
      cores: 2,
      memoryGiB: 8,
      system: 'S',
      node: 'v20',
      commit: 'c',
    };
    const results: Results = {
      machine,
      versions: { natter: '0.1.0', 'nats-server': 'nats-server 2.9', ws: 'ws 8' },
      titles: { natter: 'Natter', 'nats-server': 'nats-server', ws: '`ws`' },
      stores: { natter: true },
      skipped: [{ server: 'mosquitto', why: 'not installed' }],
      quick: false,
      rounds: 3,
      cutShort: null,
      works: ['sat10'],
      rows,
      runs,
    };
    for (const text of [terminalText(results), markdownText(results, 'RESULTS.svg')]) {
      expect(text).toMatch(/mosquitto was skipped: not installed/);
      expect(text).toMatch(/sat10, nats-server: 1 refused: lost/);
      expect(text).toMatch(/3\.50 \(3\.00 … 4\.00\) ×/);
      expect(text).toMatch(/1 disturbed/);
    }
    const plot = plotSvg(results);
    expect(plot).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(plot).toMatch(/sat10: deliveries\/s/);
    expect(plot).toMatch(/Natter, durable/);
    // As they were, best first, and a title that is no tag.
    const [first, second, third] = [...plot.matchAll(/<rect x="340" y="\d+" width="(\d+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect([first, second, third]).toEqual([360, 80, 20]);
    expect(plot).not.toContain('`');
    expect(plotSvg({ ...results, rows: [] })).not.toContain('<rect');
  });
});

describe('the command line', () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(import.meta.resolve('@natter/bench/main')), ...args], {
      encoding: 'utf8',
    });

  it.each([
    [['--only', 'nobody'], /there is no server 'nobody'; there are natter, .*socket\.io, ws, .*dialects/],
    [['--work', 'sat10,much'], /there is no work point 'much'/],
    [['--rounds', '0'], /--rounds wants a number from 1 to 100/],
    [['--slow'], /Unknown option '--slow'/],
  ])('refuses %j with a sentence and the usage', (args, text) => {
    const { status, stderr } = bench(...args);
    expect(stderr).toMatch(text);
    expect(stderr).toMatch(/usage: npm run bench/);
    expect(status).toBe(2);
  });
});

describe('counts of instructions', () => {
  const counts = (command: number, node = 'v20 x64') => ({ node, counts: { command, delivery: 100, encoding: 100 } });

  it('that are higher than the committed ones are slower, those of another Node are not compared', () => {
    expect(compareCounts(counts(111), counts(100)).slower).toEqual(['command']);
    expect(compareCounts(counts(111), counts(100)).lines[0]).toMatch(/1\.110 × the committed count: SLOWER$/);
    expect(compareCounts(counts(109), counts(100)).slower).toEqual([]);
    expect(compareCounts(counts(50), counts(100)).slower).toEqual([]);
    const other = compareCounts(counts(111), counts(100, 'v22 x64'));
    expect(other.slower).toEqual([]);
    expect(other.lines.at(-1)).toMatch(/of v22 x64, these of v20 x64: not compared/);
    expect(compareCounts(counts(111), null).slower).toEqual([]);
  });
});

describe('a profile', () => {
  it('is summed up by function between two times', () => {
    const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 6, columnNumber: 0 });
    const times = selfTimes(
      {
        nodes: [
          { id: 1, callFrame: frame('write') },
          { id: 2, callFrame: frame('', 'file:///a/node_modules/ws/lib/sender.js') },
        ],
        startTime: 1_000,
        samples: [1, 2, 1, 2],
        timeDeltas: [10, 20, 30, 40],
      },
      1_020,
      1_090,
    );
    expect([...times]).toEqual([
      ['(anonymous)  ws/lib/sender.js:7', 20],
      ['write', 30],
    ]);
  });

  it('names the sources of what is bundled', () => {
    const bundle = new URL('../../server/bundle/', import.meta.url);
    const [url, lineNumber] = readdirSync(bundle)
      .filter((name) => name.endsWith('.js'))
      .map((name) => new URL(name, bundle))
      .map(
        (file) => [file.href, readFileSync(file, 'utf8').split('\n').indexOf('function lockDataDir(dir) {')] as const,
      )
      .find(([, line]) => line !== -1) as [string, number];
    const callFrame = { functionName: 'lockDataDir', url, lineNumber, columnNumber: 'function lockDataDir'.length };
    const nodes = [{ id: 1, callFrame }];
    const times = selfTimes({ nodes, startTime: 0, samples: [1], timeDeltas: [5] }, 0, 9);
    const source = readFileSync(new URL('../../server/src/admin/lock.ts', import.meta.url), 'utf8').split('\n');
    const line = 1 + source.findIndex((text) => text.startsWith('export function lockDataDir('));
    expect([...times]).toEqual([[`lockDataDir  packages/server/src/admin/lock.ts:${line}`, 5]]);
  });
});

/** One run: everything is started and well, then broken and healed again and again while people talk, then all is looked at. */
import { tmpdir } from 'node:os';
import { examineStored } from '@natter/server/cli/doctor';
import { loadConfig } from '@natter/server/config';
import { Random } from '../simulation/random.js';
import { check, readLog, stateHash } from './checker.js';
import { Cluster } from './cluster.js';
import { type FaultName, faultOf } from './faults.js';
import { now, type Trouble } from './history.js';
import type { Holdings } from './node-process.js';
import { Crowd, Device, settle } from './people.js';
import { Probes } from './probes.js';
import type { CheckOptions, Verdict } from './verdict.js';

export interface RunOptions {
  seed: number;
  /** Each a fault, or several at once. */
  plan: readonly (readonly FaultName[])[];
  /** Milliseconds that a fault lasts: at least, and at most. */
  lasts?: readonly [number, number];
  users?: number;
  rooms?: number;
  /** A built server with a bug in it: what does not end is given up soon, and what the nodes hold is not looked at. */
  dist?: string;
  say?(line: string): void;
}

export interface RunReport extends Verdict {
  seed: number;
  seconds: number;
  faults: Record<string, number>;
  probes: Record<string, number>;
  skipped: FaultName[];
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** Until everybody has everything, after healing; what takes longer than I7 allows is a finding, and not a hanging test. */
const PATIENCE_MS = 60_000;
const IMPATIENCE_MS = 8_000;

export async function run(options: RunOptions): Promise<RunReport> {
  const { seed, plan, lasts = [1_500, 4_000], users = 12, rooms: roomCount = 6, say = () => {} } = options;
  const random = new Random(seed);
  const isBugged = options.dist !== undefined;
  const patience = isBugged ? IMPATIENCE_MS : PATIENCE_MS;
  const started = now();
  const cluster = new Cluster({ random, ...(options.dist === undefined ? {} : { dist: options.dist }) });
  const devices: Device[] = [];
  const problems: string[] = [];
  const problem = (what: string): void => {
    say(`✗ ${what}`);
    problems.push(what);
  };
  const late: { at: number; ms: number }[] = [];
  let tick = now();
  const watch = setInterval(() => {
    const ms = now() - tick - 50;
    tick = now();
    if (ms > 20) late.push({ at: tick, ms });
  }, 50);
  const faults: Record<string, number> = {};
  const skipped: FaultName[] = [];
  const troubles: Trouble[] = [];
  let harms: ReadonlySet<string> = new Set();
  try {
    await cluster.open();
    const { people, rooms, churning } = await settle(cluster, users, roomCount);
    let deafness = 0;
    for (const person of people) {
      for (const letter of ['a', 'b']) {
        devices.push(await Device.make(person, `${person.name}${letter}`, cluster, () => deafness));
      }
    }
    await Promise.all(devices.map(({ client }) => client.connect()));
    for (const { client } of devices) {
      for (const room of rooms) await client.timeline(room).load(50);
    }
    say(`three nodes, ${devices.length} devices and ${rooms.length} rooms after ${seconds(started)} s`);
    const before = await holdings(cluster);
    const crowd = new Crowd({ cluster, random, people, devices, rooms, churning });
    const probes = new Probes({
      cluster,
      random,
      crowd,
      devices,
      people,
      rooms,
      problem,
      harms: () => harms,
    });
    crowd.start();
    probes.start();
    await pause(1_500);
    for (const names of plan) {
      const possible = names.filter((name) => faultOf(name).possible?.(cluster) !== false);
      for (const name of names) if (!possible.includes(name)) skipped.push(name);
      if (possible.length === 0) continue;
      const trouble: Trouble = {
        faults: [...possible],
        harms: new Set(possible.map((name) => faultOf(name).harms)),
        began: now(),
        healed: Number.POSITIVE_INFINITY,
      };
      harms = trouble.harms;
      const [least, most] = faultOf(possible[0] as FaultName).lasts ?? lasts;
      const milliseconds = least + random.below(most - least + 1);
      const scene = {
        cluster,
        random,
        rooms,
        clients: devices.map(({ wire }) => wire),
        lasts: milliseconds,
        setDeafness: (probability: number) => {
          deafness = probability;
        },
        sends: () => devices.flatMap(({ sends }) => sends),
        waiting: () => devices.filter(({ client }) => client.outbox.view.getSnapshot().length > 0).length,
      };
      const ends: (() => Promise<void> | void)[] = [];
      for (const name of possible) {
        try {
          const end = await faultOf(name).begin(scene);
          if (end) ends.push(end);
          faults[name] = (faults[name] ?? 0) + 1;
        } catch (error) {
          // What is broken already can't be broken once more.
          if (name === possible[0]) throw error;
          say(`${name} could not begin after ${possible[0]}: ${(error as Error).message}`);
        }
      }
      const broken = now();
      await pause(Math.max(0, milliseconds - (now() - trouble.began)));
      for (const name of possible) {
        const wrong = faultOf(name).wrong?.(scene, broken);
        if (wrong) problem(`under ${name}: ${wrong}`);
      }
      for (const end of ends) await end();
      await cluster.heal();
      for (const { wire } of devices) wire.heal();
      trouble.healed = now();
      troubles.push(trouble);
      const recovered = await recovery(devices, rooms, churning, trouble.healed, patience);
      harms = new Set();
      say(
        `${possible.join(' + ')}: ${seconds(trouble.began, trouble.healed)} s, recovered after ${Math.round(recovered)} ms`,
      );
      await pause(300 + random.below(700));
    }
    await probes.stop();
    await Promise.race([crowd.stop(), pause(isBugged ? patience : 2 ** 31 - 1)]);
    await everywhere(cluster, devices, patience);
    for (const { client } of devices) {
      for (const row of client.rooms.getSnapshot()) {
        const timeline = client.timeline(row.id);
        if (!timeline.getSnapshot().loaded) await timeline.load(50);
      }
    }
    say(`quiet after ${seconds(started)} s`);
    const facts: CheckOptions = {
      cluster,
      people,
      devices,
      rooms,
      churning,
      troubles,
      slack: (from, to) => 3 * Math.max(0, ...late.filter(({ at }) => at >= from && at <= to).map(({ ms }) => ms)),
    };
    const verdict = await check(facts);
    if (!isBugged) await checkHoldings(cluster, before, problem);
    for (const device of devices.splice(0)) await device.close();
    await checkAtRest(cluster, problem);
    if (!isBugged) await checkAfterDeath(cluster, problem);
    for (const node of cluster.nodes) {
      for (const line of node.logged) {
        if (/ended by itself|"level":"fatal"|unhandled/i.test(line))
          problem(`${node.name}: ${line.slice(0, 500)} [I12]`);
      }
    }
    verdict.problems.unshift(...problems);
    return { ...verdict, seed, seconds: (now() - started) / 1_000, faults, probes: probes.counts, skipped };
  } finally {
    clearInterval(watch);
    for (const device of devices) await device.close();
    await cluster.close();
  }
}

const seconds = (from: number, to = now()): string => ((to - from) / 1_000).toFixed(1);

/** Until everything that was asked for before is answered, and every device has it; how long that took. */
async function recovery(
  devices: readonly Device[],
  rooms: readonly number[],
  churning: readonly number[],
  healed: number,
  patience: number,
): Promise<number> {
  const stable = rooms.filter((room) => !churning.includes(room));
  const asked = devices
    .flatMap(({ sends }) => sends)
    .filter(({ invoked, room }) => invoked <= healed && stable.includes(room));
  const all = (): boolean => {
    const heads = new Map<number, number>();
    for (const { room, seq, answered } of asked) {
      if (answered === null) return false;
      if (seq !== null) heads.set(room, Math.max(seq, heads.get(room) ?? 0));
    }
    return devices.every(({ client }) =>
      [...heads].every(([room, seq]) => (client.position?.cursors[room] ?? 0) >= seq),
    );
  };
  while (!all() && now() - healed < patience) await pause(20);
  return now() - healed;
}

/** Until every device stands at the head of everything that is its own. */
async function everywhere(cluster: Cluster, devices: readonly Device[], patience: number): Promise<void> {
  const until = now() + patience;
  const heads = new Map((await readLog(cluster)).map(({ stream, seq }) => [stream, seq]));
  const has = ({ client, settled }: Device): boolean => {
    const cursors = Object.entries(client.position?.cursors ?? {});
    const loading = client.rooms.getSnapshot().some(({ id }) => client.timeline(id).getSnapshot().loading);
    return settled && !loading && cursors.every(([stream, seq]) => seq >= (heads.get(Number(stream)) ?? 0));
  };
  while (!devices.every(has) && now() < until) await pause(50);
  await pause(500);
}

async function holdings(cluster: Cluster): Promise<Holdings[]> {
  return Promise.all(cluster.nodes.map((node) => node.holdings()));
}

/** [I14] Nothing stays behind: what a node holds after all of it is what it held before. */
async function checkHoldings(cluster: Cluster, before: Holdings[], problem: (what: string) => void): Promise<void> {
  const total = (all: readonly Holdings[], what: keyof Holdings): number =>
    all.reduce((sum, one) => sum + one[what], 0);
  let after = await holdings(cluster);
  const more = (what: keyof Holdings, room: number): boolean => total(after, what) > total(before, what) * 1.1 + room;
  const wrong = (): boolean => more('files', 15) || more('timers', 15) || more('heapBytes', 30 * 1_048_576);
  // Sockets that ended in a hole are given up when nothing was heard of them for a while.
  for (const until = now() + 90_000; wrong() && now() < until; after = await holdings(cluster)) await pause(1_000);
  if (wrong()) problem(`the nodes hold more than before: ${JSON.stringify({ before, after })} [I14]`);
}

/** What its findings begin with. */
export const THE_DOCTOR = 'natter doctor says:';

/** [I16] What `natter doctor` says of the tables and of the search index, once nobody does anything: recounted by code of the server's own. */
async function checkAtRest({ postgres }: Cluster, problem: (what: string) => void): Promise<void> {
  const loaded = loadConfig(
    { DATABASE_URL: postgres.urlAt(postgres.port), SECRET_KEY: 'not asked for by who only examines' },
    tmpdir(),
  );
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const { findings, notes } = await examineStored(loaded.config, () => {}, new AbortController().signal);
  for (const { check: rule, text } of findings) problem(`${THE_DOCTOR} [${rule}] ${text} [I16]`);
  for (const note of notes) problem(`${THE_DOCTOR} ${note} [I16]`);
}

/** [I16] What is stored is the same after all nodes were killed and one was started again. */
async function checkAfterDeath(cluster: Cluster, problem: (what: string) => void): Promise<void> {
  await pause(500);
  const before = await stateHash(cluster);
  await Promise.all(cluster.nodes.map((node) => node.end('SIGKILL')));
  await cluster.nodes[0]?.start();
  const after = await stateHash(cluster);
  if (before !== after) problem(`the state was ${before} before all nodes were killed, and ${after} after [I16]`);
}

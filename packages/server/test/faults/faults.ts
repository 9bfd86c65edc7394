/** Everything that can be done to a cluster, each with its beginning; what is not ended by itself is ended by healing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Random } from '../simulation/random.js';
import type { Cluster } from './cluster.js';
import type { Send } from './history.js';
import type { NodeProcess } from './node-process.js';
import type { Wire } from './wire.js';

/** What a fault takes away, as far as promises about time are concerned. */
export type Harm =
  /** Hints alone, and nodes know it: everything arrives within two seconds all the while. */
  | 'nats'
  /** Hints alone, and nobody can know it before something is missed: within five. */
  | 'hints'
  /** A node: whoever is on it has to come back on another one. */
  | 'node'
  /** The log: nothing can be committed meanwhile, maybe. */
  | 'store'
  /** The ways of clients. */
  | 'client';

/** What a fault is given to work on. */
export interface Scene {
  cluster: Cluster;
  random: Random;
  /** The ways of all clients. */
  clients: readonly Wire[];
  /** Of so many replies to clients, none arrives. */
  setDeafness(probability: number): void;
  /** Milliseconds that it lasts. */
  lasts: number;
  /** Ids of rooms, to hold their rows. */
  rooms: readonly number[];
  /** All that was said so far. */
  sends(): readonly Send[];
  /** Devices that show something as waiting. */
  waiting(): number;
}

export interface Fault {
  harms: Harm;
  /** Milliseconds: at least, and at most; where it is not as long as others. Such a one is never half of a pair. */
  lasts?: readonly [number, number];
  /** Is there everything that it needs? */
  possible?(cluster: Cluster): boolean;
  /** Answers what ends it, where healing does not. */
  /** What is wrong right before it is healed, given the moment from which it was there. */
  wrong?(scene: Scene, from: number): string | null;
  begin(scene: Scene): Promise<(() => Promise<void> | void) | undefined> | (() => Promise<void> | void) | undefined;
}

const node = ({ cluster, random }: Scene): NodeProcess => random.pick(cluster.nodes);
/** Some, at least one. */
const some = <T>(list: readonly T[], random: Random): T[] => {
  const chosen = list.filter(() => random.chance(0.4));
  return chosen.length > 0 ? chosen : [random.pick(list)];
};
const both = (wire: Wire): void => void wire.holes.add('there').add('back');
const tick = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Locks of a session of somebody else, who then does nothing for a while. */
async function holdRows({ cluster, rooms, lasts }: Scene, howMany: number): Promise<() => void> {
  const client = await cluster.postgres.connect();
  await client.query('begin');
  const held = rooms.slice(0, howMany).sort((a, b) => a - b);
  // Whoever holds some waits for the others no longer than the fault lasts.
  await client.query(`set local lock_timeout = ${Math.max(1, Math.round(lasts))}`);
  await client.query('select id from streams where id = any($1) order by id for update', [held]).catch(() => {});
  // Nobody waits for the farewell: where the server is frozen meanwhile, it comes when that is over.
  return () => void client.end().catch(() => {});
}

/** Where there is no database nothing is done: nobody is told that it was, and what is said waits. */
function saidDone({ sends, waiting }: Scene, from: number): string | null {
  const since = sends().filter(({ invoked }) => invoked > from);
  const told = since.find(({ seq }) => seq !== null);
  if (told) return `${told.key} was acknowledged while there was no database [I12]`;
  if (since.length > 0 && waiting() === 0) return 'nothing waits on any device while there is no database [I12]';
  return null;
}

export const FAULTS = {
  'node.kill': {
    harms: 'node',
    begin: async (scene) => {
      await node(scene).end('SIGKILL');
      return undefined;
    },
  },
  'node.kill.all': {
    harms: 'node',
    begin: async ({ cluster }) => {
      await Promise.all(cluster.nodes.map((one) => one.end('SIGKILL')));
      return undefined;
    },
  },
  'node.freeze': {
    harms: 'node',
    begin: (scene) => {
      node(scene).freeze();
      return undefined;
    },
  },
  'node.rolling': {
    harms: 'node',
    begin: async ({ cluster }) => {
      for (const one of cluster.nodes) {
        await one.end('SIGTERM');
        await one.start();
      }
      return undefined;
    },
  },
  'node.clock.ahead': {
    harms: 'nats',
    possible: ({ shims }) => shims !== null,
    begin: (scene) => {
      node(scene).setClock(3_600);
      return undefined;
    },
  },
  'node.clock.behind': {
    harms: 'nats',
    possible: ({ shims }) => shims !== null,
    begin: (scene) => {
      node(scene).setClock(-86_400);
      return undefined;
    },
  },
  'cores.busy': {
    harms: 'node',
    begin: () => {
      const burners: ChildProcess[] = [0, 1].map(() =>
        spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' }),
      );
      return () => {
        for (const burner of burners) burner.kill('SIGKILL');
      };
    },
  },
  'nats.kill': {
    harms: 'nats',
    begin: async ({ cluster }) => {
      await cluster.nats.kill();
      return undefined;
    },
  },
  'nats.kill.minute': {
    harms: 'nats',
    lasts: [60_000, 60_000],
    begin: async ({ cluster }) => {
      await cluster.nats.kill();
      return undefined;
    },
  },
  'nats.freeze': {
    harms: 'nats',
    begin: ({ cluster }) => {
      cluster.nats.freeze();
      return undefined;
    },
  },
  'nats.cut': {
    harms: 'nats',
    begin: ({ cluster, random }) => {
      for (const wire of some(cluster.toNats, random)) {
        wire.cut();
        wire.refuses = true;
      }
      return undefined;
    },
  },
  'nats.hole': {
    harms: 'nats',
    begin: ({ cluster, random }) => {
      for (const wire of some(cluster.toNats, random)) {
        if (random.chance(0.5)) both(wire);
        else wire.holes.add(random.pick(['there', 'back'] as const));
      }
      return undefined;
    },
  },
  'nats.slow': {
    harms: 'hints',
    begin: ({ cluster, random }) => {
      for (const wire of some(cluster.toNats, random)) wire.rate = 1_024;
      return undefined;
    },
  },
  'nats.jitter': {
    harms: 'hints',
    begin: ({ cluster }) => {
      for (const wire of cluster.toNats) wire.latency = { ms: 50, jitter: 400 };
      return undefined;
    },
  },
  'nats.lose': {
    harms: 'hints',
    begin: ({ cluster }) => {
      cluster.fates = { lost: 0.5 };
      return undefined;
    },
  },
  'nats.lose.unseen': {
    // Nothing tells that what matters is lost: all else arrives.
    harms: 'hints',
    begin: ({ cluster }) => {
      cluster.fates = { lost: 1, subjects: /\.stream\./ };
      return undefined;
    },
  },
  'nats.confuse': {
    harms: 'hints',
    begin: ({ cluster }) => {
      cluster.fates = { lost: 0.1, twice: 0.3, late: { probability: 0.3, ms: 900 } };
      return undefined;
    },
  },
  'postgres.kill': {
    harms: 'store',
    wrong: saidDone,
    begin: async ({ cluster }) => {
      await cluster.postgres.kill();
      return undefined;
    },
  },
  'postgres.stop': {
    harms: 'store',
    wrong: saidDone,
    begin: async ({ cluster }) => {
      await cluster.postgres.stopAtOnce();
      return undefined;
    },
  },
  'postgres.freeze': {
    harms: 'store',
    begin: ({ cluster }) => {
      cluster.postgres.freeze();
      return undefined;
    },
  },
  'postgres.row.held': { harms: 'store', begin: (scene) => holdRows(scene, 1) },
  'postgres.rows.held': { harms: 'store', begin: (scene) => holdRows(scene, scene.rooms.length) },
  'postgres.terminate': {
    harms: 'store',
    begin: async ({ cluster, lasts }) => {
      const until = performance.now() + lasts;
      const terminate = async (): Promise<void> => {
        while (performance.now() < until) {
          await cluster.postgres
            .ask(
              `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
            )
            .catch(() => {});
          await tick(400);
        }
      };
      const going = terminate();
      return () => going;
    },
  },
  'postgres.cut': {
    harms: 'store',
    begin: ({ cluster, random }) => {
      for (const wire of some(cluster.toPostgres, random)) {
        wire.cut();
        wire.refuses = true;
      }
      return undefined;
    },
  },
  'postgres.hole': {
    harms: 'store',
    begin: ({ cluster, random }) => {
      for (const wire of some(cluster.toPostgres, random)) both(wire);
      return undefined;
    },
  },
  'postgres.slow': {
    harms: 'store',
    begin: ({ cluster, random }) => {
      for (const wire of some(cluster.toPostgres, random)) wire.latency = { ms: 20, jitter: 200 };
      return undefined;
    },
  },
  'postgres.commit.unanswered': {
    harms: 'store',
    begin: ({ cluster }) => {
      cluster.commits.unanswered = 0.3;
      return undefined;
    },
  },
  'postgres.commit.unasked': {
    harms: 'store',
    begin: ({ cluster }) => {
      cluster.commits.unasked = 0.3;
      return undefined;
    },
  },
  'postgres.disk.full': {
    harms: 'store',
    possible: ({ shims }) => shims !== null,
    begin: ({ cluster }) => {
      writeFileSync(cluster.postgres.diskFull, '');
      return undefined;
    },
  },
  'postgres.sync.fails': {
    harms: 'store',
    possible: ({ shims }) => shims !== null,
    begin: ({ cluster }) => {
      writeFileSync(cluster.postgres.syncFails, '');
      return undefined;
    },
  },
  'client.cut': {
    harms: 'client',
    begin: ({ clients, random }) => {
      for (const wire of some(clients, random)) wire.cut();
      return undefined;
    },
  },
  'client.storm': {
    harms: 'client',
    begin: async ({ clients, lasts }) => {
      const until = performance.now() + lasts;
      while (performance.now() < until) {
        for (const wire of clients) wire.cut();
        await tick(700);
      }
      return undefined;
    },
  },
  'client.hole': {
    harms: 'client',
    begin: ({ clients, random }) => {
      for (const wire of some(clients, random)) both(wire);
      return undefined;
    },
  },
  'client.slow': {
    harms: 'client',
    begin: ({ clients, random }) => {
      for (const wire of some(clients, random)) wire.rate = 1_024;
      return undefined;
    },
  },
  'client.jitter': {
    harms: 'client',
    begin: ({ clients }) => {
      for (const wire of clients) wire.latency = { ms: 20, jitter: 200 };
      return undefined;
    },
  },
  'client.stall': {
    harms: 'client',
    begin: ({ clients, random }) => {
      for (const wire of some(clients, random)) wire.stall('back');
      return undefined;
    },
  },
  'client.reply.lost': {
    harms: 'client',
    begin: ({ setDeafness }) => {
      setDeafness(0.3);
      return () => setDeafness(0);
    },
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
export const faultOf = (name: FaultName): Fault => FAULTS[name];

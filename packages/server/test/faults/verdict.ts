/** What a run is judged by, and what comes of it. */
import type { Cluster } from './cluster.js';
import type { Trouble } from './history.js';
import type { Device, Person } from './people.js';

/** How often each promise was broken, by the words of the report. */
export interface Verdict {
  problems: string[];
  lost: number;
  doubled: number;
  gapped: number;
  reordered: number;
  phantom: number;
  leaked: number;
  /** Milliseconds from healing to everything being everywhere, for each trouble. */
  recoveries: number[];
  /** Milliseconds from the answer to the last device, of messages sent while hints alone were broken. */
  withoutHints: number[];
  events: number;
  sends: number;
  acknowledged: number;
  refused: number;
  unknown: number;
  deliveries: number;
}

export interface CheckOptions {
  cluster: Cluster;
  people: readonly Person[];
  devices: readonly Device[];
  rooms: readonly number[];
  churning: readonly number[];
  troubles: readonly Trouble[];
  /** Milliseconds that this machine itself was late in that time, which nobody is to blame for. */
  slack(from: number, to: number): number;
}

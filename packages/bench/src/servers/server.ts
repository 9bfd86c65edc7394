/** What the bench needs of a server that it measures. */
import type { ChildProcess } from 'node:child_process';
import type { Standing } from '../load/wire.js';
import type { WireName } from '../load/wires/index.js';
import { oneRoomEach, type Work } from '../works.js';

export interface Place {
  work: Work;
  port: number;
  /** A folder of its own, removed after the run. */
  dir: string;
  /** Eight characters, of this run alone. */
  nonce: string;
  core: number;
  /** Node's options for a server that is written for it: garbage collection on demand, a CPU profile. */
  nodeOptions: readonly string[];
}

export interface Started {
  child: ChildProcess;
  /** The server's names for the work's rooms. */
  rooms: readonly (string | number)[];
  /** For each member what to log in with, where that is needed. */
  tokens: readonly string[];
  /** Of the messages that were there before, where clients come back, and where these stand. */
  nonce?: string;
  standing?: Standing;
}

export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly wire: WireName;
  /** Does a message that was confirmed survive a power cut? */
  readonly stores: boolean;
  /** One order for the whole room, or only for each sender's messages. */
  readonly order: 'room' | 'sender';
  /** It is measured beside Natter's own protocol rather than against it: not in quick runs, unless it is asked for. */
  readonly beside?: true;
  /** Its clients can be in one room alone: no work point with more of them fits. */
  readonly oneRoom?: true;
  /** The only kinds of work that fit it; absent: all but those in which clients come back to what was kept for them. */
  readonly kinds?: readonly Work['kind'][];
  /** Runs on Node: its garbage can be collected on demand, and it can be profiled. */
  readonly onNode: boolean;
  /** Runs on Node below another process, with what it needs: it can be profiled, but its garbage not be collected. */
  readonly withinNode?: true;
  /** Why it can't run here, or null. */
  missing(): string | null;
  version(): string;
  start(place: Place): Promise<Started>;
}

export function fits({ kinds, oneRoom }: Contestant, work: Work): boolean {
  if (oneRoom && !oneRoomEach(work)) return false;
  return kinds === undefined ? work.kind !== 'resume' : kinds.includes(work.kind);
}

/** Names for rooms where a server makes them on first use. */
export function roomNames(place: Place): string[] {
  return Array.from({ length: place.work.rooms }, (_, i) => `${place.nonce}-${i}`);
}

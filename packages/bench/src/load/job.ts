/** What the bench asks of a load generator, and what it is told: the messages between the two processes. */
import type { Work } from '../works.js';
import type { Faults } from './verifier.js';
import type { Standing } from './wire.js';
import type { WireName } from './wires/index.js';

export interface Job {
  work: Work;
  wire: WireName;
  port: number;
  /** Process whose processor time and memory are read, with its children. */
  serverPid: number;
  /** Eight characters that stand in every message of this run. */
  nonce: string;
  /** The order that the server promises. */
  order: 'room' | 'sender';
  /** The server's names for the rooms. */
  rooms: readonly (string | number)[];
  /** For each member what to log in with, where that is needed. */
  tokens: readonly string[];
  /** Where clients come back: where they stand. */
  standing: Standing | null;
  /** Of the times at which messages are due. */
  seed: number;
  cores: { server: number; load: number };
  /** Nothing arrived for so long, though something is still due: it is lost. In milliseconds. */
  silence: number;
  /** SIGUSR2 makes the server collect its garbage, so that memory can be read without it too. */
  collects: boolean;
}

export interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

/** The counted part of a run under load. */
export interface LoadFigures {
  kind: 'load';
  /** When the counted part began and ended, in microseconds of the machine's monotonic clock. */
  from: number;
  to: number;
  seconds: number;
  deliveries: number;
  /** Sends completed in it. */
  sends: number;
  serverCpu: number;
  loadCpu: number;
  /** Seconds that the two cores were busy with anything. */
  serverCore: number;
  loadCore: number;
  /** Milliseconds: open loop from when a message was due to each delivery, closed loop from sending to completion. */
  latency: Percentiles;
  /** Open loop: how much later than due the messages were sent, in milliseconds. */
  late: Percentiles | null;
  /** Events that left in one write to a socket, on average, as the server counts them; null where it does not. */
  perWrite: number | null;
}

export interface IdleFigures {
  kind: 'idle';
  connections: number;
  /** Resident bytes a connection that is logged in; null where a connection is in its rooms from log-in on. */
  connected: number | null;
  /** Resident bytes a connection that is in its rooms, and the same after a garbage collection where one can be had. */
  joined: number;
  collected: number | null;
}

export interface ResumeFigures {
  kind: 'resume';
  clients: number;
  /** From the first word of the first client until the last one is live in all its rooms. */
  seconds: number;
  /** What arrived meanwhile. */
  bytes: number;
  serverCpu: number;
  loadCpu: number;
  serverCore: number;
  loadCore: number;
  /** How often what all clients lack was read from the log; null where there is nobody who counts it. */
  reads: number | null;
}

export type Figures = LoadFigures | IdleFigures | ResumeFigures;

export type Report =
  | { kind: 'done'; figures: Figures; faults: Faults; connectSeconds: number }
  | { kind: 'failed'; why: string; faults: Faults | null };

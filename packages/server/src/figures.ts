/** How this node does, noted at even steps and kept for a while: what an admin's charts begin with. */
import { randomUUID } from 'node:crypto';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Figure } from '@natter/protocol';
import type { Clock, Timer } from './clock.js';
import type { Limits } from './limits.js';
import type { Metrics, Totals } from './metrics.js';

export interface FiguresOptions {
  metrics: Pick<Metrics, 'totals'>;
  clock: Clock;
  limits: Pick<Limits, 'FIGURE_SECONDS' | 'FIGURES_MAX'>;
  onError: (error: unknown) => void;
}

interface Noted {
  totals: Totals;
  ticks: number;
  loop: EventLoopUtilization;
}

export class Figures {
  /** Another one after a start, and on another node: what it says does not follow on. */
  readonly node = randomUUID();
  readonly startedAt: number;
  readonly seconds: number;
  readonly #options: FiguresOptions;
  readonly #kept: Figure[] = [];
  #before: Noted | null = null;
  #timer: Timer | null = null;

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.startedAt = options.clock.now();
    this.seconds = options.limits.FIGURE_SECONDS;
  }

  /** Notes from now on. */
  start(): void {
    const note = () => void this.#note().catch(this.#options.onError);
    note();
    this.#timer = this.#options.clock.every(this.seconds * 1_000, note);
  }

  /** Oldest first. */
  kept(): readonly Figure[] {
    return this.#kept;
  }

  close(): void {
    this.#timer?.close();
  }

  async #note(): Promise<void> {
    const { metrics, clock, limits } = this.#options;
    const now: Noted = {
      totals: await metrics.totals(),
      ticks: clock.ticks(),
      loop: performance.eventLoopUtilization(),
    };
    const before = this.#before;
    this.#before = now;
    // What is counted needs two notes to be so many a second.
    if (!before || now.ticks <= before.ticks) return;
    const seconds = (now.ticks - before.ticks) / 1_000;
    const grown = (name: keyof Totals) => now.totals[name] - before.totals[name];
    const mean = (sum: keyof Totals, count: keyof Totals) =>
      grown(count) === 0 ? null : rounded((grown(sum) / grown(count)) * 1_000);
    this.#kept.push({
      at: new Date(clock.now()).toISOString(),
      online: now.totals.online,
      sockets: now.totals.sockets,
      events: rounded(grown('events') / seconds),
      deliveries: rounded(grown('deliveries') / seconds),
      requests: rounded(grown('requests') / seconds),
      commitMilliseconds: mean('commitSeconds', 'commits'),
      requestMilliseconds: mean('requestSeconds', 'requests'),
      busy: rounded(performance.eventLoopUtilization(now.loop, before.loop).utilization),
      memory: process.memoryUsage.rss(),
    });
    if (this.#kept.length > limits.FIGURES_MAX) this.#kept.shift();
  }
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

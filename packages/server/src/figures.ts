/** How this node does, and all workers beside it, noted at even steps and kept for a while: what an admin's charts begin with. */
import { randomUUID } from 'node:crypto';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Figure } from '@natter/protocol';
import type { Clock, Timer } from './clock.js';
import type { Colleagues, Noted } from './colleagues.js';
import type { Limits } from './limits.js';
import type { Metrics, Totals } from './metrics.js';

export interface FiguresOptions {
  metrics: Pick<Metrics, 'totals'>;
  clock: Clock;
  limits: Pick<Limits, 'FIGURE_SECONDS' | 'FIGURES_MAX'>;
  onError: (error: unknown) => void;
  /** The other workers behind the same address, which are asked too. */
  colleagues?: Colleagues | undefined;
}

interface Reading {
  totals: Totals;
  ticks: number;
  loop: EventLoopUtilization;
}

export class Figures {
  readonly #node = randomUUID();
  readonly #startedAt: number;
  readonly seconds: number;
  readonly #options: FiguresOptions;
  readonly #kept: Figure[] = [];
  #before: Reading | null = null;
  #timer: Timer | null = null;

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.seconds = options.limits.FIGURE_SECONDS;
    options.colleagues?.says('noted', async () => this.#own());
  }

  /** Notes from now on. */
  start(): void {
    const note = () => void this.#note().catch(this.#options.onError);
    note();
    this.#timer = this.#options.clock.every(this.seconds * 1_000, note);
  }

  /** Of all workers, whichever of them is asked. */
  async noted(): Promise<Noted> {
    const all = await this.#options.colleagues?.gather('noted');
    return all
      ? together(
          all.map(({ said }) => said),
          this.seconds,
        )
      : this.#own();
  }

  close(): void {
    this.#timer?.close();
  }

  #own(): Noted {
    return { node: this.#node, startedAt: this.#startedAt, figures: this.#kept };
  }

  async #note(): Promise<void> {
    const { metrics, clock, limits } = this.#options;
    const now: Reading = {
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

/** What is not nothing, and is rounded to it. */
const LEAST = 0.001;

/** The steps are those of the worker that is there longest; to each belongs what the others noted last before it. */
export function together(all: readonly Noted[], seconds: number): Noted {
  const [first, ...others] = [...all].sort((one, other) => one.startedAt - other.startedAt);
  if (!first) return { node: '', startedAt: 0, figures: [] };
  // Two steps: a timer that came late is not a worker that was not there.
  const patience = 2 * seconds * 1_000;
  const reached = others.map(() => 0);
  const figures = first.figures.map((figure) => {
    const at = Date.parse(figure.at);
    const beside = others.flatMap(({ figures: theirs }, other) => {
      while (Date.parse(theirs[reached[other] ?? 0]?.at ?? '') <= at) reached[other] = (reached[other] ?? 0) + 1;
      const last = theirs[(reached[other] ?? 0) - 1];
      return last && at - Date.parse(last.at) < patience ? [last] : [];
    });
    return sum([figure, ...beside], figure.at);
  });
  return { node: first.node, startedAt: first.startedAt, figures };
}

function sum(parts: readonly Figure[], at: string): Figure {
  const all = (pick: (figure: Figure) => number): number =>
    rounded(parts.reduce((total, figure) => total + pick(figure), 0));
  /** The mean of what each of them says of so many. */
  const mean = (value: (figure: Figure) => number | null, count: (figure: Figure) => number): number | null => {
    const known = parts.flatMap((figure) => {
      const found = value(figure);
      return found === null ? [] : [{ found, weight: Math.max(count(figure), LEAST) }];
    });
    const weight = known.reduce((total, one) => total + one.weight, 0);
    return known.length === 0
      ? null
      : rounded(known.reduce((total, one) => total + one.found * one.weight, 0) / weight);
  };
  return {
    at,
    online: all(({ online }) => online),
    sockets: all(({ sockets }) => sockets),
    events: all(({ events }) => events),
    deliveries: all(({ deliveries }) => deliveries),
    requests: all(({ requests }) => requests),
    commitMilliseconds: mean(
      ({ commitMilliseconds }) => commitMilliseconds,
      ({ events }) => events,
    ),
    requestMilliseconds: mean(
      ({ requestMilliseconds }) => requestMilliseconds,
      ({ requests }) => requests,
    ),
    busy: Math.max(...parts.map(({ busy }) => busy)),
    memory: all(({ memory }) => memory),
  };
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

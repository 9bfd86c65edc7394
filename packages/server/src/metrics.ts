/** What is counted and measured, for Prometheus. Each part of the house is given the hooks that are its own. */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Colleagues, Gathered, Sayings } from './colleagues.js';

/** From what one fsync takes to what nobody waits for. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];

/** What is read when somebody asks, not kept. */
export interface Readings {
  /** Events that the search index has not taken in yet. */
  searchLag(): Promise<number>;
  onlineUsers(): number;
  /** Do other nodes’ hints arrive, as far as can be told? */
  busWell(): boolean;
}

/** All that happened since the start, and what is so now. */
export interface Totals {
  online: number;
  sockets: number;
  events: number;
  deliveries: number;
  commits: number;
  commitSeconds: number;
  requests: number;
  requestSeconds: number;
}

export class Metrics {
  readonly #readings: Readings;
  readonly #colleagues: Colleagues | undefined;
  readonly registry = new Registry();
  readonly #commits = this.#counter('natter_commits_total', 'Transactions of the log that were committed');
  readonly #events = this.#counter('natter_events_total', 'Events that were committed');
  readonly #commitFailures = this.#counter('natter_commit_failures_total', 'Entries whose transaction failed');
  readonly #batch = this.#histogram('natter_commit_entries', 'Entries in one transaction', SIZES);
  readonly #commitSeconds = this.#histogram(
    'natter_commit_seconds',
    'Time of one transaction, with its fsync',
    SECONDS,
  );
  readonly #deliveries = this.#counter(
    'natter_deliveries_total',
    'Events given to live subscribers, each counted for each',
  );
  readonly #flushSeconds = this.#histogram('natter_flush_seconds', 'Time of one flush to the sockets', SECONDS);
  readonly #writes = this.#counter('natter_socket_writes_total', 'Sockets written to, over all flushes');
  readonly #read = this.#counter(
    'natter_log_events_read_total',
    'Events read from the log for those who come back, or read too slowly, once for all of them',
  );
  readonly #healed = this.#counter(
    'natter_healed_events_total',
    'Events read from the log because their hint did not come',
  );
  readonly #slow = this.#counter('natter_slow_readers_total', 'Sockets that fell behind and caught up from the log');
  readonly #resumed = this.#counter('natter_resumes_total', 'Ways into a stream, by how they ended', ['outcome']);
  readonly #busSaid = this.#counter('natter_bus_said_total', 'Messages to other nodes that were given to NATS');
  readonly #busDropped = this.#counter(
    'natter_bus_dropped_total',
    'Messages to other nodes that were not said, since NATS was away or took too little; they read the log instead',
  );
  readonly #busHeard = this.#counter('natter_bus_heard_total', 'Messages from other nodes');
  readonly #busRefused = this.#counter(
    'natter_bus_refused_total',
    'Messages on NATS that no node of this installation wrote, or that came a second time',
  );
  readonly #sockets = this.#gauge('natter_sockets', 'Sockets that have said hello');
  readonly #closed = this.#counter('natter_sockets_closed_total', 'Sockets that closed, by code', ['code']);
  /** Counted here, since finding a label costs more than reading the frame; told when somebody asks. */
  readonly #frames = new Map<string, number>();
  readonly #refused = this.#counter('natter_upgrades_refused_total', 'Upgrades that were refused, by status', [
    'status',
  ]);
  readonly #http = new Histogram({
    name: 'natter_http_request_seconds',
    help: 'Time of HTTP requests',
    labelNames: ['route', 'status'],
    buckets: SECONDS,
    registers: [this.registry],
  });

  /** `colleagues`: the other workers behind the same address, which are asked too. */
  constructor(readings: Readings, colleagues?: Colleagues) {
    this.#readings = readings;
    this.#colleagues = colleagues;
    colleagues?.says('counted', () => this.registry.getMetricsAsJSON());
    // Process and event loop: natter_nodejs_eventloop_lag_seconds and its like.
    collectDefaultMetrics({ register: this.registry, prefix: 'natter_' });
    const frames = this.#frames;
    new Counter({
      name: 'natter_frames_total',
      help: 'Frames read, by type',
      labelNames: ['type'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [type, count] of frames) this.inc({ type }, count);
      },
    });
    new Gauge({
      name: 'natter_search_lag_events',
      help: 'Events that the search index has not taken in yet',
      registers: [this.registry],
      async collect() {
        this.set(await readings.searchLag());
      },
    });
    new Gauge({
      name: 'natter_bus_well',
      help: '1: hints of other nodes arrive, or there are none; 0: they may be missing, and the log is asked more often',
      registers: [this.registry],
      collect() {
        this.set(readings.busWell() ? 1 : 0);
      },
    });
    new Gauge({
      name: 'natter_online_users',
      help: 'Users with an open socket on this node',
      registers: [this.registry],
      collect() {
        this.set(readings.onlineUsers());
      },
    });
  }

  readonly log = {
    committed: (entries: number, events: number, seconds: number): void => {
      this.#commits.inc();
      this.#events.inc(events);
      this.#batch.observe(entries);
      this.#commitSeconds.observe(seconds);
    },
    failed: (entries: number): void => this.#commitFailures.inc(entries),
  };

  readonly hub = {
    delivered: (events: number, subscribers: number): void => this.#deliveries.inc(events * subscribers),
    flushed: (connections: number, milliseconds: number): void => {
      this.#writes.inc(connections);
      this.#flushSeconds.observe(milliseconds / 1_000);
    },
    read: (events: number): void => this.#read.inc(events),
    healed: (events: number): void => this.#healed.inc(events),
    detached: (): void => this.#slow.inc(),
    resumed: (outcome: string): void => this.#resumed.inc({ outcome }),
  };

  readonly gateway = {
    opened: (): void => this.#sockets.inc(),
    closed: (code: number, opened: boolean): void => {
      if (opened) this.#sockets.dec();
      this.#closed.inc({ code });
    },
    frame: (type: string): void => {
      this.#frames.set(type, (this.#frames.get(type) ?? 0) + 1);
    },
    refused: (status: number): void => this.#refused.inc({ status }),
  };

  readonly bus = {
    said: (): void => this.#busSaid.inc(),
    dropped: (): void => this.#busDropped.inc(),
    heard: (): void => this.#busHeard.inc(),
    refused: (): void => this.#busRefused.inc(),
  };

  /** `route` is the pattern, never the path: ids and tokens are no labels. */
  httpRequest(route: string, status: number, seconds: number): void {
    this.#http.observe({ route, status }, seconds);
  }

  /** As Prometheus reads it. */
  async page(): Promise<string> {
    const all = await this.#colleagues?.gather('counted');
    return all ? pageOf(all) : this.registry.metrics();
  }

  async totals(): Promise<Totals> {
    const [sockets, events, deliveries, commit, http] = await Promise.all([
      this.#sockets.get(),
      this.#events.get(),
      this.#deliveries.get(),
      this.#commitSeconds.get(),
      this.#http.get(),
    ]);
    const sum = ({ values }: { values: readonly { value: number; metricName?: string }[] }, end = '') =>
      values.reduce((total, { value, metricName }) => (metricName?.endsWith(end) === false ? total : total + value), 0);
    return {
      online: this.#readings.onlineUsers(),
      sockets: sum(sockets),
      events: sum(events),
      deliveries: sum(deliveries),
      commits: sum(commit, '_count'),
      commitSeconds: sum(commit, '_sum'),
      requests: sum(http, '_count'),
      requestSeconds: sum(http, '_sum'),
    };
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}

/** Each worker has series of its own: a sum would seem to begin anew with each of them that does. */
function pageOf(all: readonly Gathered<Sayings['counted']>[]): Promise<string> {
  const labelled = all.map(({ worker, said }) =>
    said.map((metric) => ({
      ...metric,
      // Of what differs by its labels nothing is added up; other ways would leave some out.
      aggregator: 'sum',
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker: String(worker) } })),
    })),
  );
  return AggregatorRegistry.aggregate(labelled).metrics();
}

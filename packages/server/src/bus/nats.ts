/**
 * The bus of several nodes, over NATS: a subject for each stream and one for all nodes, below a prefix and the log's epoch.
 * What comes is a hint, believed only when it is sealed by a node of this installation; what can't be said is dropped.
 */

import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Epoch, StreamId } from '@natter/protocol';
import type { Clock, Timer } from '../clock.js';
import type { Logger } from '../logger.js';
import type { StoredEvent } from '../store/store.js';
import type { Bus, BusListener, NodeMessage, Signal } from './bus.js';
import { Envelopes, type Opened } from './envelope.js';
import { type NatsAddress, NatsLink } from './nats-link.js';

export interface BusMetrics {
  /** Messages that were given to NATS. */
  said(): void;
  /** Messages that were not, since NATS was away or took too little. */
  dropped(): void;
  /** Messages from other nodes. */
  heard(): void;
  /** Messages that no node of this installation wrote, or that came a second time. */
  refused(): void;
}

export interface NatsBusOptions {
  address: NatsAddress;
  /** First tokens of all subjects. */
  prefix: string;
  epoch: Epoch;
  /** This node's name: another one for each start. */
  node: string;
  secretKey: string;
  /** Most bytes that wait for NATS. */
  bytesMax: number;
  clock: Clock;
  logger: Logger;
  metrics: BusMetrics;
}

/** Every node says so often that it is there. */
const BEAT_MS = 500;
/** A node that was not heard of for this long may be saying what is not heard here. */
const SILENT_MS = 1_600;
/** And after this long it is taken for gone, though it did not say so. */
const FORGET_MS = 300_000;
/** Strangers are logged so often. */
const REMIND_MS = 60_000;
/** NATS takes a megabyte by default; an event that is larger than this is told as its place alone. */
const EVENT_BYTES_MAX = 524_288;

interface Peer {
  heardAt: number;
  /** What it said last. */
  n: number;
  /** It took its leave. */
  gone: boolean;
}

export class NatsBus implements Bus {
  readonly shared = true;
  readonly #options: NatsBusOptions;
  readonly #envelopes: Envelopes;
  readonly #link: NatsLink;
  readonly #root: string;
  readonly #timer: Timer;
  /** What is followed, each with its subscription while there is a connection. */
  readonly #follows = new Map<StreamId, Subscription | null>();
  #fresh: StreamId[] = [];
  readonly #peers = new Map<string, Peer>();
  #listener: BusListener | null = null;
  #connection: NatsConnection | null = null;
  /** Was trouble told of last? */
  #troubled = true;
  #strangers = 0;
  #remindAt = 0;
  #closed = false;

  constructor(options: NatsBusOptions) {
    const { address, prefix, epoch, node, bytesMax, clock, logger } = options;
    this.#options = options;
    this.#envelopes = new Envelopes(options);
    this.#root = `${prefix}.${epoch}`;
    this.#link = new NatsLink({
      address,
      name: `natter ${node}`,
      bytesMax,
      clock,
      logger,
      opened: (connection) => this.#opened(connection),
      closed: () => this.#lost(),
    });
    this.#timer = clock.every(BEAT_MS, () => this.#beat());
    this.#link.open();
  }

  get trouble(): string | null {
    return this.#link.trouble ?? this.#silence();
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
  }

  follow(stream: StreamId): void {
    if (this.#follows.has(stream)) return;
    this.#follows.set(stream, this.#connection ? this.#subscribe(this.#connection, stream) : null);
    if (!this.#connection) return;
    if (this.#fresh.length === 0) setImmediate(() => this.#confirm());
    this.#fresh.push(stream);
  }

  unfollow(stream: StreamId): void {
    this.#follows.get(stream)?.unsubscribe();
    this.#follows.delete(stream);
  }

  publish(events: readonly StoredEvent[]): void {
    for (const event of events) {
      this.#say(this.#subject(event.stream), () => this.#envelopes.event(event, EVENT_BYTES_MAX));
    }
  }

  signal(stream: StreamId, signal: Signal): void {
    this.#say(this.#subject(stream), () => this.#envelopes.signal(stream, signal));
  }

  broadcast(message: NodeMessage): void {
    this.#say(`${this.#root}.nodes`, () => this.#envelopes.message(message));
  }

  /** For whoever is no node: said as it is, on a subject that no node hears. */
  sayTo(subject: string, bytes: Uint8Array): void {
    this.#say(subject, () => bytes);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#say(`${this.#root}.nodes`, () => this.#envelopes.message({ type: 'bye', node: this.#options.node }));
    this.#closed = true;
    this.#timer.close();
    this.#listener = null;
    await this.#link.close();
  }

  #subject(stream: StreamId): string {
    return `${this.#root}.stream.${stream}`;
  }

  #say(subject: string, bytes: () => Uint8Array): void {
    // What nobody takes is not even made.
    const said = !this.#closed && !this.#link.full && this.#link.say(subject, bytes());
    if (said) this.#options.metrics.said();
    else this.#options.metrics.dropped();
  }

  #opened(connection: NatsConnection): void {
    this.#connection = connection;
    connection.subscribe(`${this.#root}.nodes`, { callback: this.#hear });
    for (const stream of this.#follows.keys()) this.#follows.set(stream, this.#subscribe(connection, stream));
    this.#fresh = [...this.#follows.keys()];
    this.#sayHere();
    this.#confirm();
  }

  #lost(): void {
    this.#connection = null;
    for (const stream of this.#follows.keys()) this.#follows.set(stream, null);
    this.#judge();
  }

  #subscribe(connection: NatsConnection, stream: StreamId): Subscription {
    return connection.subscribe(this.#subject(stream), { callback: this.#hear });
  }

  /** Tells of what is followed from now on, once NATS has taken the subscriptions. */
  #confirm(): void {
    const streams = this.#fresh;
    this.#fresh = [];
    this.#link.ask(() => {
      this.#judge();
      if (streams.length > 0) this.#safely(() => this.#listener?.followed(streams));
    });
  }

  #beat(): void {
    this.#link.beat();
    if (this.#connection) this.#sayHere();
    this.#judge();
  }

  #sayHere(): void {
    this.#say(`${this.#root}.nodes`, () => this.#envelopes.message({ type: 'beat', node: this.#options.node }));
  }

  /** Is something wrong now that was not, or the other way round? */
  #judge(): void {
    const troubled = this.trouble !== null;
    if (troubled === this.#troubled) return;
    this.#troubled = troubled;
    this.#safely(() => this.#listener?.troubled());
  }

  /** A node that is not heard of, of those that were and did not take their leave. */
  #silence(): string | null {
    const now = this.#options.clock.ticks();
    let silence: string | null = null;
    for (const [node, { heardAt, gone }] of this.#peers) {
      const quiet = now - heardAt;
      if (quiet >= FORGET_MS) this.#peers.delete(node);
      else if (quiet >= SILENT_MS && !gone) silence = `node ${node} is silent for ${Math.round(quiet / 1_000)} s`;
    }
    return silence;
  }

  /** One for all subscriptions: everything that is said names what it is about. It must not throw into the connection. */
  readonly #hear = (error: Error | null, message: Msg): void => {
    // What is not allowed is told to the link, too.
    if (error) return;
    this.#safely(() => this.#take(this.#envelopes.open(message.data), message.subject));
  };

  #take(opened: Opened, subject: string): void {
    const { metrics } = this.#options;
    switch (opened.kind) {
      case 'foreign':
        metrics.refused();
        this.#remind(subject, opened.why);
        return;
      case 'event':
        metrics.heard();
        this.#listener?.event(opened.event);
        return;
      case 'behind':
        metrics.heard();
        this.#listener?.behind(opened.stream, opened.seq);
        return;
      case 'signal':
        if (!this.#isNew(opened)) return metrics.refused();
        metrics.heard();
        this.#listener?.signal(opened.stream, opened.signal);
        return;
      case 'message': {
        if (!this.#isNew(opened)) return metrics.refused();
        const { message, node } = opened;
        if (message.type === 'beat') return;
        metrics.heard();
        if (message.type === 'bye') (this.#peers.get(node) as Peer).gone = true;
        else this.#listener?.message(message);
        return;
      }
      default:
        opened satisfies never;
    }
  }

  /** What a node says rises: what was heard before, or is said again by somebody else, is not heard. */
  #isNew({ node, n }: { node: string; n: number }): boolean {
    if (node === this.#options.node) return false;
    const peer = this.#peers.get(node);
    if (peer && n <= peer.n) return false;
    this.#peers.set(node, { heardAt: this.#options.clock.ticks(), n, gone: false });
    return true;
  }

  #remind(subject: string, why: string): void {
    this.#strangers += 1;
    const now = this.#options.clock.ticks();
    if (now < this.#remindAt) return;
    this.#remindAt = now + REMIND_MS;
    this.#options.logger.warn(
      { subject, why, count: this.#strangers },
      'something on NATS was not believed: another installation uses the same NATS_PREFIX, or a node has another SECRET_KEY or version',
    );
    this.#strangers = 0;
  }

  #safely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a hint could not be taken; the log has it all the same');
    }
  }
}

/** Makes the index on PostgreSQL follow the log: of all nodes one does so; when it goes, another one takes over. */
import { setTimeout as pause } from 'node:timers/promises';
import { PostgresConnection, type PostgresOptions } from '../postgres/connection.js';
import { PostgresIndex } from './postgres-index.js';
import type { SearchState } from './search.js';

export interface FollowerOptions {
  database: PostgresOptions;
  /** Shortest pause between two looks at a busy log. */
  followMs: number;
  /** How long words of deleted messages may stay in the vocabulary. */
  scrubMs: number;
}

/** Longest addition to the pause after much was taken in: large slices cost far less for each message. */
const PAUSE_MS_MAX = 500;
/** What other nodes commit is looked for this often: nobody wakes this one for it. */
const POLL_MS = 300;
/** Between two attempts to become the one that follows, and to reach the database. */
const LEAD_MS = 1_000;
const SETTLE_MS = 15;
/** After so many events the planner is told how the index has grown. */
const ANALYZE_EVENTS = 20_000;

export class PostgresFollower {
  readonly #options: FollowerOptions;
  readonly #onTrouble: (message: string) => void;
  readonly #running: Promise<void>;
  #closed = false;
  #woken = false;
  #wakeUp: (() => void) | null = null;
  #trouble = '';
  #taken = 0;
  /** When what was deleted has to be out of the vocabulary. */
  #scrubAt = Number.POSITIVE_INFINITY;
  #asking: Promise<PostgresConnection> | null = null;

  constructor(options: FollowerOptions, onTrouble: (message: string) => void) {
    this.#options = options;
    this.#onTrouble = onTrouble;
    this.#running = this.#run();
  }

  /** Something was committed here. */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  /** Resolves once everything that was committed before the call can be found, whichever node sees to it. */
  async settled(): Promise<void> {
    const [head] = await this.#ask('select coalesce(max(id), 0) as id from events', []);
    for (;;) {
      const [row] = await this.#ask(
        `select 1 as settled from search_meta where key = 'position' and value >= $1
         and not exists (select 1 from search_gaps g join events e on e.id between g.first and g.last)
         and not exists (select 1 from search_forgotten_rooms)`,
        [Number(head?.id)],
      );
      if (row) return;
      if (this.#closed) throw new Error('the search is closed');
      this.wake();
      await pause(SETTLE_MS);
    }
  }

  async state(): Promise<SearchState> {
    const [row] = await this.#ask(
      `select coalesce((select value from search_meta where key = 'position'), 0) as position,
        (select count(*) from search_messages) as messages, (select count(*) from search_words) as words`,
      [],
    );
    return { position: Number(row?.position), messages: Number(row?.messages), words: Number(row?.words) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeUp?.();
    await this.#running;
    await (await this.#asking?.catch(() => null))?.close();
  }

  /** Beside the connection of the index, whose transactions see one moment only. */
  async #ask(sql: string, params: readonly number[]) {
    if ((await this.#asking?.catch(() => null))?.lost !== false) {
      this.#asking = PostgresConnection.open(this.#options.database, 'reader');
      this.#asking.catch(() => {
        this.#asking = null;
      });
    }
    return (await (this.#asking as Promise<PostgresConnection>).then((connection) => connection.query(sql, params)))
      .rows;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let connection: PostgresConnection | null = null;
      try {
        connection = await PostgresConnection.open(this.#options.database, 'indexer');
        await this.#serve(new PostgresIndex(connection), connection);
      } catch (error) {
        if (!this.#closed) this.#say(`the search index does not follow the log: ${(error as Error).message}`);
      }
      if (this.#closed) await connection?.close().catch(() => {});
      else connection?.destroy();
      await this.#rest(LEAD_MS, false);
    }
  }

  async #serve(index: PostgresIndex, connection: PostgresConnection): Promise<void> {
    while (!(await index.lead())) {
      await this.#rest(LEAD_MS, false);
      if (this.#closed) return;
    }
    const { usable, rebuilt } = await index.open();
    if (!usable) throw new Error('it was made by a newer version, whose nodes see to it');
    if (rebuilt) this.#say(`the search index is made anew: ${rebuilt}`);
    this.#trouble = '';
    while (!this.#closed) {
      this.#woken = false;
      const { taken, more } = await index.advance();
      this.#taken += taken;
      if (more) continue;
      if (this.#taken >= ANALYZE_EVENTS) {
        await connection.script('analyze search_messages');
        this.#taken = 0;
      }
      await this.#scrub(index);
      await this.#rest(this.#options.followMs + Math.min(taken / 10, PAUSE_MS_MAX), false);
      if (!this.#woken) await this.#rest(POLL_MS, true);
    }
  }

  async #scrub(index: PostgresIndex): Promise<void> {
    const now = performance.now();
    if (!Number.isFinite(this.#scrubAt)) {
      if (await index.dirty()) this.#scrubAt = now + this.#options.scrubMs;
    }
    if (now < this.#scrubAt) return;
    while (!this.#closed && (await index.scrub())) await index.advance();
    this.#scrubAt = Number.POSITIVE_INFINITY;
  }

  /** Until the time is over, or something was committed, or the end. */
  async #rest(ms: number, wakes: boolean): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        if (!wakes && !this.#closed) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = null;
  }

  #say(message: string): void {
    // Once, however often it is tried.
    if (message !== this.#trouble) this.#onTrouble(message);
    this.#trouble = message;
  }
}

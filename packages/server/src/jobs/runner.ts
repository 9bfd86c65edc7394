/** Carries out jobs: work that a commit left to be done in slices. Its rows were written in that commit [L1]; here they are only woken. */
import type { Core } from '../core/execute.js';
import type { Clock } from '../core/ports.js';
import type { Log } from '../log/log.js';
import type { Job, Store } from '../store/store.js';

/** Rows that one slice of a purge touches: small enough that sends between slices hardly wait. */
const SLICE = 500;
const RETRY_SECONDS_MAX = 600;
/** A job that is being done is nobody else's for so long; each slice begins it anew. */
const HOLD_MS = 20_000;
/** Between looks for jobs of which nobody here was told: another node's, or one that went down with its node. */
const LOOK_MS = 10_000;

export interface JobRunnerOptions {
  store: Store;
  log: Log;
  core: Core;
  clock: Clock;
  onError: (error: unknown, job: Job | null) => void;
}

export class JobRunner {
  readonly #options: JobRunnerOptions;
  #running: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;
  readonly #looking: NodeJS.Timeout;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    this.#looking = setInterval(() => this.wake(), LOOK_MS);
    this.#looking.unref();
    options.log.onCommit((events) => {
      if (events.some((event) => event.type === 'room.deleted' || event.type === 'user.deleted')) this.wake();
    });
  }

  /** Looks for jobs that are due now: at start, and whenever one was written. */
  wake(): void {
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#run()
      .catch((error) => this.#options.onError(error, null))
      .finally(() => {
        this.#running = null;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  /** Resolves when nothing that is due is left. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { store, clock, onError } = this.#options;
    while (!this.#closed) {
      const jobs = await store.dueJobs(clock.now(), 10);
      if (jobs.length === 0) return;
      for (const job of jobs) {
        if (this.#closed) return;
        const hold = new Hold(store, clock, job.id);
        if (!(await hold.take())) continue;
        try {
          if (await this.#carryOut(job, hold)) await store.finishJob(job.id);
          else await hold.release();
        } catch (error) {
          onError(error, job);
          const seconds = Math.min(2 ** job.attempts, RETRY_SECONDS_MAX);
          await store.retryJob(job.id, clock.now() + seconds * 1_000);
          this.#wakeIn(seconds);
        }
      }
    }
  }

  /** True when the job is done; false when it was cut short: it goes on at the next start, or on the node that has it now. */
  async #carryOut(job: Job, hold: Hold): Promise<boolean> {
    const { store, core } = this.#options;
    switch (job.kind) {
      case 'purge_room':
        while (!(await store.purgeRoom(job.subject, SLICE))) if (this.#closed || !(await hold.renew())) return false;
        return true;
      case 'forget_user': {
        const rows = await store.db.selectFrom('members').select('room').where('user_id', '=', job.subject).execute();
        for (const { room } of rows) {
          if (this.#closed || !(await hold.renew())) return false;
          const reply = await core.leaveForgotten(job.subject, room);
          if (!reply.ok && reply.code !== 'not_found')
            throw new Error(`user ${job.subject} stays in room ${room}: ${reply.code}`);
        }
        return true;
      }
      default:
        throw new Error(`unknown job ${JSON.stringify(job.kind satisfies never)}`);
    }
  }

  #wakeIn(seconds: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), seconds * 1_000);
    this.#timer.unref();
  }
}

/** That a job is this node's, for a while. */
class Hold {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #job: number;
  #until = 0;

  constructor(store: Store, clock: Clock, job: number) {
    this.#store = store;
    this.#clock = clock;
    this.#job = job;
  }

  /** False: another node was first. */
  async take(): Promise<boolean> {
    return this.#hold(this.#clock.now());
  }

  /** False: it took so long that another node has it now. */
  async renew(): Promise<boolean> {
    return this.#hold(this.#until);
  }

  async release(): Promise<void> {
    await this.#store.holdJob(this.#job, this.#until, this.#clock.now());
  }

  async #hold(due: number): Promise<boolean> {
    this.#until = this.#clock.now() + HOLD_MS;
    return this.#store.holdJob(this.#job, due, this.#until);
  }
}

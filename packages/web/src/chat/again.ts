/** Asking again, by itself, for what could not be read: after a while that grows with each failure, as long as it may pass. */
import type { NatterError } from '@natter/client';
import { View } from '@natter/client/emitter';
import { backoff, TIMING } from '@natter/client/timing';

/** Milliseconds before the second try at most, and before any later one. */
const WAIT = { ...TIMING, backoffFirst: 1_000, backoffMax: 30_000 };

/** Pages that are behind what was heard, or that a proxy answered in the server's place, are right a moment later. */
const mayPass = ({ retryable, code }: NatterError): boolean => retryable || code === 'bad_answer';

export class Again {
  /** Why it is not there; also while it is asked for again by itself. */
  readonly trouble: View<NatterError | null> = new View(() => this.#trouble);
  readonly #ask: () => void;
  #trouble: NatterError | null = null;
  /** The failure that is waited out. */
  #last: NatterError | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = false;

  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** It was waited for long enough, or somebody wants it now: whoever comes to ask may. */
  get due(): boolean {
    return this.#due;
  }

  /** It is being asked for. */
  asked(): void {
    clearTimeout(this.#timer);
    this.#last = null;
    this.#due = false;
  }

  /** How it went; the same may be told as often as one likes. */
  went({ error, loading }: { error: NatterError | null; loading: boolean }): void {
    if (error) this.#failed(error);
    else if (!loading) this.over();
  }

  /** There is nothing to ask for. */
  over(): void {
    this.asked();
    this.#failures = 0;
    this.#tell(null);
  }

  /** Without waiting any longer. */
  now(): void {
    this.#tell(null);
    this.#wake();
  }

  #failed(error: NatterError): void {
    if (this.#last === error) return;
    this.asked();
    this.#last = error;
    this.#tell(error);
    if (!mayPass(error)) return;
    this.#timer = setTimeout(() => this.#wake(), backoff(this.#failures, WAIT, Math.random(), error.retryAfter));
    this.#failures += 1;
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#due = true;
    this.#ask();
  }

  #tell(trouble: NatterError | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.trouble.touch();
  }
}

/** Passwords: argon2id, a few at a time, and the same work whether or not there is an account [S1]. */
import { hash, verify } from '@node-rs/argon2';

/** The package's algorithm is argon2id by default; these are OWASP's parameters for it at 19 MiB. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Longer ones are refused before they are hashed. */
export const PASSWORD_BYTES_MAX = 1_024;

/** So many wait already that one more is not taken. */
export class PasswordsBusyError extends Error {
  constructor() {
    super('too many passwords wait to be checked');
    this.name = 'PasswordsBusyError';
  }
}

export class Passwords {
  readonly #limits: { PASSWORD_CHECKS_MAX: number; PASSWORD_QUEUE_MAX: number };
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #dummy: Promise<string> | undefined;

  constructor(limits: { PASSWORD_CHECKS_MAX: number; PASSWORD_QUEUE_MAX: number }) {
    this.#limits = limits;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(normal(password), PARAMETERS));
  }

  /** Is this the password? With `stored` null there is none to compare with, which costs the same and is never right. */
  verify(stored: string | null, password: string): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#dummy ??= hash('there is no such account', PARAMETERS);
      const right = await verify(stored ?? (await this.#dummy), normal(password));
      return right && stored !== null;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.PASSWORD_CHECKS_MAX) {
      if (this.#waiting.length >= this.#limits.PASSWORD_QUEUE_MAX) throw new PasswordsBusyError();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      // The place is handed on as it is, so that nobody comes in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** The same password however a keyboard composed it. */
const normal = (password: string): string => password.normalize('NFKC');

/** Names by user id: what pages brought along, and what is asked for when a stranger speaks. */
import type { Names } from '@natter/protocol';
import { View } from './emitter.js';

export type Name = Names[string];

/** Most that are asked for at once. */
const PAGE = 100;

export class People {
  /** All names that are known, by user id. */
  readonly view: View<ReadonlyMap<number, Name>> = new View(() => new Map(this.#names));
  readonly #names = new Map<number, Name>();
  readonly #read: (users: number[]) => Promise<Names>;
  readonly #failed: (error: unknown) => void;
  /** Asked for already, or about to be. */
  readonly #asked = new Set<number>();
  readonly #due: number[] = [];

  constructor(read: (users: number[]) => Promise<Names>, failed: (error: unknown) => void) {
    this.#read = read;
    this.#failed = failed;
  }

  /** Undefined where it is not known yet: it is asked for then, and `view` tells when it is there. */
  get(user: number): Name | undefined {
    const name = this.#names.get(user);
    if (!name && user > 0) this.#ask(user);
    return name;
  }

  learn(names: Names): void {
    for (const [user, name] of Object.entries(names)) this.#names.set(Number(user), name);
    this.view.touch();
  }

  #ask(user: number): void {
    if (this.#asked.has(user)) return;
    this.#asked.add(user);
    if (this.#due.push(user) === 1) queueMicrotask(() => this.#flush());
  }

  /** One request for those that were asked for in one turn. */
  async #flush(): Promise<void> {
    const users = this.#due.splice(0, PAGE);
    if (this.#due.length > 0) queueMicrotask(() => this.#flush());
    try {
      this.learn(await this.#read(users));
    } catch (error) {
      for (const user of users) this.#asked.delete(user);
      this.#failed(error);
    }
  }
}

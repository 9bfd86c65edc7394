/** Reads that many ask for at once, as when all come back: while some are under way the next gather, and are one query. */

interface Waiting<K, V> {
  key: K;
  resolve: (value: V | undefined) => void;
  reject: (error: unknown) => void;
}

/** Queries under way at once: the store has the next one at hand when it has answered one. */
const UNDER_WAY = 2;
/** Keys of one query: more would save little, and hold up the others. */
const KEYS = 32;

export class SharedReads<K, V> {
  readonly #read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
  #waiting: Waiting<K, V>[] = [];
  #underWay = 0;

  constructor(read: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>) {
    this.#read = read;
  }

  /** As committed at a moment after the call: a query that is under way already does not count. */
  get(key: K): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    while (this.#underWay < UNDER_WAY && this.#waiting.length > 0) {
      this.#underWay += 1;
      void this.#ask(this.#waiting.splice(0, KEYS));
    }
  }

  async #ask(asked: readonly Waiting<K, V>[]): Promise<void> {
    try {
      const found = await this.#read([...new Set(asked.map(({ key }) => key))]);
      for (const { key, resolve } of asked) resolve(found.get(key));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    } finally {
      this.#underWay -= 1;
      this.#next();
    }
  }
}

/** Who listens: typed events, and values that can be watched (they fit React's `useSyncExternalStore`). */

/** Listeners by event name. What a listener throws is the app's bug and is thrown to the app, not into the SDK. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  /** Answers the function that ends it. */
  on<K extends keyof Events>(type: K, listener: (value: Events[K]) => void): () => void {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set.add(listener));
    return () => set.delete(listener);
  }

  emit<K extends keyof Events>(type: K, value: Events[K]): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      call(() => (listener as (value: Events[K]) => void)(value));
    }
  }
}

/** A value made when it is asked for, and those who want to know that it changed. They are told once a turn, not once a change. */
export class View<T> {
  readonly #compute: () => T;
  readonly #listeners = new Set<() => void>();
  #value: { is: T } | null = null;
  #due = false;

  constructor(compute: () => T) {
    this.#compute = compute;
  }

  /** The same object as long as nothing changed. */
  readonly getSnapshot = (): T => {
    this.#value ??= { is: this.#compute() };
    return this.#value.is;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Resolves with the first value that passes. */
  until(passes: (value: T) => boolean): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const value = this.getSnapshot();
        if (!passes(value)) return false;
        resolve(value);
        return true;
      };
      if (look()) return;
      const stop = this.subscribe(() => look() && stop());
    });
  }

  /** It is another value from now on. */
  touch(): void {
    this.#value = null;
    if (this.#due || this.#listeners.size === 0) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      for (const listener of [...this.#listeners]) call(listener);
    });
  }
}

function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** The outbox of one user in a storage: each tab has a slot of its own, and takes over those of tabs that are gone. */
import type { SavedEntry } from './outbox.js';
import { type Storage, tryLock } from './storage.js';

/** Tabs of one user whose outbox is saved; that of one more lives as long as the tab. */
const SLOTS = 8;

export class OutboxStore {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #failed: (error: unknown) => void;
  #mine: string | null = null;
  #release: (() => void) | null = null;
  #next: string | null = null;
  #written: Promise<void> | null = null;
  #opened = false;
  #closed = false;

  constructor(storage: Storage, name: string, failed: (error: unknown) => void) {
    this.#storage = storage;
    this.#name = name;
    this.#failed = failed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Hands over what tabs that are gone have left; from then on `save` keeps it. A tab that lives keeps its own. */
  async open(restore: (saved: SavedEntry[]) => void): Promise<void> {
    const found: SavedEntry[] = [];
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const key = `${this.#name}:${slot}`;
      const release = await tryLock(key);
      if (!release) continue;
      const left = await this.#read(key);
      found.push(...left);
      if (this.#mine === null) {
        this.#mine = key;
        this.#release = release;
        continue;
      }
      if (left.length > 0) {
        await this.#storage.set(this.#mine, JSON.stringify(found));
        await this.#storage.remove(key);
      }
      release();
    }
    restore(found);
    this.#opened = true;
    if (this.#closed) void this.#end();
  }

  /** What can't be read is told and left behind: it must not keep new messages from being sent. */
  async #read(key: string): Promise<SavedEntry[]> {
    try {
      return JSON.parse((await this.#storage.get(key)) || '[]') as SavedEntry[];
    } catch (error) {
      this.#failed(error);
      return [];
    }
  }

  /** One write at a time, of the newest. A storage that answers at once is written at once. */
  save(saved: readonly SavedEntry[]): void {
    if (this.#mine === null) return;
    this.#next = JSON.stringify(saved);
    this.#written ??= this.#write(this.#mine);
  }

  /** Lets go of the slot when all is written. */
  close(): void {
    this.#closed = true;
    if (this.#opened) void this.#end();
  }

  async #end(): Promise<void> {
    await this.#written;
    this.#mine = null;
    this.#release?.();
  }

  async #write(key: string): Promise<void> {
    try {
      while (this.#next !== null) {
        const text = this.#next;
        this.#next = null;
        await (text === '[]' ? this.#storage.remove(key) : this.#storage.set(key, text));
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#written = null;
    }
  }
}

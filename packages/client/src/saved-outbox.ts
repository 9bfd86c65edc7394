/**
 * The outbox of one user in a storage, and before the eyes of all tabs: each tab keeps and sends its own, shows what the
 * others hold, can have it cancelled and retried there, and takes over from tabs that are gone.
 */
import type { CommandResult } from '@natter/protocol';
import { NatterError } from './errors.js';
import { newKey } from './keys.js';
import type { KeptOutbox, OpenedOutbox, OutboxEntry, OutboxStorage } from './outbox.js';
import type { Storage } from './storage.js';
import { lockWhenFree, type Release, tryLock } from './tab-locks.js';

/** Tabs of one user whose outbox is saved; that of one more lives as long as the tab. */
const SLOTS = 16;

/** `client = new NatterClient({ outbox: savedOutbox(storage), … })` */
export function savedOutbox(storage: Storage): OutboxStorage {
  return { open: (name, outbox) => new SavedOutbox(storage, `natter:outbox:${name}`, outbox) };
}

/** Milliseconds that something waits in another tab before it is shown here. */
const SHOWN_AFTER = 250;
/** Milliseconds within which tabs hear each other. */
const HEARD_WITHIN = 50;
/** Times that a slot is looked for, and milliseconds between two of them. */
const ROUNDS = 10;
const AGAIN_AFTER = 100;
/** Milliseconds that tabs have to let go of what is to be forgotten. */
const LET_GO_WITHIN = 2_000;

/** Takes away what a user has not sent, when all tabs have let go of it: close their clients. */
export async function forgetOutbox(storage: Storage, url: string, user: number): Promise<void> {
  const forget = async (_: unknown, slot: number) => {
    const key = slotKey(`natter:outbox:${url}:${user}`, slot);
    const release = await lockWhenFree(key, AbortSignal.timeout(LET_GO_WITHIN)).catch(() => null);
    await storage.remove(key);
    release?.();
  };
  await Promise.all(Array.from({ length: SLOTS }, forget));
}

const slotKey = (name: string, slot: number) => `${name}:${slot}`;

/** What tabs tell each other, as JSON: errors have to survive it. */
type Word =
  | { is: 'here' }
  | { is: 'holds'; tab: string; slot: string | null; entries: OutboxEntry[]; answered: Answered[] }
  | { is: 'ask'; what: 'cancel' | 'retry'; key: string };
type Answered = [OutboxEntry, CommandResult];

interface Other {
  entries: readonly OutboxEntry[];
  /** Where it keeps them, once it has said so. */
  slot: string | null;
}

class SavedOutbox implements OpenedOutbox {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #outbox: KeptOutbox;
  readonly #channel: BroadcastChannel | null;
  readonly #tab = newKey();
  readonly #others = new Map<string, Other>();
  /** Slots of others, whose end is waited for. */
  readonly #awaited = new Set<string>();
  readonly #stop = new AbortController();
  /** When each of the others' was heard of first. */
  readonly #heard = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #mine: string | null = null;
  #release: Release | null = null;
  #entries: readonly OutboxEntry[] = [];
  #answered: Answered[] = [];
  #due = false;
  #next: string | null = null;
  #written: Promise<void> | null = null;
  #opened = false;
  #closed = false;

  constructor(storage: Storage, name: string, outbox: KeptOutbox) {
    this.#storage = storage;
    this.#name = name;
    this.#outbox = outbox;
    this.#channel = typeof document === 'undefined' ? null : new BroadcastChannel(name);
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(JSON.parse(data) as Word);
    this.#open().catch((error) => outbox.failed(error));
  }

  /** One write at a time, of the newest. A storage that answers at once is written at once. */
  changed(entries: readonly OutboxEntry[], lasting: boolean): void {
    this.#entries = entries;
    this.#tellSoon();
    if (!lasting || this.#mine === null) return;
    this.#next = JSON.stringify(entries);
    this.#written ??= this.#write(this.#mine);
  }

  answered(entry: OutboxEntry, result: CommandResult): void {
    this.#answered.push([entry, result]);
    this.#tellSoon();
  }

  ask(what: 'cancel' | 'retry', key: string): void {
    this.#say({ is: 'ask', what, key });
  }

  /** Lets go of the slot when all is written. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop.abort();
    if (this.#opened) void this.#end();
  }

  /** Takes what tabs that are gone have left. A tab that lives keeps its own. */
  async #open(): Promise<void> {
    const found: OutboxEntry[] = [];
    const held: string[] = [];
    const slots = Array.from({ length: SLOTS }, (_, slot) => slotKey(this.#name, slot));
    for (let round = 0; this.#mine === null && round < ROUNDS; round += 1) {
      // One that opens at the same time has all for a moment, to look at them.
      if (round > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER));
      await this.#settle(slots, found);
    }
    // Asked for at once: where tabs have to ask each other, each question takes its time.
    const others = slots.filter((key) => key !== this.#mine);
    const free = await Promise.all(others.map(async (key) => ({ key, release: await tryLock(key) })));
    for (const { key, release } of free) {
      if (!release) {
        held.push(key);
        continue;
      }
      const left = await this.#read(key);
      found.push(...left);
      if (this.#mine !== null && left.length > 0) {
        await this.#storage.set(this.#mine, JSON.stringify(found));
        await this.#storage.remove(key);
      }
      release();
    }
    this.#outbox.restore(found);
    this.#opened = true;
    if (this.#closed) {
      void this.#end();
      return;
    }
    // A page that was left a moment ago may hold its own still, and says nothing any more.
    for (const slot of held) this.#await(slot);
    this.#tellSoon();
    this.#say({ is: 'here' });
  }

  /** Takes the first slot that nobody has, with what is in it. */
  async #settle(slots: readonly string[], found: OutboxEntry[]): Promise<void> {
    for (const key of slots) {
      const release = await tryLock(key);
      if (!release) continue;
      found.push(...(await this.#read(key)));
      this.#mine = key;
      this.#release = release;
      return;
    }
  }

  /** What can't be read is told and left behind: it must not keep new messages from being sent. */
  async #read(key: string): Promise<OutboxEntry[]> {
    try {
      const left: unknown = JSON.parse((await this.#storage.get(key)) || '[]');
      if (!Array.isArray(left) || !left.every(isEntry)) throw new TypeError(`what ${key} holds can't be read`);
      return left;
    } catch (error) {
      this.#outbox.failed(error);
      return [];
    }
  }

  #hear(word: Word): void {
    if (this.#closed) return;
    switch (word.is) {
      case 'here':
        return this.#tellSoon();
      case 'ask':
        // Whoever asked sees in either case how it stands.
        if (this.#entries.some(({ key }) => key === word.key)) {
          this.#outbox[word.what](word.key);
          this.#tellSoon();
        }
        return;
      case 'holds': {
        const { tab, slot, entries, answered } = word;
        for (const [entry, result] of answered) this.#outbox.answered(entry, result);
        const known = this.#others.get(tab);
        if (!known && entries.length === 0) return;
        this.#others.set(tab, { entries, slot });
        // A tab that took over from another one has it now.
        const keys = new Set(entries.map(({ key }) => key));
        for (const [id, one] of this.#others)
          if (id !== tab) one.entries = one.entries.filter(({ key }) => !keys.has(key));
        // It may have been opened only now.
        if (slot !== null) this.#await(slot);
        this.#show();
      }
    }
  }

  #await(slot: string): void {
    if (this.#awaited.has(slot)) return;
    this.#awaited.add(slot);
    void this.#outlive(slot);
  }

  /** When another tab is gone, whoever is first takes over what it left. */
  async #outlive(slot: string): Promise<void> {
    let release: Release;
    try {
      release = await lockWhenFree(slot, this.#stop.signal);
    } catch {
      // This tab ended first.
      return;
    }
    try {
      // What the tab that was first has said is heard before what it did is looked at.
      await new Promise((resolve) => setTimeout(resolve, HEARD_WITHIN));
      if (this.#closed) return;
      // As it said last: what it had just begun to write was never written. Of one that was never heard, what it wrote.
      const gone = [...this.#others].filter(([, other]) => other.slot === slot);
      const left = gone.length > 0 ? gone.flatMap(([, { entries }]) => entries) : await this.#read(slot);
      for (const [tab] of gone) this.#others.delete(tab);
      this.#outbox.restore(left);
      await this.#written;
      await this.#storage.remove(slot);
      this.#show();
    } catch (error) {
      this.#outbox.failed(error);
    } finally {
      this.#awaited.delete(slot);
      release();
    }
  }

  /**
   * Shows what others hold when it waits for a while: what goes out at once is in the log by then, and tabs may hear of that
   * earlier than of each other. What was taken over is here already, and for a moment there as well.
   */
  #show(): void {
    const mine = new Set(this.#entries.map(({ key }) => key));
    const theirs = new Map<string, OutboxEntry>();
    for (const { entries } of this.#others.values()) {
      for (const entry of entries) if (!mine.has(entry.key)) theirs.set(entry.key, entry);
    }
    for (const key of this.#heard.keys()) if (!theirs.has(key)) this.#heard.delete(key);
    const now = performance.now();
    const shown: OutboxEntry[] = [];
    for (const entry of theirs.values()) {
      const since = this.#heard.get(entry.key) ?? now;
      this.#heard.set(entry.key, since);
      if (now - since >= SHOWN_AFTER) shown.push(fromElsewhere(entry));
    }
    clearTimeout(this.#timer);
    if (shown.length < theirs.size) this.#timer = setTimeout(() => this.#show(), SHOWN_AFTER);
    this.#outbox.others(shown);
  }

  /** Once for all that changes in a turn. */
  #tellSoon(): void {
    // Who has no place yet to keep it could not be outlived: nobody would know what to wait for.
    if (this.#due || this.#closed || !this.#opened || !this.#channel) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      const answered = this.#answered;
      this.#answered = [];
      this.#say({ is: 'holds', tab: this.#tab, slot: this.#mine, entries: [...this.#entries], answered });
    });
  }

  #say(word: Word): void {
    this.#channel?.postMessage(JSON.stringify(word));
  }

  async #end(): Promise<void> {
    await this.#written;
    this.#mine = null;
    this.#channel?.close();
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
      this.#outbox.failed(error);
    } finally {
      this.#written = null;
    }
  }
}

function isEntry(entry: Partial<OutboxEntry> | null): entry is OutboxEntry {
  return (
    typeof entry?.key === 'string' &&
    typeof entry.type === 'string' &&
    typeof entry.input === 'object' &&
    entry.input !== null
  );
}

/** An error came as its facts. */
function fromElsewhere(entry: OutboxEntry): OutboxEntry {
  const { state } = entry;
  const revived = 'error' in state ? { ...state, error: new NatterError(state.error) } : state;
  return { ...entry, state: revived, elsewhere: true };
}

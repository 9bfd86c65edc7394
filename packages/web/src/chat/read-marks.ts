/** What I have read and what I marked unread: told to the server at once, or as soon as it can be reached, be it after a reload. */
import { type NatterClient, NatterError } from '@natter/client';

/** Markers only move forward: of each room the last word is enough. */
interface Mark {
  readonly type: 'read.move' | 'read.unmark';
  readonly seq: number;
}
type Kept = Record<string, Mark>;

const keyOf = (user: number): string => `natter:read:${user}`;

export class ReadMarks {
  readonly #client: NatterClient;
  readonly #key: string;
  readonly #stop: () => void;

  constructor(client: NatterClient, me: number) {
    this.#client = client;
    this.#key = keyOf(me);
    this.#stop = client.on('connection', ({ state }) => {
      if (state === 'live') this.#sendKept();
    });
  }

  read(room: number, seq: number): void {
    const waiting = this.#kept()[room];
    if (!this.#live && waiting?.type === 'read.move' && waiting.seq >= seq) return;
    void this.#tell(room, { type: 'read.move', seq });
  }

  /** Answers false when the server refuses it. */
  unread(room: number, seq: number): Promise<boolean> {
    return this.#tell(room, { type: 'read.unmark', seq });
  }

  close(): void {
    this.#stop();
  }

  get #live(): boolean {
    return this.#client.connection.getSnapshot().state === 'live';
  }

  async #tell(room: number, mark: Mark): Promise<boolean> {
    if (!this.#live) {
      this.#keep(room, mark);
      return true;
    }
    try {
      await this.#client.send(mark.type, { room, seq: mark.seq });
    } catch (error) {
      if (error instanceof NatterError && error.retryable) {
        // Another word about the room may have been kept meanwhile: that one is newer.
        if (!this.#kept()[room]) this.#keep(room, mark);
        return true;
      }
      this.#done(room, mark);
      return false;
    }
    this.#done(room, mark);
    return true;
  }

  #sendKept(): void {
    for (const [room, mark] of Object.entries(this.#kept())) void this.#tell(Number(room), mark);
  }

  /** All tabs have the same, so that any of them can tell it. */
  #kept(): Kept {
    try {
      return (JSON.parse(localStorage.getItem(this.#key) ?? '{}') ?? {}) as Kept;
    } catch {
      return {};
    }
  }

  #keep(room: number, mark: Mark): void {
    localStorage.setItem(this.#key, JSON.stringify({ ...this.#kept(), [room]: mark }));
  }

  #done(room: number, { type, seq }: Mark): void {
    const { [room]: waiting, ...others } = this.#kept();
    if (!waiting || waiting.type !== type || waiting.seq !== seq) return;
    if (Object.keys(others).length === 0) localStorage.removeItem(this.#key);
    else localStorage.setItem(this.#key, JSON.stringify(others));
  }
}

export function forgetReadMarks(user: number): void {
  localStorage.removeItem(keyOf(user));
}

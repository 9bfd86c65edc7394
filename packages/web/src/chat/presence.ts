/** Who is online, of those who are looked at. */
import type { NatterClient } from '@natter/client';
import { View } from '@natter/client/emitter';

/** As many as the server tells one socket of. */
const WATCHED_MAX = 500;

export interface Standing {
  readonly online: boolean;
  readonly lastSeen: string | null;
}

export class Presence {
  readonly view: View<ReadonlyMap<number, Standing>> = new View(() => new Map(this.#known));
  readonly #client: NatterClient;
  readonly #known = new Map<number, Standing>();
  /** How many look at somebody; the last to be looked at come last. */
  readonly #watched = new Map<number, number>();
  readonly #stop: () => void;
  #due = false;

  constructor(client: NatterClient) {
    this.#client = client;
    this.#stop = client.on('presence', ({ users }) => {
      for (const { user, online, lastSeen } of users) this.#known.set(user, { online, lastSeen });
      this.view.touch();
    });
  }

  /** Looks at these until the answered function is called. */
  watch(users: readonly number[]): () => void {
    for (const user of users) {
      const count = this.#watched.get(user) ?? 0;
      this.#watched.delete(user);
      this.#watched.set(user, count + 1);
    }
    this.#tell();
    return () => {
      for (const user of users) {
        const count = (this.#watched.get(user) ?? 1) - 1;
        if (count > 0) this.#watched.set(user, count);
        else this.#watched.delete(user);
      }
      this.#tell();
    };
  }

  close(): void {
    this.#stop();
  }

  /** Once for all that changed in a turn. */
  #tell(): void {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.#client.watchPresence([...this.#watched.keys()].slice(-WATCHED_MAX));
    });
  }
}

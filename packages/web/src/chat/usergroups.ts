/** User groups by name: asked for where a text may call one, and remembered. */
import { NatterError } from '@natter/client';
import type { Api } from '@natter/client/api';
import { View } from '@natter/client/emitter';
import type { UserGroup } from '@natter/protocol';

/** Most that are remembered. */
const KEPT_MAX = 500;
/** Groups that a beginning of a name finds. */
const FOUND_MAX = 5;
/** Milliseconds before one that could not be asked for is asked for again. */
const AGAIN = 5_000;

const keyOf = (name: string): string => name.normalize('NFKC').toLowerCase();

export class UserGroups {
  /** Null: nothing is called so. */
  readonly view: View<ReadonlyMap<string, UserGroup | null>> = new View(() => new Map(this.#known));
  readonly #known = new Map<string, UserGroup | null>();
  readonly #asked = new Set<string>();
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Undefined until it is known: it is asked for then, and `view` tells. */
  get(name: string): UserGroup | null | undefined {
    const key = keyOf(name);
    const known = this.#known.get(key);
    if (known === undefined && !this.#asked.has(key)) void this.#ask(key);
    return known;
  }

  /** Those whose names hold some letters, best first. */
  async find(letters: string): Promise<readonly UserGroup[]> {
    const { usergroups } = await this.#api.usergroups(
      letters === '' ? { limit: FOUND_MAX } : { q: letters, limit: FOUND_MAX },
    );
    for (const group of usergroups) this.#put(keyOf(group.name), group);
    return usergroups;
  }

  async #ask(key: string): Promise<void> {
    this.#asked.add(key);
    try {
      const found = await this.find(key);
      if (!found.some(({ name }) => keyOf(name) === key)) this.#put(key, null);
      this.#asked.delete(key);
    } catch (error) {
      if (!(error instanceof NatterError)) throw error;
      setTimeout(
        () => {
          this.#asked.delete(key);
          this.view.touch();
        },
        (error.retryAfter ?? 0) * 1_000 || AGAIN,
      );
    }
  }

  #put(key: string, group: UserGroup | null): void {
    this.#known.delete(key);
    this.#known.set(key, group);
    if (this.#known.size > KEPT_MAX) this.#known.delete(this.#known.keys().next().value as string);
    this.view.touch();
  }
}

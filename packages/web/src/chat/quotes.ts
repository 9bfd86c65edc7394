/** Messages that others answer to: looked up where they are not in the timeline. */
import { type Message, type NatterClient, NatterError } from '@natter/client';
import type { Api } from '@natter/client/api';
import { View } from '@natter/client/emitter';

/** Null: it is gone, or not mine to read. */
export type Quote = Message | null;

/** Most that are remembered. */
const KEPT_MAX = 500;

export class Quotes {
  readonly view: View<ReadonlyMap<number, Quote>> = new View(() => new Map(this.#known));
  readonly #known = new Map<number, Quote>();
  readonly #asked = new Set<number>();
  readonly #api: Api;

  constructor(client: NatterClient, api: Api) {
    this.#api = api;
    client.on('message.edited', ({ body }) => this.#forget(body.message));
    client.on('message.deleted', ({ body }) => this.#forget(body.message));
  }

  /** Undefined until it is known: it is asked for then, and `view` tells. */
  get(message: number): Quote | undefined {
    const known = this.#known.get(message);
    if (known === undefined && !this.#asked.has(message)) void this.#ask(message);
    return known;
  }

  async #ask(message: number): Promise<void> {
    this.#asked.add(message);
    try {
      this.#put(message, await this.#api.message(message));
    } catch (error) {
      if (error instanceof NatterError && error.code === 'not_found') this.#put(message, null);
      else setTimeout(() => this.#asked.delete(message), 5_000);
      return;
    }
    this.#asked.delete(message);
  }

  #put(message: number, quote: Quote): void {
    this.#known.set(message, quote);
    if (this.#known.size > KEPT_MAX) this.#known.delete(this.#known.keys().next().value as number);
    this.view.touch();
  }

  #forget(message: number): void {
    this.#asked.delete(message);
    if (this.#known.delete(message)) this.view.touch();
  }
}

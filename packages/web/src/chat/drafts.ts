/** What was begun in each room and thread and not sent: kept on this device, the same in all of its tabs. */

/** Milliseconds without a key before a draft is written: a write to the disk must not stand between a key and its letter. */
const PAUSE = 300;

export class Drafts {
  readonly #prefix: string;
  readonly #unwritten = new Map<string, string>();
  readonly #write = (): void => this.#flush();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(me: number) {
    this.#prefix = `natter:draft:${me}:`;
    addEventListener('pagehide', this.#write);
    document.addEventListener('visibilitychange', this.#write);
  }

  get(place: string): string {
    return this.#unwritten.get(place) ?? localStorage.getItem(this.#prefix + place) ?? '';
  }

  set(place: string, text: string): void {
    this.#unwritten.set(place, text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#write, PAUSE);
  }

  /** Another tab changed it. Answers the function that ends it. */
  watch(place: string, changed: (text: string) => void): () => void {
    const listen = ({ key, newValue }: StorageEvent) => {
      if (key === this.#prefix + place) changed(newValue ?? '');
    };
    addEventListener('storage', listen);
    return () => removeEventListener('storage', listen);
  }

  close(): void {
    this.#flush();
    removeEventListener('pagehide', this.#write);
    document.removeEventListener('visibilitychange', this.#write);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    for (const [place, text] of this.#unwritten) {
      if (text === '') localStorage.removeItem(this.#prefix + place);
      else localStorage.setItem(this.#prefix + place, text);
    }
    this.#unwritten.clear();
  }
}

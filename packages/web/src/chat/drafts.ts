/** What was begun in each room and not sent: kept on this device, the same in all of its tabs. */

/** Milliseconds without a key before a draft is written: a write to the disk must not stand between a key and its letter. */
const PAUSE = 300;

export class Drafts {
  readonly #prefix: string;
  readonly #unwritten = new Map<number, string>();
  readonly #write = (): void => this.#flush();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(me: number) {
    this.#prefix = `natter:draft:${me}:`;
    addEventListener('pagehide', this.#write);
    document.addEventListener('visibilitychange', this.#write);
  }

  get(room: number): string {
    return this.#unwritten.get(room) ?? localStorage.getItem(this.#prefix + room) ?? '';
  }

  set(room: number, text: string): void {
    this.#unwritten.set(room, text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#write, PAUSE);
  }

  /** Another tab changed it. Answers the function that ends it. */
  watch(room: number, changed: (text: string) => void): () => void {
    const listen = ({ key, newValue }: StorageEvent) => {
      if (key === this.#prefix + room) changed(newValue ?? '');
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
    for (const [room, text] of this.#unwritten) {
      if (text === '') localStorage.removeItem(this.#prefix + room);
      else localStorage.setItem(this.#prefix + room, text);
    }
    this.#unwritten.clear();
  }
}

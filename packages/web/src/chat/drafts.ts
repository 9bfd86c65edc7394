/** What was begun in each room and not sent: kept on this device, the same in all of its tabs. */

export class Drafts {
  readonly #prefix: string;

  constructor(me: number) {
    this.#prefix = `natter:draft:${me}:`;
  }

  get(room: number): string {
    return localStorage.getItem(this.#prefix + room) ?? '';
  }

  set(room: number, text: string): void {
    if (text === '') localStorage.removeItem(this.#prefix + room);
    else localStorage.setItem(this.#prefix + room, text);
  }

  /** Another tab changed it. Answers the function that ends it. */
  watch(room: number, changed: (text: string) => void): () => void {
    const listen = ({ key, newValue }: StorageEvent) => {
      if (key === this.#prefix + room) changed(newValue ?? '');
    };
    addEventListener('storage', listen);
    return () => removeEventListener('storage', listen);
  }
}

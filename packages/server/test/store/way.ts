/** A way to a server that can be cut at a word, or stand still, for tests. */
import { connect, createServer, type Server, type Socket } from 'node:net';

type Direction = 'question' | 'answer';

export class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: { direction: Direction; word: string; done: string } | null = null;
  #frozen = false;
  #url = '';

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Where it begins; it leads to the host and port of a URL. */
  static async to(url: string): Promise<Way> {
    const target = new URL(url);
    const { hostname, port } = target;
    const server = createServer();
    const way = new Way(server);
    server.on('connection', (near) => way.#join(near, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    target.hostname = '127.0.0.1';
    target.port = String(typeof address === 'object' ? address?.port : 0);
    way.#url = target.href;
    return way;
  }

  get url(): string {
    return this.#url;
  }

  /** Cuts the connection on which the word comes next: before it is passed on, or once it was done, before that is told. */
  cutAt(direction: Direction, word: string, done: string): void {
    this.#cut = { direction, word, done };
  }

  /** Nothing passes any more, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
  }

  /** What stood still is lost; connections that begin now pass. */
  thaw(): void {
    this.#frozen = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, far: Socket): void {
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    let until: string | null = null;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', end).on('close', end);
      from.on('data', (data) => {
        if (this.#frozen) return;
        const text = data.toString('latin1');
        if (until !== null && from === far) {
          if (text.includes(until)) end();
          return;
        }
        if (from === near && this.#cut && text.includes(this.#cut.word)) {
          const { direction, done } = this.#cut;
          this.#cut = null;
          if (direction === 'question') {
            end();
            return;
          }
          until = done;
        }
        to.write(data);
      });
    }
  }
}

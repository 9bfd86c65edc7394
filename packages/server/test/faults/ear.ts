/** A WebSocket that listens along: what the server itself said, before the SDK puts it right. */
import { type RawData, WebSocket } from 'ws';

/** How the frames of one connection were out of step with each other [H2]. */
export interface Misstep {
  kind: 'doubled' | 'gapped';
  what: string;
}

interface Frame {
  type: string;
  stream?: number;
  seq?: number;
  cursors?: Record<string, number>;
}

/** The class to give to an SDK: every connection of it tells of its missteps. */
export function listeningTo(told: (misstep: Misstep) => void): new (url: string) => WebSocket {
  return class Ear extends WebSocket {
    /** Where each stream stands that the client named, or heard of. */
    readonly #at = new Map<number, number>();

    constructor(url: string) {
      super(url);
      this.on('message', (data: RawData) => this.#hear(JSON.parse(String(data)) as Frame));
    }

    override send(data: string): void {
      const frame = JSON.parse(data) as Frame;
      if (frame.type === 'hello') {
        for (const [stream, seq] of Object.entries(frame.cursors ?? {})) this.#at.set(Number(stream), seq);
      }
      super.send(data);
    }

    #hear({ type, stream, seq, cursors }: Frame): void {
      if (type === 'live') {
        for (const [key, head] of Object.entries(cursors ?? {})) {
          const at = this.#at.get(Number(key));
          if (at !== undefined && at < head)
            told({ kind: 'gapped', what: `stream ${key} is live at ${head} after ${at}` });
          this.#at.set(Number(key), head);
        }
      } else if (stream === undefined) {
        return;
      } else if (type === 'gone') {
        this.#at.delete(stream);
      } else if (seq !== undefined) {
        const at = this.#at.get(stream);
        if (type !== 'reset' && at !== undefined && seq !== at + 1) {
          told({
            kind: seq <= at ? 'doubled' : 'gapped',
            what: `event ${seq} of stream ${stream} was sent after ${at}`,
          });
        }
        this.#at.set(stream, seq);
      }
    }
  };
}

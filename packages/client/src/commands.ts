/** Commands on the way: each has a number, and its reply names it. */
import type { CommandResult, CommandType, ReplyFrame } from '@natter/protocol';
import { localError, NatterError, wireError } from './errors.js';

interface Waiting {
  resolve(result: CommandResult): void;
  reject(error: NatterError): void;
}

export class Commands {
  readonly #url: string;
  readonly #write: (frame: object) => boolean;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** `write` answers false when there is no link to write to. */
  constructor(url: string, write: (frame: object) => boolean) {
    this.#url = url;
    this.#write = write;
  }

  /** Rejects with `disconnected` when the answer can't come any more. */
  send(type: CommandType, input: object, key: string | undefined, maxBytes: number): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const id = this.#last;
      const frame = { ...input, type, id, ...(key ? { key } : {}) };
      if (isLarger(frame, maxBytes)) {
        // The server would close the link, and again with every try.
        const message = `the command is larger than the ${maxBytes} bytes that the server takes`;
        throw new NatterError({ code: 'too_large', message, retryable: false });
      }
      if (!this.#write(frame)) throw localError('disconnected', 'the link is not there');
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** Answers the refusal of a frame that nobody waits for. */
  reply(frame: ReplyFrame): NatterError | null {
    const waiting = frame.id === null ? undefined : this.#waiting.get(frame.id);
    this.#waiting.delete(frame.id ?? 0);
    if ('result' in frame) {
      waiting?.resolve(frame.result);
      return null;
    }
    const error = wireError(frame.error, this.#url);
    waiting?.reject(error);
    return waiting ? null : error;
  }

  /** The link is gone: what was on its way may have been carried out or not. */
  lost(): void {
    const error = localError('disconnected', 'the link was lost before the answer');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** UTF-8 takes at most three bytes for each UTF-16 code unit: most frames need no encoding to be judged. */
function isLarger(frame: object, maxBytes: number): boolean {
  const text = JSON.stringify(frame);
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

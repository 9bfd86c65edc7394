/**
 * Turns at a stream for commands that others came before: each that changes the stream's state goes alone, all others
 * together, in the order in which they came. Without it, of many that join a room at once one would get through a commit.
 */
import type { StreamId } from '@natter/protocol';

interface Waiting {
  alone: boolean;
  enter: () => void;
}

interface Queue {
  inside: number;
  alone: boolean;
  waiting: Waiting[];
}

export class Turns {
  readonly #queues = new Map<StreamId, Queue>();

  /** Resolves when it is one's turn; answers how to leave. */
  async enter(stream: StreamId, alone: boolean): Promise<() => void> {
    const queue = this.#queues.get(stream) ?? { inside: 0, alone: false, waiting: [] };
    this.#queues.set(stream, queue);
    await new Promise<void>((enter) => {
      queue.waiting.push({ alone, enter });
      this.#admit(queue);
    });
    return () => {
      queue.inside -= 1;
      this.#admit(queue);
      if (queue.inside === 0) this.#queues.delete(stream);
    };
  }

  #admit(queue: Queue): void {
    for (;;) {
      const [next] = queue.waiting;
      if (!next || (queue.inside > 0 && (next.alone || queue.alone))) return;
      queue.waiting.shift();
      queue.inside += 1;
      queue.alone = next.alone;
      next.enter();
    }
  }
}

/** How far something is: a bar on a terminal, a line now and then elsewhere. Goes to the error stream; the result stays alone. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** `said` stands behind the bar. */
  update(done: number, of: number, said: string): void;
  stop(): void;
}

/** Shares of the whole between two lines. */
const LINES = 10;

export function showProgress(title: string, stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? bar(title, stream) : lines(title, stream);
}

function bar(title: string, stream: NodeJS.WriteStream): Progress {
  const shown = new SingleBar({
    stream,
    format: `${title} [{bar}] {percentage}% {said}`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    fps: 10,
  });
  let started = false;
  return {
    update(done, of, said) {
      if (!started) shown.start(of, 0, { said });
      started = true;
      shown.setTotal(of);
      shown.update(done, { said });
    },
    stop() {
      if (started) shown.stop();
    },
  };
}

function lines(title: string, stream: NodeJS.WriteStream): Progress {
  let last = -1;
  return {
    update(done, of, said) {
      const share = of === 0 ? LINES : Math.floor((done / of) * LINES);
      // What comes next begins at 0 again.
      if (share === last) return;
      last = share;
      stream.write(`${title} ${Math.round((share * 100) / LINES)}% ${said}\n`);
    },
    stop() {},
  };
}

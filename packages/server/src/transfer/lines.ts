/** Reads files line by line as UTF-8, whatever is in them. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';

/** A line is cut here: a file that is no log must not fill the memory. */
const LINE_BYTES_MAX = 1 << 20;
const CHUNK_BYTES = 1 << 18;
const LF = 10;
const CR = 13;

export interface Line {
  text: string;
  /** Something in it was no UTF-8 and stands as U+FFFD now. */
  broken: boolean;
}

/** Some lines of a file, and how many bytes of it have been read so far. */
export interface Lines {
  lines: Line[];
  bytes: number;
}

/** The lines of a file, in order, a chunk at a time. */
export async function* readLines(file: string): AsyncGenerator<Lines> {
  let rest: Buffer = Buffer.alloc(0);
  let cutting = false;
  let bytes = 0;
  for await (const data of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    const chunk = data as Buffer;
    bytes += chunk.length;
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const part = chunk.subarray(start, end);
      if (!cutting) lines.push(toLine(rest.length === 0 ? part : Buffer.concat([rest, part])));
      cutting = false;
      rest = Buffer.alloc(0);
      start = end + 1;
    }
    if (!cutting && start < chunk.length) rest = Buffer.concat([rest, chunk.subarray(start)]);
    if (rest.length > LINE_BYTES_MAX) {
      lines.push(toLine(rest.subarray(0, LINE_BYTES_MAX)));
      rest = Buffer.alloc(0);
      cutting = true;
    }
    yield { lines, bytes };
  }
  if (rest.length > 0) yield { lines: [toLine(rest)], bytes };
}

function toLine(bytes: Buffer): Line {
  const whole = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
  const text = whole.toString('utf8');
  return { text, broken: text.includes('\ufffd') && !isUtf8(whole) };
}

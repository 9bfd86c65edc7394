/** What the command line writes: tables, lists and JSON. What users wrote is data: nothing in it reaches the terminal as a command. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Controls, and what turns the direction of text or can't be seen. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;

/** Text as one line that is safe to show. */
export function safe(text: string): string {
  return text.replace(UNSAFE, (unit) => {
    const code = unit.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** JSON in which nothing is left that a terminal would obey. */
function json(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (text) =>
    Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** Columns that a text takes in a terminal. */
function width(text: string): number {
  let columns = 0;
  for (const letter of text) columns += /\p{M}/u.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return columns;
}

export interface Column<T> {
  title: string;
  value: (row: T) => string | number | null;
}

export class Printer {
  readonly #out: NodeJS.WriteStream;
  readonly #err: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream, err: NodeJS.WriteStream) {
    this.#out = out;
    this.#err = err;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.line(json(value));
  }

  /** Where it goes beside the result: progress, and what went wrong. */
  note(text: string): void {
    this.#err.write(`${text}\n`);
  }

  problem(text: string): void {
    this.note(`${this.#paint(this.#err, 'red', 'natter:')} ${safe(text)}`);
  }

  /** Colours on a terminal that has them, and where NO_COLOR does not forbid it. */
  paint(style: Style, text: string): string {
    return this.#paint(this.#out, style, text);
  }

  #paint(stream: NodeJS.WriteStream, style: Style, text: string): string {
    return stream.isTTY && stream.hasColors() ? styleText(style, text) : text;
  }

  /** Numbers to the right, everything else to the left. */
  table<T>(columns: readonly Column<T>[], rows: readonly T[]): void {
    const cells = rows.map((row) => columns.map((column) => column.value(row)));
    const texts = cells.map((line) => line.map((cell) => (cell === null ? '–' : safe(String(cell)))));
    const widths = columns.map(({ title }, at) =>
      Math.max(width(title), ...texts.map((line) => width(line[at] as string))),
    );
    const right = columns.map((_, at) => cells.length > 0 && cells.every((line) => typeof line[at] === 'number'));
    const lay = (line: readonly string[]): string =>
      line
        .map((text, at) => {
          const space = ' '.repeat((widths[at] as number) - width(text));
          return right[at] ? space + text : text + space;
        })
        .join('  ')
        .trimEnd();
    this.line(this.paint('bold', lay(columns.map((column) => column.title))));
    for (const line of texts) this.line(lay(line));
  }

  /** Names and what they stand for, one a line. */
  facts(rows: readonly (readonly [string, string | number | null])[]): void {
    const widest = Math.max(...rows.map(([name]) => width(name)));
    for (const [name, value] of rows) {
      const space = ' '.repeat(widest - width(name));
      this.line(`${this.paint('bold', name)}${space}  ${value === null ? '–' : safe(String(value))}`);
    }
  }
}

/**
 * All words of the index in memory, packed into a few long strings, so that the words that contain a part, or are spelt
 * nearly alike, are found without an index over the texts (which would make every write ten times as dear).
 */

const BLOCK_UNITS = 1 << 18;

interface Block {
  /** Every word with a line feed on both sides. */
  text: string;
  starts: number[];
  /** Which letters each word has, one bit a class of letters: most pairs are told apart by it alone. */
  masks: number[];
}

export type Place = 'anywhere' | 'start' | 'end';

export class Vocabulary {
  readonly #blocks: Block[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(words: readonly string[]): void {
    let index = 0;
    while (index < words.length) {
      let block = this.#blocks.at(-1);
      if (!block || block.text.length >= BLOCK_UNITS) {
        block = { text: '\n', starts: [], masks: [] };
        this.#blocks.push(block);
      }
      const added: string[] = [];
      let end = block.text.length;
      while (index < words.length && end < BLOCK_UNITS) {
        const word = words[index] as string;
        added.push(word);
        block.starts.push(end);
        block.masks.push(lettersOf(word));
        end += word.length + 1;
        index += 1;
      }
      block.text = `${block.text}${added.join('\n')}\n`;
      this.#size += added.length;
    }
  }

  clear(): void {
    this.#blocks.length = 0;
    this.#size = 0;
  }

  /** Words with a part at a place; null when there are more than `max`. */
  withPart(part: string, place: Place, max: number): string[] | null {
    const needle = `${place === 'start' ? '\n' : ''}${part}${place === 'end' ? '\n' : ''}`;
    const found: string[] = [];
    for (const { text } of this.#blocks) {
      let at = text.indexOf(needle);
      while (at !== -1) {
        if (found.length === max) return null;
        const start = place === 'start' ? at + 1 : text.lastIndexOf('\n', at) + 1;
        const end = text.indexOf('\n', start);
        found.push(text.slice(start, end));
        at = text.indexOf(needle, end);
      }
    }
    return found;
  }

  /** Words within an edit distance, nearest first, at most `max`. */
  near(word: string, distance: number, max: number): string[] {
    const letters = lettersOf(word);
    const found: string[][] = Array.from({ length: distance + 1 }, () => []);
    for (const { text, starts, masks } of this.#blocks) {
      for (let index = 0; index < starts.length; index += 1) {
        const start = starts[index] as number;
        const end = (starts[index + 1] ?? text.length) - 1;
        if (Math.abs(end - start - word.length) > distance) continue;
        const mask = masks[index] as number;
        if (bits(letters & ~mask) > distance || bits(mask & ~letters) > distance) continue;
        const far = editDistance(word, text, start, end, distance);
        if (far <= distance) found[far]?.push(text.slice(start, end));
      }
    }
    return found.flat().slice(0, max);
  }
}

function lettersOf(word: string): number {
  let mask = 0;
  for (let unit = 0; unit < word.length; unit += 1) mask |= 1 << (word.charCodeAt(unit) & 31);
  return mask;
}

function bits(mask: number): number {
  let rest = mask - ((mask >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return (((rest + (rest >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

const ROW_MAX = 256;
let row = new Uint8Array(ROW_MAX);
let above = new Uint8Array(ROW_MAX);
let aboveThat = new Uint8Array(ROW_MAX);

/** Insertions, deletions, substitutions and swaps of neighbours that lead from a word to text[start, end); more than `max` is max + 1. */
export function editDistance(word: string, text: string, start: number, end: number, max: number): number {
  const length = end - start;
  if (length >= ROW_MAX) return max + 1;
  for (let column = 0; column <= length; column += 1) above[column] = column;
  let leastAbove = 0;
  for (let line = 1; line <= word.length; line += 1) {
    const unit = word.charCodeAt(line - 1);
    let least = line;
    row[0] = line;
    for (let column = 1; column <= length; column += 1) {
      const other = text.charCodeAt(start + column - 1);
      let cost = (above[column - 1] as number) + (unit === other ? 0 : 1);
      cost = Math.min(cost, (above[column] as number) + 1, (row[column - 1] as number) + 1);
      if (
        line > 1 &&
        column > 1 &&
        unit === text.charCodeAt(start + column - 2) &&
        other === word.charCodeAt(line - 2)
      ) {
        cost = Math.min(cost, (aboveThat[column - 2] as number) + 1);
      }
      row[column] = cost;
      if (cost < least) least = cost;
    }
    // A swap reaches two lines up.
    if (least > max && leastAbove >= max) return max + 1;
    leastAbove = least;
    [aboveThat, above, row] = [above, row, aboveThat];
  }
  return Math.min(above[length] as number, max + 1);
}

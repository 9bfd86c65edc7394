/** What a message says, without its marks: for lines that have no room for more, and for those who listen. */
import type { Inline } from './inline.js';
import { type Block, parse } from './parse.js';

/** So much of a text is read for one line. */
const LINE_MAX = 400;

/** A piece of a text: its author's own words, or what stands between them here. */
interface Leaf {
  readonly text: string;
  readonly own: boolean;
}

export function plainText(text: string): string {
  return leavesOf(parse(text))
    .map((leaf) => leaf.text)
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Its beginning, where more is not shown. */
export function plainLine(text: string): string {
  return plainText(text.slice(0, LINE_MAX));
}

/** Where in a text something matched: from, to, in code units. */
export type Ranges = readonly (readonly [number, number])[];

/** What a message says, and where in that stands what matched in its text. What matched in its marks alone (an address) is shown with them. */
export function plainFound(text: string, ranges: Ranges): { readonly text: string; readonly ranges: Ranges } {
  let plain = '';
  const found: [number, number][] = [];
  /** In the text: up to there it has been told. */
  let at = 0;
  const put = (words: string, from: number | null) => {
    for (let index = 0; index < words.length; index += 1) {
      const letter = words[index] as string;
      const space = /\s/.test(letter);
      if (space && (plain === '' || plain.endsWith(' '))) continue;
      const place = from === null ? -1 : from + index;
      const last = found.at(-1);
      if (ranges.some(([start, end]) => start <= place && place < end)) {
        // Two that touch are told apart in the text alone.
        if (last?.[1] === plain.length) last[1] += 1;
        else found.push([plain.length, plain.length + 1]);
      }
      plain += space ? ' ' : letter;
    }
  };
  for (const leaf of leavesOf(parse(text))) {
    const whole = leaf.own ? text.indexOf(leaf.text, at) : -1;
    if (!leaf.own) put(leaf.text, null);
    else if (whole >= 0) {
      put(leaf.text, whole);
      at = whole + leaf.text.length;
    } else {
      // Lines of it were drawn together, or signs in it are escaped.
      for (const word of leaf.text.split(/(\s+)/)) {
        const stands = /\S/.test(word) ? text.indexOf(word, at) : -1;
        put(word, stands < 0 ? null : stands);
        if (stands >= 0) at = stands + word.length;
      }
    }
  }
  return ranges.length > 0 && found.length === 0 ? { text, ranges } : { text: plain.trimEnd(), ranges: found };
}

const between = (text: string): Leaf => ({ text, own: false });
const own = (text: string): Leaf => ({ text, own: true });

function joined(parts: readonly (readonly Leaf[])[], by: string): Leaf[] {
  return parts.flatMap((part, at) => (at === 0 ? part : [between(by), ...part]));
}

function leavesOf(blocks: readonly Block[]): Leaf[] {
  return joined(blocks.map(blockLeaves), ' ');
}

function blockLeaves(block: Block): readonly Leaf[] {
  switch (block.is) {
    case 'paragraph':
    case 'heading':
      return inlineLeaves(block.inline);
    case 'quote':
      return leavesOf(block.blocks);
    case 'list':
      return joined(block.items.map(leavesOf), ', ');
    case 'code':
      return [own(block.text)];
    case 'table':
      return joined(
        [block.head, ...block.rows].map((row) => joined(row.map(inlineLeaves), ' ')),
        ', ',
      );
    case 'rule':
      return [];
  }
}

function inlineLeaves(nodes: readonly Inline[]): readonly Leaf[] {
  return nodes.flatMap((node) => {
    switch (node.is) {
      case 'text':
      case 'code':
        return [own(node.text)];
      case 'break':
        return [between(' ')];
      case 'mention':
        return [own(`@${node.name}`)];
      case 'room':
        return [own(`#${node.name}`)];
      default:
        return inlineLeaves(node.inline);
    }
  });
}

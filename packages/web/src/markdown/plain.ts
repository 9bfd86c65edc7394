/** What a message says, without its marks: for lines that have no room for more, and for those who listen. */
import type { Inline } from './inline.js';
import { type Block, parse } from './parse.js';

/** So much of a text is read for one line. */
const LINE_MAX = 400;

export function plainText(text: string): string {
  return blocksText(parse(text)).replace(/\s+/g, ' ').trim();
}

/** Its beginning, where more is not shown. */
export function plainLine(text: string): string {
  return plainText(text.slice(0, LINE_MAX));
}

function blocksText(blocks: readonly Block[]): string {
  return blocks.map(blockText).join(' ');
}

function blockText(block: Block): string {
  switch (block.is) {
    case 'paragraph':
    case 'heading':
      return inlineText(block.inline);
    case 'quote':
      return blocksText(block.blocks);
    case 'list':
      return block.items.map(blocksText).join(', ');
    case 'code':
      return block.text;
    case 'table':
      return [block.head, ...block.rows].map((row) => row.map(inlineText).join(' ')).join(', ');
    case 'rule':
      return '';
  }
}

function inlineText(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => {
      switch (node.is) {
        case 'text':
        case 'code':
          return node.text;
        case 'break':
          return ' ';
        case 'mention':
          return `@${node.name}`;
        case 'room':
          return `#${node.name}`;
        default:
          return inlineText(node.inline);
      }
    })
    .join('');
}

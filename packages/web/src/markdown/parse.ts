/** What people write, as a tree: the markdown that a chat needs. No HTML comes of it anywhere, so nothing has to be made safe afterwards. */
import { type Inline, parseInline } from './inline.js';

export type Block =
  | { readonly is: 'paragraph'; readonly inline: readonly Inline[] }
  | { readonly is: 'heading'; readonly level: number; readonly inline: readonly Inline[] }
  | { readonly is: 'quote'; readonly blocks: readonly Block[] }
  | { readonly is: 'list'; readonly start: number | null; readonly items: readonly (readonly Block[])[] }
  | { readonly is: 'code'; readonly language: string; readonly text: string }
  | { readonly is: 'table'; readonly head: readonly Cell[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly is: 'rule' };

type Cell = readonly Inline[];

/** Quotes in lists in quotes …: beyond this they are text. */
const DEPTH_MAX = 8;

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$/;
const QUOTE = /^ {0,3}> ?/;
const BULLET = /^( {0,3})([-*+])( {1,4}|$)/;
const NUMBER = /^( {0,3})(\d{1,9})[.)]( {1,4}|$)/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

export function parse(text: string): readonly Block[] {
  return blocks(text.replaceAll('\r\n', '\n').split('\n'), 0);
}

function blocks(lines: readonly string[], depth: number): Block[] {
  const found: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) found.push({ is: 'paragraph', inline: parseInline(paragraph.join('\n')) });
    paragraph = [];
  };
  let at = 0;
  while (at < lines.length) {
    const taken = take(lines, at, depth, paragraph.length > 0);
    if (taken) {
      flush();
      found.push(taken.block);
      at = taken.next;
      continue;
    }
    const line = lines[at] as string;
    if (line.trim() === '') flush();
    else paragraph.push(line.trimStart());
    at += 1;
  }
  flush();
  return found;
}

interface Taken {
  block: Block;
  next: number;
}

/** The block that begins at a line, if it is none of a paragraph. */
function take(lines: readonly string[], at: number, depth: number, inParagraph: boolean): Taken | null {
  const line = lines[at] as string;
  const fence = FENCE.exec(line);
  if (fence) return takeCode(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) {
    const [, marks = '', text = ''] = heading;
    return { block: { is: 'heading', level: marks.length, inline: parseInline(text) }, next: at + 1 };
  }
  if (RULE.test(line)) return { block: { is: 'rule' }, next: at + 1 };
  if (depth < DEPTH_MAX) {
    if (QUOTE.test(line)) return takeQuote(lines, at, depth);
    const item = BULLET.exec(line) ?? NUMBER.exec(line);
    // "1986. What a year" in the middle of a paragraph is no list.
    if (item && (!inParagraph || BULLET.test(line) || item[2] === '1')) return takeList(lines, at, depth);
  }
  return inParagraph ? null : takeTable(lines, at);
}

function takeCode(lines: readonly string[], at: number, fence: RegExpExecArray): Taken {
  const [, marks = '', language = ''] = fence;
  let end = at + 1;
  const closes = (line: string) => {
    const bare = line.trim();
    return bare.length >= marks.length && bare === (marks[0] as string).repeat(bare.length);
  };
  while (end < lines.length && !closes(lines[end] as string)) end += 1;
  return {
    block: { is: 'code', language: language.toLowerCase(), text: lines.slice(at + 1, end).join('\n') },
    next: Math.min(end + 1, lines.length),
  };
}

function takeQuote(lines: readonly string[], at: number, depth: number): Taken {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end] as string)) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return { block: { is: 'quote', blocks: blocks(inner, depth + 1) }, next: end };
}

function takeList(lines: readonly string[], at: number, depth: number): Taken {
  const ordered = !BULLET.test(lines[at] as string);
  const mark = ordered ? NUMBER : BULLET;
  const first = mark.exec(lines[at] as string);
  const items: Block[][] = [];
  let item: string[] = [];
  let indent = 0;
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] as string;
    const begins = mark.exec(line);
    if (begins && !RULE.test(line)) {
      if (next > at) items.push(blocks(item, depth + 1));
      indent = Math.max(begins[0].length, 2);
      item = [line.slice(begins[0].length)];
    } else if (/^ {2,}|^\t/.test(line) && line.trim() !== '') {
      item.push(line.replace(/^\t/, '    ').replace(new RegExp(`^ {1,${indent}}`), ''));
    } else if (line.trim() === '' && /^(?: {2,}|\t)\S/.test(lines[next + 1] ?? '')) {
      item.push('');
    } else if (line.trim() === '' && mark.test(lines[next + 1] ?? '')) {
      // A blank line between two items.
    } else break;
  }
  items.push(blocks(item, depth + 1));
  return { block: { is: 'list', start: ordered ? Number(first?.[2]) : null, items }, next };
}

function takeTable(lines: readonly string[], at: number): Taken | null {
  const head = lines[at] as string;
  const rule = lines[at + 1] ?? '';
  if (!head.includes('|') || !rule.includes('-') || !TABLE_RULE.test(rule)) return null;
  const columns = cells(head);
  if (columns.length !== cells(rule).length || columns.length < 2) return null;
  let next = at + 2;
  const rows: Cell[][] = [];
  for (; next < lines.length && (lines[next] as string).includes('|'); next += 1) {
    const row = cells(lines[next] as string);
    rows.push(columns.map((_, column) => parseInline(row[column] ?? '')));
  }
  return { block: { is: 'table', head: columns.map(parseInline), rows }, next };
}

function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Within a line: code, links, emphasis, names. Emphasis follows CommonMark's rules of delimiter runs; all else is read from left to right. */

export type Inline =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'break' }
  | { readonly is: 'code'; readonly text: string }
  | { readonly is: 'strong' | 'em' | 'del'; readonly inline: readonly Inline[] }
  | { readonly is: 'link'; readonly href: string; readonly inline: readonly Inline[] }
  /** `@name`: whether it calls anybody, the message says. */
  | { readonly is: 'mention'; readonly name: string }
  /** `#name`: whether there is such a room, the reader's rooms say. */
  | { readonly is: 'room'; readonly name: string };

interface Run {
  mark: string;
  length: number;
  opens: boolean;
  closes: boolean;
  /** Length of the whole run, for the rule of three. */
  whole: number;
}
type Piece = { node: Inline } | { run: Run };

const ESCAPED = /^\\([!-/:-@[-`{-~])/;
const ADDRESS = /^(?:https?:\/\/|www\.)[^\s<>]+/i;
const ANGLED = /^<((?:https?:\/\/|mailto:)[^\s<>]+)>/i;
const NAME = /^@([\p{L}\p{N}](?:[\p{L}\p{N}\p{M}._-]*[\p{L}\p{N}\p{M}])?)/u;
const ROOM = /^#([\p{L}\p{N}][\p{L}\p{N}\p{M}_-]*)/u;
const PLAIN = /^[^\\`*_~[\]!<@#\nhHwW]+/;
const WORD = /[\p{L}\p{N}_]$/u;
const SPACE = /^\s?$/u;
const PUNCTUATION = /^[\p{P}\p{S}]$/u;
/** Links in links are none. */
const LABEL_MAX = 1_000;

/** An address that a click may lead to; null for `javascript:` and its like. */
function safeAddress(text: string): string | null {
  const href = /^www\./i.test(text) ? `https://${text}` : text;
  if (!/^(?:https?|mailto):/i.test(href) || !URL.canParse(href)) return null;
  return href;
}

export function parseInline(text: string): readonly Inline[] {
  const pieces: Piece[] = [];
  const addText = (more: string): void => {
    const last = pieces.at(-1);
    if (last && 'node' in last && last.node.is === 'text') {
      pieces[pieces.length - 1] = { node: { is: 'text', text: last.node.text + more } };
    } else pieces.push({ node: { is: 'text', text: more } });
  };
  /** The next backtick run of each length that closes nothing is not looked for again. */
  const unclosed = new Set<number>();
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at, at + 2_100);
    const taken = takeInline(text, at, rest, unclosed);
    if (taken.piece) pieces.push(taken.piece);
    else addText(taken.text ?? '');
    at = taken.next;
  }
  return join(pieces);
}

interface Taken {
  piece?: Piece;
  text?: string;
  next: number;
}

function takeInline(text: string, at: number, rest: string, unclosed: Set<number>): Taken {
  const char = rest[0] as string;
  switch (char) {
    case '\n':
      return { piece: { node: { is: 'break' } }, next: at + 1 };
    case '\\': {
      const escaped = ESCAPED.exec(rest);
      return { text: escaped?.[1] ?? '\\', next: at + (escaped ? 2 : 1) };
    }
    case '`':
      return takeCode(text, at, rest, unclosed);
    case '*':
    case '_':
    case '~':
      return takeRun(text, at);
    case '[':
      return takeLink(text, at) ?? { text: '[', next: at + 1 };
    case '<': {
      const href = safeAddress(ANGLED.exec(rest)?.[1] ?? '');
      if (href === null) return { text: '<', next: at + 1 };
      const shown = href.replace(/^mailto:/i, '');
      return {
        piece: { node: { is: 'link', href, inline: [{ is: 'text', text: shown }] } },
        next: at + href.length + 2,
      };
    }
    case '@':
    case '#': {
      const name = before(text, at) ? (char === '@' ? NAME : ROOM).exec(rest)?.[1] : undefined;
      if (name === undefined) return { text: char, next: at + 1 };
      return { piece: { node: { is: char === '@' ? 'mention' : 'room', name } }, next: at + 1 + name.length };
    }
    case 'h':
    case 'H':
    case 'w':
    case 'W': {
      const address = before(text, at) ? trimAddress(ADDRESS.exec(text.slice(at, at + 4_096))?.[0] ?? '') : '';
      const href = safeAddress(address);
      if (href === null || address.length < 8) return { text: char, next: at + 1 };
      return {
        piece: { node: { is: 'link', href, inline: [{ is: 'text', text: address }] } },
        next: at + address.length,
      };
    }
    default: {
      const plain = PLAIN.exec(rest)?.[0] ?? char;
      return { text: plain, next: at + plain.length };
    }
  }
}

/** Does a name or an address begin here, and not within a word? */
function before(text: string, at: number): boolean {
  return at === 0 || !WORD.test(text.slice(Math.max(0, at - 2), at));
}

/** What stands behind an address in a sentence is not part of it; a bracket is, when it was opened inside. */
function trimAddress(address: string): string {
  let end = address.length;
  for (;;) {
    const last = address[end - 1] ?? '';
    if (/[.,:;!?'"*_~]/.test(last)) end -= 1;
    else if (last === ')' && count(address.slice(0, end), '(') < count(address.slice(0, end), ')')) end -= 1;
    else return address.slice(0, end);
  }
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}

function takeCode(text: string, at: number, rest: string, unclosed: Set<number>): Taken {
  const length = /^`+/.exec(rest)?.[0].length ?? 1;
  const from = at + length;
  if (!unclosed.has(length)) {
    for (let end = text.indexOf('`', from); end >= 0; ) {
      let stop = end;
      while (text[stop] === '`') stop += 1;
      if (stop - end === length) {
        const inner = text.slice(from, end).replaceAll('\n', ' ');
        const stripped = /^ .*[^ ].* $/.test(inner) ? inner.slice(1, -1) : inner;
        return { piece: { node: { is: 'code', text: stripped } }, next: stop };
      }
      end = text.indexOf('`', stop);
    }
    unclosed.add(length);
  }
  return { text: '`'.repeat(length), next: from };
}

function takeRun(text: string, at: number): Taken {
  const mark = text[at] as string;
  let end = at;
  while (text[end] === mark) end += 1;
  const length = end - at;
  if (mark === '~' && length !== 2) return { text: mark.repeat(length), next: end };
  const left = text.slice(Math.max(0, at - 1), at);
  const right = text.slice(end, end + 1);
  const leftFlanking = !SPACE.test(right) && (!PUNCTUATION.test(right) || SPACE.test(left) || PUNCTUATION.test(left));
  const rightFlanking = !SPACE.test(left) && (!PUNCTUATION.test(left) || SPACE.test(right) || PUNCTUATION.test(right));
  const word = mark === '_';
  const opens = leftFlanking && (!word || !rightFlanking || PUNCTUATION.test(left));
  const closes = rightFlanking && (!word || !leftFlanking || PUNCTUATION.test(right));
  return { piece: { run: { mark, length, opens, closes, whole: length } }, next: end };
}

function takeLink(text: string, at: number): Taken | null {
  const end = text.slice(at, at + LABEL_MAX).search(/(?<!\\)\]\(/);
  if (end < 0) return null;
  const label = text.slice(at + 1, at + end);
  if (/(?<!\\)\[/.test(label)) return null;
  const target = /^\(<?([^\s<>]*?)>?(?:[ \t]+"[^"]*")?\)/.exec(balanced(text, at + end + 1));
  const href = safeAddress(target?.[1] ?? '');
  if (!target || href === null) return null;
  return {
    piece: { node: { is: 'link', href, inline: withoutLinks(parseInline(label)) } },
    next: at + end + 1 + target[0].length,
  };
}

/** From a bracket to the one that closes it, at most as long as an address may be. */
function balanced(text: string, at: number): string {
  let open = 0;
  const max = Math.min(text.length, at + 4_096);
  for (let end = at; end < max; end += 1) {
    if (text[end] === '(') open += 1;
    else if (text[end] === ')' && --open === 0) return text.slice(at, end + 1);
    else if (text[end] === '\n') break;
  }
  return '';
}

function withoutLinks(inline: readonly Inline[]): Inline[] {
  return inline.flatMap((node) => {
    switch (node.is) {
      case 'link':
        return withoutLinks(node.inline);
      case 'mention':
        return { is: 'text' as const, text: `@${node.name}` };
      case 'room':
        return { is: 'text' as const, text: `#${node.name}` };
      default:
        return node;
    }
  });
}

/** Pairs what opens with what closes: each closer looks back for its opener, never further than where it failed before. */
function join(pieces: Piece[]): Inline[] {
  interface Open {
    run: Run;
    /** Where its content begins in `out`. */
    from: number;
  }
  const out: Inline[] = [];
  const stack: Open[] = [];
  const asText = ({ run }: { run: Run }): Inline => ({ is: 'text', text: run.mark.repeat(run.length) });
  for (const piece of pieces) {
    if ('node' in piece) {
      out.push(piece.node);
      continue;
    }
    const { run } = piece;
    if (run.closes) {
      for (let index = stack.length - 1; index >= 0 && run.length > 0; index -= 1) {
        const open = stack[index] as Open;
        if (!fits(open.run, run)) continue;
        // What was opened since then was not closed: it is text.
        stack.length = index + 1;
        while (open.run.length > 0 && run.length > 0) {
          const two = open.run.length >= 2 && run.length >= 2;
          if (run.mark === '~' && !two) break;
          const inner = out.splice(open.from + 1);
          out.push({ is: run.mark === '~' ? 'del' : two ? 'strong' : 'em', inline: merged(inner) });
          const used = two ? 2 : 1;
          open.run.length -= used;
          run.length -= used;
          out[open.from] = asText(open);
          // What stays of the opener may still be closed, around what was made.
        }
        if (open.run.length === 0) stack.length = index;
      }
    }
    if (run.length === 0) continue;
    if (run.opens) stack.push({ run, from: out.length });
    out.push(asText({ run }));
  }
  return merged(out);
}

function fits(open: Run, close: Run): boolean {
  if (open.mark !== close.mark || open.length === 0) return false;
  if (!(open.closes || close.opens)) return true;
  return (open.whole + close.whole) % 3 !== 0 || (open.whole % 3 === 0 && close.whole % 3 === 0);
}

function merged(inline: readonly Inline[]): Inline[] {
  const out: Inline[] = [];
  for (const node of inline) {
    const last = out.at(-1);
    if (node.is !== 'text') out.push(node);
    else if (node.text === '') continue;
    else if (last?.is === 'text') out[out.length - 1] = { is: 'text', text: last.text + node.text };
    else out.push(node);
  }
  return out;
}

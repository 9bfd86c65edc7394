/** Code in colours. Loaded when the first block of a known language is shown. */
import { common, createLowlight } from 'lowlight';

export interface Piece {
  readonly text: string;
  /** What it is: `keyword`, `string`; empty for the rest. */
  readonly kind: string;
}

const lowlight = createLowlight(common);

type Node = ReturnType<typeof lowlight.highlight>['children'][number];

/** Null where the language is not known. */
export function highlight(text: string, language: string): readonly Piece[] | null {
  if (!lowlight.registered(language)) return null;
  const pieces: Piece[] = [];
  const walk = (nodes: readonly Node[], kind: string) => {
    for (const node of nodes) {
      if (node.type === 'text') pieces.push({ text: node.value, kind });
      else if (node.type === 'element') {
        const [name] = (node.properties.className as string[] | undefined) ?? [];
        walk(node.children as Node[], name?.replace(/^hljs-/, '') ?? kind);
      }
    }
  };
  walk(lowlight.highlight(language, text).children, '');
  return pieces;
}

/** Every text of the interface stands in a message file, where it can be had in another language. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src/', import.meta.url));
/** What people read or hear of an element. */
const SPOKEN = new Set([
  'alt',
  'aria-label',
  'aria-description',
  'aria-placeholder',
  'hint',
  'label',
  'placeholder',
  'title',
]);
/** Names of keys, which stand on them. */
const KEYS = /^(?:[A-Z+]|Del)$/;

function literalsIn(file: string, text: string): string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && /\p{L}{2}/u.test(node.text)) found.push(`${file}: ${node.text.trim()}`);
    if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer) {
      const { initializer } = node;
      const inner = ts.isJsxExpression(initializer) ? initializer.expression : initializer;
      if (inner && ts.isStringLiteralLike(inner) && !KEYS.test(inner.text)) found.push(`${file}: ${inner.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('texts', () => {
  it('are in no component', () => {
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.tsx'));
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => literalsIn(file, readFileSync(src + file, 'utf8')))).toEqual([]);
  });

  it('would be found if they were', () => {
    expect(literalsIn('x.tsx', '<p title="Say it">Hello <b aria-label={`there`} label="R">{t.x} · 1</b></p>')).toEqual([
      'x.tsx: Say it',
      'x.tsx: Hello',
      'x.tsx: there',
    ]);
  });
});

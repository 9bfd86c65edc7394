/** From a place in a built file to the one in the sources that it comes from, as the file beside it says, which is read when it is first asked for. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { PACKAGE } from './places.js';

interface SourcePlace {
  file: string;
  /** Both from 1. */
  line: number;
  column: number;
}

/** By built file; null: it has none. */
const maps = new Map<string, SourceMap | null>();

function mapOf(file: string): SourceMap | null {
  let map = maps.get(file);
  if (map !== undefined) return map;
  try {
    map = new SourceMap(JSON.parse(readFileSync(new URL(`${file}.map`), 'utf8')));
  } catch {
    map = null;
  }
  maps.set(file, map);
  return map;
}

/** Null: it is no file of this package, or nothing is known of it. Files are URLs. */
export function sourceOf({ file, line, column }: SourcePlace): SourcePlace | null {
  if (!file.startsWith(PACKAGE.href)) return null;
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (!entry || !('originalSource' in entry)) return null;
  const { originalSource, originalLine, originalColumn } = entry;
  return { file: new URL(originalSource, file).href, line: originalLine + 1, column: originalColumn + 1 };
}

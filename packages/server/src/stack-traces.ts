/**
 * Stack traces that name lines of the sources. Where a line of a built file comes from stands in a file beside it, which is
 * read when the first trace through it is asked for: a start does not wait for it, as it does where Node itself is told to.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { PACKAGE } from './places.js';

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

/** One line of a trace, as Node writes it, but for the place. */
function lineOf(site: NodeJS.CallSite): string {
  const text = String(site);
  const file = site.getFileName();
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (!file?.startsWith(PACKAGE.href) || line === null || column === null) return text;
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (!entry || !('originalSource' in entry)) return text;
  const { originalSource, originalLine, originalColumn } = entry;
  return text.replace(
    `${file}:${line}:${column}`,
    () => `${new URL(originalSource, file).href}:${originalLine + 1}:${originalColumn + 1}`,
  );
}

Error.prepareStackTrace = (error, sites) => {
  let head: string;
  try {
    head = Error.prototype.toString.call(error);
  } catch {
    head = '<error>';
  }
  return [head, ...sites.map((site) => `    at ${lineOf(site)}`)].join('\n');
};

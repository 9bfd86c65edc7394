/** Stack traces that name lines of the sources: a start does not wait for them, as it does where Node itself is told to make them. */
import { sourceOf } from './source-maps.js';

/** One line of a trace, as Node writes it, but for the place. */
function lineOf(site: NodeJS.CallSite): string {
  const text = String(site);
  const file = site.getFileName();
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (!file || line === null || column === null) return text;
  const source = sourceOf({ file, line, column });
  if (!source) return text;
  return text.replace(`${file}:${line}:${column}`, () => `${source.file}:${source.line}:${source.column}`);
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

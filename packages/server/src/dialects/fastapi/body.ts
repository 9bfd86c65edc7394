/** Bodies as FastAPI reads them: JSON is parsed before anybody is asked who they are, forms by the routes that take one; all else stays text. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { isDeep } from '../json.js';
import { FailureError, fail, type Problem, unprocessable } from './failure.js';

/** A body of one of the two kinds of forms, as it came. */
export class Form {
  /** Of one of several parts: what stands between them. */
  readonly #boundary: string | undefined;

  constructor(
    readonly text: string,
    type: string,
  ) {
    const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(type) ?? [];
    this.#boundary = quoted ?? plain;
  }

  /** Of a member that is repeated the last one counts; one that is empty, or a file, is not given. */
  get members(): Record<string, string> {
    const fields = this.#boundary === undefined ? new URLSearchParams(this.text) : this.#parts(this.#boundary);
    return Object.fromEntries([...fields].filter(([, value]) => value !== ''));
  }

  *#parts(boundary: string): Generator<[string, string]> {
    const [, ...parts] = `\r\n${this.text}`.split(`\r\n--${boundary}`);
    for (const part of parts) {
      const body = part.indexOf('\r\n\r\n');
      const said = /^content-disposition:.*/im.exec(part.slice(0, Math.max(body, 0)))?.[0] ?? '';
      const name = /[; ]name="([^"]*)"/i.exec(said)?.[1];
      if (name !== undefined && !/[; ]filename\*?=/i.test(said)) yield [name, part.slice(body + 4)];
    }
  }
}

/** `depthMax`: JSON that is nested deeper is as unreadable as it was to the originals, only sooner. */
export function readBodies(app: FastifyInstance, depthMax: number): void {
  app.removeAllContentTypeParsers();
  for (const type of ['application/json', /^application\/[^;]*\+json/]) {
    app.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (_request, bytes, done) => {
      const parsed = parseJson(bytes, depthMax);
      if (parsed instanceof FailureError) done(parsed);
      else done(null, parsed);
    });
  }
  for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data']) {
    app.addContentTypeParser<Buffer>(type, { parseAs: 'buffer' }, (request, bytes, done) =>
      done(null, new Form(bytes.toString(), request.headers['content-type'] ?? '')),
    );
  }
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, bytes, done) => {
    // No content type at all is taken for JSON.
    if (request.headers['content-type'] === undefined) {
      const parsed = parseJson(bytes, depthMax);
      if (parsed instanceof FailureError) done(parsed);
      else done(null, parsed);
    } else {
      done(null, bytes.toString());
    }
  });
}

/** Undefined: there is no body. A mark of byte order before it is passed over, as Python does. */
function parseJson(bytes: Buffer, depthMax: number): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) return unreadable();
  const text = bytes.toString().replace(/^\ufeff/, '');
  try {
    const value: unknown = JSON.parse(text);
    return isDeep(value, depthMax) ? unreadable() : value;
  } catch (error) {
    return new FailureError(unprocessable(jsonProblem(text, error as Error)));
  }
}

const unreadable = (): FailureError => new FailureError(fail(400, 'There was an error parsing the body'));

function jsonProblem(text: string, error: Error): Problem {
  const said = /position ([0-9]+)/.exec(error.message)?.[1];
  const position = said === undefined ? text.length : Number(said);
  const reason = text.trim() === '' || position >= text.length ? 'Expecting value' : 'Expecting property name or value';
  return { type: 'json_invalid', loc: ['body', position], msg: 'JSON decode error', input: {}, ctx: { error: reason } };
}

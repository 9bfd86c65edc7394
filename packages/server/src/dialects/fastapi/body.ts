/** Bodies as FastAPI reads them: JSON is parsed before anybody is asked who they are, a form by the routes that take one; all else stays text. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { isDeep } from '../json.js';
import { FailureError, fail, type Problem, unprocessable } from './failure.js';

/** A body of `application/x-www-form-urlencoded`. */
export class Form {
  constructor(readonly text: string) {}

  /** Of a member that is repeated the last one counts; one that is empty is not given. */
  get members(): Record<string, string> {
    return Object.fromEntries([...new URLSearchParams(this.text)].filter(([, value]) => value !== ''));
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
  app.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (_request, bytes, done) => done(null, new Form(bytes.toString())),
  );
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

/** Undefined: there is no body. */
function parseJson(bytes: Buffer, depthMax: number): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) return unreadable();
  const text = bytes.toString();
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

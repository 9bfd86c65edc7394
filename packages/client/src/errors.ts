/** What every refused or failed request of the SDK throws, and what the outbox shows. */
import type { ErrorCode, Problem, WireError } from '@natter/protocol';

/** What goes wrong on this side of the wire. */
export type LocalErrorCode =
  /** No answer came: the server or the way to it is away. */
  | 'network'
  /** The link was lost before the answer: the command may or may not have been carried out. */
  | 'disconnected'
  | 'timeout'
  /** The answer was not what the protocol says. */
  | 'bad_answer'
  /** The client was closed, or may not connect again. */
  | 'closed'
  /** The outbox holds as much as it may. */
  | 'outbox_full'
  /** Taken out of the outbox by its owner. */
  | 'cancelled'
  /** There is no WebSocket here: pass one. */
  | 'no_websocket';

export interface ErrorFacts {
  code: string;
  message: string;
  /** May the same request succeed later, unchanged? */
  retryable: boolean;
  /** Seconds to wait first. */
  retryAfter?: number | undefined;
  /** HTTP status; 0 where no HTTP answer came. */
  status?: number | undefined;
  /** JSON Pointers into the input, each with what is wrong there. */
  fields?: readonly { path: string; message: string }[] | undefined;
  /** Where the code is explained. */
  docs?: string | undefined;
}

export class NatterError extends Error {
  override readonly name = 'NatterError';
  readonly code: ErrorCode | LocalErrorCode | (string & {});
  readonly retryable: boolean;
  readonly retryAfter: number | undefined;
  readonly status: number;
  readonly fields: readonly { path: string; message: string }[];
  readonly docs: string | undefined;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super(facts.message, options);
    this.code = facts.code;
    this.retryable = facts.retryable;
    this.retryAfter = facts.retryAfter;
    this.status = facts.status ?? 0;
    this.fields = facts.fields ?? [];
    this.docs = facts.docs;
  }

  /** What a storage keeps of it. */
  toJSON(): ErrorFacts {
    const { code, message, retryable, retryAfter, status, fields, docs } = this;
    return { code, message, retryable, retryAfter, status, fields, docs };
  }
}

/** An error of this side. */
export function localError(code: LocalErrorCode, message: string, cause?: unknown): NatterError {
  const retryable = code === 'network' || code === 'disconnected' || code === 'timeout';
  return new NatterError({ code, message, retryable }, cause === undefined ? undefined : { cause });
}

/** Whatever was thrown, as a NatterError: what is not one came from the app's own callbacks or the network. */
export function asNatterError(thrown: unknown): NatterError {
  if (thrown instanceof NatterError) return thrown;
  return localError('network', thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

/** A refusal that came in a reply frame. */
export function wireError(error: WireError, url: string): NatterError {
  const { code, message, detail, retryable, retryAfter, fields } = error;
  return new NatterError({ code, message: detail ?? message, retryable, retryAfter, fields, docs: docsOf(url, code) });
}

/** A refusal that came over HTTP; a proxy's own page, which is no problem document, is judged by its status. */
export function httpError(status: number, body: unknown, retryAfter: number | undefined, url: string): NatterError {
  const problem = (body ?? {}) as Partial<Problem>;
  const code = problem.code ?? (status === 429 ? 'rate_limited' : status >= 500 ? 'overloaded' : `http_${status}`);
  return new NatterError({
    code,
    message: problem.detail ?? problem.title ?? `The server answered ${status}`,
    retryable: problem.retryable ?? (status === 429 || status >= 500),
    retryAfter: problem.retryAfter ?? retryAfter,
    status,
    fields: problem.fields,
    docs: problem.code ? docsOf(url, code) : undefined,
  });
}

function docsOf(url: string, code: string): string {
  return `${url}/docs/errors#${code}`;
}

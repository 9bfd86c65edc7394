/** Requests to the native HTTP API: JSON both ways, refusals as NatterError, a token that is renewed once when it is refused. */
import { asNatterError, httpError, localError } from './errors.js';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpOptions {
  /** Where the server is: `https://chat.example.org`. */
  url: string;
  /** Absent where nobody is logged in. */
  token?: ((refused?: string) => Promise<string>) | undefined;
  fetch?: Fetch | undefined;
  /** Milliseconds. */
  answerWithin?: number | undefined;
}

export interface Request {
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  /** Idempotency key. */
  key?: string | undefined;
  signal?: AbortSignal | undefined;
  headers?: Record<string, string> | undefined;
}

export class Http {
  readonly url: string;
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.url = baseUrl(options.url);
    this.#options = options;
  }

  async request<T>(method: string, path: string, request: Request = {}): Promise<T> {
    const { token } = this.#options;
    if (!token) return (await this.#send(method, path, request)) as T;
    const first = await token();
    try {
      return (await this.#send(method, path, request, first)) as T;
    } catch (thrown) {
      const error = asNatterError(thrown);
      if (error.code !== 'unauthenticated') throw error;
      const second = await token(first);
      if (second === first) throw error;
      return (await this.#send(method, path, request, second)) as T;
    }
  }

  async #send(method: string, path: string, request: Request, token?: string): Promise<unknown> {
    const { body, key, query, signal } = request;
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token) headers.authorization = `Bearer ${token}`;
    if (key) headers['idempotency-key'] = key;
    const late = AbortSignal.timeout(this.#options.answerWithin ?? 30_000);
    const init: RequestInit = { method, headers, signal: signal ? AbortSignal.any([signal, late]) : late };
    if (body !== undefined) init.body = JSON.stringify(body);
    let response: Response;
    let text: string;
    try {
      response = await (this.#options.fetch ?? fetch)(url.href, init);
      text = await response.text();
    } catch (thrown) {
      if (signal?.aborted) throw localError('cancelled', 'the request was aborted', thrown);
      if (late.aborted) throw localError('timeout', `${method} ${path} was not answered in time`, thrown);
      throw asNatterError(thrown);
    }
    const answer = parseJson(text);
    if (!response.ok) {
      const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
      throw httpError(response.status, answer, Number.isNaN(wait) ? undefined : wait, this.url);
    }
    if (answer === undefined && text) throw localError('bad_answer', `${method} ${path} was not answered with JSON`);
    return answer;
  }
}

/** Without a slash at the end. */
export function baseUrl(url: string): string {
  return new URL(url).href.replace(/\/+$/, '');
}

/** Undefined for what is no JSON: the caller judges that. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

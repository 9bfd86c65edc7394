/** The port of dialects: what another chat API is given, and what it brings. See docs/dialects/README.md. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Accounts } from '../auth/accounts.js';
import type { Clock } from '../clock.js';
import type { Config, DialectName } from '../config.js';
import type { Core } from '../core/execute.js';
import type { People } from '../core/people.js';
import type { Queries } from '../core/queries.js';
import type { Hub } from '../hub/hub.js';
import type { Limits } from '../limits.js';
import type { RateLimiter } from '../rate-limiter.js';
import type { SocketRoute } from './socket.js';

/** What every dialect stands on: commands, reads, accounts and live delivery, and nothing below them. */
export interface DialectContext {
  core: Pick<Core, 'execute'>;
  queries: Queries;
  accounts: Accounts;
  hub: Hub;
  /** Names at hand, for frames. */
  people: People;
  rates: Pick<RateLimiter, 'take'>;
  limits: Limits;
  config: Config;
  clock: Clock;
  logger: FastifyBaseLogger;
  /** Can the server work now? */
  ready(): Promise<boolean>;
}

export interface Dialect {
  /** In tokens, in rooms made through it, and in the setting DIALECTS. */
  readonly name: DialectName;
  /** Its group in the documents. */
  readonly title: string;
  readonly description: string;
  /** Paths that are its own, and all below them: what the server itself refuses there has the shape of this API. */
  readonly prefixes: readonly string[];
  /** What it has at `/` and `/health`, which the server has too. */
  readonly shared?: { readonly root: object; readonly health: object };
  /** Documents of its own, beside those of all. */
  readonly documents?: DialectDocuments;
  open(context: DialectContext): OpenDialect;
}

export interface DialectDocuments {
  /** They are at `docs`, `redoc` and `openapi.json` below this path. */
  readonly at: string;
  readonly title: string;
  readonly version: string;
  /** Where a form of `username` and `password` gives a token. */
  readonly login: string;
}

export interface OpenDialect {
  /** Adds its routes to an app of their own. */
  routes(app: FastifyInstance): void | Promise<void>;
  readonly sockets: readonly SocketRoute[];
}

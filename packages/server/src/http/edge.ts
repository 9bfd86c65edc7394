/** What the HTTP edge is given, and what all of its routes share. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { NatsCredentials, SearchPage } from '@natter/protocol';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, RawServerDefault } from 'fastify';
import type { Accounts } from '../auth/accounts.js';
import type { Config } from '../config.js';
import type { Actor, Answer, Refusal } from '../core/actor.js';
import type { Core } from '../core/execute.js';
import type { Queries } from '../core/queries.js';
import type { Limits } from '../limits.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { RateLimiter } from '../rate-limiter.js';

/** What a search is asked. Times in milliseconds since 1970. */
export interface SearchInput {
  q: string;
  mode?: 'auto' | 'words' | 'substring' | 'fuzzy' | undefined;
  room?: number | undefined;
  from?: number | undefined;
  before?: number | undefined;
  after?: number | undefined;
  limit?: number | undefined;
  next?: string | undefined;
}

export interface Health {
  ready: boolean;
  /** Each part that was asked: 'ok', or what is wrong with it. */
  checks: Record<string, string>;
}

/** Documents of one group of routes alone. */
export interface GuestDocuments {
  tag: string;
  /** They are at `docs`, `redoc` and `openapi.json` below this path. */
  at: string;
  title: string;
  version: string;
  /** Where a form of `username` and `password` gives a token. */
  login: string;
}

/** Other APIs at paths of their own, whose answers have shapes of their own. */
export interface Guests {
  /** Groups of the documents, each with a sentence. */
  tags: [string, string][];
  /** Documents of single ones, beside those of all. */
  documents: GuestDocuments[];
  /** Adds their routes. */
  routes(app: FastifyInstance): Promise<void>;
  /** How refusals look at this path; null: natively. */
  refusalsAt(path: string): RefusalShape | null;
  /** What they have at `/` and `/health`, where the native API has something too; null: nothing. */
  shared: { root: object; health: object; unhealthy: object } | null;
}

export type RefusalShape = (reply: FastifyReply, refusal: Refusal) => FastifyReply;

export interface HttpOptions {
  core: Pick<Core, 'execute'>;
  queries: Queries;
  accounts: Pick<Accounts, 'register' | 'logIn' | 'refresh' | 'changePassword' | 'verifyAccess'>;
  /** Holds the budget of searches itself. */
  search: (actor: Actor, input: SearchInput) => Promise<Answer<SearchPage>>;
  rates: Pick<RateLimiter, 'take'>;
  limits: Limits;
  config: Pick<Config, 'corsOrigins' | 'trustedProxies' | 'metricsAccess' | 'registration' | 'refreshTokenSeconds'>;
  logger: Logger;
  metrics: Pick<Metrics, 'registry' | 'page' | 'httpRequest'>;
  health: () => Promise<Health>;
  /** Of what runs: `natter`, `node`, and `sqlite` or `postgres`. */
  versions: Record<string, string>;
  guests?: Guests;
  /** Credentials for NATS, where this server gives out any. */
  followers?: { open(actor: Actor, publicKey: string | undefined): Promise<Answer<NatsCredentials>> } | null;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's address, proxies of ours left aside. */
    address: string;
    /** Who asks; null on routes that ask nobody. */
    actor: Actor | null;
    /** How refusals look here; null: as problem details. */
    refusalShape: RefusalShape | null;
  }
  interface FastifyContextConfig {
    /** Anybody may ask, without a token. */
    open?: true;
    /** Answers carry an ETag, and `If-None-Match` is heard. */
    etag?: true;
  }
}
